// What a failed command prints, and the exit code it ends with.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace starratings::starctl {

// docs/starctl.md lists them; scripts rely on them.
enum class ExitCode {
  kOk = 0,
  kNo = 1,           // The answer is no: a scheme does not verify, a case fails.
  kUsage = 2,        // The command line makes no sense.
  kBadFile = 3,      // A file cannot be read or used. Nothing was sent.
  kRefused = 4,      // The service said no.
  kUnreachable = 5,  // The service did not answer, or not in time.
  kDamaged = 6,      // The record, or a backup, is not what it says.
};

// Reasons of errors made here and not by a service.
inline constexpr char kBadFile[] = "BAD_FILE";
inline constexpr char kBadUsage[] = "BAD_USAGE";

absl::Status BadFile(absl::string_view file, absl::string_view what);
absl::Status BadUsage(absl::string_view what);

ExitCode ExitCodeOf(const absl::Status& error);

// One line `starctl: ...`, then one line for each field or precondition that
// stands in the way.
std::string Describe(const absl::Status& error);

}  // namespace starratings::starctl
