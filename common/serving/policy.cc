#include "common/serving/policy.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace starratings::serving {
namespace {

using policy::v1::Role;

constexpr int kGrantsMost = 10'000;
constexpr size_t kIdentityMost = 200;
constexpr size_t kFaultsMost = 50;
constexpr Roles kAllRoles = ~Roles{0};

// Gathers what is wrong, with the line where it is.
class Faults : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber, const std::string& what) override {
    // Lines are counted from 0.
    if (lines_.size() < kFaultsMost) lines_.push_back(absl::StrCat(line + 1, ": ", what));
  }
  absl::Status ToStatus() const {
    if (lines_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(lines_, "\n"));
  }

 private:
  std::vector<std::string> lines_;
};

// What is wrong with an identity; empty: nothing.
std::string FaultOf(const std::string& identity) {
  const size_t colon = identity.find("://");
  if (colon == std::string::npos || colon == 0 || identity.size() > kIdentityMost) {
    return "identity: must be a URI of at most 200 bytes, such as spiffe://ssi.example/analyst";
  }
  const size_t star = identity.find('*');
  const bool family =
      star == identity.size() - 1 && absl::EndsWith(identity, "/*") && star > colon + 4;
  if (star != std::string::npos && !family) {
    return "identity: * may only be the last part, as in spiffe://ssi.example/councils/*";
  }
  return "";
}

void Check(const policy::v1::Grant& grant, int line, Faults& faults) {
  if (const std::string fault = FaultOf(grant.identity()); !fault.empty()) {
    faults.AddError(line, 0, fault);
  }
  bool supplier = false;
  for (const int role : grant.roles()) {
    supplier = supplier || role == policy::v1::ROLE_SUPPLIER;
    if (role == policy::v1::ROLE_UNSPECIFIED) faults.AddError(line, 0, "roles: must say a role");
  }
  if (grant.roles().empty()) faults.AddError(line, 0, "roles: must have one at least");
  if (supplier == grant.organisations().empty()) {
    faults.AddError(line, 0,
                    supplier ? "organisations: must say for whom a supplier acts"
                             : "organisations: must be empty without ROLE_SUPPLIER");
  }
  for (const std::string& organisation : grant.organisations()) {
    if (organisation.empty() || organisation.size() > 128) {
      faults.AddError(line, 0, "organisations: an id must have 1 to 128 bytes");
    }
  }
}

}  // namespace

std::string NamesOf(Roles roles) {
  std::vector<std::string> names;
  for (int role = policy::v1::Role_MIN; role <= policy::v1::Role_MAX; ++role) {
    if ((roles & RoleBit(static_cast<Role>(role))) == 0) continue;
    std::string name = policy::v1::Role_Name(static_cast<Role>(role)).substr(5);  // ROLE_
    absl::AsciiStrToLower(&name);
    for (char& c : name) c = c == '_' ? ' ' : c;
    names.push_back(std::move(name));
  }
  return absl::StrJoin(names, ", ");
}

absl::StatusOr<Policy> Policy::Parse(const std::string& text) {
  Faults faults;
  policy::v1::Policy message;
  google::protobuf::TextFormat::ParseInfoTree places;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&faults);
  parser.WriteLocationsTo(&places);
  if (!parser.ParseFromString(text, &message)) return faults.ToStatus();
  if (message.grants().empty() || message.grants_size() > kGrantsMost) {
    faults.AddError(0, 0, absl::StrCat("grants: must have 1 to ", kGrantsMost));
    return faults.ToStatus();
  }
  const auto* const field = policy::v1::Policy::descriptor()->FindFieldByName("grants");
  Policy policy;
  policy.text_ = text;
  for (int i = 0; i < message.grants_size(); ++i) {
    const policy::v1::Grant& said = message.grants(i);
    Check(said, places.GetLocation(field, i).line, faults);
    const bool family = absl::EndsWith(said.identity(), "/*");
    const std::string key = said.identity().substr(0, said.identity().size() - (family ? 1 : 0));
    Grant& grant = (family ? policy.by_prefix_ : policy.by_identity_)[key];
    for (const int role : said.roles()) grant.roles |= RoleBit(static_cast<Role>(role));
    grant.organisations.insert(said.organisations().begin(), said.organisations().end());
  }
  if (absl::Status status = faults.ToStatus(); !status.ok()) return status;
  return policy;
}

absl::StatusOr<Policy> Policy::Read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in)
    return absl::FailedPreconditionError(absl::StrCat("--policy: ", path, " cannot be read"));
  absl::StatusOr<Policy> policy = Parse(text.str());
  if (policy.ok()) return policy;
  std::vector<std::string> lines;
  for (const absl::string_view line : absl::StrSplit(policy.status().message(), '\n')) {
    lines.push_back(absl::StrCat(path, ":", line));
  }
  return absl::FailedPreconditionError(absl::StrCat("--policy: ", absl::StrJoin(lines, "\n")));
}

template <typename See>
void Policy::ForEach(absl::string_view identity, See see) const {
  if (const auto found = by_identity_.find(identity); found != by_identity_.end()) {
    see(found->second);
  }
  if (by_prefix_.empty()) return;
  for (size_t slash = identity.rfind('/'); slash != absl::string_view::npos && slash > 0;
       slash = identity.rfind('/', slash - 1)) {
    // What is below, not the parent itself.
    if (slash + 1 == identity.size()) continue;
    const auto found = by_prefix_.find(identity.substr(0, slash + 1));
    if (found != by_prefix_.end()) see(found->second);
  }
}

Roles Policy::RolesOf(absl::string_view identity) const {
  Roles roles = 0;
  ForEach(identity, [&roles](const Grant& grant) { roles |= grant.roles; });
  return roles;
}

bool Policy::Supplies(absl::string_view identity, absl::string_view organisation) const {
  bool supplies = false;
  ForEach(identity, [&](const Grant& grant) {
    supplies = supplies || grant.organisations.contains(organisation);
  });
  return supplies;
}

absl::StatusOr<AccessRules> AccessRules::Of(const std::vector<std::string>& services) {
  AccessRules rules;
  for (const char* const open : {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                 "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"}) {
    rules.rules_[open] = kAllRoles;
  }
  for (const std::string& name : services) {
    const auto* const service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    if (service == nullptr) return absl::InternalError(absl::StrCat(name, " is not known"));
    for (int i = 0; i < service->method_count(); ++i) {
      const auto& method = *service->method(i);
      const policy::v1::Access& access = method.options().GetExtension(policy::v1::access);
      Roles roles = access.any_role() ? kAllRoles : access.all_evidence() ? kSeeAllEvidence : 0;
      for (const int role : access.roles()) roles |= RoleBit(static_cast<Role>(role));
      if (roles == 0) {
        return absl::InternalError(
            absl::StrCat(method.full_name(), " does not say who may call it (option access)"));
      }
      rules.rules_[absl::StrCat("/", name, "/", method.name())] = roles;
    }
  }
  return rules;
}

std::vector<std::string> AccessRules::Paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, roles] : rules_) paths.push_back(path);
  return paths;
}

bool AccessRules::IsHealth(absl::string_view path) {
  return absl::StartsWith(path, "/grpc.health.v1.Health/");
}

Roles AccessRules::OpenTo(absl::string_view path) const {
  const auto found = rules_.find(path);
  return found == rules_.end() ? 0 : found->second;
}

}  // namespace starratings::serving
