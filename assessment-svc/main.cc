// assessment-svc: keeps the record, and answers EvidenceService, RegisterService
// and RoundService until told to stop.
//
// Everything the process is made of is constructed here, by hand, top to
// bottom, and destroyed in reverse.
#include <cstdlib>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/service/evidence_service.h"
#include "assessment-svc/service/metrics.h"
#include "assessment-svc/service/parts.h"
#include "assessment-svc/service/register_cache.h"
#include "assessment-svc/service/register_service.h"
#include "assessment-svc/service/request_limits.h"
#include "assessment-svc/service/round_service.h"
#include "assessment-svc/service/watch_stream.h"
#include "assessment-svc/store/committer.h"
#include "assessment-svc/store/store.h"
#include "assessment-svc/watch/tail.h"
#include "common/serving/deadline.h"
#include "common/serving/pool.h"
#include "common/serving/server.h"
#include "common/status/status_macros.h"
#include "prometheus/registry.h"

ABSL_FLAG(std::string, store, "",
          "Where the record is: sqlite:/var/lib/assessment/record.db, or "
          "postgresql://USER@HOST/DATABASE. Required. `starctl store migrate` creates it. "
          "`memory:` forgets everything at the end.");
ABSL_FLAG(std::string, store_password_file, "",
          "File that holds the database's password and nothing else; read at each connection. "
          "Empty: none is sent.");
