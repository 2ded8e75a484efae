#include "starctl/revisions.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/wire/token.h"
#include "starctl/failure.h"

namespace starratings::starctl {
namespace {

using assessment::v1::EvidenceService;
using evidence::v1::Snapshot;

// The snapshot that the record reads at: of `token`, or the newest.
absl::StatusOr<Snapshot> Read(Session& session, const std::string& token) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::ListEvidenceRequest request;
  request.set_page_size(1);
  if (!token.empty()) request.mutable_freshness()->set_exactly(token);
  assessment::v1::ListEvidenceResponse response;
  RETURN_IF_ERROR(
      session.Call(*assessment->evidence, &EvidenceService::Stub::ListEvidence, request, response));
  return response.snapshot();
}

absl::StatusOr<Snapshot> ReadNumber(Session& session, absl::string_view flag,
                                    const std::string& text) {
  ASSIGN_OR_RETURN(Snapshot snapshot, Read(session, ""));
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number) || number > snapshot.revision()) {
    return BadUsage(absl::StrCat(flag, ": there is no revision ", text, " yet; the newest is ",
                                 snapshot.revision()));
  }
  ASSIGN_OR_RETURN(wire::Token token, wire::DecodeToken(snapshot.token()));
  token.revision = number;
  snapshot.set_revision(number);
  snapshot.set_token(wire::EncodeToken(token));
  return snapshot;
}

absl::StatusOr<Snapshot> ReadTime(Session& session, absl::Time time) {
  ASSIGN_OR_RETURN(const Assessment* const assessment, session.assessment());
  assessment::v1::ResolveRevisionRequest request;
  const int64_t seconds = absl::ToUnixSeconds(time);
  request.mutable_time()->set_seconds(seconds);
  request.mutable_time()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  assessment::v1::ResolveRevisionResponse response;
  RETURN_IF_ERROR(session.Call(*assessment->evidence, &EvidenceService::Stub::ResolveRevision,
                               request, response));
  return response.snapshot();
}

}  // namespace

absl::StatusOr<Snapshot> RevisionOf(Session& session, absl::string_view flag,
                                    const std::string& text) {
  if (text.empty()) return Read(session, "");
  if (std::all_of(text.begin(), text.end(), absl::ascii_isdigit)) {
    return ReadNumber(session, flag, text);
  }
  if (wire::DecodeToken(text).ok()) return Read(session, text);
  absl::Time time;
  // ParseTime also takes `infinite-past` and the like.
  if (absl::ascii_isdigit(static_cast<unsigned char>(text[0])) &&
      absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) {
    return ReadTime(session, time);
  }
  return BadUsage(absl::StrCat(flag,
                               " must be a token, the number of a revision, or a time like "
                               "2002-05-30T12:00:00Z; it is `",
                               text, "`"));
}

}  // namespace starratings::starctl
