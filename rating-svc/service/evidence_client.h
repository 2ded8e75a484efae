// The client of assessment-svc: what rating-svc asks of the record.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "starratings/assessment/v1/evidence_service.grpc.pb.h"
#include "starratings/assessment/v1/register_service.grpc.pb.h"
#include "starratings/assessment/v1/round_service.grpc.pb.h"

namespace starratings::service {

// What a call of assessment-svc came to, as an error of ours. Codes and details
// pass; but what gRPC itself says (it may name hosts) is logged and replaced:
// UNAVAILABLE becomes UNAVAILABLE, reason EVIDENCE_UNAVAILABLE.
absl::Status FromAssessment(const grpc::Status& status);

// Thread-safe. Calls block until `deadline` at the latest.
class EvidenceClient {
 public:
  // `actor` is sent as metadata, for plaintext channels; empty: not sent, the
  // certificate says who we are.
  EvidenceClient(const std::shared_ptr<grpc::Channel>& channel, std::string actor);

  // From now on calls go over `channel`; those under way end on theirs.
  void Use(const std::shared_ptr<grpc::Channel>& channel);

  absl::StatusOr<assessment::v1::Round> GetRound(const std::string& round,
                                                 absl::Time deadline) const;

  // A page of rounds, the newest first, and of what one of them published.
  absl::StatusOr<assessment::v1::ListRoundsResponse> ListRounds(int page_size,
                                                                const std::string& page_token,
                                                                absl::Time deadline) const;
  absl::StatusOr<assessment::v1::ListPublishedRatingsResponse> ListPublishedRatings(
      const std::string& round, int page_size, const std::string& page_token,
      absl::Time deadline) const;

  absl::StatusOr<assessment::v1::GetDossierResponse> GetDossier(
      const assessment::v1::GetDossierRequest& request, absl::Time deadline) const;

  // OK if the record would take this. The request has `validate_only`.
  absl::Status ValidateEvidence(const assessment::v1::SubmitEvidenceRequest& request,
                                absl::Time deadline) const;

  // `scheme` is a digest or `id@version`.
  absl::StatusOr<assessment::v1::GetSchemeTextResponse> GetSchemeText(const std::string& scheme,
                                                                      absl::Time deadline) const;

  // Reads an export to its end, or until `each` returns an error, which is then
  // returned.
  using BlockReader = std::function<absl::Status(const assessment::v1::ExportDossiersResponse&)>;
  absl::Status ExportDossiers(const assessment::v1::ExportDossiersRequest& request,
                              absl::Time deadline, const BlockReader& each) const;

  // Starts an export; blocks come to `reactor`. `context` and `reactor` must
  // live until reactor->OnDone().
  void StartExport(const assessment::v1::ExportDossiersRequest& request, absl::Time deadline,
                   grpc::ClientContext& context,
                   grpc::ClientReadReactor<assessment::v1::ExportDossiersResponse>& reactor) const;

  // Watches everything from now on. `context` must outlive what is returned, and
  // ends it when it is cancelled.
  std::unique_ptr<grpc::ClientReader<assessment::v1::WatchEvidenceResponse>> WatchEvidence(
      grpc::ClientContext& context) const;

  // The newest revision of the record, by its database.
  absl::StatusOr<evidence::v1::Snapshot> Head(absl::Time deadline) const;

  // OK if assessment-svc says that it is ready.
  absl::Status CheckReady(absl::Time deadline) const;

 private:
  friend class Recording;

  // What one channel's calls are made by.
  struct Stubs {
    explicit Stubs(const std::shared_ptr<grpc::Channel>& channel);

    assessment::v1::EvidenceService::Stub evidence;
    assessment::v1::RegisterService::Stub registers;
    assessment::v1::RoundService::Stub rounds;
    grpc::health::v1::Health::Stub health;
  };

  void Prepare(grpc::ClientContext& context, absl::Time deadline) const;
  std::shared_ptr<Stubs> stubs() const;

  const std::string actor_;
  mutable std::mutex mutex_;  // Guards the next.
  std::shared_ptr<Stubs> stubs_;
};

// One stream of ratings into the record. Called off when it is destroyed
// before Commit().
class Recording {
 public:
  // `client` must outlive the recording.
  Recording(const EvidenceClient& client, const assessment::v1::RecordRatingsRequest::Begin& begin,
            absl::Time deadline);
  ~Recording();

  using Ratings = google::protobuf::RepeatedPtrField<rating::v1::Rating>;

  // Sends `ratings`, which are taken away. Returns what assessment-svc objects
  // to, if it has done so by now; the recording is over then.
  absl::Status Send(Ratings& ratings);

  // Call once, last.
  absl::StatusOr<assessment::v1::RecordRatingsResponse> Commit(int64_t count,
                                                               const std::string& round_digest);

 private:
  absl::Status Write(const assessment::v1::RecordRatingsRequest& request);
  absl::Status Finish();

  grpc::ClientContext context_;
  assessment::v1::RecordRatingsResponse response_;
  std::unique_ptr<grpc::ClientWriter<assessment::v1::RecordRatingsRequest>> writer_;
  int64_t next_chunk_ = 0;
  bool finished_ = false;
};

}  // namespace starratings::service
