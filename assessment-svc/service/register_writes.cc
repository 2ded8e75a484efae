#include "assessment-svc/service/register_writes.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "assessment-svc/intake/check_batch.h"
#include "assessment-svc/intake/check_registration.h"
#include "assessment-svc/service/register_reads.h"
#include "assessment-svc/service/snapshots.h"
#include "assessment-svc/service/writes.h"
#include "common/digest/sha256.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/wire/evidence_wire.h"
#include "common/wire/scheme_text.h"

namespace starratings::service {
namespace {

using assessment::v1::RegisterRequest;
using assessment::v1::RegisterSchemeRequest;
using assessment::v1::RegisterSchemeResponse;
using status::FieldErrors;

intake::Entries ReadEntries(const RegisterRequest& request, FieldErrors& errors) {
  intake::Entries entries;
  for (int i = 0; i < request.organisations_size(); ++i) {
    entries.organisations.push_back(wire::OrganisationFromProto(
        request.organisations(i), absl::StrCat("organisations[", i, "]."), errors));
  }
  for (int i = 0; i < request.periods_size(); ++i) {
    entries.periods.push_back(
        wire::PeriodFromProto(request.periods(i), absl::StrCat("periods[", i, "]."), errors));
  }
  for (int i = 0; i < request.codes_size(); ++i) {
    entries.codes.push_back(
        wire::CodeFromProto(request.codes(i), absl::StrCat("codes[", i, "]."), errors));
  }
  return entries;
}

// The same scheme again is no error and no revision: answers with the first.
void AnswerWithFirst(const store::EvidenceStore& store, const store::SchemeRow& row,
                     RegisterSchemeResponse& response) {
  response.set_digest(row.digest);
  *response.mutable_snapshot() = SnapshotAt(store, row.commit.revision);
  response.set_replayed(true);
}

}  // namespace

absl::StatusOr<Plan> PlanRegister(const store::EvidenceStore& store, const RegisterRequest& request,
                                  const Call& call) {
  FieldErrors errors;
  CheckRequestId(request.request_id(), errors);
  CheckReason(request.reason(), Need::kOptional, errors);
  if (request.ByteSizeLong() > intake::kRequestBytesMost) {
    errors.Add("organisations",
               absl::StrCat("must come in a request of at most ", intake::kRequestBytesMost,
                            " bytes, and it has ", request.ByteSizeLong()));
  }
  intake::Entries entries = ReadEntries(request, errors);
  CheckEntries(entries, errors);
  RETURN_IF_ERROR(errors.ToStatus());

  ASSIGN_OR_RETURN(const int64_t head, store.Head(call.deadline));
  ASSIGN_OR_RETURN(const auto codes, store.ReadCodes(head, call.deadline));
  std::map<std::string, evidence::Code> registered;
  std::map<std::string, int64_t> seen;
  for (const store::RegisteredCode& code : codes) {
    registered.emplace(code.code.id, code.code);
    seen.emplace(code.code.id, code.revision);
  }
  Plan plan;
  ASSIGN_OR_RETURN(plan.write, NewWrite(request, call));
  plan.refusal = intake::CheckCodeChanges(entries.codes, registered);
  store::Registration registration{
      std::move(entries.organisations), std::move(entries.periods), {}};
  for (evidence::Code& code : entries.codes) {
    const int64_t at = seen.contains(code.id) ? seen.at(code.id) : 0;
    registration.codes.push_back({std::move(code), at});
  }
  plan.write.body = std::move(registration);
  return plan;
}

absl::StatusOr<Plan> PlanRegisterScheme(const store::EvidenceStore& store,
                                        const RegisterSchemeRequest& request, const Call& call,
                                        RegisterSchemeResponse& response) {
  FieldErrors errors;
  CheckRequestId(request.request_id(), errors);
  CheckReason(request.reason(), Need::kOptional, errors);
  if (request.text().empty() || request.text().size() > kSchemeBytesMost) {
    errors.Add("text", absl::StrCat("must have 1 to ", kSchemeBytesMost, " bytes, and has ",
                                    request.text().size()));
    return errors.ToStatus();
  }
  const auto scheme = wire::ParseScheme(request.text());
  if (!scheme.ok()) {
    for (const auto& fault : status::DetailOf(scheme.status()).fields) {
      errors.Add(absl::StrCat("text, ", fault.field), fault.rule);
    }
  }
  RETURN_IF_ERROR(errors.ToStatus());

  ASSIGN_OR_RETURN(const digest::Digest digest, wire::SchemeDigest(*scheme));
  store::SchemeDraft draft{scheme->id(), scheme->version(), digest::ToHex(digest), request.text()};
  const std::string name = wire::SchemeName(*scheme);
  ASSIGN_OR_RETURN(const auto row, store.ReadScheme(name, call.deadline));
  Plan plan;
  if (row && row->digest == draft.digest) {
    AnswerWithFirst(store, *row, response);
    plan.answered = true;
    return plan;
  }
  if (row) {
    return status::Error(absl::StatusCode::kAlreadyExists, "SCHEME_EXISTS",
                         absl::StrCat("scheme `", name,
                                      "` is registered with other contents; "
                                      "give these another version"),
                         {{"scheme", name}, {"digest", row->digest}});
  }
  response.set_digest(draft.digest);
  ASSIGN_OR_RETURN(plan.write, NewWrite(request, call));
  plan.write.body = std::move(draft);
  return plan;
}

absl::StatusOr<Plan> PlanApproveScheme(const store::EvidenceStore& store,
                                       const assessment::v1::ApproveSchemeRequest& request,
                                       const Call& call) {
  FieldErrors errors;
  CheckRequestId(request.request_id(), errors);
  CheckReason(request.reason(), Need::kOptional, errors);
  errors.AddIfError("digest", evidence::CheckSha256(request.digest()));
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const int64_t head, store.Head(call.deadline));
  ASSIGN_OR_RETURN(const store::SchemeRow row,
                   FindScheme(store, request.digest(), head, call.deadline));
  Plan plan;
  ASSIGN_OR_RETURN(plan.write, NewWrite(request, call));
  if (row.commit.actor == call.actor) {
    plan.refusal = status::Error(
        absl::StatusCode::kPermissionDenied, "FOUR_EYES",
        absl::StrCat(call.actor, " registered this scheme: somebody else must approve it"),
        {{"digest", row.digest}});
  }
  plan.write.body = store::SchemeApproval{row.digest};
  return plan;
}

}  // namespace starratings::service
