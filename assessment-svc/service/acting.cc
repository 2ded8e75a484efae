#include "assessment-svc/service/acting.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/serving/identity.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::service {
namespace {

using serving::RoleBit;

// The same whether the organisation is registered or not.
absl::Status NotYours(const std::string& actor, const std::string& organisation) {
  return status::Error(absl::StatusCode::kPermissionDenied, "ORGANISATION_NOT_YOURS",
                       absl::StrCat(actor, " does not act for this organisation"),
                       {{"organisation", organisation}});
}

absl::Status KindNotYours(const std::string& actor, const evidence::Code& code) {
  const bool is_override = code.kind == evidence::Kind::kOverride;
  return status::Error(
      absl::StatusCode::kPermissionDenied, "KIND_NOT_YOURS",
      absl::StrCat(actor, is_override ? " records no overrides" : " records overrides only",
                   ", and ", code.id, " is registered with the kind ",
                   evidence::ToString(code.kind)),
      {{"code", code.id}});
}

bool Has(serving::Roles roles, policy::v1::Role role) { return (roles & RoleBit(role)) != 0; }

}  // namespace

Speaker::Speaker(const Parts& parts, std::string actor, bool validate_only)
    : gate_(parts.gate), actor_(std::move(actor)) {
  const serving::Roles roles = gate_ == nullptr ? 0 : gate_->RolesOf(actor_);
  everything_ = gate_ == nullptr || (validate_only && Has(roles, policy::v1::ROLE_RATING_SERVICE));
  inspects_ = Has(roles, policy::v1::ROLE_INSPECTOR);
  overrides_ = Has(roles, policy::v1::ROLE_OVERRIDER);
}

bool Speaker::Gathers(const std::string& organisation) const {
  return inspects_ || gate_->Supplies(actor_, organisation);
}

absl::Status Speaker::CheckAbout(const std::string& organisation) const {
  if (everything_ || overrides_ || Gathers(organisation)) return absl::OkStatus();
  return NotYours(actor_, organisation);
}

absl::Status Speaker::CheckSays(const std::string& organisation, const evidence::Code& code) const {
  if (everything_) return absl::OkStatus();
  const bool may = code.kind == evidence::Kind::kOverride ? overrides_ : Gathers(organisation);
  return may ? absl::OkStatus() : KindNotYours(actor_, code);
}

absl::Status CheckMaySee(const Parts& parts, const grpc::ServerContextBase& context,
                         const std::string& organisation) {
  if (parts.gate == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string actor, serving::ActorOf(context));
  constexpr serving::Roles kSee =
      serving::kSeeAllEvidence | RoleBit(policy::v1::ROLE_RATING_SERVICE);
  if ((parts.gate->RolesOf(actor) & kSee) != 0 || parts.gate->Supplies(actor, organisation)) {
    return absl::OkStatus();
  }
  return NotYours(actor, organisation);
}

}  // namespace starratings::service
