#include "common/serving/rpc_metrics.h"

#include <array>
#include <map>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/serving/gate.h"
#include "common/serving/identity.h"
#include "common/serving/log.h"
#include "common/serving/trace.h"
#include "google/protobuf/descriptor.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "starratings/policy/v1/policy.pb.h"

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

// Bytes of what an audit line says a call was about.
constexpr size_t kAboutMost = 300;

const prometheus::Histogram::BucketBoundaries kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                          0.05,   0.1,   0.25,   0.5,   1,    5};

const char* TypeName(bool client_streams, bool server_streams) {
  if (client_streams) return server_streams ? "bidi_stream" : "client_stream";
  return server_streams ? "server_stream" : "unary";
}

// The fields of a request that say what it is about.
std::vector<const google::protobuf::FieldDescriptor*> AboutFields(
    const google::protobuf::Descriptor& request) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  for (const char* const name : {"round", "organisation", "request_id"}) {
    const auto* const field = request.FindFieldByName(name);
    const bool text = field != nullptr && !field->is_repeated() &&
                      field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING;
    if (text) fields.push_back(field);
  }
  return fields;
}

// The series of one method, found once.
struct MethodSeries {
  std::string service;
  std::string method;
  prometheus::Counter* started = nullptr;
  std::array<prometheus::Counter*, kCodes.size()> handled{};
  prometheus::Histogram* seconds = nullptr;
  bool audited = false;
  std::vector<const google::protobuf::FieldDescriptor*> about;  // Of its request.
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
    const auto add = [&](const std::string& service,
                         const google::protobuf::MethodDescriptor& method) {
      MethodSeries& series = methods_[absl::StrCat("/", service, "/", method.name())];
      series.service = service;
      series.method = method.name();
      series.audited = method.options().GetExtension(policy::v1::access).audited();
      series.about = AboutFields(*method.input_type());
      const std::map<std::string, std::string> labels = {
          {"grpc_type", TypeName(method.client_streaming(), method.server_streaming())},
          {"grpc_service", service},
          {"grpc_method", method.name()}};
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
        add(service, *descriptor->method(i));
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

// What a request is about, for the audit.
std::string AboutOf(const google::protobuf::Message& request,
                    const std::vector<const google::protobuf::FieldDescriptor*>& fields) {
  std::string about;
  for (const auto* const field : fields) {
    const std::string value = request.GetReflection()->GetString(request, field);
    if (!value.empty())
      absl::StrAppend(&about, about.empty() ? "" : " ", field->name(), "=", value);
  }
  return about.substr(0, kAboutMost);
}

class Observer : public grpc::experimental::Interceptor {
 public:
  Observer(const MethodSeries& series, prometheus::Gauge& in_flight, Gate* gate,
           grpc::ServerContextBase& context)
      : series_(series),
        in_flight_(in_flight),
        gate_(gate),
        context_(context),
        start_(absl::Now()) {
    series_.started->Increment();
    in_flight_.Increment();
  }
  ~Observer() override { in_flight_.Decrement(); }

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      trace_ = TraceOf(context_);
      if (trace_.request_id.empty()) trace_.request_id = NewRequestId();
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_MESSAGE)) {
      // Null at the end of a stream.
      const void* const message = methods->GetRecvMessage();
      if (message != nullptr) Received(*static_cast<const google::protobuf::Message*>(message));
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      Finish(*methods);
    }
    methods->Proceed();
  }

 private:
  void Received(const google::protobuf::Message& request) {
    if (series_.audited && about_.empty()) about_ = AboutOf(request, series_.about);
    if (gate_ != nullptr && gate_->charges())
      gate_->Charge(KnownActorOf(context_), request.ByteSizeLong());
  }

  void Finish(InterceptorBatchMethods& methods) {
    const absl::Duration took = absl::Now() - start_;
    const grpc::Status status = methods.GetSendStatus();
    const auto code = static_cast<size_t>(status.error_code());
    const size_t known = code < kCodes.size() ? code : 2;
    series_.handled[known]->Increment();
    series_.seconds->Observe(absl::ToDoubleSeconds(took));
    methods.GetSendTrailingMetadata()->emplace(kRequestId, trace_.request_id);
    LogInfo(series_.audited ? "audit" : "call",
            {{"method", absl::StrCat(series_.service, "/", series_.method)},
             {"actor", KnownActorOf(context_)},
             {"about", about_},
             {"code", kCodes[known]},
             {"milliseconds", absl::StrCat(absl::ToDoubleMilliseconds(took))},
             {"request_id", trace_.request_id},
             {"trace_id", std::string(trace_.id())}});
  }

  const MethodSeries& series_;
  prometheus::Gauge& in_flight_;
  Gate* const gate_;
  grpc::ServerContextBase& context_;
  const absl::Time start_;
  Trace trace_;
  std::string about_;
};

class Factory : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  Factory(const std::shared_ptr<prometheus::Registry>& registry,
          const std::vector<std::string>& services, Gate* gate, prometheus::Gauge& in_flight)
      : series_(registry, services), gate_(gate), in_flight_(in_flight) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    const MethodSeries* series = series_.Find(info->method());
    if (series == nullptr) return nullptr;
    return new Observer(*series, in_flight_, gate_, *info->server_context());
  }

 private:
  const Series series_;
  Gate* const gate_;
  prometheus::Gauge& in_flight_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> NewRpcObserver(
    const std::shared_ptr<prometheus::Registry>& registry, const std::vector<std::string>& services,
    Gate* gate, prometheus::Gauge& in_flight) {
  return std::make_unique<Factory>(registry, services, gate, in_flight);
}

}  // namespace starratings::serving
