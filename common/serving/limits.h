// What the transport accepts. Our own limits are lower and are checked in the
// handlers, so that they get a proper error.
#pragma once

#include "absl/time/time.h"

namespace starratings::serving {

inline constexpr int kMessageMost = 8 * 1024 * 1024;  // Bytes of a reply.
inline constexpr int kMetadataMost = 32 * 1024;       // Bytes.
// Pings on a connection without calls may come as often as this.
inline constexpr absl::Duration kPingsEvery = absl::Seconds(30);
// How long a ping of ours may go unanswered.
inline constexpr absl::Duration kKeepaliveWithin = absl::Seconds(20);

// Those that a flag sets.
struct TransportLimits {
  int message_mib = 8;       // Of a request.
  int streams_most = 1'000;  // Calls on one connection.
  absl::Duration connection_age = absl::Minutes(5);
  absl::Duration connection_age_grace = absl::Minutes(5);
  absl::Duration keepalive = absl::Minutes(1);  // Between pings to a silent client.
  int memory_mib = 0;                           // Of the transport's buffers; 0: no limit.
  double identity_calls_per_second = 0;         // 0: no limit.
  double identity_bytes_per_second = 0;         // Of requests; 0: no limit.
};

}  // namespace starratings::serving
