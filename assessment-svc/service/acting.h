// For whom a caller acts. Which rpcs a role may call is settled at the gate; here,
// what depends on the organisation, before anything is looked up (who may not ask
// learns nothing), and on the kind of the code, which is public.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "assessment-svc/service/parts.h"
#include "common/evidence/register.h"
#include "grpcpp/grpcpp.h"

namespace starratings::service {

// Who says something, with the roles as they are now.
class Speaker {
 public:
  // `parts` must outlive the speaker. rating-svc may ask whether anything would be
  // taken, and have nothing recorded: with `validate_only`.
  Speaker(const Parts& parts, std::string actor, bool validate_only = false);

  // OK if the caller may say anything about `organisation`: as an inspector or
  // overrider, or as its supplier. Otherwise PERMISSION_DENIED
  // (ORGANISATION_NOT_YOURS).
  absl::Status CheckAbout(const std::string& organisation) const;

  // OK if the caller may say this about it: overrides are for overriders, and
  // everything else for inspectors and suppliers. Otherwise PERMISSION_DENIED
  // (KIND_NOT_YOURS).
  absl::Status CheckSays(const std::string& organisation, const evidence::Code& code) const;

 private:
  bool Gathers(const std::string& organisation) const;

  const serving::Gate* const gate_;
  const std::string actor_;
  bool everything_ = false;
  bool inspects_ = false;
  bool overrides_ = false;
};

// OK if the caller may see the evidence of `organisation`: a supplier only its own.
absl::Status CheckMaySee(const Parts& parts, const grpc::ServerContextBase& context,
                         const std::string& organisation);

}  // namespace starratings::service
