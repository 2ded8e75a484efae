// From the name of a host to its addresses, in bounded time.
#include <netdb.h>
#include <sys/socket.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/strings/match.h"
#include "assessment-svc/store/pg_connection.h"
#include "common/status/errors.h"

namespace starratings::store {
namespace {

constexpr size_t kAddressesMost = 8;

// Questions that the resolver has not answered; beyond, nobody asks.
constexpr int kOpenMost = 16;

absl::Status Unavailable(absl::string_view what) {
  return status::Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE", what);
}

std::vector<std::string> Resolve(const std::string& host, int flags) {
  addrinfo wanted = {};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags;
  addrinfo* found = nullptr;
  std::vector<std::string> addresses;
  if (getaddrinfo(host.c_str(), nullptr, &wanted, &found) != 0) return addresses;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (addresses.size() < kAddressesMost &&
        getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof(text), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text);
    }
  }
  return addresses;
}

// Of who asks and the thread that waits; the last lets it go.
struct Question {
  std::mutex mutex;
  std::condition_variable changed;
  bool answered = false;  // Guarded by mutex, as the answer.
  std::vector<std::string> addresses;
};

// How many threads wait. Outlives them all.
struct Open {
  std::mutex mutex;
  int count = 0;
};

Open& OpenQuestions() {
  static auto* const open = new Open();
  return *open;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> FindAddresses(const std::string& host,
                                                       absl::Time deadline) {
  if (host.empty() || absl::StartsWith(host, "/") || absl::StartsWith(host, "@")) {
    return std::vector<std::string>{""};
  }
  if (auto given = Resolve(host, AI_NUMERICHOST); !given.empty()) return given;
  {
    Open& open = OpenQuestions();
    const std::lock_guard lock(open.mutex);
    if (open.count == kOpenMost) return Unavailable("the names of hosts are not found in time");
    ++open.count;
  }
  const auto question = std::make_shared<Question>();
  std::thread([question, host] {
    std::vector<std::string> addresses = Resolve(host, 0);
    {
      const std::lock_guard lock(question->mutex);
      question->addresses = std::move(addresses);
      question->answered = true;
      question->changed.notify_all();
    }
    Open& open = OpenQuestions();
    const std::lock_guard lock(open.mutex);
    --open.count;
  }).detach();
  std::unique_lock lock(question->mutex);
  const auto answered = [&] { return question->answered; };
  if (deadline == absl::InfiniteFuture()) {
    question->changed.wait(lock, answered);
  } else if (!question->changed.wait_until(lock, absl::ToChronoTime(deadline), answered)) {
    return Unavailable("the name of the record's database is not found in time");
  }
  if (question->addresses.empty()) {
    return Unavailable("the name of the record's database is not known");
  }
  return question->addresses;
}

}  // namespace starratings::store
