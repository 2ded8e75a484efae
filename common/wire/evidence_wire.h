// Evidence and the register between values and messages. The door: what comes
// through here is well-formed, and carries its digest.
//
// The functions that read a message note every field at fault in `errors`,
// under `path` (for example `items[3].`), and return a value of no use then.
// What depends on the register (is the code there? does it take this value?)
// is assessment-svc/intake's business.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/evidence/evidence.h"
#include "common/status/field_errors.h"
#include "starratings/evidence/v1/evidence.pb.h"

namespace starratings::wire {

using SourcesById = absl::flat_hash_map<std::string, std::shared_ptr<const evidence::Source>>;

evidence::Value ValueFromProto(const evidence::v1::Value& message, absl::string_view path,
                               status::FieldErrors& errors);
// `message` must be empty.
void Write(const evidence::Value& value, evidence::v1::Value& message);

// Reads a list of sources; notes ids that are missing or occur twice.
SourcesById SourcesFromProto(
    const google::protobuf::RepeatedPtrField<evidence::v1::Source>& messages,
    absl::string_view path, status::FieldErrors& errors);

// Reads an item, and makes its digest if nothing is at fault.
evidence::Item ItemFromProto(const evidence::v1::EvidenceItem& message, const SourcesById& sources,
                             absl::string_view path, status::FieldErrors& errors);

// SHA-256 of the item's canonical form (docs/digests.md).
std::array<uint8_t, 32> ItemDigest(const evidence::Item& item);

// Reads what a service of ours sent. Returns INTERNAL if it is not well-formed,
// or if an item is not what its digest says.
absl::Status Read(const evidence::v1::RecordedItem& message, const SourcesById& sources,
                  evidence::RecordedItem& recorded);
absl::StatusOr<evidence::Dossier> DossierFromProto(const evidence::v1::Dossier& message,
                                                   const SourcesById& sources);

evidence::Organisation OrganisationFromProto(const evidence::v1::Organisation& message,
                                             absl::string_view path, status::FieldErrors& errors);
evidence::v1::Organisation ToProto(const evidence::Organisation& organisation);

evidence::Period PeriodFromProto(const evidence::v1::Period& message, absl::string_view path,
                                 status::FieldErrors& errors);
evidence::v1::Period ToProto(const evidence::Period& period);

evidence::Code CodeFromProto(const evidence::v1::Code& message, absl::string_view path,
                             status::FieldErrors& errors);
evidence::v1::Code ToProto(const evidence::Code& code);

// Writes items into a message that carries sources, giving each source an id
// once.
class SourceWriter {
 public:
  // `sources` must outlive the writer.
  explicit SourceWriter(google::protobuf::RepeatedPtrField<evidence::v1::Source>& sources)
      : sources_(sources) {}

  // The id of `source`, which is added if it is new. Valid until the next call.
  const std::string& IdOf(const std::shared_ptr<const evidence::Source>& source);

  void Write(const evidence::RecordedItem& item, evidence::v1::RecordedItem& message);
  void Write(const evidence::Dossier& dossier, evidence::v1::Dossier& message);
  // The same without what a rating does not read; see ExportDossiersRequest.
  void WriteValues(const evidence::Dossier& dossier, evidence::v1::Dossier& message);

 private:
  // What is said, under any organisation and period.
  void WriteSaid(const evidence::RecordedItem& item, evidence::v1::RecordedItem& message);

  google::protobuf::RepeatedPtrField<evidence::v1::Source>& sources_;
  absl::flat_hash_map<const evidence::Source*, std::string> ids_;
  // Keeps the sources alive, so that an address stands for one source.
  std::vector<std::shared_ptr<const evidence::Source>> kept_;
};

evidence::v1::Source ToProto(const evidence::Source& source);

}  // namespace starratings::wire
