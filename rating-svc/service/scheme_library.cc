#include "rating-svc/service/scheme_library.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "rating-svc/service/evidence_client.h"
#include "rating-svc/verify/verify.h"

namespace starratings::service {
namespace {

using absl::StatusCode;

constexpr size_t kIdMost = 64;
constexpr size_t kVersionMost = 32;
// More than these of a scheme's faults are counted, not told.
constexpr size_t kIssuesTold = 5;

bool IsDigest(absl::string_view ref) { return evidence::CheckSha256(ref).ok(); }

absl::Status NotVerified(const std::string& ref, const verify::Verification& verification) {
  std::string message = absl::StrCat("the record's scheme ", ref, " does not verify");
  for (size_t i = 0; i < verification.issues.size() && i < kIssuesTold; ++i) {
    const verify::Issue& issue = verification.issues[i];
    absl::StrAppend(&message, "; line ", issue.line, ": ", issue.code, " ", issue.message);
  }
  if (verification.issues.size() > kIssuesTold) {
    absl::StrAppend(&message, "; and ", verification.issues.size() - kIssuesTold, " more");
  }
  return status::Error(StatusCode::kFailedPrecondition, "SCHEME_NOT_VERIFIED", message,
                       {{"scheme", ref}});
}

absl::Status NotFound(const std::string& ref) {
  return status::Error(StatusCode::kNotFound, "SCHEME_NOT_FOUND",
                       absl::StrCat("no scheme ", ref,
                                    ", neither at hand nor in the record; ListSchemes has those "
                                    "at hand"),
                       {{"scheme", ref}});
}

absl::Status Mismatch(const std::string& ref) {
  return status::Error(
      StatusCode::kDataLoss, "SCHEME_DIGEST_MISMATCH",
      absl::StrCat("the record's text for the scheme ", ref, " is not that scheme"),
      {{"scheme", ref}});
}

}  // namespace

absl::Status CheckSchemeRef(absl::string_view ref) {
  if (IsDigest(ref)) return absl::OkStatus();
  const std::vector<absl::string_view> parts = absl::StrSplit(ref, '@');
  const auto lower = [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
  };
  const auto any = [](char c) { return absl::ascii_isalnum(c) || c == '.' || c == '-'; };
  if (parts.size() == 2 && !parts[0].empty() && parts[0].size() <= kIdMost &&
      std::all_of(parts[0].begin(), parts[0].end(), lower) && !parts[1].empty() &&
      parts[1].size() <= kVersionMost && std::all_of(parts[1].begin(), parts[1].end(), any)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "must be id@version, such as england-social-services-2002@2002.1, or a digest of 64 "
      "lower-case hexadecimal digits");
}

SchemeRecord RecordOf(const EvidenceClient& client) {
  return [&client](const std::string& ref, absl::Time deadline) -> absl::StatusOr<RecordedText> {
    ASSIGN_OR_RETURN(auto text, client.GetSchemeText(ref, deadline));
    return RecordedText{std::move(*text.mutable_text()), std::move(*text.mutable_digest())};
  };
}

SchemeLibrary::SchemeLibrary(std::vector<SchemePtr> loaded, SchemeRecord record)
    : loaded_(std::move(loaded)), record_(std::move(record)) {}

SchemePtr SchemeLibrary::FindLoaded(const std::string& ref) const {
  for (const SchemePtr& scheme : loaded_) {
    if (ref == scheme->digest || ref == scheme->Name()) return scheme;
  }
  return nullptr;
}

absl::StatusOr<SchemePtr> SchemeLibrary::Find(const std::string& ref, absl::Time deadline) {
  if (SchemePtr scheme = FindLoaded(ref); scheme != nullptr) return scheme;
  return Fetch(ref, deadline);
}

SchemePtr SchemeLibrary::AtHand(const std::string& ref) {
  if (SchemePtr scheme = FindLoaded(ref); scheme != nullptr) return scheme;
  const absl::MutexLock lock(&mutex_);
  const auto* kept = FindKept(ref);
  return kept != nullptr && kept->ok() ? **kept : nullptr;
}

SchemePtr SchemeLibrary::FindBound(const std::string& cohort) {
  const absl::MutexLock lock(&mutex_);
  for (const auto& [name, bound] : bound_) {
    if (name == cohort) return bound;
  }
  return nullptr;
}

void SchemeLibrary::KeepBound(const std::string& cohort, SchemePtr bound) {
  const absl::MutexLock lock(&mutex_);
  bound_.emplace_back(cohort, std::move(bound));
  if (bound_.size() > kBoundMost) bound_.pop_front();
}

absl::StatusOr<SchemePtr> SchemeLibrary::FindForOpenRound(const std::string& name,
                                                          absl::Time deadline) {
  absl::StatusOr<SchemePtr> recorded = Fetch(name, deadline);
  if (recorded.status().code() != StatusCode::kNotFound) return recorded;
  if (SchemePtr scheme = FindLoaded(name); scheme != nullptr) return scheme;
  return recorded;
}

absl::StatusOr<SchemePtr> SchemeLibrary::Fetch(const std::string& ref, absl::Time deadline) {
  if (IsDigest(ref)) {
    const absl::MutexLock lock(&mutex_);
    if (const auto* kept = FindKept(ref); kept != nullptr) return *kept;
  }
  const absl::StatusOr<RecordedText> text = record_(ref, deadline);
  if (text.status().code() == StatusCode::kNotFound) return NotFound(ref);
  RETURN_IF_ERROR(text.status());
  if (IsDigest(ref) && text->digest != ref) return Mismatch(ref);
  ASSIGN_OR_RETURN(SchemePtr scheme, Proven(*text));
  if (ref != scheme->digest && ref != scheme->Name()) return Mismatch(ref);
  return scheme;
}

absl::StatusOr<SchemePtr> SchemeLibrary::Proven(const RecordedText& text) {
  if (SchemePtr scheme = FindLoaded(text.digest); scheme != nullptr) return scheme;
  const absl::MutexLock proving(&proving_);
  {
    const absl::MutexLock lock(&mutex_);
    if (const auto* kept = FindKept(text.digest); kept != nullptr) return *kept;
  }
  const verify::Verification verification = verify::Verify(text.text);
  absl::StatusOr<SchemePtr> answer = verification.scheme;
  if (verification.scheme == nullptr) {
    answer = NotVerified(text.digest, verification);
  } else if (verification.scheme->digest != text.digest) {
    return Mismatch(text.digest);  // Not kept: the record may be mended.
  }
  const absl::MutexLock lock(&mutex_);
  Keep({text.digest, answer});
  return answer;
}

const absl::StatusOr<SchemePtr>* SchemeLibrary::FindKept(const std::string& digest) {
  const auto found = by_digest_.find(digest);
  if (found == by_digest_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, found->second);
  return &found->second->scheme;
}

void SchemeLibrary::Keep(Kept kept) {
  kept_.push_front(std::move(kept));
  by_digest_[kept_.front().digest] = kept_.begin();
  if (kept_.size() <= kKeptMost) return;
  by_digest_.erase(kept_.back().digest);
  kept_.pop_back();
}

}  // namespace starratings::service
