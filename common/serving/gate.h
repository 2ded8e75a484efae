// The gate of a server under TLS: the certificates it shows, whom it lets in, to
// which rpcs, and how often. Certificates and policy follow their files.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/serving/policy.h"
#include "common/serving/throttle.h"
#include "common/serving/tls.h"
#include "common/serving/watched.h"
#include "grpcpp/grpcpp.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/registry.h"

namespace starratings::serving {

struct GateOptions {
  std::string tls_directory;                // With tls.crt, tls.key and ca.crt.
  std::string policy;                       // File of a policy::v1::Policy.
  std::vector<std::string> services;        // Full names of the services behind the gate.
  absl::Duration poll = absl::Seconds(10);  // How often the files are looked at.
  double calls_per_second = 0;              // Of one identity; 0: no limit.
  double bytes_per_second = 0;              // Of requests, of one identity; 0: no limit.
};

// Thread-safe.
class Gate {
 public:
  // Returns FAILED_PRECONDITION naming the file that is no good.
  static absl::StatusOr<std::unique_ptr<Gate>> Open(
      const GateOptions& options, const std::shared_ptr<prometheus::Registry>& registry);

  // For the listener of a server that the gate must outlive. Runs before any
  // handler: what it refuses, no handler sees.
  std::shared_ptr<grpc::ServerCredentials> credentials() const { return credentials_; }

  // OK if the caller, with the URIs of its certificate, may call the rpc now.
  // UNAUTHENTICATED unless there is exactly one URI; PERMISSION_DENIED; and
  // RESOURCE_EXHAUSTED if it has called too often.
  grpc::Status Admit(absl::string_view path, const std::vector<absl::string_view>& uris);

  // Whether callers are charged at all.
  bool charges() const { return bytes_.limits(); }
  // Charges a caller for what it sent.
  void Charge(absl::string_view actor, size_t request_bytes);

  Roles RolesOf(absl::string_view actor) const { return policy_->current()->RolesOf(actor); }
  bool Supplies(absl::string_view actor, absl::string_view organisation) const {
    return policy_->current()->Supplies(actor, organisation);
  }

  std::shared_ptr<const KeyMaterial> keys() const { return keys_->current(); }
  // Calls `changed` whenever other certificates are in use, on a thread of the gate's.
  // Call once, before the server starts.
  void OnKeys(std::function<void(const KeyMaterial&)> changed);

 private:
  Gate(AccessRules rules, const GateOptions& options,
       const std::shared_ptr<prometheus::Registry>& registry);

  WatchedObserver ObserverOf(const std::string& what, const char* metric, prometheus::Registry&,
                             std::function<void()> loaded);
  prometheus::Counter& DeniedCounter(absl::string_view path, const char* reason);
  void Denied(absl::string_view path, absl::string_view who, const char* reason);

  const AccessRules rules_;
  Throttle calls_;
  Throttle bytes_;
  const std::shared_ptr<prometheus::Registry> registry_;  // Owns the series.
  prometheus::Family<prometheus::Counter>& denied_;
  prometheus::Counter& shed_calls_;
  prometheus::Counter& shed_bytes_;

  std::mutex mutex_;  // Guards the next.
  std::function<void(const KeyMaterial&)> changed_;

  // Here, since a server does not keep them, but asks them at each handshake.
  std::shared_ptr<grpc::ServerCredentials> credentials_;

  // Last: their threads use the rest.
  std::unique_ptr<Watched<KeyMaterial>> keys_;
  std::unique_ptr<Watched<Policy>> policy_;
};

}  // namespace starratings::serving
