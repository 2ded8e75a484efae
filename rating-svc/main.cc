// rating-svc: rates evidence under published schemes until told to stop.
//
// Everything the process is made of is constructed here, by hand, top to
// bottom, and destroyed in reverse.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/serving/channel.h"
#include "common/serving/deadline.h"
#include "common/serving/server.h"
#include "common/status/status_macros.h"
#include "prometheus/registry.h"
#include "rating-svc/dossiers/cache.h"
#include "rating-svc/service/dossier_feed.h"
#include "rating-svc/service/dossier_reader.h"
#include "rating-svc/service/evidence_client.h"
#include "rating-svc/service/rating_metrics.h"
#include "rating-svc/service/rating_service.h"
#include "rating-svc/service/scheme_library.h"
#include "rating-svc/service/scheme_service.h"

ABSL_FLAG(std::string, schemes, "",
          "Directory of schemes, one folder each with a scheme.textproto and, if there are "
          "published outcomes to hold it to, a cases.textproto. The server starts only if all of "
          "them verify. May be empty of schemes: the record has those of its rounds. Required.");
ABSL_FLAG(std::string, assessment, "",
          "HOST:PORT, or any gRPC target, of assessment-svc, which has the evidence. Required.");
ABSL_FLAG(std::string, actor, "rating-svc",
          "Who this service says it is to assessment-svc under --insecure; under TLS its "
          "certificate says so.");
ABSL_FLAG(int, rounds_most, 16, "RateRound calls that may run at once; 1 to 1000.");
ABSL_FLAG(int, cache_mib, 64,
          "MiB of dossiers that RateOrganisation keeps for minimize_latency and at_least; 0 to "
          "65536. 0: none, and the record is not watched.");
ABSL_FLAG(absl::Duration, deadline_most, absl::Minutes(30),
          "The longest that a call may take, whatever deadline its caller names.");
ABSL_FLAG(int, readers, 4, "Threads that answer RateOrganisation; 1 to 256.");

namespace starratings {
namespace {

// How long assessment-svc may take to say that it is ready.
constexpr absl::Duration kReadyMost = absl::Seconds(1);

absl::Status CheckFlags() {
  if (absl::GetFlag(FLAGS_schemes).empty()) {
    return absl::InvalidArgumentError(
        "--schemes: must be given, for example /usr/share/rating-svc/schemes");
  }
  if (absl::GetFlag(FLAGS_assessment).empty()) {
    return absl::InvalidArgumentError(
        "--assessment: must be given, for example assessment-svc:8443");
  }
  if (const int most = absl::GetFlag(FLAGS_rounds_most); most < 1 || most > 1'000) {
    return absl::InvalidArgumentError("--rounds_most: must be 1 to 1000");
  }
  if (const int readers = absl::GetFlag(FLAGS_readers); readers < 1 || readers > 256) {
    return absl::InvalidArgumentError("--readers: must be 1 to 256");
  }
  if (const absl::Duration most = absl::GetFlag(FLAGS_deadline_most);
      most < absl::Seconds(1) || most > absl::Hours(24)) {
    return absl::InvalidArgumentError("--deadline_most: must be 1s to 24h");
  }
  if (const int mib = absl::GetFlag(FLAGS_cache_mib); mib < 0 || mib > 65'536) {
    return absl::InvalidArgumentError("--cache_mib: must be 0 to 65536");
  }
  return absl::OkStatus();
}

// The cache of dossiers and all that belongs to it.
struct Cache {
  Cache(const service::EvidenceClient& client, prometheus::Registry& registry, int mib)
      : cache({.bytes_most = static_cast<size_t>(mib) << 20}),
        metrics(registry),
        feed(client, cache, {.tick = [this] { metrics.Show(cache.size(), absl::Now()); }}) {}

  dossiers::DossierCache cache;
  service::CacheMetrics metrics;
  service::DossierFeed feed;
};

absl::Status Run() {
  RETURN_IF_ERROR(CheckFlags());
  serving::SetDeadlineMost(absl::GetFlag(FLAGS_deadline_most));
  ASSIGN_OR_RETURN(serving::ServerOptions options, serving::OptionsFromFlags("rating-svc"));
  options.service_names = {rating::v1::RatingService::service_full_name(),
                           rating::v1::SchemeService::service_full_name()};
  const auto registry = std::make_shared<prometheus::Registry>();
  ASSIGN_OR_RETURN(const std::unique_ptr<serving::Gate> gate, serving::OpenGate(options, registry));
  // A scheme that does not verify stops the server: better no rating than a
  // wrong one.
  absl::StatusOr<std::vector<service::SchemePtr>> loaded =
      service::LoadSchemes(absl::GetFlag(FLAGS_schemes));
  if (!loaded.ok()) {
    return absl::Status(loaded.status().code(),
                        absl::StrCat("--schemes: ", loaded.status().message()));
  }
  const std::string assessment = absl::GetFlag(FLAGS_assessment);
  const std::shared_ptr<const serving::KeyMaterial> keys = gate == nullptr ? nullptr : gate->keys();
  service::EvidenceClient client(serving::NewChannel(assessment, keys.get()),
                                 options.insecure ? absl::GetFlag(FLAGS_actor) : "");
  if (gate != nullptr) {
    gate->OnKeys([&client, assessment](const serving::KeyMaterial& now) {
      client.Use(serving::NewChannel(assessment, &now));
    });
  }
  // Before the client goes.
  const absl::Cleanup no_more_keys = [&gate] {
    if (gate != nullptr) gate->OnKeys(nullptr);
  };
  service::SchemeLibrary schemes(*std::move(loaded), service::RecordOf(client));

  service::RatingMetrics metrics(*registry);
  std::optional<Cache> cache;
  if (const int mib = absl::GetFlag(FLAGS_cache_mib); mib > 0) {
    cache.emplace(client, *registry, mib);
  }
  service::DossierReader dossiers(
      client, cache ? std::optional(service::CacheParts{cache->cache, cache->feed, cache->metrics})
                    : std::nullopt);
  service::RatingServiceImpl rating_service(
      client, dossiers, schemes, metrics,
      {.readers = absl::GetFlag(FLAGS_readers), .rounds_most = absl::GetFlag(FLAGS_rounds_most)});
  service::SchemeServiceImpl scheme_service(schemes);

  options.ready = [&client] { return client.CheckReady(absl::Now() + kReadyMost); };
  return serving::ServeUntilSignalled(options, gate.get(), {&rating_service, &scheme_service},
                                      registry, {});
}

}  // namespace
}  // namespace starratings

int main(int argc, char** argv) {
  starratings::serving::BlockSignals();
  starratings::serving::ParseFlags(
      argc, argv, "rating-svc rates the evidence of an assessment-svc under published schemes.");
  if (const absl::Status status = starratings::Run(); !status.ok()) {
    std::cerr << "rating-svc: " << status.message() << "\n";
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
