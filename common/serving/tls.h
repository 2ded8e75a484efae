// Certificates from files.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace starratings::serving {

// Texts in PEM.
struct KeyMaterial {
  std::string certificate;  // tls.crt: ours, and the chain to the authority.
  std::string key;          // tls.key: of that certificate.
  std::string authority;    // ca.crt: whom we trust.
};

// Reads and checks tls.crt, tls.key and ca.crt. Returns FAILED_PRECONDITION
// naming the file at fault: gRPC itself starts happily without any of them.
absl::StatusOr<KeyMaterial> ReadKeyMaterial(const std::string& directory);

}  // namespace starratings::serving
