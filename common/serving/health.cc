#include "common/serving/health.h"

#include <chrono>
#include <utility>

#include "common/serving/log.h"
#include "grpcpp/health_check_service_interface.h"

namespace starratings::serving {

Health::Health(std::vector<grpc::Server*> servers, std::vector<std::string> services,
               std::function<absl::Status()> ready, prometheus::Gauge& shown)
    : servers_(std::move(servers)),
      names_(std::move(services)),
      ready_(std::move(ready)),
      shown_(shown) {
  names_.push_back("");
  names_.push_back("readiness");
  for (grpc::Server* server : servers_) {
    server->GetHealthCheckService()->SetServingStatus("liveness", true);
  }
  SetReady(!ready_ || ready_().ok());
  watcher_ = std::thread([this] { Watch(); });
}

Health::~Health() {
  Stop();
  watcher_.join();
}

void Health::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  shown_.Set(0);
  for (grpc::Server* server : servers_) server->GetHealthCheckService()->Shutdown();
}

void Health::Watch() {
  bool was_ready = true;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!changed_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; })) {
    if (!ready_) continue;
    lock.unlock();
    const absl::Status ready = ready_();
    if (ready.ok() != was_ready) {
      was_ready = ready.ok();
      LogInfo(was_ready ? "ready" : "not ready", {{"status", ready.ToString()}});
    }
    lock.lock();
    if (!stopping_) SetReady(ready.ok());
  }
}

void Health::SetReady(bool ready) {
  shown_.Set(ready ? 1 : 0);
  for (grpc::Server* server : servers_) {
    for (const std::string& name : names_) {
      server->GetHealthCheckService()->SetServingStatus(name, ready);
    }
  }
}

}  // namespace starratings::serving
