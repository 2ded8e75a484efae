#include "common/serving/gate.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/serving/log.h"
#include "common/status/status_macros.h"
#include "grpc/grpc.h"
#include "grpc/grpc_security.h"
#include "grpc/slice.h"
#include "prometheus/gauge.h"

namespace starratings::serving {
namespace {

constexpr char kPath[] = ":path";

absl::string_view ViewOf(const grpc_slice& slice) {
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice)};
}

// What gRPC asks before each call; `state` is the gate.
void Process(void* state, grpc_auth_context* context, const grpc_metadata* metadata, size_t count,
             grpc_process_auth_metadata_done_cb done, void* user_data) {
  absl::string_view path;
  for (size_t i = 0; i < count; ++i) {
    if (ViewOf(metadata[i].key) == kPath) path = ViewOf(metadata[i].value);
  }
  std::vector<absl::string_view> uris;
  grpc_auth_property_iterator properties =
      grpc_auth_context_find_properties_by_name(context, GRPC_PEER_URI_PROPERTY_NAME);
  while (const grpc_auth_property* property = grpc_auth_property_iterator_next(&properties)) {
    uris.emplace_back(property->value, property->value_length);
  }
  const grpc::Status status = static_cast<Gate*>(state)->Admit(path, uris);
  done(user_data, nullptr, 0, nullptr, 0, static_cast<grpc_status_code>(status.error_code()),
       status.ok() ? nullptr : status.error_message().c_str());
}

// Credentials that ask for the certificates at each handshake. gRPC's own reload of
// files takes whatever is there, also what is broken; its C++ classes have no other.
class FollowingCredentials final : public grpc::ServerCredentials {
 public:
  explicit FollowingCredentials(Gate& gate) : gate_(gate) {
    grpc_ssl_server_credentials_options* const options =
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, &Fetch, this);
    credentials_ = grpc_ssl_server_credentials_create_with_options(options);
    grpc_server_credentials_set_auth_metadata_processor(credentials_, {&Process, nullptr, &gate_});
  }
  ~FollowingCredentials() override { grpc_server_credentials_release(credentials_); }

  // The gate is the processor.
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  // gRPC calls this under a lock of its own.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    auto& credentials = *static_cast<FollowingCredentials*>(self);
    std::shared_ptr<const KeyMaterial> keys = credentials.gate_.keys();
    if (keys == credentials.given_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair = {keys->key.c_str(), keys->certificate.c_str()};
    *config = grpc_ssl_server_certificate_config_create(keys->authority.c_str(), &pair, 1);
    credentials.given_ = std::move(keys);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  Gate& gate_;
  grpc_server_credentials* credentials_ = nullptr;
  std::shared_ptr<const KeyMaterial> given_;
};

prometheus::Counter& ShedCounter(prometheus::Registry& registry, const char* reason) {
  return prometheus::BuildCounter()
      .Name("starratings_shed_calls_total")
      .Help("Calls refused because there were too many, by what there was too much of.")
      .Register(registry)
      .Add({{"reason", reason}});
}

