// What this service counts of its own; docs/operation.md lists it. Labels are
// bounded: an organisation or a round is never one.
#pragma once

#include <array>
#include <cstdint>

#include "assessment-svc/store/committer.h"
#include "assessment-svc/watch/tail.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "starratings/rating/v1/rating.pb.h"

namespace starratings::service {

// How many organisations made each move; the index is the Move.
using MoveCounts = std::array<int64_t, rating::v1::Move_ARRAYSIZE>;

class Metrics final : public store::CommitObserver,
                      public store::StoreObserver,
                      public watch::TailObserver {
 public:
  // `registry` must outlive this.
  explicit Metrics(prometheus::Registry& registry);

  // The head at the start, before the first commit tells it.
  void SetHead(int64_t head);

  void OnGroup(const store::GroupReport& report) override;
  // A write was dropped before it came to the committer.
  void OnDropped();
  void OnRetry(absl::string_view sqlstate) override;
  void OnReconnect() override;
  void OnWatchers(int watchers, int64_t lag_most) override;
  void OnCutOff() override;
  void OnFault(const absl::Status& fault) override;
  void OnPublished(const MoveCounts& moves);

 private:
  prometheus::Counter& commits_;
  prometheus::Counter& refused_;
  prometheus::Counter& replayed_;
  prometheus::Counter& dropped_;
  prometheus::Counter& reconnects_;
  prometheus::Family<prometheus::Counter>& retries_;  // By SQLSTATE.
  prometheus::Gauge& queue_;
  prometheus::Gauge& watchers_;
  prometheus::Gauge& watch_lag_;
  prometheus::Counter& cut_off_;
  prometheus::Counter& log_faults_;
  prometheus::Gauge& head_;
  prometheus::Histogram& seconds_;
  prometheus::Histogram& group_size_;
  std::array<prometheus::Counter*, rating::v1::Move_ARRAYSIZE> moves_{};
};

}  // namespace starratings::service
