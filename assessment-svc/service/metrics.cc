#include "assessment-svc/service/metrics.h"

#include <string>
#include <utility>

#include "common/serving/log.h"

namespace starratings::service {
namespace {

prometheus::Gauge& NewGauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Counter& NewCounter(prometheus::Registry& registry, const char* name,
                                const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

Metrics::Metrics(prometheus::Registry& registry)
    : commits_(NewCounter(registry, "assessment_commits_total",
                          "Writes that became a revision of the record.")),
      refused_(NewCounter(registry, "assessment_refused_writes_total",
                          "Writes that the record refused, for example for an etag.")),
      replayed_(NewCounter(registry, "assessment_idempotent_replays_total",
                           "Writes answered with the first answer to their request id.")),
      dropped_(NewCounter(registry, "assessment_dropped_writes_total",
                          "Writes whose caller was gone before their turn came.")),
      reconnects_(NewCounter(registry, "assessment_storage_reconnects_total",
                             "Connections to the database that were made anew.")),
      retries_(prometheus::BuildCounter()
                   .Name("assessment_storage_tx_retries_total")
                   .Help("Transactions that were tried again, by SQLSTATE.")
                   .Register(registry)),
      queue_(NewGauge(registry, "assessment_commit_queue_writes",
                      "Writes that waited when the last group was taken.")),
      watchers_(NewGauge(registry, "assessment_watchers", "Streams that watch the evidence.")),
      watch_lag_(NewGauge(registry, "assessment_watch_lag_revisions",
                          "By how many revisions the last of the watchers is behind.")),
      cut_off_(NewCounter(registry, "assessment_watch_cut_off_total",
                          "Watchers that were ended because they read too slowly.")),
      log_faults_(NewCounter(registry, "assessment_integrity_failures_total",
                             "Gaps found in the log while following it.")),
      head_(NewGauge(registry, "assessment_head_revision", "The newest revision of the record.")),
      seconds_(prometheus::BuildHistogram()
                   .Name("assessment_commit_seconds")
                   .Help("Time to make a group of writes durable, in seconds.")
                   .Register(registry)
                   .Add({}, prometheus::Histogram::BucketBoundaries{0.001, 0.002, 0.005, 0.01, 0.02,
                                                                    0.05, 0.1, 0.2, 0.5, 1, 2, 5})),
      group_size_(prometheus::BuildHistogram()
                      .Name("assessment_commit_group_size")
                      .Help("Writes committed together.")
                      .Register(registry)
                      .Add({}, prometheus::Histogram::BucketBoundaries{1, 2, 4, 8, 16, 32, 64, 128,
                                                                       256, 512, 1024})) {
  auto& family = prometheus::BuildCounter()
                     .Name("assessment_special_measures_moves_total")
                     .Help("Moves on and off a list that were published.")
                     .Register(registry);
  for (const auto& [move, label] :
       {std::pair{rating::v1::MOVE_ENTERED, "entered"},
        std::pair{rating::v1::MOVE_REMAINED, "remained"}, std::pair{rating::v1::MOVE_LEFT, "left"},
        std::pair{rating::v1::MOVE_UNKNOWN, "unknown"}}) {
    moves_[static_cast<size_t>(move)] = &family.Add({{"move", label}});
  }
}

void Metrics::SetHead(int64_t head) { head_.Set(static_cast<double>(head)); }

void Metrics::OnGroup(const store::GroupReport& report) {
  commits_.Increment(report.accepted);
  replayed_.Increment(report.replayed);
  refused_.Increment(report.writes - report.accepted - report.replayed);
  dropped_.Increment(report.dropped);
  queue_.Set(report.waiting);
  if (report.accepted > 0) SetHead(report.head);
  if (report.writes == 0) return;
  group_size_.Observe(report.writes);
  seconds_.Observe(absl::ToDoubleSeconds(report.took));
}

void Metrics::OnDropped() { dropped_.Increment(); }

void Metrics::OnRetry(absl::string_view sqlstate) {
  retries_.Add({{"sqlstate", std::string(sqlstate)}}).Increment();
}

void Metrics::OnReconnect() { reconnects_.Increment(); }

void Metrics::OnWatchers(int watchers, int64_t lag_most) {
  watchers_.Set(watchers);
  watch_lag_.Set(static_cast<double>(lag_most));
}

void Metrics::OnCutOff() { cut_off_.Increment(); }

void Metrics::OnFault(const absl::Status& fault) {
  log_faults_.Increment();
  serving::LogError("the log has a gap", {{"error", std::string(fault.message())}});
}

void Metrics::OnPublished(const MoveCounts& moves) {
  for (size_t move = 0; move < moves.size(); ++move) {
    if (moves_[move] != nullptr) moves_[move]->Increment(static_cast<double>(moves[move]));
  }
}

}  // namespace starratings::service