// The error in one line: gRPC carries no details of what is refused before a handler.
grpc::Status Refusal(grpc::StatusCode code, absl::string_view reason, absl::string_view message) {
  return grpc::Status(code, absl::StrCat(reason, ": ", message));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Gate>> Gate::Open(
    const GateOptions& options, const std::shared_ptr<prometheus::Registry>& registry) {
  ASSIGN_OR_RETURN(AccessRules rules, AccessRules::Of(options.services));
  ASSIGN_OR_RETURN(KeyMaterial keys, ReadKeyMaterial(options.tls_directory, absl::Now()));
  ASSIGN_OR_RETURN(Policy policy, Policy::Read(options.policy));
  std::unique_ptr<Gate> gate(new Gate(std::move(rules), options, registry));

  auto& not_after = prometheus::BuildGauge()
                        .Name("starratings_tls_not_after_timestamp_seconds")
                        .Help("When the certificate in use expires, in seconds since 1970.")
                        .Register(*registry)
                        .Add({});
  not_after.Set(static_cast<double>(absl::ToUnixSeconds(keys.not_after)));
  Gate* const self = gate.get();
  gate->keys_ = std::make_unique<Watched<KeyMaterial>>(
      std::move(keys),
      [directory = options.tls_directory] { return ReadKeyMaterial(directory, absl::Now()); },
      options.poll, self->ObserverOf("certificates", "tls", *registry, [self, &not_after] {
        const std::shared_ptr<const KeyMaterial> now = self->keys();
        not_after.Set(static_cast<double>(absl::ToUnixSeconds(now->not_after)));
        const std::lock_guard lock(self->mutex_);
        if (self->changed_) self->changed_(*now);
      }));
  gate->policy_ = std::make_unique<Watched<Policy>>(
      std::move(policy), [path = options.policy] { return Policy::Read(path); }, options.poll,
      self->ObserverOf("policy", "policy", *registry, [] {}));
  gate->credentials_ = std::make_shared<FollowingCredentials>(*self);
  return gate;
}

Gate::Gate(AccessRules rules, const GateOptions& options,
           const std::shared_ptr<prometheus::Registry>& registry)
    : rules_(std::move(rules)),
      calls_(options.calls_per_second),
      bytes_(options.bytes_per_second),
      registry_(registry),
      denied_(prometheus::BuildCounter()
                  .Name("starratings_denied_calls_total")
                  .Help("Calls refused for who asked: no identity, or not the role.")
                  .Register(*registry)),
      shed_calls_(ShedCounter(*registry, "identity_calls")),
      shed_bytes_(ShedCounter(*registry, "identity_bytes")) {
  // From the start, so that a rate sees the first.
  std::vector<std::string> paths = rules_.Paths();
  paths.emplace_back();  // Unknown.
  for (const std::string& path : paths) {
    for (const char* reason : {"unauthenticated", "role"}) DeniedCounter(path, reason);
  }
}

WatchedObserver Gate::ObserverOf(const std::string& what, const char* metric,
                                 prometheus::Registry& registry, std::function<void()> loaded) {
  auto& reloads =
      prometheus::BuildCounter()
          .Name(absl::StrCat("starratings_", metric, "_reloads_total"))
          .Help(absl::StrCat("Changes of the ", what, " on disk, by what became of them."))
          .Register(registry);
  auto& taken = reloads.Add({{"outcome", "loaded"}});
  auto& no_good = reloads.Add({{"outcome", "refused"}});
  auto& refused = prometheus::BuildGauge()
                      .Name(absl::StrCat("starratings_", metric, "_reload_refused"))
                      .Help(absl::StrCat("1 while the ", what,
                                         " on disk are no good and the ones before stay in use."))
                      .Register(registry)
                      .Add({});
  refused.Set(0);
  return {[&taken, &refused, what, loaded = std::move(loaded)] {
            taken.Increment();
            refused.Set(0);
            LogInfo("reloaded", {{"what", what}});
            loaded();
          },
          [&no_good, &refused, what](const absl::Status& why) {
            no_good.Increment();
            refused.Set(1);
            LogError("not reloaded, the old stays in use",
                     {{"what", what}, {"why", std::string(why.message())}});
          },
          [&refused] { refused.Set(0); }};
}

void Gate::OnKeys(std::function<void(const KeyMaterial&)> changed) {
  const std::lock_guard lock(mutex_);
  changed_ = std::move(changed);
}

prometheus::Counter& Gate::DeniedCounter(absl::string_view path, const char* reason) {
  // Labels are bounded: what is no rpc of ours has none of its own.
  std::string service = "unknown", method = "unknown";
  if (rules_.OpenTo(path) != 0) {
    const size_t slash = path.rfind('/');
    service = std::string(path.substr(1, slash - 1));
    method = std::string(path.substr(slash + 1));
  }
  return denied_.Add({{"grpc_service", service}, {"grpc_method", method}, {"reason", reason}});
}

void Gate::Denied(absl::string_view path, absl::string_view who, const char* reason) {
  DeniedCounter(path, reason).Increment();
  // A path is the caller's word: it is kept short.
  LogInfo("denied", {{"method", std::string(path.substr(0, 200))},
                     {"actor", std::string(who)},
                     {"reason", reason}});
}

grpc::Status Gate::Admit(absl::string_view path, const std::vector<absl::string_view>& uris) {
  // Several names would leave open which of them acted.
  if (uris.size() != 1 || uris.front().empty()) {
    Denied(path, "", "unauthenticated");
    return Refusal(grpc::StatusCode::UNAUTHENTICATED, "ACTOR_REQUIRED",
                   "the certificate must have exactly one URI as subject alternative name");
  }
  const absl::string_view actor = uris.front();
  if (!AccessRules::IsHealth(path) && (rules_.OpenTo(path) & RolesOf(actor)) == 0) {
    Denied(path, actor, "role");
    // The same whether there is such an rpc or not.
    return Refusal(grpc::StatusCode::PERMISSION_DENIED, "ROLE_REQUIRED",
                   absl::StrCat(actor, " has no role that may call this"));
  }
  const absl::Time now = absl::Now();
  const absl::Duration for_calls = calls_.Wait(actor, now);
  const absl::Duration for_bytes = bytes_.Wait(actor, now);
  if (for_calls > absl::ZeroDuration() || for_bytes > absl::ZeroDuration()) {
    const bool calls = for_calls >= for_bytes;
    (calls ? shed_calls_ : shed_bytes_).Increment();
    return Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "RATE_LIMITED",
                   absl::StrCat(actor, calls ? " calls too often" : " sends too much", "; wait ",
                                absl::FormatDuration(std::max(for_calls, for_bytes))));
  }
  calls_.Take(actor, 1, now);
  return grpc::Status::OK;
}

void Gate::Charge(absl::string_view actor, size_t request_bytes) {
  bytes_.Take(actor, static_cast<double>(request_bytes), absl::Now());
}

}  // namespace starratings::serving
