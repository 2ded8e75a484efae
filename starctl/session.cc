#include "starctl/session.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/serving/channel.h"
#include "common/status/errors.h"
#include "starctl/failure.h"

namespace starratings::starctl {
namespace {

constexpr absl::Duration kFirstWait = absl::Milliseconds(50);
constexpr absl::Duration kLongestWait = absl::Seconds(2);

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> Session::Channel(const std::string& address,
                                                                absl::string_view flag) const {
  if (address.empty()) {
    return BadUsage(absl::StrCat("this command needs --", flag, " HOST:PORT"));
  }
  if (options_.insecure != options_.tls_directory.empty()) {
    return BadUsage("either --tls-directory or --insecure must be given, and not both");
  }
  if (!options_.insecure && !options_.actor.empty()) {
    return BadUsage("--actor is for --insecure: with TLS the certificate says who acts");
  }
  auto channel = serving::NewChannel({address, options_.insecure, options_.tls_directory});
  if (channel.ok()) return channel;
  absl::string_view what = channel.status().message();
  absl::ConsumePrefix(&what, "--tls_directory: ");
  return BadFile("--tls-directory", what);
}

absl::StatusOr<const Assessment*> Session::assessment() {
  if (assessment_.evidence == nullptr) {
    ASSIGN_OR_RETURN(const auto channel, Channel(options_.assessment, "assessment"));
    assessment_.evidence = assessment::v1::EvidenceService::NewStub(channel);
    assessment_.registers = assessment::v1::RegisterService::NewStub(channel);
    assessment_.rounds = assessment::v1::RoundService::NewStub(channel);
  }
  return &assessment_;
}

absl::StatusOr<const Rating*> Session::rating() {
  if (rating_.ratings == nullptr) {
    ASSIGN_OR_RETURN(const auto channel, Channel(options_.rating, "rating"));
    rating_.ratings = rating::v1::RatingService::NewStub(channel);
    rating_.schemes = rating::v1::SchemeService::NewStub(channel);
  }
  return &rating_;
}

void Session::Prepare(grpc::ClientContext& context) const {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(options_.timeout_s));
  if (!options_.actor.empty()) context.AddMetadata("starratings-actor", options_.actor);
}

void Session::Print(absl::string_view text) const {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (text.empty() || text.back() != '\n') std::fputc('\n', stdout);
}

bool IsWorthRepeating(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    case absl::StatusCode::kCancelled:
      // A server that is stopping cancels what has just arrived; nobody else
      // cancels our calls.
      return true;
    case absl::StatusCode::kAborted:
      // We were held up, or stopped, for longer than the service waits.
      return status::DetailOf(error).reason == "STREAM_IDLE";
    case absl::StatusCode::kResourceExhausted:
      // gRPC's own, for a message that is too long, will not go away.
      return !status::DetailOf(error).reason.empty();
    default:
      return false;
  }
}

absl::Status Retrying(absl::Duration patience, const std::function<absl::Status()>& attempt) {
  const absl::Time end = absl::Now() + patience;
  absl::Duration wait = kFirstWait;
  while (true) {
    const absl::Status status = attempt();
    if (status.ok() || !IsWorthRepeating(status)) return status;
    const absl::Duration asked = status::DetailOf(status).retry_after.value_or(wait);
    wait = std::min(std::max(wait, asked), kLongestWait);
    if (absl::Now() + wait > end) return status;
    absl::SleepFor(wait);
    wait *= 2;
  }
}

}  // namespace starratings::starctl
