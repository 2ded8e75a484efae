// assessment-svc: keeps the record, and answers EvidenceService, RegisterService
// and RoundService until told to stop.
//
// Everything the process is made of is constructed here, by hand, top to
// bottom, and destroyed in reverse.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/service/evidence_service.h"
#include "assessment-svc/service/metrics.h"
#include "assessment-svc/service/parts.h"
#include "assessment-svc/service/register_service.h"
#include "assessment-svc/service/round_service.h"
#include "assessment-svc/store/committer.h"
#include "assessment-svc/store/store.h"
#include "common/serving/pool.h"
#include "common/serving/server.h"
#include "common/status/status_macros.h"
#include "prometheus/registry.h"

ABSL_FLAG(std::string, store, "",
          "Where the record is, for example sqlite:/var/lib/assessment/record.db. Required. "
          "`starctl store migrate` creates it. `memory:` forgets everything at the end.");

namespace starratings {
namespace {

constexpr int kCallThreads = 4;
constexpr int kStreamThreads = 2;
constexpr absl::Duration kReadyWithin = absl::Seconds(2);
constexpr absl::Duration kStartWithin = absl::Seconds(10);

serving::ServerOptions Options(const store::EvidenceStore& store) {
  serving::ServerOptions options = serving::OptionsFromFlags("assessment-svc");
  options.service_names = {assessment::v1::EvidenceService::service_full_name(),
                           assessment::v1::RegisterService::service_full_name(),
                           assessment::v1::RoundService::service_full_name()};
  options.ready = [&store] { return store.CheckReady(absl::Now() + kReadyWithin); };
  return options;
}

absl::Status Run() {
  const std::string uri = absl::GetFlag(FLAGS_store);
  if (uri.empty()) {
    return absl::InvalidArgumentError(
        "--store: must be given, for example sqlite:/var/lib/assessment/record.db");
  }
  absl::StatusOr<std::unique_ptr<store::EvidenceStore>> opened = store::OpenStore(uri);
  if (!opened.ok()) {
    return absl::Status(opened.status().code(),
                        absl::StrCat("--store: ", opened.status().message()));
  }
  const std::unique_ptr<store::EvidenceStore> store = *std::move(opened);
  ASSIGN_OR_RETURN(const int64_t head, store->Head(absl::Now() + kStartWithin));

  const auto registry = std::make_shared<prometheus::Registry>();
  service::Metrics metrics(*registry);
  metrics.SetHead(head);
  store::Committer committer(*store, {}, &metrics);
  service::RegisterCache registers(*store);
  serving::Pool calls(kCallThreads, service::kCallsWaitingMost);
  serving::Pool streams(kStreamThreads, service::kStreamsMost);
  service::StreamSlots slots;
  service::Attempts attempts;
  const service::Parts parts{*store, committer, registers, calls, streams, slots, attempts, metrics};

  service::EvidenceServiceImpl evidence_service(parts);
  service::RegisterServiceImpl register_service(parts);
  service::RoundServiceImpl round_service(parts);
  return serving::ServeUntilSignalled(
      Options(*store), {&evidence_service, &register_service, &round_service}, registry, nullptr);
}

}  // namespace
}  // namespace starratings

int main(int argc, char** argv) {
  starratings::serving::BlockSignals();
  starratings::serving::ParseFlags(
      argc, argv, "Keeps evidence, the register, rounds and published ratings, for ever.");
  if (const absl::Status status = starratings::Run(); !status.ok()) {
    std::cerr << "assessment-svc: " << status.message() << "\n";
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
