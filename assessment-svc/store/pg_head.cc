#include "assessment-svc/store/pg_head.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "assessment-svc/store/checks.h"
#include "assessment-svc/store/steady_clock.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::store {
namespace {

constexpr char kRead[] = "SELECT revision FROM log_head WHERE id = 1";
constexpr char kBeat[] = "UPDATE heartbeat SET beat = beat + 1 WHERE id = 1";

absl::Status NotPrimary(absl::string_view what) {
  return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE", what);
}

// Shares nothing with `error`: ThreadSanitizer does not see Abseil count
// references.
absl::Status CopyOf(const absl::Status& error) {
  return status::ErrorWithDetail(error.code(), error.message(), status::DetailOf(error));
}

}  // namespace

PgHead::~PgHead() {
  if (asker_.joinable()) asker_.join();
}

absl::StatusOr<PgHead::Answer> PgHead::Get(int64_t least, absl::Time deadline) {
  std::unique_lock lock(mutex_);
  // One that is under way may have read before this call began.
  const int64_t wanted = begun_ + 1;
  while (ended_ < wanted) {
    if (!asking_) {
      RETURN_IF_ERROR(CheckDeadline(deadline));
      asking_ = true;
      const int64_t number = ++begun_;
      const bool elsewhere = std::exchange(distrusted_, false);
      const bool is_connected = !elsewhere && connection_ != nullptr && !connection_->broken();
      if (is_connected && deadline - absl::Now() >= kAnswerMost) {
        lock.unlock();
        AskAndTell(number, elsewhere);
        lock.lock();
      } else {
        if (asker_.joinable()) asker_.join();  // It has told, and needs no lock any more.
        asker_ = std::thread([this, number, elsewhere] { AskAndTell(number, elsewhere); });
      }
    } else if (deadline == absl::InfiniteFuture()) {
      changed_.wait(lock);
    } else if (changed_.wait_until(lock, absl::ToChronoTime(deadline)) == std::cv_status::timeout) {
      return CheckDeadline(absl::InfinitePast());
    }
  }
  if (!last_.ok()) return CopyOf(last_.status());
  const Answer answer = *last_;
  if (answer.revision >= least) return answer;
  distrusted_ = true;
  return NotPrimary("the database that answers lacks what was acknowledged: it is not the primary");
}

void PgHead::AskAndTell(int64_t number, bool elsewhere) {
  absl::StatusOr<Answer> answer = Ask(elsewhere);
  if (absl::IsDeadlineExceeded(answer.status())) {
    // The host's time is over; nobody's own is meant.
    answer = NotPrimary("the record's database does not answer");
  }
  const std::lock_guard lock(mutex_);
  last_ = std::move(answer);
  ended_ = number;
  asking_ = false;
  changed_.notify_all();
}

absl::StatusOr<PgHead::Answer> PgHead::Ask(bool elsewhere) {
  if (elsewhere || connection_ == nullptr || connection_->broken()) {
    vouched_at_ = -absl::InfiniteDuration();
    connection_ = nullptr;
    ASSIGN_OR_RETURN(connection_, PgConnection::Open(target_, absl::Now() + kConnectMost));
    if (std::exchange(connected_once_, true)) on_connect_();
  }
  const absl::Duration asked = SteadyNow();
  const bool must_beat = asked - vouched_at_ >= kVouches / 2;
  std::vector<PgCall> calls;
  if (must_beat) calls.push_back({kBeat, {}});
  calls.push_back({kRead, {}});
  ASSIGN_OR_RETURN(const std::vector<PgResult> results,
                   connection_->RunAll(calls, absl::Now() + kAnswerMost));
  if (results.back().rows() != 1) {
    return status::Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT", "the record has no head");
  }
  if (must_beat) {
    // The wait for the standby was cut short: nobody vouches for this host.
    if (connection_->warned()) {
      connection_ = nullptr;
      return NotPrimary("the record's database cannot reach its standby");
    }
    vouched_at_ = asked;
  } else if (SteadyNow() - vouched_at_ >= kVouches) {
    // It was asked in time, and took too long to answer.
    vouched_at_ = -absl::InfiniteDuration();
    return NotPrimary("the record's database answers too slowly");
  }
  return Answer{results.back().Int(0, 0), asked};
}

}  // namespace starratings::store
