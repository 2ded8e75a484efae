// What the transport accepts. Our own limits are lower and are checked in the
// handlers, so that they get a proper error.
#pragma once

namespace starratings::serving {

inline constexpr int kMessageMost = 8 * 1024 * 1024;  // Bytes.
inline constexpr int kStreamsMost = 1'000;            // Calls on one connection.
inline constexpr int kMetadataMost = 32 * 1024;       // Bytes.

}  // namespace starratings::serving