ABSL_FLAG(int, group_writes_most, 1'000, "The most writes that are committed together.");
ABSL_FLAG(int, group_bytes_most, 8 << 20, "The most bytes of writes that are committed together.");
ABSL_FLAG(int, queue_writes_most, 10'000,
          "The most writes that may wait to be committed; more are told to try again.");
ABSL_FLAG(int, queue_bytes_most, 64 << 20, "The most bytes of writes that may wait.");
ABSL_FLAG(int, watchers_most, 10'000, "The most streams of WatchEvidence and WatchRounds.");
ABSL_FLAG(int, calls_waiting_most, 1'000,
          "The most calls that may wait for a thread; more are told to try again.");
ABSL_FLAG(int, batch_items_most, 10'000, "The most items of a batch; clients send 10000.");
ABSL_FLAG(int, batch_bytes_most, 3 << 20, "The most bytes of a batch; clients send 3 MiB.");
ABSL_FLAG(int, page_size_most, 1'000,
          "The most entries of a page of a list, however many are asked for.");
ABSL_FLAG(absl::Duration, deadline_most, absl::Seconds(60),
          "The longest that a call may take, whatever deadline its caller names; streams may "
          "take longer.");
ABSL_FLAG(absl::Duration, watch_poll, absl::Milliseconds(200),
          "How often the record is asked for what other processes have written, for watchers.");
ABSL_FLAG(absl::Duration, watch_stall, absl::Seconds(10),
          "How long a watcher may take to read one message before it is cut off.");
ABSL_FLAG(absl::Duration, export_stall, absl::Seconds(60),
          "How long a caller of ExportDossiers may take to read one block before it is cut off.");
ABSL_FLAG(absl::Duration, import_idle, absl::Seconds(60),
          "How long a caller of IngestEvidence or RecordRatings may send nothing, or leave an "
          "answer unread, while it is waited for.");

namespace starratings {
namespace {

constexpr int kCallThreads = 4;
constexpr int kStreamThreads = 2;
constexpr absl::Duration kReadyWithin = absl::Seconds(2);
constexpr absl::Duration kStartWithin = absl::Seconds(10);

absl::StatusOr<serving::ServerOptions> Options() {
  ASSIGN_OR_RETURN(serving::ServerOptions options, serving::OptionsFromFlags("assessment-svc"));
  options.service_names = {assessment::v1::EvidenceService::service_full_name(),
                           assessment::v1::RegisterService::service_full_name(),
                           assessment::v1::RoundService::service_full_name()};
  return options;
}

store::Committer::Options CommitterOptions() {
  store::Committer::Options options;
  options.group_most = absl::GetFlag(FLAGS_group_writes_most);
  options.group_bytes_most = static_cast<size_t>(absl::GetFlag(FLAGS_group_bytes_most));
  options.queue_most = absl::GetFlag(FLAGS_queue_writes_most);
  options.queue_bytes_most = static_cast<size_t>(absl::GetFlag(FLAGS_queue_bytes_most));
  return options;
}

watch::TailOptions TailOptions() {
  watch::TailOptions options;
  options.watchers_most = absl::GetFlag(FLAGS_watchers_most);
  options.poll = absl::GetFlag(FLAGS_watch_poll);
  options.stall = absl::GetFlag(FLAGS_watch_stall);
  return options;
}

service::StreamSlots::Limits StreamLimits() {
  return {absl::GetFlag(FLAGS_export_stall), absl::GetFlag(FLAGS_import_idle)};
}

service::RequestLimits RequestLimits() {
  service::RequestLimits limits;
  limits.batch_items = static_cast<size_t>(absl::GetFlag(FLAGS_batch_items_most));
  limits.batch_bytes = static_cast<size_t>(absl::GetFlag(FLAGS_batch_bytes_most));
  limits.page_size = absl::GetFlag(FLAGS_page_size_most);
  return limits;
}

// OK if every limit is one.
absl::Status CheckLimits() {
  constexpr int kAny = std::numeric_limits<int>::max();
  const std::tuple<const char*, int, int, int> limits[] = {
      {"group_writes_most", absl::GetFlag(FLAGS_group_writes_most), 1, kAny},
      {"group_bytes_most", absl::GetFlag(FLAGS_group_bytes_most), 1, kAny},
      {"queue_writes_most", absl::GetFlag(FLAGS_queue_writes_most), 1, kAny},
      {"queue_bytes_most", absl::GetFlag(FLAGS_queue_bytes_most), 1, kAny},
      {"watchers_most", absl::GetFlag(FLAGS_watchers_most), 1, kAny},
      {"calls_waiting_most", absl::GetFlag(FLAGS_calls_waiting_most), 1, 1'000'000},
      {"batch_items_most", absl::GetFlag(FLAGS_batch_items_most), 1, 10'000},
      {"batch_bytes_most", absl::GetFlag(FLAGS_batch_bytes_most), 1'024, 3 << 20},
      {"page_size_most", absl::GetFlag(FLAGS_page_size_most), 1,
       service::RequestLimits::kPageMost}};
  for (const auto& [flag, limit, least, most] : limits) {
    if (limit >= least && limit <= most) continue;
    return absl::InvalidArgumentError(
        most == kAny ? absl::StrCat("--", flag, ": must be ", least, " or more")
                     : absl::StrCat("--", flag, ": must be ", least, " to ", most));
  }
  if (absl::GetFlag(FLAGS_watch_poll) < absl::Milliseconds(10)) {
    return absl::InvalidArgumentError("--watch_poll: must be 10ms or more");
  }
  const std::pair<const char*, absl::Duration> waits[] = {
      {"watch_stall", absl::GetFlag(FLAGS_watch_stall)},
      {"export_stall", absl::GetFlag(FLAGS_export_stall)},
      {"import_idle", absl::GetFlag(FLAGS_import_idle)},
      {"deadline_most", absl::GetFlag(FLAGS_deadline_most)}};
  for (const auto& [flag, wait] : waits) {
    if (wait < absl::Seconds(1) || wait > absl::Hours(24)) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag, ": must be 1s to 24h"));
    }
  }
  return absl::OkStatus();
}

// Tells both of what was committed.
class CommitFanOut final : public store::CommitObserver {
 public:
  CommitFanOut(store::CommitObserver& first, watch::Tail& tail) : first_(first), tail_(tail) {}
  void OnGroup(const store::GroupReport& report) override {
    first_.OnGroup(report);
    if (report.accepted > 0) tail_.Moved(report.head);
  }

 private:
  store::CommitObserver& first_;
  watch::Tail& tail_;
};

absl::Status Run() {
  const std::string uri = absl::GetFlag(FLAGS_store);
  if (uri.empty()) {
    return absl::InvalidArgumentError(
        "--store: must be given, for example sqlite:/var/lib/assessment/record.db");
  }
  RETURN_IF_ERROR(CheckLimits());
  ASSIGN_OR_RETURN(serving::ServerOptions options, Options());
  const auto registry = std::make_shared<prometheus::Registry>();
  ASSIGN_OR_RETURN(const std::unique_ptr<serving::Gate> gate, serving::OpenGate(options, registry));
  service::Metrics metrics(*registry);
  absl::StatusOr<std::unique_ptr<store::EvidenceStore>> opened =
      store::OpenStore(uri, {absl::GetFlag(FLAGS_store_password_file), &metrics});
  if (!opened.ok()) {
    return absl::Status(opened.status().code(),
                        absl::StrCat("--store: ", opened.status().message()));
  }
  const std::unique_ptr<store::EvidenceStore> store = *std::move(opened);
  ASSIGN_OR_RETURN(const int64_t head, store->Head(absl::Now() + kStartWithin));
  metrics.SetHead(head);

  watch::Tail tail(*store, head, TailOptions(), &metrics);
  CommitFanOut observer(metrics, tail);
  service::RegisterCache registers(*store);
  serving::Pool calls(kCallThreads, static_cast<size_t>(absl::GetFlag(FLAGS_calls_waiting_most)));
  service::SetRequestLimits(RequestLimits());
  serving::SetDeadlineMost(absl::GetFlag(FLAGS_deadline_most));
  serving::Pool streams(kStreamThreads, service::kStreamStepsMost);
  serving::Pool notes(1, service::kStreamStepsMost);
  serving::Pool watchers(kStreamThreads, absl::GetFlag(FLAGS_watchers_most));
  // The last to come and the first to go: what it answers may use all the rest.
  store::Committer committer(*store, CommitterOptions(), &observer);
  service::StreamSlots slots(StreamLimits());
  service::Attempts attempts;
  const service::Parts parts{*store, committer, registers, calls,   streams,
                             notes,  slots,     attempts,  metrics, gate.get()};
  const service::WatchParts watching{*store, tail, watchers};

  service::EvidenceServiceImpl evidence_service(parts, watching);
  service::RegisterServiceImpl register_service(parts);
  service::RoundServiceImpl round_service(parts, watching);
  options.ready = [&store] { return store->CheckReady(absl::Now() + kReadyWithin); };
  return serving::ServeUntilSignalled(options, gate.get(),
                                      {&evidence_service, &register_service, &round_service},
                                      registry, [&tail] { tail.Stop(); });
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
