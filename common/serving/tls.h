// Certificates from files.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace starratings::serving {

// Texts in PEM.
struct KeyMaterial {
  std::string certificate;  // tls.crt: ours, and the chain to the authority.
  std::string key;          // tls.key: of that certificate.
  std::string authority;    // ca.crt: whom we trust.
  absl::Time not_after;     // Until when our certificate is good.

  friend bool operator==(const KeyMaterial&, const KeyMaterial&) = default;
};

// Reads and checks tls.crt, tls.key and ca.crt. Returns FAILED_PRECONDITION
// naming the file at fault: gRPC itself starts happily without any of them. A
// certificate that is not good `now` is at fault.
absl::StatusOr<KeyMaterial> ReadKeyMaterial(const std::string& directory, absl::Time now);

}  // namespace starratings::serving
