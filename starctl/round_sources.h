// What the record knows of a round's organisations, one after the other in the
// order (bucket, id). Each goes on by itself after a break.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "starctl/retries.h"
#include "starctl/session.h"
#include "starratings/assessment/v1/round_file.pb.h"

namespace starratings::starctl {

// The dossiers that a round froze, or of an open one those of now, each with its
// sources.
class FrozenDossiers {
 public:
  // `session` must outlive this, as its stubs do.
  FrozenDossiers(const Session& session, const Assessment& assessment, const std::string& round,
                 absl::Duration retry_for);
  ~FrozenDossiers();

  // Fills dossier and sources; false at the end.
  // Returns ABORTED (EVIDENCE_MOVED) where the round is open and its evidence
  // changed over a break.
  absl::StatusOr<bool> Next(assessment::v1::RoundFileOrganisation& organisation);

  // At which they were read; 0 before the first.
  int64_t revision() const { return revision_; }

 private:
  struct Stream;

  absl::Status ReadBlock();

  const Session& session_;
  const Assessment& assessment_;
  assessment::v1::ExportDossiersRequest request_;
  Retries retries_;
  std::unique_ptr<Stream> stream_;  // Null: none is open.
  std::deque<assessment::v1::RoundFileOrganisation> waiting_;
  int64_t revision_ = 0;
  bool ended_ = false;
};

// The ratings that a round published.
class PublishedRatings {
 public:
  PublishedRatings(const Session& session, const Assessment& assessment, const std::string& round,
                   absl::Duration retry_for);

  // The next; none at the end.
  absl::StatusOr<std::optional<rating::v1::Rating>> Next();

 private:
  const Session& session_;
  const Assessment& assessment_;
  assessment::v1::ListPublishedRatingsRequest request_;
  Retries retries_;
  assessment::v1::ListPublishedRatingsResponse page_;
  int place_ = 0;
  bool last_ = false;
};

}  // namespace starratings::starctl
