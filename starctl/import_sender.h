// Sends an import over IngestEvidence, and goes on by itself where the stream
// breaks: what was not acknowledged is sent again, under the same request ids.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "starctl/import_batches.h"
#include "starctl/progress.h"
#include "starctl/session.h"

namespace starratings::starctl {

// What came of the batches.
struct ImportOutcome {
  int64_t items = 0;    // Of batches that were recorded, or would be.
  int64_t batches = 0;  // Those.
  int64_t replayed = 0;
  evidence::v1::Snapshot last;  // The newest revision of theirs.
};

// A stream whose other side has said nothing for so long, though it was its turn,
// is given up, and the next goes on. The service answers a batch, or ends the
// stream, within 60 s.
inline constexpr absl::Duration kSilenceMost = absl::Seconds(90);

class ImportSender {
 public:
  // `file` is what the file is called to people. `batches` must outlive the
  // sender and are as they were when it returns.
  ImportSender(const Session& session, assessment::v1::EvidenceService::Stub& stub,
               std::string file, std::vector<Batch>& batches, absl::Duration retry_for,
               absl::Duration silence_most = kSilenceMost);

  // Asks the record whether it would take the batches; nothing is written.
  absl::Status Validate();

  // Records them in their order. After an error `outcome` tells what was
  // recorded.
  absl::Status Send(ImportOutcome& outcome);

 private:
  absl::Status Run(bool validate_only, ImportOutcome& outcome);
  absl::Status RunStream(bool validate_only, ImportOutcome& outcome, Progress& progress);
  // The first message of a stream.
  assessment::v1::IngestEvidenceRequest Begin(const ImportOutcome& outcome) const;
  // Takes an answer; an error ends the import.
  absl::Status Take(const assessment::v1::IngestEvidenceResponse& response,
                    const std::vector<size_t>& sent, ImportOutcome& outcome);

  const Session& session_;
  assessment::v1::EvidenceService::Stub& stub_;
  const std::string file_;
  std::vector<Batch>& batches_;
  const absl::Duration retry_for_;
  const absl::Duration silence_most_;
  int64_t total_ = 0;
  std::vector<bool> answered_;
  absl::Status refused_;  // The first batch that was.
};

}  // namespace starratings::starctl
