// Stores in small that make the two mistakes which are hardest to see: on one
// machine, one client and a quiet day they look right. The checks must catch
// them; that is what shows that the checks can see.
#pragma once

#include <memory>
#include <string>

#include "tests/store/overlap_checks.h"

namespace starratings::store {

// A log that numbers its events from a sequence: a transaction takes its number
// when it starts, and they become visible in the order in which they commit. A
// follower that has read 7 never sees a 6 that commits later.
// Each must be given a database without tables.
std::unique_ptr<FollowedLog> NewSequenceLog(const std::string& postgres_uri, int writers);
std::unique_ptr<FollowedLog> NewSqliteSequenceLog(const std::string& path, int writers);

// How an item's writer takes the lock and looks at what it is to replace.
enum class Look {
  kAfterLocking,  // In a statement after the one that locks. Right.
  // In the statement that locks: under READ COMMITTED it sees what was there
  // when it began to wait, not what is there when it has the lock.
  kWhileLocking,
  kBeforeLocking,  // In a transaction before the one that writes.
};
std::unique_ptr<GuardedItem> NewLockedItem(const std::string& postgres_uri, int writers, Look look);
std::unique_ptr<GuardedItem> NewSqliteLockedItem(const std::string& path, int writers, Look look);

}  // namespace starratings::store
