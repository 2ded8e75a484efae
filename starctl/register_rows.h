// From the entries of a file to organisations, periods and codes.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "starctl/bad_rows.h"
#include "starctl/input.h"
#include "starratings/assessment/v1/register_service.pb.h"

namespace starratings::starctl {

// What a file may register. The fields are named as in the messages.
const Fields& OrganisationFields();
const Fields& PeriodFields();
const Fields& CodeFields();

// Reads all rows into one request, without request id. Note in `bad` what is
// wrong with each row, and ids that occur twice.
assessment::v1::RegisterRequest ReadOrganisationRows(const Input& input, BadRows& bad);
assessment::v1::RegisterRequest ReadPeriodRows(const Input& input, BadRows& bad);
assessment::v1::RegisterRequest ReadCodeRows(const Input& input, BadRows& bad);

// Splits a request into several within the record's limits, in order, each with
// a request id that follows from what it says.
std::vector<assessment::v1::RegisterRequest> SplitRegister(
    const assessment::v1::RegisterRequest& whole, absl::string_view reason);

}  // namespace starratings::starctl
