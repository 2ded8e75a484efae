// An assessment-svc in memory, on loopback, for unit tests of this room. It answers as the
// comments of the protos say, and does wrong what a test tells it to.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/grpcpp.h"
#include "starratings/assessment/v1/evidence_service.grpc.pb.h"
#include "starratings/assessment/v1/register_service.grpc.pb.h"
#include "starratings/assessment/v1/round_service.grpc.pb.h"

namespace starratings::service {

// A scheme of one input, `quality` (poor, fair, good: 0, 1, 2 stars), and
// special measures at 0 stars; in force from 2000 until before 2010.
std::string SchemeText(const std::string& id = "test", const std::string& version = "1");
// The digest of that scheme.
std::string SchemeDigestOf(const std::string& text);

class FakeAssessment {
 public:
  // Set before calls are made.
  struct Faults {
    absl::Status export_status;   // What an export ends with.
    absl::Status record_status;   // What RecordRatings answers.
    absl::Status dossier_status;  // What GetDossier answers.
    std::string earlier_digest;   // RecordRatings answers at once, as it did before.
    bool out_of_order = false;    // Exports go backwards.
    bool one_short = false;       // Exports lack the last organisation.
    bool endless = false;         // Exports repeat nothing new and never end.
  };

  FakeAssessment();
  ~FakeAssessment();

  std::shared_ptr<grpc::Channel> Channel();

  // Registers an organisation whose `quality` is `level`; empty: not reported.
  void Add(const std::string& organisation, const std::string& level,
           const std::string& list_state = "off");

  // The round `r` of all organisations: open under `scheme`, or frozen with its
  // digest.
  void OpenRound(const std::string& id, const std::string& version);
  void FreezeRound(const std::string& digest);

  // What was asked.
  struct Asked {
    std::vector<assessment::v1::ExportDossiersRequest> exports;
    std::vector<assessment::v1::GetDossierRequest> dossiers;
    std::vector<assessment::v1::SubmitEvidenceRequest> submits;
    std::vector<assessment::v1::RecordRatingsRequest> records;
    std::vector<std::string> schemes;
    std::vector<std::string> actors;
    int cancelled_exports = 0;
  };
  Asked asked();

  Faults faults;
  std::map<std::string, std::string> scheme_texts;  // By digest and by name.
  int block_size = 100;

 private:
  struct Evidence;
  struct Register;
  struct Rounds;

  void Note(const grpc::ServerContext& context);

  std::map<std::pair<int, std::string>, evidence::v1::Dossier> dossiers_;  // (bucket, id)
  std::vector<evidence::v1::Source> sources_;
  assessment::v1::Round round_;
  absl::Mutex mutex_;
  Asked asked_ ABSL_GUARDED_BY(mutex_);

  int port_ = 0;
  std::unique_ptr<Evidence> evidence_;
  std::unique_ptr<Register> register_;
  std::unique_ptr<Rounds> rounds_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace starratings::service
