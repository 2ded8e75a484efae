#include "starctl/notes.h"

#include "absl/strings/str_cat.h"
#include "starctl/table.h"

namespace starratings::starctl {

std::string Notes::MarkOf(const evidence::v1::Source& source) {
  std::string text = source.title();
  if (!source.uri().empty()) absl::StrAppend(&text, " <", source.uri(), ">");
  if (!source.sha256().empty()) absl::StrAppend(&text, " sha256 ", source.sha256());
  if (source.reconstructed()) absl::StrAppend(&text, " (reconstructed)");
  const auto [known, fresh] = numbers_.emplace(text, numbers_.size() + 1);
  if (fresh) texts_.push_back(text);
  return absl::StrCat("[", known->second, "]", source.reconstructed() ? " reconstructed" : "");
}

std::string Notes::ToString() const {
  std::string out;
  for (size_t i = 0; i < texts_.size(); ++i) {
    const std::string number = absl::StrCat("  [", i + 1, "] ");
    absl::StrAppend(&out, Wrap(texts_[i], number, std::string(number.size(), ' ')));
  }
  return out;
}

}  // namespace starratings::starctl
