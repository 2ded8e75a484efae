// From the entries of a file to evidence: what the record would refuse is found
// here, with the line and the column, before anything is sent.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "common/evidence/register.h"
#include "starctl/bad_rows.h"
#include "starctl/layout.h"
#include "starratings/evidence/v1/evidence.pb.h"

namespace starratings::starctl {

// The fields of an item, in the order of ImportFields().
enum class ImportField : size_t {
  kOrganisation,
  kPeriod,
  kCode,
  kInstance,
  kValue,
  kNumerator,
  kDenominator,
  kMissing,
  kObservedOn,
  kSource,
  kSourceUri,
  kSourceSha256,
  kReconstructed,
  kAuthority,
  kExpiresOn,
};

const Fields& ImportFields();
const WideFields& ImportWideFields();

// What is registered, as far as a file speaks of it.
struct Registered {
  absl::flat_hash_set<std::string> organisations;
  absl::flat_hash_set<std::string> periods;
  absl::flat_hash_map<std::string, evidence::Code> codes;
};

// An item and where it stands in the file.
struct ImportItem {
  int line = 0;
  evidence::v1::EvidenceItem item;  // Without source_id.
  evidence::v1::Source source;      // Without id.
};

// Reads entries into items. Notes in `bad` what is wrong with each; items that
// have a fault are not kept.
class ItemReader {
 public:
  // Both must outlive the reader.
  ItemReader(const Registered& registered, BadRows& bad) : registered_(registered), bad_(bad) {}

  void Add(const Entry& entry);

  std::vector<ImportItem> TakeItems() { return std::move(items_); }

 private:
  void ReadKey(const Entry& entry, ImportItem& item);
  void ReadSource(const Entry& entry, ImportItem& item);
  void ReadValue(const Entry& entry, const evidence::Code& code, evidence::v1::Value& value);
  void ReadOverride(const Entry& entry, const evidence::Code& code, ImportItem& item);
  void ReadRatio(const Entry& entry, const evidence::Code& code, evidence::v1::Value& value);
  void CheckTwice(const ImportItem& item);
  void Fault(const Entry& entry, ImportField field, absl::string_view rule);
  void FaultIfError(const Entry& entry, ImportField field, const absl::Status& status);

  const Registered& registered_;
  BadRows& bad_;
  std::vector<ImportItem> items_;
  absl::flat_hash_map<std::string, int> lines_;  // Of each key.
};

}  // namespace starratings::starctl
