#include "starctl/watch_lines.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "starctl/json.h"
#include "starctl/phrases.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

// `12  2002-05-30 12:00:00 UTC  ann  kent  2001-02  a.figure  12.5  (because)`
std::string LineOf(const evidence::v1::RecordedItem& said) {
  const auto& item = said.item();
  std::string line =
      absl::StrCat(said.revision(), "  ", TimeText(said.recorded_at()), "  ", said.actor(), "  ",
                   item.organisation(), "  ", item.period(), "  ", item.code());
  if (!item.instance().empty()) absl::StrAppend(&line, "  [", OneLine(item.instance()), "]");
  absl::StrAppend(&line, "  ", OneLine(SaidText(item)));
  if (!said.reason().empty()) absl::StrAppend(&line, "  (", OneLine(said.reason()), ")");
  return line;
}

// `12  2002-05-30 12:00:00 UTC  ann  2002-05  FROZEN  (because)`
std::string LineOf(const assessment::v1::Round& round) {
  const auto& act = *round.acts().rbegin();
  const auto& write = act.write();
  std::string line = absl::StrCat(write.revision(), "  ", TimeText(write.time()), "  ",
                                  write.actor(), "  ", round.id(), "  ", Name(act.state()));
  if (!write.reason().empty()) absl::StrAppend(&line, "  (", OneLine(write.reason()), ")");
  return line;
}

}  // namespace

std::optional<std::string> WatchLines::Take(const assessment::v1::WatchRoundsResponse& message) {
  if (json_) return absl::StrCat(ToJson(message), "\n");
  std::string text;
  for (const auto& round : message.rounds()) {
    if (!round.acts().empty()) absl::StrAppend(&text, LineOf(round), "\n");
  }
  return text;
}

std::optional<std::string> WatchLines::Take(const assessment::v1::WatchEvidenceResponse& message) {
  if (json_) {
    absl::StrAppend(&text_, ToJson(message), "\n");
  } else {
    for (const auto& said : message.items()) absl::StrAppend(&text_, LineOf(said), "\n");
  }
  if (message.more()) return std::nullopt;
  return std::exchange(text_, {});
}

}  // namespace starratings::starctl
