// starctl dev-certs.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "starctl/certificates.h"
#include "starctl/commands.h"
#include "starctl/json.h"
#include "starctl/session.h"

namespace starratings::starctl {
namespace {

namespace fs = std::filesystem;

constexpr char kTrustDomain[] = "spiffe://starratings/";

// Creates a file that must not be there; a key is for its owner alone.
absl::Status WriteNew(const fs::path& path, const std::string& text, mode_t mode) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return BadFile(path.string(), std::strerror(errno));
  const ssize_t written = write(file, text.data(), text.size());
  const bool whole = written == static_cast<ssize_t>(text.size());
  if (close(file) != 0 || !whole) return BadFile(path.string(), "could not be written whole");
  return absl::OkStatus();
}

absl::Status WriteIdentity(const fs::path& directory, const Authority& authority,
                           const Identity& identity) {
  ASSIGN_OR_RETURN(const Credentials credentials, authority.Issue(identity));
  const fs::path folder = directory / identity.folder;
  std::error_code error;
  fs::create_directory(folder, error);
  if (error) return BadFile(folder.string(), error.message());
  RETURN_IF_ERROR(WriteNew(folder / "tls.crt", credentials.certificate, 0644));
  RETURN_IF_ERROR(WriteNew(folder / "tls.key", credentials.key, 0600));
  return WriteNew(folder / "ca.crt", authority.credentials().certificate, 0644);
}

Identity Server(const std::string& name, const std::vector<std::string>& hosts) {
  Identity identity{name, absl::StrCat(kTrustDomain, name), {"localhost", name}, true};
  identity.dns_names.insert(identity.dns_names.end(), hosts.begin(), hosts.end());
  return identity;
}

// Characters that have a meaning of their own where names are listed.
bool IsPlain(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c)) || c == ',' || c == '"') return false;
  }
  return !text.empty();
}

// A person's folder is named by the last part of the URI.
absl::StatusOr<Identity> Person(const std::string& uri) {
  const size_t slash = uri.rfind('/');
  const size_t scheme = uri.find("://");
  if (!IsPlain(uri) || scheme == std::string::npos || scheme == 0 || slash < scheme + 3 ||
      slash + 1 == uri.size() || uri.substr(slash + 1) == "." || uri.substr(slash + 1) == "..") {
    return BadUsage(absl::StrCat("--actor: must be a URI such as ", kTrustDomain,
                                 "analyst, and is `", uri, "`"));
  }
  return Identity{uri.substr(slash + 1), uri, {}, false};
}

absl::StatusOr<std::vector<Identity>> Identities(const DevCertsOptions& options) {
  std::vector<Identity> identities = {Server("assessment-svc", options.hosts),
                                      Server("rating-svc", options.hosts)};
  for (const std::string& host : options.hosts) {
    if (!IsPlain(host)) return BadUsage(absl::StrCat("--host: `", host, "` is no DNS name"));
  }
  std::vector<std::string> actors = options.actors;
  if (actors.empty()) {
    actors = {absl::StrCat(kTrustDomain, "analyst"), absl::StrCat(kTrustDomain, "chief-inspector")};
  }
  std::set<std::string> folders = {"assessment-svc", "rating-svc"};
  for (const std::string& actor : actors) {
    ASSIGN_OR_RETURN(Identity person, Person(actor));
    if (!folders.insert(person.folder).second) {
      return BadUsage(absl::StrCat("--actor: the folder ", person.folder, " is taken"));
    }
    identities.push_back(std::move(person));
  }
  return identities;
}

// A policy by which each person may do all that a person may; who froze a round still
// cannot publish it.
std::string PolicyOf(const std::vector<Identity>& identities) {
  std::string text =
      "# Who may do what, for trying things out. docs/operation.md says what the roles are.\n";
  for (const Identity& identity : identities) {
    if (identity.folder == "assessment-svc") continue;  // Calls nobody.
    absl::StrAppend(
        &text, "grants {\n  identity: \"", absl::CEscape(identity.uri), "\"\n  roles: [",
        identity.folder == "rating-svc"
            ? "ROLE_RATING_SERVICE"
            : "ROLE_INSPECTOR, ROLE_OVERRIDER, ROLE_SCHEME_AUTHOR, ROLE_SCHEME_APPROVER,\n"
              "    ROLE_ROUND_MANAGER, ROLE_PUBLISHER, ROLE_EMBARGOED_READER",
        "]\n}\n");
  }
  return text;
}

}  // namespace

absl::StatusOr<ExitCode> MakeDevCerts(Session& session, const DevCertsOptions& options) {
  ASSIGN_OR_RETURN(const auto identities, Identities(options));
  const fs::path directory(options.directory);
  std::error_code error;
  if (fs::exists(directory, error) && !fs::is_empty(directory, error)) {
    return BadFile(options.directory, "must be new or empty; nothing was overwritten");
  }
  fs::create_directories(directory, error);
  if (error) return BadFile(options.directory, error.message());
  ASSIGN_OR_RETURN(const auto authority, Authority::Create());
  RETURN_IF_ERROR(WriteNew(directory / "ca.crt", authority->credentials().certificate, 0644));
  RETURN_IF_ERROR(WriteNew(directory / "ca.key", authority->credentials().key, 0600));
  RETURN_IF_ERROR(WriteNew(directory / "policy.textproto", PolicyOf(identities), 0644));
  std::vector<std::string> lines;
  for (const Identity& identity : identities) {
    RETURN_IF_ERROR(WriteIdentity(directory, *authority, identity));
    lines.push_back(session.json()
                        ? absl::StrCat("{\"folder\":", ToJson(identity.folder),
                                       ",\"actor\":", ToJson(identity.uri), "}")
                        : absl::StrCat((directory / identity.folder).string(), "  ", identity.uri));
  }
  session.Print(session.json() ? absl::StrCat("{\"identities\":[", absl::StrJoin(lines, ","), "]}")
                               : absl::StrCat(absl::StrJoin(lines, "\n"),
                                              "\nfor development; good for a year"));
  return ExitCode::kOk;
}

}  // namespace starratings::starctl
