#include "starctl/phrases.h"

#include <map>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

using rating::v1::Move;

std::string Without(absl::string_view name, absl::string_view prefix) {
  absl::ConsumePrefix(&name, prefix);
  return std::string(name);
}

// One result: how often each level, then how often none and why.
std::string TallyLine(const std::string& result, const rating::v1::Summary& summary) {
  std::vector<std::string> counts, levels, reasons;
  int64_t total = 0, not_rated = 0;
  for (const rating::v1::Tally& tally : summary.tallies()) {
    if (tally.result() != result) continue;
    total += tally.count();
    if (tally.not_rated().empty()) {
      counts.push_back(Thousands(tally.count()));
      levels.push_back(tally.level());
    } else if (tally.count() > 0) {
      not_rated += tally.count();
      reasons.push_back(absl::StrCat(tally.not_rated(), " ", Thousands(tally.count())));
    }
  }
  std::string line = absl::StrCat(result, ": ");
  // A number has too many outcomes to be counted out.
  constexpr size_t kLevelsMost = 64;
  if (!counts.empty() && counts.size() <= kLevelsMost) {
    absl::StrAppend(&line, absl::StrJoin(counts, " / "), " of ", Thousands(total), " (",
                    absl::StrJoin(levels, " / "), ")");
  } else {
    absl::StrAppend(&line, Thousands(total - not_rated), " of ", Thousands(total), " rated");
  }
  if (not_rated > 0) {
    absl::StrAppend(&line, "; not rated ", Thousands(not_rated), " (", absl::StrJoin(reasons, ", "),
                    ")");
  }
  return line;
}

std::string MoveLine(const std::string& decision, const rating::v1::Summary& summary) {
  std::map<Move, int64_t> counts;
  for (const rating::v1::MoveTally& tally : summary.moves()) {
    if (tally.decision() == decision) counts[tally.move()] += tally.count();
  }
  const int64_t remained = counts[rating::v1::MOVE_REMAINED];
  const int64_t entered = counts[rating::v1::MOVE_ENTERED];
  std::string line = absl::StrCat(decision, ": on the list ", Thousands(remained + entered), " (",
                                  Thousands(remained), " remained, ", Thousands(entered),
                                  " entered); left ", Thousands(counts[rating::v1::MOVE_LEFT]));
  const int64_t unknown = counts[rating::v1::MOVE_UNKNOWN];
  if (unknown > 0) {
    absl::StrAppend(&line, "; state before not known ", Thousands(unknown));
  }
  return line;
}

}  // namespace

std::string Name(assessment::v1::RoundState state) {
  return Without(assessment::v1::RoundState_Name(state), "ROUND_STATE_");
}

std::string Name(Move move) { return Without(rating::v1::Move_Name(move), "MOVE_"); }

std::string Name(rating::v1::StepKind kind) {
  return Without(rating::v1::StepKind_Name(kind), "STEP_KIND_");
}

std::string Name(scheme::v1::Basis basis) {
  return Without(scheme::v1::Basis_Name(basis), "BASIS_");
}

std::string Name(evidence::v1::MissingReason reason) {
  return Without(evidence::v1::MissingReason_Name(reason), "MISSING_REASON_");
}

std::string ValueText(const evidence::v1::Value& value) {
  using Case = evidence::v1::Value::ValueCase;
  switch (value.value_case()) {
    case Case::kDecimal:
      return value.decimal();
    case Case::kRatio:
      return absl::StrCat(value.ratio().numerator(), "/", value.ratio().denominator());
    case Case::kLevel:
      return value.level();
    case Case::kFlag:
      return value.flag() ? "yes" : "no";
    case Case::kText:
      return value.text();
    case Case::kMissing:
      return Name(value.missing());
    case Case::VALUE_NOT_SET:
      break;
  }
  return "";
}

std::string SaidText(const evidence::v1::EvidenceItem& item) {
  if (!item.has_override()) return ValueText(item.value());
  return absl::StrCat(ValueText(item.value()), " (override by ", item.override().authority(),
                      " until ", item.override().expires_on(), ")");
}

std::string OutcomeText(const rating::v1::Result& result) {
  if (result.has_level()) return result.level();
  if (result.has_number()) return result.number();
  return absl::StrCat("not rated (", result.not_rated().reason(), ")");
}

std::string OutcomeAndMechanicalText(const rating::v1::Result& result) {
  if (!result.has_mechanical()) return OutcomeText(result);
  return absl::StrCat(OutcomeText(result), " (", OutcomeText(result.mechanical()),
                      " without overrides)");
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

std::string SchemeText(const rating::v1::SchemeRef& scheme) {
  return absl::StrCat(scheme.id(), "@", scheme.version());
}

std::string SummaryText(const rating::v1::Summary& summary) {
  std::vector<std::string> lines;
  std::string last;
  for (const rating::v1::Tally& tally : summary.tallies()) {
    if (tally.result() == last) continue;
    last = tally.result();
    lines.push_back(TallyLine(last, summary));
  }
  last.clear();
  for (const rating::v1::MoveTally& tally : summary.moves()) {
    if (tally.decision() == last) continue;
    last = tally.decision();
    lines.push_back(MoveLine(last, summary));
  }
  return absl::StrJoin(lines, "\n");
}

}  // namespace starratings::starctl
