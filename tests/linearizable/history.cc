#include "tests/linearizable/history.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status/status_macros.h"

namespace starratings::linearizable {
namespace {

using Json = nlohmann::json;

// Members of an object, of the type that is asked for; the first that is not
// of it is the error.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {}

  int64_t Int(const char* name, std::optional<int64_t> if_null = std::nullopt) {
    const Json* member = Find(name);
    if (member == nullptr && if_null) return *if_null;
    if (member != nullptr && member->is_number_integer()) return member->get<int64_t>();
    return Fail(name), 0;
  }

  std::string Text(const char* name) {
    const Json* member = Find(name);
    if (member == nullptr) return "";
    if (member->is_string()) return member->get<std::string>();
    return Fail(name), "";
  }

  Etag ReadEtag(const char* name) {
    const auto etag = ParseEtag(Text(name));
    if (etag.ok()) return *etag;
    return Fail(name), Etag();
  }

  // The place of the text in `words`.
  int Word(const char* name, std::initializer_list<const char*> words) {
    const std::string text = Text(name);
    int place = 0;
    for (const char* word : words) {
      if (text == word) return place;
      ++place;
    }
    return Fail(name), 0;
  }

  // Null if it is not there, or null.
  const Json* Find(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  void Fail(const char* name) {
    if (error_.empty()) error_ = absl::StrCat("`", name, "` is missing or malformed");
  }

  const std::string& error() const { return error_; }

 private:
  const Json& object_;
  std::string error_;
};

absl::StatusOr<Operation> ReadOperation(const std::string& line) {
  const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return absl::InvalidArgumentError("not a JSON object");
  Members members(object);
  Operation operation;
  operation.client = static_cast<int>(members.Int("client"));
  operation.key = members.Text("key");
  operation.kind = static_cast<Operation::Kind>(members.Word("op", {"submit", "read"}));
  if (members.Find("etag_expected") != nullptr) {
    operation.expected = members.ReadEtag("etag_expected");
  }
  operation.value = members.Text("value");
  operation.call = members.Int("call_us");
  operation.finish = members.Int("return_us", Operation::kNever);
  operation.outcome =
      static_cast<Operation::Outcome>(members.Word("outcome", {"ok", "mismatch", "unknown"}));
  operation.seen = members.ReadEtag("etag_seen");
  operation.value_seen = members.Text("value_seen");
  if (operation.finish == Operation::kNever) operation.outcome = Operation::Outcome::kUnknown;
  if (operation.outcome == Operation::Outcome::kUnknown) operation.finish = Operation::kNever;
  if (operation.finish < operation.call) members.Fail("return_us");
  if (!members.error().empty()) return absl::InvalidArgumentError(members.error());
  return operation;
}

}  // namespace

absl::StatusOr<Etag> ParseEtag(absl::string_view text) {
  Etag etag;
  if (text.empty() || text == "*none*") return etag;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('.', 1));
  if (absl::SimpleAtoi(parts.first, &etag.ordinal) &&
      absl::SimpleAtoi(parts.second, &etag.revision) && etag.ordinal > 0 && etag.revision > 0) {
    return etag;
  }
  return absl::InvalidArgumentError(absl::StrCat("not an etag: ", text));
}

std::string ToString(const Etag& etag) {
  return etag == Etag() ? "nothing" : absl::StrCat(etag.ordinal, ".", etag.revision);
}

std::string ToString(const Operation& operation) {
  std::string line = absl::StrCat("client ", operation.client);
  if (operation.kind == Operation::Kind::kRead) {
    absl::StrAppend(&line, " read ", ToString(operation.seen), " \"", operation.value_seen, "\"");
  } else {
    absl::StrAppend(&line, " said \"", operation.value, "\"");
    if (operation.expected) absl::StrAppend(&line, " over ", ToString(*operation.expected));
    switch (operation.outcome) {
      case Operation::Outcome::kOk:
        absl::StrAppend(&line, " as ", ToString(operation.seen));
        break;
      case Operation::Outcome::kMismatch:
        absl::StrAppend(&line, " but found ", ToString(operation.seen));
        break;
      case Operation::Outcome::kUnknown:
        absl::StrAppend(&line, " with unknown outcome");
        break;
    }
  }
  absl::StrAppend(&line, " [", operation.call, ", ");
  if (operation.finish == Operation::kNever) return line + "...]";
  return absl::StrCat(line, operation.finish, "]");
}

absl::StatusOr<std::vector<Operation>> ReadHistory(std::istream& in) {
  std::vector<Operation> history;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty()) continue;
    auto operation = ReadOperation(line);
    if (!operation.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": ", operation.status().message()));
    }
    history.push_back(*std::move(operation));
  }
  return history;
}

}  // namespace starratings::linearizable
