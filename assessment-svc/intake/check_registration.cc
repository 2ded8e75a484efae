#include "assessment-svc/intake/check_registration.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace starratings::intake {
namespace {

using evidence::Code;
using evidence::ValueType;
using status::FieldErrors;

template <typename Entry>
void CheckTwice(const std::vector<Entry>& entries, absl::string_view list, FieldErrors& errors) {
  absl::flat_hash_set<std::string> seen;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!seen.insert(entries[i].id).second) {
      errors.Add(absl::StrCat(list, "[", i, "].id"), "must not occur twice");
    }
  }
}

// What stands in the way of `next` in the place of `now`; empty: nothing.
std::string Objection(const Code& now, const Code& next) {
  if (now.value_type != next.value_type) {
    return absl::StrCat("must keep its value type, ", evidence::ToString(now.value_type),
                        "; register the other under a code of its own");
  }
  // Who may say something under it, and who has.
  constexpr auto kOverride = evidence::Kind::kOverride;
  if (now.kind != next.kind && (now.kind == kOverride || next.kind == kOverride)) {
    return absl::StrCat("must keep its kind, ", evidence::ToString(now.kind),
                        ": overrides have codes of their own");
  }
  for (const std::string& level : now.levels) {
    if (std::find(next.levels.begin(), next.levels.end(), level) == next.levels.end()) {
      return absl::StrCat("must keep its level `", level, "`");
    }
  }
  return "";
}

}  // namespace

void CheckEntries(const Entries& entries, FieldErrors& errors) {
  if (entries.size() == 0) {
    errors.Add("organisations", "must have an entry, or periods or codes must");
  }
  if (entries.size() > kEntriesMost) {
    errors.Add("organisations",
               absl::StrCat("must have, with periods and codes, at most ", kEntriesMost,
                            " entries, and there are ", entries.size()));
  }
  CheckTwice(entries.organisations, "organisations", errors);
  CheckTwice(entries.periods, "periods", errors);
  CheckTwice(entries.codes, "codes", errors);
}

absl::Status CheckCodeChanges(const std::vector<Code>& codes,
                              const std::map<std::string, Code>& registered) {
  status::ErrorDetail detail;
  std::string message;
  for (const Code& code : codes) {
    const auto now = registered.find(code.id);
    if (now == registered.end()) continue;
    const std::string objection = Objection(now->second, code);
    if (objection.empty()) continue;
    detail.preconditions.push_back({"CODE_IN_USE", absl::StrCat("codes/", code.id), objection});
    absl::StrAppend(&message, message.empty() ? "" : "\n", code.id, ": ", objection);
    if (detail.preconditions.size() == FieldErrors::kKept) break;
  }
  if (detail.preconditions.empty()) return absl::OkStatus();
  detail.reason = "CODE_IN_USE";
  return status::ErrorWithDetail(absl::StatusCode::kFailedPrecondition, message, detail);
}

}  // namespace starratings::intake
