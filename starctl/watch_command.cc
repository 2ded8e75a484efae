// starctl watch, and starctl rounds watch: what is recorded, as it is recorded.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/serving/grpc_status.h"
#include "common/status/errors.h"
#include "starctl/commands.h"
#include "starctl/interrupt.h"
#include "starctl/session.h"
#include "starctl/watch_lines.h"

namespace starratings::starctl {
namespace {

// Of each rpc that watches: its messages, and how it begins.
struct EvidenceFeed {
  using Request = assessment::v1::WatchEvidenceRequest;
  using Response = assessment::v1::WatchEvidenceResponse;

  static Request RequestOf(const WatchOptions& options) {
    Request request;
    request.set_period(options.period);
    for (const std::string& organisation : options.organisations) {
      request.add_organisations(organisation);
    }
    for (const std::string& code : options.codes) request.add_codes(code);
    return request;
  }
  static auto Open(const Assessment& assessment, grpc::ClientContext& context,
                   const Request& request) {
    return assessment.evidence->WatchEvidence(&context, request);
  }
};

struct RoundsFeed {
  using Request = assessment::v1::WatchRoundsRequest;
  using Response = assessment::v1::WatchRoundsResponse;

  static Request RequestOf(const WatchOptions& options) {
    Request request;
    for (const std::string& round : options.rounds) request.add_rounds(round);
    return request;
  }
  static auto Open(const Assessment& assessment, grpc::ClientContext& context,
                   const Request& request) {
    return assessment.rounds->WatchRounds(&context, request);
  }
};

constexpr absl::Duration kFirstWait = absl::Milliseconds(50);
constexpr absl::Duration kLongestWait = absl::Seconds(2);

// Another stream can go on where this one ended.
bool CanGoOn(const absl::Status& ended) {
  return IsWorthRepeating(ended) || status::DetailOf(ended).reason == "WATCHER_TOO_SLOW";
}

// One stream after another, each from where the last revision was printed.
template <typename Feed>
class Watch {
 public:
  Watch(const Session& session, const Assessment& assessment, Interrupt& interrupt,
        const WatchOptions& options)
      : session_(session),
        assessment_(assessment),
        interrupt_(interrupt),
        retry_for_(absl::Seconds(options.retry_for_s)),
        request_(Feed::RequestOf(options)),
        lines_(session.json()) {
    request_.set_after(options.after);
    request_.set_until(options.until);
  }

  // Watches until the end, or until it is interrupted, which is no error.
  absl::Status Run();

  // What to go on after; empty if nothing was heard and nothing was given.
  const std::string& token() const { return request_.after(); }

 private:
  // What came of one stream, besides its end.
  struct Heard {
    bool anything = false;
    bool news = false;  // It got on.
  };

  absl::Status RunStream(Heard& heard);
  absl::Status Print(const std::string& text);

  const Session& session_;
  const Assessment& assessment_;
  Interrupt& interrupt_;
  const absl::Duration retry_for_;
  typename Feed::Request request_;
  WatchLines lines_;
  bool unread_ = false;  // Nobody reads what is printed.
};

template <typename Feed>
absl::Status Watch<Feed>::Run() {
  absl::Time give_up = absl::Now() + retry_for_;
  absl::Duration wait = kFirstWait;
  bool told = false;  // Of the break.
  while (true) {
    Heard heard;
    const absl::Status ended = RunStream(heard);
    if (ended.ok() || unread_ || interrupt_.cause() != Interrupt::Cause::kNone) {
      return absl::OkStatus();
    }
    if (!CanGoOn(ended)) return ended;
    // Of a stream that was quiet for long, the last sign of life is its end.
    if (heard.anything) give_up = absl::Now() + retry_for_;
    if (heard.news) wait = kFirstWait;
    wait =
        std::min(std::max(wait, status::DetailOf(ended).retry_after.value_or(wait)), kLongestWait);
    if (absl::Now() + wait > give_up) return ended;
    if (heard.anything || !told) {
      std::fprintf(stderr, "%sstarctl: connecting again\n", Describe(ended).c_str());
    }
    told = true;
    interrupt_.Wait(wait);
    wait *= 2;
  }
}

template <typename Feed>
absl::Status Watch<Feed>::RunStream(Heard& heard) {
  grpc::ClientContext context;
  session_.Prepare(context);
  context.set_deadline(std::chrono::system_clock::time_point::max());
  interrupt_.Cancels(&context);
  const auto stream = Feed::Open(assessment_, context, request_);
  lines_.Forget();
  absl::Status printed;
  typename Feed::Response message;
  while (printed.ok() && stream->Read(&message)) {
    heard.anything = true;
    const std::optional<std::string> text = lines_.Take(message);
    if (!text) continue;
    printed = Print(*text);
    if (!printed.ok()) {
      context.TryCancel();
    } else if (message.snapshot().token() != request_.after()) {
      heard.news = true;
      request_.set_after(message.snapshot().token());
    }
  }
  const absl::Status ended = serving::FromGrpcStatus(stream->Finish());
  interrupt_.Cancels(nullptr);
  return printed.ok() ? ended : printed;
}

template <typename Feed>
absl::Status Watch<Feed>::Print(const std::string& text) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return absl::OkStatus();
  unread_ = errno == EPIPE;
  return BadFile("standard output", std::strerror(errno));
}

template <typename Feed>
absl::StatusOr<ExitCode> RunWatch(Session& session, const WatchOptions& options) {
  Interrupt interrupt;  // Before the channel and its threads.
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  Watch<Feed> watch(session, *assessment, interrupt, options);
  const absl::Status ended = watch.Run();
  const bool stopped = interrupt.cause() == Interrupt::Cause::kSignal;
  // Not if the token that was given is what is wrong.
  const bool got_on = watch.token() != options.after;
  if (!watch.token().empty() && (stopped || (!ended.ok() && got_on))) {
    std::fprintf(stderr, "starctl: go on with --after %s\n", watch.token().c_str());
  }
  RETURN_IF_ERROR(ended);
  return ExitCode::kOk;
}

}  // namespace

absl::StatusOr<ExitCode> WatchEvidence(Session& session, const WatchOptions& options) {
  return RunWatch<EvidenceFeed>(session, options);
}

absl::StatusOr<ExitCode> WatchRounds(Session& session, const WatchOptions& options) {
  return RunWatch<RoundsFeed>(session, options);
}

}  // namespace starratings::starctl
