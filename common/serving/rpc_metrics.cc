#include "common/serving/rpc_metrics.h"

#include <array>
#include <map>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/serving/log.h"
#include "google/protobuf/descriptor.h"
#include "prometheus/counter.h"
#include "prometheus/histogram.h"

namespace starratings::serving {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

constexpr char kRequestId[] = "x-request-id";

// As go-grpc-middleware names them, so that its dashboards fit.
constexpr std::array<const char*, 17> kCodes = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};

const prometheus::Histogram::BucketBoundaries kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                          0.05,   0.1,   0.25,   0.5,   1,    5};

const char* TypeName(bool client_streams, bool server_streams) {
  if (client_streams) return server_streams ? "bidi_stream" : "client_stream";
  return server_streams ? "server_stream" : "unary";
}

// The series of one method, found once.
struct MethodSeries {
  std::string service;
  std::string method;
  prometheus::Counter* started = nullptr;
  std::array<prometheus::Counter*, kCodes.size()> handled{};
  prometheus::Histogram* seconds = nullptr;
};

class Series {
 public:
  Series(const std::shared_ptr<prometheus::Registry>& registry,
         const std::vector<std::string>& services)
      : registry_(registry) {
    auto& started = prometheus::BuildCounter()
                        .Name("grpc_server_started_total")
                        .Help("RPCs begun, by method.")
                        .Register(*registry);
    auto& handled = prometheus::BuildCounter()
                        .Name("grpc_server_handled_total")
                        .Help("RPCs answered, by method and status code.")
                        .Register(*registry);
    auto& seconds = prometheus::BuildHistogram()
                        .Name("grpc_server_handling_seconds")
                        .Help("Time to answer an RPC, in seconds.")
                        .Register(*registry);
    const auto add = [&](const std::string& service, const std::string& method, const char* type) {
      MethodSeries& series = methods_[absl::StrCat("/", service, "/", method)];
      series.service = service;
      series.method = method;
      const std::map<std::string, std::string> labels = {
          {"grpc_type", type}, {"grpc_service", service}, {"grpc_method", method}};
      series.started = &started.Add(labels);
      series.seconds = &seconds.Add(labels, kSeconds);
      for (size_t code = 0; code < kCodes.size(); ++code) {
        std::map<std::string, std::string> with_code = labels;
        with_code["grpc_code"] = kCodes[code];
        series.handled[code] = &handled.Add(with_code);
      }
    };
    for (const std::string& service : services) {
      const auto* descriptor =
          google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
      if (descriptor == nullptr) continue;
      for (int i = 0; i < descriptor->method_count(); ++i) {
        const auto& method = *descriptor->method(i);
        add(service, method.name(), TypeName(method.client_streaming(), method.server_streaming()));
      }
    }
  }

  // Null for methods that are not ours, such as health checks.
  const MethodSeries* Find(const std::string& path) const {
    const auto found = methods_.find(path);
    return found == methods_.end() ? nullptr : &found->second;
  }

 private:
  const std::shared_ptr<prometheus::Registry> registry_;  // Owns the series.
  std::map<std::string, MethodSeries> methods_;
};

std::string NewRequestId() {
  thread_local absl::BitGen random;
  return absl::StrCat(absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16));
}

class Observer : public grpc::experimental::Interceptor {
 public:
  explicit Observer(const MethodSeries& series) : series_(series), start_(absl::Now()) {
    series_.started->Increment();
  }

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      const auto* metadata = methods->GetRecvInitialMetadata();
      if (const auto found = metadata->find(kRequestId); found != metadata->end()) {
        request_id_ = std::string(found->second.data(), found->second.size());
      }
      if (request_id_.empty() || request_id_.size() > 100) request_id_ = NewRequestId();
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      Finish(*methods);
    }
    methods->Proceed();
  }

 private:
  void Finish(InterceptorBatchMethods& methods) {
    const absl::Duration took = absl::Now() - start_;
    const grpc::Status status = methods.GetSendStatus();
    const auto code = static_cast<size_t>(status.error_code());
    const size_t known = code < kCodes.size() ? code : 2;
    series_.handled[known]->Increment();
    series_.seconds->Observe(absl::ToDoubleSeconds(took));
    methods.GetSendTrailingMetadata()->emplace(kRequestId, request_id_);
    LogInfo("call", {{"method", absl::StrCat(series_.service, "/", series_.method)},
                     {"code", kCodes[known]},
                     {"milliseconds", absl::StrCat(absl::ToDoubleMilliseconds(took))},
                     {"request_id", request_id_}});
  }

  const MethodSeries& series_;
  const absl::Time start_;
  std::string request_id_;
};

class Factory : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  Factory(const std::shared_ptr<prometheus::Registry>& registry,
          const std::vector<std::string>& services)
      : series_(registry, services) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    const MethodSeries* series = series_.Find(info->method());
    return series == nullptr ? nullptr : new Observer(*series);
  }

 private:
  const Series series_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> NewRpcObserver(
    const std::shared_ptr<prometheus::Registry>& registry,
    const std::vector<std::string>& services) {
  return std::make_unique<Factory>(registry, services);
}

}  // namespace starratings::serving
