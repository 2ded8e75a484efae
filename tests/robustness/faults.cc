// Linked with the main.cc of assessment-svc: the same service, with faults that
// the environment asks for.
//
//   STARRATINGS_KILL_AT=before_commit:3  dies of SIGKILL when it comes to that
//                                        failpoint for the third time
//   STARRATINGS_UNSYNCED=1               what is not synced dies with it
//   STARRATINGS_SYNCHRONOUS=OFF          and nothing is synced
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "assessment-svc/store/failpoints.h"
#include "tests/robustness/unsynced_vfs.h"

namespace starratings::robustness {
namespace {

using store::Failpoint;

constexpr std::pair<const char*, Failpoint> kNames[] = {
    {"before_begin", Failpoint::kBeforeBegin},   {"after_begin", Failpoint::kAfterBegin},
    {"before_head", Failpoint::kBeforeHead},     {"after_head", Failpoint::kAfterHead},
    {"before_commit", Failpoint::kBeforeCommit}, {"after_commit", Failpoint::kAfterCommit},
    {"before_reply", Failpoint::kBeforeReply},
};

Failpoint kill_at = Failpoint::kBeforeBegin;
std::atomic<int> left = 0;

void Handle(Failpoint reached) {
  if (reached == kill_at && left.fetch_sub(1) == 1) kill(getpid(), SIGKILL);
}

void KillAt(const std::string& wish) {
  const size_t colon = wish.find(':');
  for (const auto& [name, failpoint] : kNames) {
    if (wish.substr(0, colon) != name) continue;
    kill_at = failpoint;
    left = colon == std::string::npos ? 1 : std::atoi(wish.c_str() + colon + 1);
    store::failpoint_handler = &Handle;
    return;
  }
  std::fprintf(stderr, "STARRATINGS_KILL_AT: no failpoint is called %s\n", wish.c_str());
  std::abort();
}

// Before main().
[[maybe_unused]] const bool installed = [] {
  if (const char* wish = std::getenv("STARRATINGS_KILL_AT")) KillAt(wish);
  const char* synchronous = std::getenv("STARRATINGS_SYNCHRONOUS");
  if (std::getenv("STARRATINGS_UNSYNCED") != nullptr) {
    InstallUnsyncedVfs(synchronous != nullptr && std::strcmp(synchronous, "OFF") == 0);
  }
  return true;
}();

}  // namespace
}  // namespace starratings::robustness
