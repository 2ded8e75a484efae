#include "assessment-svc/service/round_reads.h"

#include "assessment-svc/service/pages.h"
#include "assessment-svc/service/round_record.h"
#include "assessment-svc/service/snapshots.h"
#include "common/evidence/text.h"
#include "common/status/field_errors.h"
#include "common/status/status_macros.h"

namespace starratings::service {

using status::FieldErrors;

absl::Status GetRound(const store::EvidenceStore& store,
                      const assessment::v1::GetRoundRequest& request, absl::Time deadline,
                      assessment::v1::GetRoundResponse& response) {
  FieldErrors errors;
  errors.AddIfError("round", evidence::CheckSlug(request.round()));
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const int64_t revision,
                   RevisionFor(store, request.freshness(), "freshness", deadline));
  ASSIGN_OR_RETURN(const RoundRecord record, ReadRound(store, request.round(), revision, deadline));
  *response.mutable_round() = ToProto(store, record);
  *response.mutable_snapshot() = SnapshotAt(store, revision);
  return absl::OkStatus();
}

absl::Status ListRounds(const store::EvidenceStore& store,
                        const assessment::v1::ListRoundsRequest& request, absl::Time deadline,
                        assessment::v1::ListRoundsResponse& response) {
  FieldErrors errors;
  const int page_size = PageSizeOf(request.page_size(), errors);
  RETURN_IF_ERROR(errors.ToStatus());
  ASSIGN_OR_RETURN(const Page page, PageOf(store, request, 1, deadline));
  ASSIGN_OR_RETURN(int64_t before, BeforeOf(page));
  ASSIGN_OR_RETURN(const auto rounds, store.ListRounds(before, page_size + 1, deadline));
  for (const auto& round : rounds) {
    if (response.rounds_size() == page_size) {
      response.set_next_page_token(
          EncodePage({page.revision, CursorOf(before)}, request, store.GetIdentity()));
      break;
    }
    before = round.created;
    ASSIGN_OR_RETURN(const RoundRecord record, ReadRound(store, round.id, page.revision, deadline));
    *response.add_rounds() = ToProto(store, record);
  }
  *response.mutable_snapshot() = SnapshotAt(store, page.revision);
  return absl::OkStatus();
}

}  // namespace starratings::service
