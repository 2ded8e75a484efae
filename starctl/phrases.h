// How messages are put into words, the same in every command.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "starratings/assessment/v1/round.pb.h"
#include "starratings/evidence/v1/evidence.pb.h"
#include "starratings/rating/v1/rating.pb.h"
#include "starratings/rating/v1/rating_service.pb.h"

namespace starratings::starctl {

// `OPEN`, `ENTERED`, `ASSUMED`, `CAP`, `NOT_REPORTED`: enum values without
// their prefixes.
std::string Name(assessment::v1::RoundState state);
std::string Name(rating::v1::Move move);
std::string Name(rating::v1::StepKind kind);
std::string Name(scheme::v1::Basis basis);
std::string Name(evidence::v1::MissingReason reason);

// `12.5`, `30/140`, `most`, `yes`, `NOT_REPORTED`.
std::string ValueText(const evidence::v1::Value& value);
// The same of an item; an override says so: `poor (override by the minister until
// 2002-06-01)`.
std::string SaidText(const evidence::v1::EvidenceItem& item);

// The level, the number, or `not rated (STALE)`.
std::string OutcomeText(const rating::v1::Result& result);
// The same, with what it would be without overrides where it rests on one: `2 (1 without
// overrides)`.
std::string OutcomeAndMechanicalText(const rating::v1::Result& result);

// `2002-05-30 12:00:00 UTC`.
std::string TimeText(const google::protobuf::Timestamp& time);

// `england-social-services-2002@2002.1`.
std::string SchemeText(const rating::v1::SchemeRef& scheme);

// How a round's ratings came out: a line for each result, a line for each list.
//
//     stars: 10 / 82 / 50 / 8 of 150 (0 / 1 / 2 / 3)
//     special_measures: on the list 10 (4 remained, 6 entered); left 6
std::string SummaryText(const rating::v1::Summary& summary);

}  // namespace starratings::starctl
