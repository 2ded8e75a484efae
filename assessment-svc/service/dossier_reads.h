// GetDossier, many at once: what comes while some are read is read together
// next. So a call waits for nobody while there is little to do, and where there
// is much the record is asked once for all of them.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "assessment-svc/store/store.h"
#include "common/serving/pool.h"
#include "grpcpp/grpcpp.h"
#include "starratings/assessment/v1/evidence_service.pb.h"

namespace starratings::service {

// Thread-safe.
class DossierReads {
 public:
  // Both must outlive it.
  DossierReads(const store::EvidenceStore& store, serving::Pool& calls)
      : store_(store), calls_(calls) {}
  // Waits for those who read.
  ~DossierReads();

  // Answers the call by and by. Request and response live until then.
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext& context,
                                const assessment::v1::GetDossierRequest& request,
                                assessment::v1::GetDossierResponse& response);

 private:
  // Read together, at most.
  static constexpr size_t kGroupMost = 64;
  // Groups at a time. More would be smaller ones.
  static constexpr int kReadersMost = 2;
  // Calls that wait, at most.
  static constexpr size_t kWaitingMost = 1'000;
  static constexpr size_t kPeriodsMost = 1'000;

  struct Call {
    grpc::CallbackServerContext* context;
    const assessment::v1::GetDossierRequest* request;
    assessment::v1::GetDossierResponse* response;
    grpc::ServerUnaryReactor* reactor;
    absl::Time deadline;
  };

  // What one statement can answer.
  struct Together {
    int64_t revision = 0;
    std::string period;
    auto operator<=>(const Together&) const = default;
  };

  // Reads groups until nobody waits.
  void ReadAll();
  std::vector<Call> TakeGroup();
  void ReadGroup(const std::vector<Call>& group);
  void Answer(const Together& together, const std::vector<Call>& calls);
  // NOT_FOUND, reason PERIOD_UNKNOWN, if there is none at `revision`.
  absl::Status CheckPeriod(const Together& together, absl::Time deadline);

  const store::EvidenceStore& store_;
  serving::Pool& calls_;
  std::mutex mutex_;  // Guards the rest.
  std::vector<Call> waiting_;
  int readers_ = 0;
  std::condition_variable idle_;  // No readers.
  // Periods, and a revision at which each was registered: it stays so.
  std::map<std::string, int64_t> periods_;
};

}  // namespace starratings::service
