#include "rating-svc/service/request_check.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/digest/bucket.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/field_errors.h"
#include "rating-svc/service/scheme_library.h"

namespace starratings::service {
namespace {

using status::FieldErrors;

constexpr size_t kEtagMost = 200;

void CheckTrace(rating::v1::TraceDetail trace, FieldErrors& errors) {
  if (!rating::v1::TraceDetail_IsValid(trace)) {
    errors.Add("trace", "must be NONE, PACKED or FULL");
  }
}

bool IsShard(const evidence::v1::Shard& shard) {
  return shard.count() >= 1 && shard.count() <= digest::kBuckets && shard.index() >= 0 &&
         shard.index() < shard.count();
}

void CheckShard(const evidence::v1::Shard& shard, FieldErrors& errors) {
  if (shard.count() < 1 || shard.count() > digest::kBuckets) {
    errors.Add("shard.count", absl::StrCat("must be 1 to ", digest::kBuckets));
  } else if (!IsShard(shard)) {
    errors.Add("shard.index", "must be 0 to count - 1");
  }
}

void CheckCursor(const rating::v1::RateRoundRequest& request, FieldErrors& errors) {
  const evidence::v1::Cursor& cursor = request.resume_after();
  const absl::Status named = evidence::CheckOrganisationId(cursor.organisation());
  errors.AddIfError("resume_after.organisation", named);
  if (!named.ok()) return;
  if (cursor.bucket() != digest::BucketOf(cursor.organisation())) {
    errors.Add("resume_after.bucket", "must be that of the organisation");
  } else if (request.has_shard() && IsShard(request.shard())) {
    const auto [first, end] =
        digest::BucketsOfShard(request.shard().index(), request.shard().count());
    if (cursor.bucket() < first || cursor.bucket() >= end) {
      errors.Add("resume_after", "must be in the shard");
    }
  }
}

void CheckByScheme(const rating::v1::RateOrganisationRequest::ByScheme& by, FieldErrors& errors) {
  errors.AddIfError("scheme.scheme", CheckSchemeRef(by.scheme()));
  errors.AddIfError("scheme.period", evidence::CheckSlug(by.period()));
  errors.AddIfError("scheme.date", evidence::Date::Parse(by.date()).status());
  if (by.has_freshness() && by.freshness().mode_case() == evidence::v1::Freshness::MODE_NOT_SET) {
    errors.Add("scheme.freshness", "must say how fresh, or be left out");
  }
}

}  // namespace

absl::Status Check(const rating::v1::RateOrganisationRequest& request) {
  using By = rating::v1::RateOrganisationRequest::ByCase;
  FieldErrors errors;
  errors.AddIfError("organisation", evidence::CheckOrganisationId(request.organisation()));
  switch (request.by_case()) {
    case By::kRound:
      errors.AddIfError("round", evidence::CheckSlug(request.round()));
      break;
    case By::kScheme:
      CheckByScheme(request.scheme(), errors);
      break;
    case By::BY_NOT_SET:
      errors.Add("by", "must name a round or a scheme");
      break;
  }
  CheckTrace(request.trace(), errors);
  return errors.ToStatus();
}

absl::Status Check(const rating::v1::RateRoundRequest& request) {
  FieldErrors errors;
  errors.AddIfError("round", evidence::CheckSlug(request.round()));
  CheckTrace(request.trace(), errors);
  if (request.has_shard()) CheckShard(request.shard(), errors);
  if (request.has_resume_after()) CheckCursor(request, errors);
  if (request.compact() && request.trace() > rating::v1::TRACE_DETAIL_NONE) {
    errors.Add("compact", "must not be together with a trace");
  }
  return errors.ToStatus();
}

absl::Status Check(const rating::v1::RecordRoundRequest& request) {
  FieldErrors errors;
  errors.AddIfError("round", evidence::CheckSlug(request.round()));
  errors.AddIfError("etag", evidence::CheckText(request.etag(), 1, kEtagMost));
  errors.AddIfError("request_id", evidence::CheckUuid(request.request_id()));
  return errors.ToStatus();
}

absl::Status RenameFields(const absl::Status& error) {
  status::ErrorDetail detail = status::DetailOf(error);
  if (detail.fields.empty()) return error;
  for (status::FieldViolation& violation : detail.fields) {
    if (violation.field != "organisation") violation.field = "scheme." + violation.field;
  }
  return status::ErrorWithDetail(error.code(), error.message(), detail);
}

}  // namespace starratings::service
