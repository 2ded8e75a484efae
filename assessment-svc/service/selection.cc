#include "assessment-svc/service/selection.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/digest/bucket.h"
#include "common/evidence/text.h"
#include "common/status/status_macros.h"

namespace starratings::service {
namespace {

constexpr int kNamedMost = 10'000;   // Organisations in a selector.
constexpr int kFiltersMost = 1'000;  // Kinds, or regions, in a selector.
constexpr int kListStep = 1'000;     // Organisations read at a time.

using Check = absl::Status (*)(absl::string_view);

std::vector<std::string> ReadList(const google::protobuf::RepeatedPtrField<std::string>& list,
                                  const std::string& field, int most, Check check,
                                  status::FieldErrors& errors) {
  if (list.size() > most) {
    errors.Add(field, absl::StrCat("must have at most ", most, ", and has ", list.size()));
    return {};
  }
  for (int i = 0; i < list.size(); ++i) {
    errors.AddIfError(absl::StrCat(field, "[", i, "]"), check(list[i]));
  }
  return {list.begin(), list.end()};
}

bool Consists(absl::string_view text, size_t most, absl::string_view more) {
  return !text.empty() && text.size() <= most &&
         std::all_of(text.begin(), text.end(), [more](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                  more.find(c) != absl::string_view::npos;
         });
}

}  // namespace

rounds::Selector SelectorFromProto(const assessment::v1::OrganisationSelector& message,
                                   absl::string_view path, status::FieldErrors& errors) {
  const std::string at(path);
  rounds::Selector selector;
  selector.kinds =
      ReadList(message.kinds(), at + "kinds", kFiltersMost, &evidence::CheckCode, errors);
  selector.regions = ReadList(
      message.regions(), at + "regions", kFiltersMost,
      [](absl::string_view region) { return evidence::CheckText(region, 1, 128); }, errors);
  selector.organisations = ReadList(message.organisations(), at + "organisations", kNamedMost,
                                    &evidence::CheckOrganisationId, errors);
  return selector;
}

assessment::v1::OrganisationSelector ToProto(const rounds::Selector& selector) {
  assessment::v1::OrganisationSelector message;
  message.mutable_kinds()->Assign(selector.kinds.begin(), selector.kinds.end());
  message.mutable_regions()->Assign(selector.regions.begin(), selector.regions.end());
  message.mutable_organisations()->Assign(selector.organisations.begin(),
                                          selector.organisations.end());
  return message;
}

store::OrganisationFilter FilterOf(const rounds::Selector& selector) {
  store::OrganisationFilter filter;
  filter.kinds = selector.kinds;
  filter.regions = selector.regions;
  filter.organisations = selector.organisations;
  return filter;
}

bool IsSchemeName(absl::string_view name) {
  const size_t at = name.find('@');
  return at != absl::string_view::npos && Consists(name.substr(0, at), 64, "") &&
         Consists(name.substr(at + 1), 32, ".ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

Chosen ChosenBy(const rounds::Round& round, int64_t revision) {
  Chosen chosen;
  if (round.frozen_revision > 0) {
    chosen.filter.chosen_by_round = round.id;
    chosen.revision = round.frozen_revision;
  } else {
    chosen.filter = FilterOf(round.selector);
    chosen.filter.on_day = round.date;
    chosen.revision = revision;
  }
  return chosen;
}

absl::StatusOr<int64_t> CountChosen(const store::EvidenceStore& store, const rounds::Round& round,
                                    const Chosen& chosen, absl::Time deadline) {
  if (round.frozen_revision > 0) return round.organisation_count;
  return store.CountOrganisations(chosen.filter, chosen.revision, deadline);
}

absl::StatusOr<std::vector<std::string>> ListChosen(const store::EvidenceStore& store,
                                                    const Chosen& chosen, absl::Time deadline) {
  std::vector<std::string> ids;
  store::OrganisationCursor after;
  while (true) {
    ASSIGN_OR_RETURN(
        const auto organisations,
        store.ListOrganisations(chosen.filter, after, kListStep, chosen.revision, deadline));
    for (const evidence::Organisation& organisation : organisations) {
      ids.push_back(organisation.id);
    }
    if (organisations.size() < static_cast<size_t>(kListStep)) return ids;
    const std::string& last = organisations.back().id;
    after = {digest::BucketOf(last), last};
  }
}

}  // namespace starratings::service
