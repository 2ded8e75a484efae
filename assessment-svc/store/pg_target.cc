// From a URI to hosts and options.
#include <libpq-fe.h>

#include <memory>

#include "absl/strings/str_split.h"
#include "assessment-svc/store/pg_connection.h"
#include "common/status/errors.h"

namespace starratings::store {
namespace {

absl::Status BadUri(absl::string_view what) {
  return status::Error(absl::StatusCode::kInvalidArgument, "STORE_URI", what);
}

// The i-th of a list that may be shorter; of one, it is the one.
std::string At(const std::vector<std::string>& list, size_t i) {
  if (list.empty()) return "";
  return list.size() == 1 ? list[0] : list[std::min(i, list.size() - 1)];
}

}  // namespace

absl::StatusOr<PgTarget> ParsePgTarget(const std::string& conninfo, std::string password_file) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(conninfo.c_str(), &message), &PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> owned(message, &PQfreemem);
  if (options == nullptr) {
    // libpq's message may quote the URI.
    return BadUri("is not a URI of PostgreSQL: `postgresql://USER@HOST:PORT/DATABASE`");
  }
  PgTarget target;
  target.password_file = std::move(password_file);
  std::vector<std::string> hosts, addresses, ports;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const absl::string_view name = option->keyword;
    const std::string value = option->val;
    if (name == "password" || name == "sslpassword") {
      return BadUri("must hold no password: name a file that does, by --store_password_file");
    }
    if (name == "host") {
      hosts = absl::StrSplit(value, ',');
    } else if (name == "hostaddr") {
      addresses = absl::StrSplit(value, ',');
    } else if (name == "port") {
      ports = absl::StrSplit(value, ',');
    } else if (name != "target_session_attrs") {  // We look for ourselves.
      target.options.emplace_back(name, value);
    }
  }
  if (!addresses.empty()) return BadUri("must name hosts by `host`, not by `hostaddr`");
  if (hosts.empty()) return BadUri("must name a host: there is no default");
  for (size_t i = 0; i < hosts.size(); ++i) target.hosts.emplace_back(hosts[i], At(ports, i));
  return target;
}

}  // namespace starratings::store
