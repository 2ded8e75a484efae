// What entries of the register must be, given what is registered.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/evidence/register.h"
#include "common/status/field_errors.h"

namespace starratings::intake {

inline constexpr size_t kEntriesMost = 10'000;

struct Entries {
  std::vector<evidence::Organisation> organisations;
  std::vector<evidence::Period> periods;
  std::vector<evidence::Code> codes;

  size_t size() const { return organisations.size() + periods.size() + codes.size(); }
};

// Notes in `errors` how many entries there are, if that is none or too many,
// and every id that occurs twice.
void CheckEntries(const Entries& entries, status::FieldErrors& errors);

// Returns FAILED_PRECONDITION, reason CODE_IN_USE, if a code would change its
// value type, lose a level, or begin or cease to be one of overrides: evidence may
// rest on it. All such codes are listed.
absl::Status CheckCodeChanges(const std::vector<evidence::Code>& codes,
                              const std::map<std::string, evidence::Code>& registered);

}  // namespace starratings::intake
