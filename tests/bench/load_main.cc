// bench_load KIND ADDRESS [name=value]...: see LoadOptions.
//
//   submit    SubmitEvidence of one item
//   dossier   GetDossier
//   echo      the same amount of bytes to `bench_load serve-echo`
//   rate      RateOrganisation of rating-svc
//   round     RateRound of rating-svc, compact
//   ingest    IngestEvidence of every item of every organisation
//   export    ExportDossiers of all
//
// Prints one object of JSON.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>

#include "absl/synchronization/mutex.h"
#include "tests/bench/load.h"

namespace starratings::bench {

std::string OrganisationId(int i) {
  char text[32];
  std::snprintf(text, sizeof text, "home-%05d", i);
  return text;
}

std::string CodeId(int i) {
  char text[32];
  std::snprintf(text, sizeof text, "code.%02d", i);
  return text;
}

std::string NewUuid() {
  static std::mt19937_64 random{std::random_device()()};
  const uint64_t high = random(), low = random();
  char text[40];
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-a%03x-%012llx",
                static_cast<unsigned>(high >> 32), static_cast<unsigned>(high >> 16 & 0xffff),
                static_cast<unsigned>(high & 0xfff), static_cast<unsigned>(low >> 52),
                static_cast<unsigned long long>(low & 0xffffffffffff));
  return text;
}

double Quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<size_t>(q * static_cast<double>(values.size())))];
}

namespace {

class EchoCall final : public grpc::ServerGenericBidiReactor {
 public:
  EchoCall() { StartRead(&request_); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no request"));
      return;
    }
    grpc::Slice all;
    request_.DumpToSingleSlice(&all).ok();
    size_t size = 0;
    for (size_t i = 0; i < 4 && i < all.size(); ++i) size |= size_t{all.begin()[i]} << (8 * i);
    const grpc::Slice answer(std::string(size, 'y'));
    reply_ = grpc::ByteBuffer(&answer, 1);
    StartWriteAndFinish(&reply_, {}, grpc::Status::OK);
  }
  void OnDone() override { delete this; }

  grpc::ByteBuffer request_, reply_;
};

class EchoService final : public grpc::CallbackGenericService {
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new EchoCall;
  }
};

LoadOptions Parse(int argc, char** argv) {
  LoadOptions options;
  options.kind = argv[1];
  options.address = argv[2];
  const std::map<std::string, std::function<void(const std::string&)>> setters = {
      {"watch", [&](const std::string& text) { options.watch = text; }},
      {"callers", [&](const std::string& text) { options.callers = std::stoi(text); }},
      {"channels", [&](const std::string& text) { options.channels = std::stoi(text); }},
      {"rate", [&](const std::string& text) { options.rate = std::stod(text); }},
      {"refusable", [&](const std::string& text) { options.refusable = text == "1"; }},
      {"items", [&](const std::string& text) { options.items = std::stoi(text); }},
      {"trace", [&](const std::string& text) { options.trace = std::stoi(text); }},
      {"seconds", [&](const std::string& text) { options.seconds = std::stod(text); }},
      {"organisations", [&](const std::string& text) { options.organisations = std::stoi(text); }},
      {"codes", [&](const std::string& text) { options.codes = std::stoi(text); }},
      {"batch", [&](const std::string& text) { options.batch = std::stoi(text); }},
      {"revisions", [&](const std::string& text) { options.revisions = std::stoi(text); }},
      {"request_bytes", [&](const std::string& text) { options.request_bytes = std::stoi(text); }},
      {"reply_bytes", [&](const std::string& text) { options.reply_bytes = std::stoi(text); }},
      {"scheme", [&](const std::string& text) { options.scheme = text; }},
      {"date", [&](const std::string& text) { options.date = text; }},
      {"round", [&](const std::string& text) { options.round = text; }},
      {"token", [&](const std::string& text) { options.token = text; }},
  };
  for (int i = 3; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t at = argument.find('=');
    const auto found = setters.find(argument.substr(0, at));
    if (at == std::string::npos || found == setters.end()) {
      std::fprintf(stderr, "unknown: %s\n", argument.c_str());
      std::exit(2);
    }
    found->second(argument.substr(at + 1));
  }
  return options;
}

}  // namespace

void ServeEcho() {
  EchoService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterCallbackGenericService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::printf("127.0.0.1:%d\n", port);
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server->Shutdown(std::chrono::system_clock::now());
}

}  // namespace starratings::bench

int main(int argc, char** argv) {
  using namespace starratings::bench;
  // As the service does: an echo shall not be slower for lack of it.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const std::string kind = argc > 1 ? argv[1] : "";
  if (kind == "serve-echo") {
    ServeEcho();
    return 0;
  }
  const std::map<std::string, std::string (*)(const LoadOptions&)> kinds = {
      {"submit", RunUnary},  {"dossier", RunUnary}, {"rate", RunUnary},
      {"round", RunRound},   {"echo", RunUnary},    {"ingest", RunIngest},
      {"export", RunExport}, {"list", RunUnary},    {"improve", RunUnary}};
  const auto found = kinds.find(kind);
  if (argc < 3 || found == kinds.end()) {
    std::fprintf(stderr, "usage: bench_load KIND ADDRESS [name=value]...\n");
    return 2;
  }
  std::printf("%s\n", found->second(Parse(argc, argv)).c_str());
  return 0;
}
