#include "common/wire/scheme_text.h"
#include "google/protobuf/text_format.h"
#include "rating-svc/verify/resolve.h"
#include "tests/reference/scheme_author.h"

namespace starratings::reference {

void Permute(scheme::v1::Scheme& scheme, Chance& chance) {
  chance.Shuffle(*scheme.mutable_input());
  chance.Shuffle(*scheme.mutable_sum());
  chance.Shuffle(*scheme.mutable_band());
  chance.Shuffle(*scheme.mutable_count());
  chance.Shuffle(*scheme.mutable_matrix());
  chance.Shuffle(*scheme.mutable_cap());
  chance.Shuffle(*scheme.mutable_floor());
  chance.Shuffle(*scheme.mutable_veto());
  for (scheme::v1::Matrix& matrix : *scheme.mutable_matrix()) chance.Shuffle(*matrix.mutable_row());
  for (scheme::v1::Band& band : *scheme.mutable_band()) chance.Shuffle(*band.mutable_list());
}

std::string TextOf(const scheme::v1::Scheme& scheme) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(scheme, &text);
  return text;
}

std::optional<scheme::Scheme> Resolved(const std::string& text) {
  scheme::v1::Scheme message;
  google::protobuf::TextFormat::ParseInfoTree tree;
  verify::Issues issues;
  if (!wire::ParseText(text, message, &tree).empty()) return std::nullopt;
  verify::Draft draft =
      verify::Resolve(message, verify::Place(message.GetDescriptor(), &tree), issues);
  if (!issues.empty() || !verify::Order(draft, issues)) return std::nullopt;
  draft.scheme.digest = digest::ToHex(*wire::SchemeDigest(message));
  draft.scheme.text = text;
  return draft.scheme;
}

}  // namespace starratings::reference
