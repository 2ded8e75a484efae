// One line of JSON on stderr for each thing worth knowing.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace starratings::serving {

using LogFields = std::initializer_list<std::pair<absl::string_view, std::string>>;

// {"time":"...","level":"info","service":"...","message":"...", ...fields}; fields that are
// empty are left out.
//
// Errors are written at once, the rest within some ten milliseconds; what is left, at
// exit. If nobody reads stderr, lines are dropped rather than calls held up.
void LogInfo(absl::string_view message, LogFields fields = {});
void LogError(absl::string_view message, LogFields fields = {});

// gRPC's own complaints no longer go to stderr as they are: dropped, or as lines
// of ours once LogGrpc(true) was called. Without it a busy port is reported in
// gRPC's words before it is in ours.
void TakeOverGrpcLog();
void LogGrpc(bool on);

// Names the service in every line from now on. Call once, in main().
void SetLogService(absl::string_view service);

}  // namespace starratings::serving
