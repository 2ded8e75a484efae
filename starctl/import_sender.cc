#include "starctl/import_sender.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/serving/grpc_status.h"
#include "common/status/errors.h"
#include "starctl/patience.h"

namespace starratings::starctl {
namespace {

using assessment::v1::IngestEvidenceRequest;
using assessment::v1::IngestEvidenceResponse;

absl::Status NotUnderstood() {
  return status::Error(absl::StatusCode::kInternal, "STREAM",
                       "the service answers what was not asked: is it older than this starctl?");
}

absl::Status Silent(absl::Duration most) {
  return status::Error(
      absl::StatusCode::kDeadlineExceeded, "DEADLINE",
      absl::StrCat("the service has said nothing for ", absl::FormatDuration(most)));
}

}  // namespace

ImportSender::ImportSender(const Session& session, assessment::v1::EvidenceService::Stub& stub,
                           std::string file, std::vector<Batch>& batches, absl::Duration retry_for,
                           absl::Duration silence_most)
    : session_(session),
      stub_(stub),
      file_(std::move(file)),
      batches_(batches),
      retry_for_(retry_for),
      silence_most_(silence_most) {
  for (const Batch& batch : batches) total_ += batch.request.items_size();
}

absl::Status ImportSender::Validate() {
  ImportOutcome ignored;
  return Run(/*validate_only=*/true, ignored);
}

absl::Status ImportSender::Send(ImportOutcome& outcome) {
  return Run(/*validate_only=*/false, outcome);
}

absl::Status ImportSender::Run(bool validate_only, ImportOutcome& outcome) {
  Progress progress(validate_only ? "checking" : "importing");
  answered_.assign(batches_.size(), false);
  refused_ = absl::OkStatus();
  // As long as it gets on, patience begins anew.
  while (true) {
    bool done = false;
    const absl::Status status = Retrying(retry_for_, [&]() -> absl::Status {
      const int64_t before = outcome.batches;
      const absl::Status ended = RunStream(validate_only, outcome, progress);
      done = ended.ok();
      const bool got_on = outcome.batches > before && refused_.ok();
      return got_on && IsWorthRepeating(ended) ? absl::OkStatus() : ended;
    });
    if (!status.ok() || done) return status;
  }
}

IngestEvidenceRequest ImportSender::Begin(const ImportOutcome& outcome) const {
  IngestEvidenceRequest request;
  request.mutable_begin()->set_import_id(batches_.front().request.request_id());
  request.mutable_begin()->set_title(file_.substr(0, 500));
  request.mutable_begin()->set_items_total(total_);
  request.mutable_begin()->set_items_before(outcome.items);
  return request;
}

absl::Status ImportSender::RunStream(bool validate_only, ImportOutcome& outcome,
                                     Progress& progress) {
  grpc::ClientContext context;
  session_.Prepare(context);
  context.set_deadline(std::chrono::system_clock::time_point::max());
  Patience patience(context, silence_most_);
  const auto stream = stub_.IngestEvidence(&context);
  IngestEvidenceRequest request = Begin(outcome);
  IngestEvidenceResponse response;
  const auto write = [&] { return patience.Within([&] { return stream->Write(request); }); };
  const auto read = [&] { return patience.Within([&] { return stream->Read(&response); }); };
  const auto finish = [&]() -> absl::Status {
    const absl::Status status =
        patience.Within([&] { return serving::FromGrpcStatus(stream->Finish()); });
    return patience.IsOver() ? Silent(silence_most_) : status;
  };
  const auto ended = [&]() -> absl::Status {
    const absl::Status status = finish();
    return status.ok() ? NotUnderstood() : status;
  };
  if (!write() || !read()) return ended();
  if (!response.has_ready()) return NotUnderstood();
  const auto window = static_cast<size_t>(std::max(1, response.ready().window()));

  std::vector<size_t> sent;  // By number, from 1.
  size_t next = 0;
  size_t taken = 0;
  while (true) {
    while (next < batches_.size() && answered_[next]) ++next;
    if (next < batches_.size() && refused_.ok() && sent.size() - taken < window) {
      request.Clear();
      auto& batch = *request.mutable_batch();
      batch.set_number(static_cast<int64_t>(sent.size()) + 1);
      // Lent, not copied: batches are large.
      batch.mutable_submit()->Swap(&batches_[next].request);
      batch.mutable_submit()->set_validate_only(validate_only);
      const bool written = write();
      batch.mutable_submit()->set_validate_only(false);
      batch.mutable_submit()->Swap(&batches_[next].request);
      if (!written) return ended();
      sent.push_back(next++);
    } else if (taken < sent.size()) {
      if (!read()) return ended();
      ++taken;
      RETURN_IF_ERROR(Take(response, sent, outcome));
      progress.Show(outcome.items, total_);
    } else {
      break;
    }
  }
  stream->WritesDone();
  const absl::Status status = finish();
  return refused_.ok() ? status : refused_;
}

absl::Status ImportSender::Take(const IngestEvidenceResponse& response,
                                const std::vector<size_t>& sent, ImportOutcome& outcome) {
  const int64_t number =
      response.has_refused() ? response.refused().number() : response.recorded().number();
  if (number < 1 || number > std::ssize(sent)) return NotUnderstood();
  const size_t index = sent[static_cast<size_t>(number) - 1];
  answered_[index] = true;
  if (response.has_refused()) {
    if (refused_.ok()) {
      refused_ = PointToLines(serving::FromRichStatus(response.refused().error()), file_,
                              batches_[index].lines);
    }
    return absl::OkStatus();  // Those before it are still answered.
  }
  const auto& submitted = response.recorded().submitted();
  ++outcome.batches;
  outcome.items += batches_[index].request.items_size();
  outcome.replayed += submitted.replayed() ? 1 : 0;
  if (submitted.snapshot().revision() > outcome.last.revision()) {
    outcome.last = submitted.snapshot();
  }
  return absl::OkStatus();
}

}  // namespace starratings::starctl
