// Before the freeze: which codes each dossier lacks.
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "assessment-svc/service/evidence_reads.h"
#include "assessment-svc/service/pages.h"
#include "assessment-svc/service/round_reads.h"
#include "assessment-svc/service/round_record.h"
#include "assessment-svc/service/selection.h"
#include "assessment-svc/service/snapshots.h"
#include "common/digest/bucket.h"
#include "common/evidence/text.h"
#include "common/status/field_errors.h"
#include "common/status/status_macros.h"

namespace starratings::service {
namespace {

using assessment::v1::CheckRoundRequest;
using assessment::v1::CheckRoundResponse;
using evidence::Dossier;
using evidence::MissingReason;
using status::FieldErrors;

constexpr int kReadStep = 200;  // Dossiers read at a time.

// What is checked, and where it is read.
struct Survey {
  Chosen chosen;
  std::string period;
  std::vector<std::string> codes;
};

// Calls `visit` for each dossier after `after` until it returns false.
template <typename Visit>
absl::Status ForEachDossier(const store::EvidenceStore& store, const Survey& survey,
                            store::OrganisationCursor after, absl::Time deadline, Visit visit) {
  while (true) {
    ASSIGN_OR_RETURN(const auto dossiers,
                     store.ReadDossiers(survey.chosen.filter, survey.period, survey.codes, after,
                                        kReadStep, survey.chosen.revision, deadline));
    for (const Dossier& dossier : dossiers) {
      ASSIGN_OR_RETURN(const bool go_on, visit(dossier));
      if (!go_on) return absl::OkStatus();
    }
    if (dossiers.size() < static_cast<size_t>(kReadStep)) return absl::OkStatus();
    const std::string& last = dossiers.back().organisation.id;
    after = {digest::BucketOf(last), last};
  }
}

// Every code that one of the dossiers has, in order.
absl::StatusOr<std::vector<std::string>> CodesInUse(const store::EvidenceStore& store,
                                                    const Survey& survey, absl::Time deadline) {
  std::set<std::string> codes;
  RETURN_IF_ERROR(ForEachDossier(store, survey, {}, deadline,
                                 [&](const Dossier& dossier) -> absl::StatusOr<bool> {
                                   for (const auto& item : dossier.items) {
                                     codes.insert(item.item.key.code);
                                   }
                                   return true;
                                 }));
  return std::vector<std::string>(codes.begin(), codes.end());
}

// Why `dossier` has no value for each code it lacks. One that does not apply is
// not lacking, and one of several instances with a value is enough.
std::map<std::string, MissingReason> LackingIn(const Dossier& dossier,
                                               const std::vector<std::string>& codes) {
  std::map<std::string, MissingReason> lacking;
  for (const std::string& code : codes) lacking[code] = MissingReason::kNotReported;
  std::set<std::string> answered;
  for (const auto& item : dossier.items) {
    const std::string& code = item.item.key.code;
    const auto* missing = std::get_if<MissingReason>(&item.item.value);
    if (missing == nullptr || *missing == MissingReason::kNotApplicable) {
      answered.insert(code);
    } else if (const auto entry = lacking.find(code); entry != lacking.end()) {
      entry->second = *missing;
    }
  }
  for (const std::string& code : answered) lacking.erase(code);
  return lacking;
}

absl::Status WriteGaps(const store::EvidenceStore& store, const Survey& survey,
                       const Dossier& dossier, const std::map<std::string, MissingReason>& lacking,
                       absl::Time deadline, CheckRoundResponse::Gaps& gaps) {
  gaps.set_organisation(dossier.organisation.id);
  gaps.set_name(dossier.organisation.name);
  for (const auto& [code, reason] : lacking) {
    CheckRoundResponse::Gap& gap = *gaps.add_gaps();
    gap.set_code(code);
    gap.set_reason(static_cast<evidence::v1::MissingReason>(reason));
    ASSIGN_OR_RETURN(const auto last, store.ReadLastSupplied(dossier.organisation.id, code,
                                                             survey.chosen.revision, deadline));
    if (!last) continue;
    gap.set_last_supplied_by(last->actor);
    gap.set_last_supplied_for(last->item.key.period);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckRound(const store::EvidenceStore& store, const CheckRoundRequest& request,
                        absl::Time deadline, CheckRoundResponse& response) {
  FieldErrors errors;
  errors.AddIfError("round", evidence::CheckSlug(request.round()));
  CheckCodes(request.codes(), errors);
  const int page_size = PageSizeOf(request.page_size(), errors);
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const Page page, PageOf(store, request, 1, deadline));
  const int64_t revision = page.revision;
  // The round as it was on the first page, so that a freeze between two pages
  // does not change what they are about.
  ASSIGN_OR_RETURN(const RoundRecord record, ReadRound(store, request.round(), revision, deadline));
  const rounds::Round& round = record.history.round;
  Survey survey{
      ChosenBy(round, revision), round.period, {request.codes().begin(), request.codes().end()}};
  if (survey.codes.empty()) {
    ASSIGN_OR_RETURN(survey.codes, CodesInUse(store, survey, deadline));
  }
  ASSIGN_OR_RETURN(const int64_t count, CountChosen(store, round, survey.chosen, deadline));
  response.set_organisation_count(count);
  *response.mutable_snapshot() = SnapshotAt(store, survey.chosen.revision);
  return ForEachDossier(
      store, survey, OrganisationCursorOf(page), deadline,
      [&](const Dossier& dossier) -> absl::StatusOr<bool> {
        const auto lacking = LackingIn(dossier, survey.codes);
        if (lacking.empty()) return true;
        if (response.gaps_size() == page_size) {
          const std::string& last = response.gaps().rbegin()->organisation();
          response.set_next_page_token(
              EncodePage({revision, CursorOf(last)}, request, store.GetIdentity()));
          return false;
        }
        RETURN_IF_ERROR(WriteGaps(store, survey, dossier, lacking, deadline, *response.add_gaps()));
        return true;
      });
}

}  // namespace starratings::service
