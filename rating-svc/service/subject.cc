#include "rating-svc/service/subject.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/digest/bucket.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "rating-svc/service/calls.h"
#include "rating-svc/service/cohorts.h"
#include "rating-svc/service/request_check.h"

namespace starratings::service {
namespace {

using rating::v1::RateOrganisationRequest;

absl::Status NotInRound(const std::string& organisation, const std::string& round) {
  return status::Error(absl::StatusCode::kNotFound, "ORGANISATION_NOT_IN_ROUND",
                       absl::StrCat("the round ", round, " does not rate ", organisation),
                       {{"round", round}, {"organisation", organisation}});
}

absl::Status TooLarge(const std::string& round, int64_t organisations, int64_t most) {
  status::ErrorDetail detail;
  detail.reason = "ROUND_TOO_LARGE";
  detail.metadata = {{"round", round}, {"organisations", absl::StrCat(organisations)}};
  detail.preconditions = {
      {"ROUND_SIZE", absl::StrCat("rounds/", round),
       absl::StrCat("at most ", most, " organisations are analysed in one call")}};
  return status::ErrorWithDetail(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("the round has ", organisations, " organisations; at most ", most,
                   " are analysed in one call"),
      detail);
}

absl::StatusOr<Subject> FindByRound(const EvidenceClient& client, SchemeLibrary& schemes,
                                    const RateOrganisationRequest& request, absl::Time deadline) {
  ASSIGN_OR_RETURN(const RoundPlan plan, PlanRound(client, schemes, request.round(), deadline));
  // The export of the organisation's bucket says at once whether the round
  // rates it, on what, and at which revision.
  assessment::v1::ExportDossiersRequest bucket = ExportOf(plan);
  bucket.mutable_shard()->set_index(digest::BucketOf(request.organisation()));
  bucket.mutable_shard()->set_count(digest::kBuckets);
  Subject subject;
  subject.method = plan.method;
  bool found = false;
  const auto look = [&](const assessment::v1::ExportDossiersResponse& block) -> absl::Status {
    RETURN_IF_ERROR(CheckRevision(plan, block));
    ASSIGN_OR_RETURN(std::vector<evidence::Dossier> dossiers,
                     DossiersOf(block.dossiers(), block.sources()));
    for (evidence::Dossier& dossier : dossiers) {
      if (dossier.organisation.id != request.organisation()) continue;
      found = true;
      subject.dossier = std::move(dossier);
      subject.snapshot = block.snapshot();
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(client.ExportDossiers(bucket, deadline, look));
  if (!found) return NotInRound(request.organisation(), request.round());
  if (plan.published != nullptr) {
    RETURN_IF_ERROR(plan.published->Fill(subject.snapshot.revision(), subject.dossier));
  }
  return subject;
}

absl::StatusOr<Subject> FindByScheme(const EvidenceClient& client, DossierReader& reader,
                                     SchemeLibrary& schemes, const RateOrganisationRequest& request,
                                     absl::Time deadline) {
  Subject subject;
  ASSIGN_OR_RETURN(subject.method.date, evidence::Date::Parse(request.scheme().date()));
  ASSIGN_OR_RETURN(subject.method.scheme, schemes.Find(request.scheme().scheme(), deadline));
  RETURN_IF_ERROR(CheckInForce(subject.method));
  RETURN_IF_ERROR(CheckNeedsNoCohort(*subject.method.scheme));
  absl::StatusOr<DossierReader::Read> read = reader.Get(DossierWanted(request), deadline);
  if (!read.ok()) return RenameFields(read.status());
  subject.dossier = *read->dossier;
  subject.snapshot = read->snapshot;
  const auto published = PublishedRatings::Of(client, {subject.method.scheme.get()}, deadline);
  if (published != nullptr) {
    RETURN_IF_ERROR(published->Fill(subject.snapshot.revision(), subject.dossier));
  }
  return subject;
}

}  // namespace

assessment::v1::GetDossierRequest DossierWanted(const RateOrganisationRequest& request) {
  assessment::v1::GetDossierRequest wanted;
  wanted.set_organisation(request.organisation());
  wanted.set_period(request.scheme().period());
  if (request.scheme().has_freshness()) *wanted.mutable_freshness() = request.scheme().freshness();
  return wanted;
}

absl::StatusOr<Subject> FindSubject(const EvidenceClient& client, DossierReader& dossiers,
                                    SchemeLibrary& schemes, const RateOrganisationRequest& request,
                                    absl::Time deadline) {
  RETURN_IF_ERROR(Check(request));
  return request.has_round() ? FindByRound(client, schemes, request, deadline)
                             : FindByScheme(client, dossiers, schemes, request, deadline);
}

absl::StatusOr<ExportRead> VisitExport(const EvidenceClient& client,
                                       const assessment::v1::ExportDossiersRequest& request,
                                       const std::string& name, int64_t most,
                                       PublishedRatings* published, absl::Time deadline,
                                       const Cancelled& cancelled,
                                       const std::function<absl::Status(evidence::Dossier)>& each) {
  ExportRead read;
  int64_t total = 0;
  std::pair<int, std::string> last{-1, ""};  // (bucket, id)
  const auto visit = [&](const assessment::v1::ExportDossiersResponse& block) -> absl::Status {
    if (cancelled()) return CallerGone();
    if (read.count > 0 && block.snapshot().revision() != read.snapshot.revision()) {
      return ExportBroken("the revision changed between blocks");
    }
    total = block.total();
    if (total > most) return TooLarge(name, total, most);
    read.snapshot = block.snapshot();
    ASSIGN_OR_RETURN(std::vector<evidence::Dossier> dossiers,
                     DossiersOf(block.dossiers(), block.sources()));
    for (evidence::Dossier& dossier : dossiers) {
      std::pair<int, std::string> place(digest::BucketOf(dossier.organisation.id),
                                        dossier.organisation.id);
      if (place <= last) return ExportBroken("it is out of order at " + dossier.organisation.id);
      last = std::move(place);
      ++read.count;
      if (published != nullptr) {
        RETURN_IF_ERROR(published->Fill(read.snapshot.revision(), dossier));
      }
      RETURN_IF_ERROR(each(std::move(dossier)));
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(client.ExportDossiers(request, deadline, visit));
  if (read.count != total) {
    return ExportBroken(absl::StrCat(read.count, " of ", total, " organisations came"));
  }
  return read;
}

absl::Status CheckFrozen(const RoundPlan& plan, const ExportRead& read) {
  if (!plan.frozen) return absl::OkStatus();
  if (plan.frozen->organisation_count != read.count) {
    return ExportBroken("it has not the organisations that the freeze chose");
  }
  if (read.count > 0 && plan.frozen->revision != read.snapshot.revision()) {
    return ExportBroken("it is not of the revision that was frozen");
  }
  return absl::OkStatus();
}

absl::StatusOr<RoundRead> VisitRound(const EvidenceClient& client, SchemeLibrary& schemes,
                                     const std::string& round, absl::Time deadline,
                                     const Cancelled& cancelled, const DossierVisitor& each) {
  ASSIGN_OR_RETURN(const RoundPlan plan, PlanRound(client, schemes, round, deadline));
  RoundRead read;
  read.method = plan.method;
  ASSIGN_OR_RETURN(static_cast<ExportRead&>(read),
                   VisitExport(client, ExportOf(plan), round, kAnalysedMost, plan.published.get(),
                               deadline, cancelled, [&](const evidence::Dossier& dossier) {
                                 return each(plan.method, dossier);
                               }));
  RETURN_IF_ERROR(CheckFrozen(plan, read));
  return read;
}

}  // namespace starratings::service
