#include "tests/store/overlap_checks.h"

#include <atomic>
#include <barrier>
#include <functional>
#include <map>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace starratings::store {
namespace {

// Runs `act(writer, round)` on a thread for each writer; all start a round
// together. Between rounds `after_round(round)` decides whether to go on.
void RunRounds(int writers, int rounds, const std::function<void(int, int)>& act,
               const std::function<bool(int)>& after_round) {
  bool goes_on = true;
  int round = 0;
  const auto finish_round = [&]() noexcept { goes_on = after_round(round++); };
  std::barrier together(writers, finish_round);
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      for (int mine = 0; mine < rounds && goes_on; ++mine) {
        act(writer, mine);
        together.arrive_and_wait();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Reads as a watcher does: from its cursor up to the head, again and again.
class Follower {
 public:
  explicit Follower(FollowedLog& log) : log_(log), thread_([this] { Follow(); }) {}

  // Stops once everything up to the head has been read.
  const std::vector<FollowedLog::Event>& Finish() {
    is_last_ = true;
    thread_.join();
    return seen_;
  }

  const std::string& failure() const { return failure_; }

 private:
  void Follow() {
    bool is_last = false;
    while (!is_last && failure_.empty()) {
      is_last = is_last_;  // Before the head is read: nothing is written after.
      const auto head = log_.Head();
      if (!head.ok()) {
        failure_ = absl::StrCat("no head: ", head.status().ToString());
      } else if (*head > cursor_) {
        ReadUpTo(*head);
      }
    }
  }

  void ReadUpTo(int64_t head) {
    const auto events = log_.Read(cursor_, head);
    if (!events.ok()) {
      failure_ = absl::StrCat("cannot be read: ", events.status().ToString());
      return;
    }
    seen_.insert(seen_.end(), events->begin(), events->end());
    cursor_ = head;
  }

  FollowedLog& log_;
  int64_t cursor_ = 0;
  std::vector<FollowedLog::Event> seen_;
  std::string failure_;
  std::atomic<bool> is_last_ = false;
  std::thread thread_;
};

std::string Compare(std::map<int64_t, std::string> acknowledged,
                    const std::vector<FollowedLog::Event>& seen) {
  int64_t previous = 0;
  for (const auto& [position, what] : seen) {
    if (position <= previous) return absl::StrCat(position, " came after ", previous);
    previous = position;
    const auto found = acknowledged.find(position);
    if (found == acknowledged.end()) return absl::StrCat("nobody wrote ", position);
    if (found->second != what) return absl::StrCat(position, " says ", what, ", not what it said");
    acknowledged.erase(found);
  }
  if (acknowledged.empty()) return "";
  return absl::StrCat("lost ", acknowledged.size(), " events, the first at ",
                      acknowledged.begin()->first);
}

}  // namespace

std::string FollowerLosesNothing(FollowedLog& log, int writers, int rounds) {
  std::vector<std::map<int64_t, std::string>> acknowledged(static_cast<size_t>(writers));
  std::vector<std::string> failures(static_cast<size_t>(writers));
  Follower follower(log);
  const auto append = [&](int writer, int round) {
    const auto me = static_cast<size_t>(writer);
    const std::string what = absl::StrCat("event ", round, " of ", writer);
    const auto position = log.Append(writer, what);
    if (!position.ok()) {
      failures[me] = absl::StrCat("cannot be written: ", position.status().ToString());
    } else if (!acknowledged[me].emplace(*position, what).second) {
      failures[me] = absl::StrCat("position ", *position, " was given twice");
    }
  };
  RunRounds(writers, rounds, append, [&](int) {
    for (const std::string& failure : failures) {
      if (!failure.empty()) return false;
    }
    return true;
  });
  const std::vector<FollowedLog::Event>& seen = follower.Finish();
  failures.push_back(follower.failure());
  std::map<int64_t, std::string> all;
  size_t count = 0;
  for (const auto& of_writer : acknowledged) {
    count += of_writer.size();
    all.insert(of_writer.begin(), of_writer.end());
  }
  if (all.size() != count) failures.push_back("a position was given to two writers");
  for (const std::string& failure : failures) {
    if (!failure.empty()) return failure;
  }
  return Compare(std::move(all), seen);
}

std::string EtagsSerialise(GuardedItem& item, int writers, int rounds) {
  std::string expected;
  std::string failure;
  const auto look = [&] {
    auto etag = item.Etag();
    if (!etag.ok()) failure = etag.status().ToString();
    return etag.value_or("");
  };
  expected = look();
  std::vector<std::string> answers(static_cast<size_t>(writers));
  const auto replace = [&](int writer, int) {
    std::string& answer = answers[static_cast<size_t>(writer)];
    const auto etag = item.Replace(writer, expected);
    if (etag.ok()) {
      answer = *etag;
    } else {
      answer = absl::IsAborted(etag.status()) ? "" : absl::StrCat("! ", etag.status().ToString());
    }
  };
  RunRounds(writers, rounds, replace, [&](int round) {
    std::vector<std::string> winners;
    for (const std::string& answer : answers) {
      if (!answer.empty()) winners.push_back(answer);
    }
    const std::string now = look();
    if (failure.empty() && winners.size() != 1) {
      failure = absl::StrCat(winners.size(), " of ", writers, " writers replaced ", expected);
    } else if (failure.empty() && (winners[0] != now || now == expected)) {
      failure = absl::StrCat(expected, " was replaced by ", winners[0], " but ", now, " is there");
    }
    if (!failure.empty()) absl::StrAppend(&failure, " (round ", round, ")");
    expected = now;
    return failure.empty();
  });
  return failure;
}

}  // namespace starratings::store
