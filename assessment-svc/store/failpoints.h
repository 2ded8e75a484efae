// Named moments of a write, at which the tests stop, kill or delay a process.
// Nothing happens there unless a handler is set; the shipped binaries set none.
#pragma once

#include <atomic>

namespace starratings::store {

enum class Failpoint {
  kBeforeBegin,   // The group is chosen; nothing has reached the database.
  kAfterBegin,    // The head is locked.
  kBeforeHead,    // Everything is inserted, the head has not moved.
  kAfterHead,     // The head has moved in the transaction.
  kBeforeCommit,  // Next is COMMIT.
  kAfterCommit,   // Durable; nobody knows.
  kBeforeReply,   // On the completion thread, before a caller is answered.
};

using FailpointHandler = void (*)(Failpoint);

inline std::atomic<FailpointHandler> failpoint_handler = nullptr;

inline void Reached(Failpoint failpoint) {
  if (const FailpointHandler handler = failpoint_handler.load(std::memory_order_relaxed)) {
    handler(failpoint);
  }
}

}  // namespace starratings::store
