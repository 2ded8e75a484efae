// Health of the servers of one process: liveness, which asks nobody, and
// readiness, which asks what the service depends on.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "prometheus/gauge.h"

namespace starratings::serving {

class Health {
 public:
  // Names are the empty one, `liveness`, `readiness` and each of `services`.
  // `ready` is asked at once and then every second; it must answer in bounded
  // time; what it says is `shown` as 1 or 0. The servers must outlive this.
  Health(std::vector<grpc::Server*> servers, std::vector<std::string> services,
         std::function<absl::Status()> ready, prometheus::Gauge& shown);
  ~Health();

  // Not serving, for good.
  void Stop();

 private:
  void Watch();
  void SetReady(bool ready);

  const std::vector<grpc::Server*> servers_;
  std::vector<std::string> names_;  // Those that readiness decides.
  const std::function<absl::Status()> ready_;
  prometheus::Gauge& shown_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread watcher_;
};

}  // namespace starratings::serving
