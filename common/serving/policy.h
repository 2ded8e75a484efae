// Who may do what: the policy file, and the roles that each rpc is open to.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "starratings/policy/v1/policy.pb.h"

namespace starratings::serving {

// A set of policy::v1::Role, a bit each.
using Roles = uint32_t;

constexpr Roles RoleBit(policy::v1::Role role) { return Roles{1} << role; }

// Who may see all evidence: what `all_evidence` of an rpc's access says.
inline constexpr Roles kSeeAllEvidence =
    RoleBit(policy::v1::ROLE_INSPECTOR) | RoleBit(policy::v1::ROLE_OVERRIDER) |
    RoleBit(policy::v1::ROLE_SCHEME_AUTHOR) | RoleBit(policy::v1::ROLE_SCHEME_APPROVER) |
    RoleBit(policy::v1::ROLE_ROUND_MANAGER) | RoleBit(policy::v1::ROLE_PUBLISHER) |
    RoleBit(policy::v1::ROLE_EMBARGOED_READER);

// `supplier, inspector`, for people.
std::string NamesOf(Roles roles);

// What the policy file says. Never changes.
class Policy {
 public:
  // Reads a policy::v1::Policy in text format. Returns INVALID_ARGUMENT with a line
  // `line: what is wrong` for each fault.
  static absl::StatusOr<Policy> Parse(const std::string& text);
  // The same, of a file; FAILED_PRECONDITION if it cannot be read.
  static absl::StatusOr<Policy> Read(const std::string& path);

  // None: the identity may do nothing.
  Roles RolesOf(absl::string_view identity) const;
  // Whether the identity is a supplier of the organisation.
  bool Supplies(absl::string_view identity, absl::string_view organisation) const;

  friend bool operator==(const Policy& a, const Policy& b) { return a.text_ == b.text_; }

 private:
  struct Grant {
    Roles roles = 0;
    std::set<std::string, std::less<>> organisations;
  };
  // Calls `see` for each grant that fits.
  template <typename See>
  void ForEach(absl::string_view identity, See see) const;

  std::string text_;
  absl::flat_hash_map<std::string, Grant> by_identity_;
  absl::flat_hash_map<std::string, Grant> by_prefix_;  // With the slash at its end.
};

// The roles that each rpc of some services is open to, as their protos say.
class AccessRules {
 public:
  // Returns INTERNAL naming an rpc that does not say who may call it.
  static absl::StatusOr<AccessRules> Of(const std::vector<std::string>& services);

  // Of `/package.Service/Method`. Reflection is open to every identity that has a
  // role; what is not known is open to nobody.
  Roles OpenTo(absl::string_view path) const;

  // Every rpc that is open to anybody.
  std::vector<std::string> Paths() const;
  // Whether it is a health check, which shows nothing of what the services hold: open to
  // every identity.
  static bool IsHealth(absl::string_view path);

 private:
  absl::flat_hash_map<std::string, Roles> rules_;
};

}  // namespace starratings::serving
