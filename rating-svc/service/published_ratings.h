// What was published under other schemes, for schemes that read it.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/evidence/evidence.h"
#include "rating-svc/scheme/scheme.h"
#include "rating-svc/service/evidence_client.h"

namespace starratings::service {

// Whether the scheme reads any.
bool ReadsPublished(const scheme::Scheme& scheme);

// Reads the ratings of the round that was published last, at some revision, of
// each scheme that is read: so that a rating of a frozen round reads the same next
// year. Holds one page of each at a time. Not thread-safe.
class PublishedRatings {
 public:
  // Null if none of `schemes` reads a published rating. `client` must outlive the object.
  static std::shared_ptr<PublishedRatings> Of(const EvidenceClient& client,
                                              std::initializer_list<const scheme::Scheme*> schemes,
                                              absl::Time deadline);

  // Adds to `dossier` what was published about its organisation by `revision`, which
  // must be the same in every call.
  absl::Status Fill(int64_t revision, evidence::Dossier& dossier);

 private:
  // The ratings of one round, in the order (bucket, id).
  struct Source {
    std::string scheme;
    std::string round;  // Empty: none was published.
    std::vector<rating::v1::Rating> page;
    size_t next = 0;
    std::string token;
    bool last_page = false;
  };

  PublishedRatings(const EvidenceClient& client, absl::Time deadline)
      : client_(client), deadline_(deadline) {}

  absl::Status Choose(int64_t revision);
  // The rating of the organisation, or null.
  absl::StatusOr<const rating::v1::Rating*> Find(Source& source, const std::string& organisation);
  absl::Status Turn(Source& source);
  static void Restart(Source& source);

  const EvidenceClient& client_;
  const absl::Time deadline_;
  std::vector<Source> sources_;
  bool chosen_ = false;
  std::pair<int, std::string> before_{-1, ""};  // The organisation asked for last.
};

}  // namespace starratings::service
