// A certificate authority of one's own, for trying things out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

struct evp_pkey_st;
struct x509_st;

namespace starratings::starctl {

// Whom a certificate is for.
struct Identity {
  std::string folder;                  // Of its files, and its common name.
  std::string uri;                     // The actor: its one URI.
  std::vector<std::string> dns_names;  // Of a server.
  bool loopback = false;               // A server that is called by 127.0.0.1, too.
};

// Texts in PEM.
struct Credentials {
  std::string certificate;
  std::string key;
};

class Authority {
 public:
  // A new one, with a key on the curve P-256, for a year.
  static absl::StatusOr<std::unique_ptr<Authority>> Create();
  ~Authority();

  const Credentials& credentials() const { return credentials_; }

  // A key and a certificate that is good for both ends of a connection.
  absl::StatusOr<Credentials> Issue(const Identity& identity) const;

 private:
  Authority() = default;

  evp_pkey_st* key_ = nullptr;
  x509_st* certificate_ = nullptr;
  Credentials credentials_;
};

}  // namespace starratings::starctl
