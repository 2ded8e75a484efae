// Proves that a record is what it says, or tells what is wrong with it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "assessment-svc/upkeep/rows.h"
#include "common/evidence/evidence.h"

namespace starratings::upkeep {

// How the digest of an item is made: wire::ItemDigest. Given, and not called
// from here, so that upkeep knows no messages.
using ItemDigester = std::array<uint8_t, 32> (*)(const evidence::Item& item);

// Something that does not hold. docs/store.md lists the codes; they are stable.
struct Fault {
  std::string code;   // For example LEAF_HASH.
  std::string where;  // For example `revision 7`; empty: the whole record.
  std::string what;
};

struct FsckOptions {
  ItemDigester digest_of = nullptr;  // Required.
  int64_t faults_most = 100;         // Told one by one; the others are counted.
  store::StoreOptions store;
  // If all that is wrong is in evidence_current and evidence_past, makes them
  // again from the log and looks again. Otherwise changes nothing.
  bool repair_projection = false;
};

struct FsckReport {
  RecordHead head;
  int64_t commits = 0;
  int64_t nonces_erased = 0;
  int64_t items = 0;            // In the log.
  int64_t keys = 0;             // Different ones.
  int64_t attempts_staged = 0;  // At rating a round; which of them counts, the round says.
  std::vector<Fault> faults;    // The first ones.
  int64_t faults_total = 0;
  int64_t repaired = 0;  // Faults of the projection that there were before it was made again.

  bool ok() const { return faults_total == 0; }
};

// Checks one moment of the record named by `uri`, also while services write. It
// is read three times in order; memory does not grow with it.
//
// Returns as OpenRecordReader(), and UNAVAILABLE if the database does not answer.
// Faults are no error.
absl::StatusOr<FsckReport> Fsck(absl::string_view uri, const FsckOptions& options);

}  // namespace starratings::upkeep
