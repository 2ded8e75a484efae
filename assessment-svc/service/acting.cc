#include "assessment-svc/service/acting.h"

#include "absl/strings/str_cat.h"
#include "common/serving/identity.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::service {
namespace {

using serving::RoleBit;

// Who sees all evidence.
const serving::Roles kSeeAll =
    RoleBit(policy::v1::ROLE_INSPECTOR) | RoleBit(policy::v1::ROLE_SCHEME_AUTHOR) |
    RoleBit(policy::v1::ROLE_ROUND_MANAGER) | RoleBit(policy::v1::ROLE_PUBLISHER) |
    RoleBit(policy::v1::ROLE_EMBARGOED_READER) | RoleBit(policy::v1::ROLE_RATING_SERVICE);

// The same whether the organisation is registered or not.
absl::Status NotYours(const std::string& actor, const std::string& organisation) {
  return status::Error(absl::StatusCode::kPermissionDenied, "ORGANISATION_NOT_YOURS",
                       absl::StrCat(actor, " does not act for this organisation"),
                       {{"organisation", organisation}});
}

}  // namespace

absl::Status CheckMaySay(const Parts& parts, const std::string& actor,
                         const std::string& organisation) {
  if (parts.gate == nullptr) return absl::OkStatus();
  if ((parts.gate->RolesOf(actor) & RoleBit(policy::v1::ROLE_INSPECTOR)) != 0 ||
      parts.gate->Supplies(actor, organisation)) {
    return absl::OkStatus();
  }
  return NotYours(actor, organisation);
}

absl::Status CheckMaySay(const Parts& parts, const std::string& actor,
                         const assessment::v1::SubmitEvidenceRequest& request) {
  if (parts.gate == nullptr) return absl::OkStatus();
  // Once, for however many items.
  const serving::Roles roles = parts.gate->RolesOf(actor);
  if ((roles & RoleBit(policy::v1::ROLE_INSPECTOR)) != 0) return absl::OkStatus();
  const bool judge = (roles & RoleBit(policy::v1::ROLE_RATING_SERVICE)) != 0;
  if (judge && request.validate_only()) return absl::OkStatus();
  for (const assessment::v1::SubmittedItem& item : request.items()) {
    const std::string& organisation = item.item().organisation();
    if (!parts.gate->Supplies(actor, organisation)) return NotYours(actor, organisation);
  }
  return absl::OkStatus();
}

absl::Status CheckMaySee(const Parts& parts, const grpc::ServerContextBase& context,
                         const std::string& organisation) {
  if (parts.gate == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string actor, serving::ActorOf(context));
  if ((parts.gate->RolesOf(actor) & kSeeAll) != 0 || parts.gate->Supplies(actor, organisation)) {
    return absl::OkStatus();
  }
  return NotYours(actor, organisation);
}

}  // namespace starratings::service
