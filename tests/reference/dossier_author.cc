#include "tests/reference/dossier_author.h"

#include <algorithm>
#include <memory>

#include "common/wire/evidence_wire.h"
#include "rating-svc/rating/evaluate.h"

namespace starratings::reference {

using evidence::MissingReason;
using nlohmann::json;
using scheme::InputFrom;
using scheme::InputType;

constexpr char kPeriod[] = "2009-10";
constexpr int kDays = 3000;

DossierAuthor::DossierAuthor(const scheme::Scheme& scheme, uint32_t seed)
    : scheme_(scheme), date_(evidence::Date::FromDays(scheme.from.days() + 30)), chance_(seed) {
  const auto note = [&](const scheme::Condition& condition) {
    edges_[condition.value].push_back(condition.threshold);
  };
  for (const scheme::Limit& limit : scheme.limits) std::ranges::for_each(limit.any, note);
  for (const scheme::Count& count : scheme.counts) std::ranges::for_each(count.conditions, note);
  for (const scheme::Adjust& adjust : scheme.adjusts) {
    for (const scheme::AdjustStep& step : adjust.steps) note(step.when);
    if (adjust.bound) note(*adjust.bound);
  }
  for (const scheme::Band& band : scheme.bands) {
    std::ranges::copy(band.cuts, std::back_inserter(edges_[band.from]));
    for (const scheme::CutList& list : band.lists) {
      std::ranges::copy(list.cuts, std::back_inserter(edges_[band.from]));
    }
  }
  for (size_t i = 0; i < scheme.inputs.size(); ++i) {
    if (scheme.inputs[i].from != InputFrom::kAttribute) continue;
    const auto& levels = scheme.scales[static_cast<size_t>(scheme.values[i].scale)].levels;
    auto& names = scheme.inputs[i].attribute == scheme::Attribute::kKind ? kinds_ : regions_;
    names.insert(names.end(), levels.begin(), levels.end());
  }
  regions_.push_back("Nowhere");
}

evidence::Dossier DossierAuthor::Write() {
  evidence::Dossier dossier;
  dossier.organisation = {"walsall", "Walsall", chance_.Of(kinds_), chance_.Of(regions_), {}, {}};
  dossier.period = kPeriod;
  for (size_t i = 0; i < scheme_.inputs.size(); ++i) Items(i, dossier);
  dossier.SortItems();
  return dossier;
}

void DossierAuthor::Items(size_t input, evidence::Dossier& dossier) {
  const scheme::Input& of = scheme_.inputs[input];
  if (of.from == InputFrom::kPublished) {
    const auto known = [&](const evidence::PublishedResult& other) {
      return other.scheme == of.published_scheme && other.result == of.published_result;
    };
    if (chance_.OneIn(5) || std::ranges::any_of(dossier.published, known)) return;
    const auto& levels = scheme_.scales[static_cast<size_t>(scheme_.values[input].scale)].levels;
    dossier.published.push_back({of.published_scheme, "1", of.published_result,
                                 chance_.OneIn(8)    ? ""
                                 : chance_.OneIn(10) ? "splendid"
                                                     : chance_.Of(levels),
                                 std::string(64, 'a')});
  }
  if (of.from != InputFrom::kEvidence) return;
  for (const char* instance : {"", "a", "b", "c"}) {
    const bool usual = *instance == '\0' ? !chance_.OneIn(8) : chance_.OneIn(4);
    if (usual) dossier.items.push_back(Item(input, instance));
  }
}

evidence::RecordedItem DossierAuthor::Item(size_t input, const std::string& instance) {
  const scheme::Input& of = scheme_.inputs[input];
  evidence::RecordedItem item;
  const bool misfiled = chance_.OneIn(20);
  item.item.key = {"walsall",
                   of.standing != misfiled ? "standing"
                   : chance_.OneIn(30)     ? "2008-09"
                                           : kPeriod,
                   of.code, instance};
  item.item.value = Value(input);
  if (!chance_.OneIn(3)) {
    const int limit = of.stale_after_days.value_or(kDays);
    item.item.observed_on = evidence::Date::FromDays(
        date_.days() - (chance_.OneIn(2) ? limit + chance_.Pick(3) - 1 : chance_.Pick(2 * limit)));
  }
  const bool missing = std::holds_alternative<MissingReason>(item.item.value);
  if (!missing && chance_.OneIn(12)) {
    item.item.overriding = {"somebody",
                            evidence::Date::FromDays(date_.days() + chance_.Pick(3) - 1)};
  }
  item.item.source = std::make_shared<const evidence::Source>();
  item.item.digest = wire::ItemDigest(item.item);
  return item;
}

evidence::Value DossierAuthor::Value(size_t input) {
  switch (chance_.Pick(24)) {
    case 0:
    case 1:
      return static_cast<MissingReason>(1 + chance_.Pick(4));
    case 2:
    case 3:
      return MissingReason::kNotApplicable;
    case 4:
      switch (chance_.Pick(5)) {
        case 0:
          return evidence::Text{"words"};
        case 1:
          return chance_.OneIn(2);
        case 2:
          return evidence::Level{"splendid"};
        case 3:
          return Decimal(input);
        default:
          return Ratio(input);
      }
    default:
      return WellFormed(input);
  }
}

evidence::Value DossierAuthor::WellFormed(size_t input) {
  switch (scheme_.inputs[input].type) {
    case InputType::kRatio:
      return Ratio(input);
    case InputType::kDecimal:
      return Decimal(input);
    case InputType::kLevel:
      break;
  }
  const auto& levels = scheme_.scales[static_cast<size_t>(scheme_.values[input].scale)].levels;
  const std::string& level = chance_.Of(levels);
  if ((level == "yes" || level == "no") && chance_.OneIn(2)) return level == "yes";
  return evidence::Level{level};
}

scheme::Fraction DossierAuthor::Edge(size_t value) {
  const auto found = edges_.find(static_cast<int>(value));
  if (found != edges_.end()) return chance_.Of(found->second);
  return {chance_.Pick(9) - 1, 1 + chance_.Pick(4)};
}

evidence::Value DossierAuthor::Ratio(size_t input) {
  const int64_t exempt = scheme_.inputs[input].exempt_below.value_or(10);
  const int64_t denominator =
      chance_.OneIn(2) ? std::max<int64_t>(1, exempt + chance_.Pick(3) - 1)
                       : chance_.Of(std::vector<int64_t>{1, 2, 3, 4, 60, 100, 1000, 999'999'999});
  const scheme::Fraction edge = Edge(input);
  const int64_t nearest = static_cast<int64_t>(static_cast<rating::Int128>(edge.numerator) *
                                               denominator / edge.denominator) +
                          chance_.Pick(3) - 1;
  return evidence::Ratio{std::clamp<int64_t>(nearest, 0, evidence::Ratio::kMost), denominator};
}

evidence::Value DossierAuthor::Decimal(size_t input) {
  const scheme::Fraction edge = Edge(input);
  const int64_t nearest = static_cast<int64_t>(static_cast<rating::Int128>(edge.numerator) *
                                               1'000'000 / edge.denominator);
  static const std::vector<int64_t> kOff = {0, 0, 1, -1, 500'000, -250'000, 123'400};
  return evidence::Decimal::FromMicros(nearest + chance_.Of(kOff));
}

namespace {

json ToJson(const evidence::Value& value) {
  if (const auto* ratio = std::get_if<evidence::Ratio>(&value)) {
    return {{"ratio", {ratio->numerator, ratio->denominator}}};
  }
  if (const auto* flag = std::get_if<bool>(&value)) return {{"flag", *flag}};
  const char* const kind = std::holds_alternative<evidence::Decimal>(value) ? "decimal"
                           : std::holds_alternative<evidence::Level>(value) ? "level"
                           : std::holds_alternative<evidence::Text>(value)  ? "text"
                                                                            : "missing";
  return {{kind, evidence::ToString(value)}};
}

}  // namespace

json ToJson(const evidence::Dossier& dossier) {
  json items = json::array();
  for (const evidence::RecordedItem& recorded : dossier.items) {
    json item = {{"code", recorded.item.key.code},
                 {"period", recorded.item.key.period},
                 {"instance", recorded.item.key.instance},
                 {"value", ToJson(recorded.item.value)}};
    if (recorded.item.observed_on) item["observed_on"] = recorded.item.observed_on->ToString();
    if (recorded.item.overriding) {
      item["expires_on"] = recorded.item.overriding->expires_on.ToString();
    }
    items.push_back(std::move(item));
  }
  json published = json::array();
  for (const evidence::PublishedResult& found : dossier.published) {
    published.push_back({found.scheme, found.result, found.level});
  }
  return {{"kind", dossier.organisation.kind},
          {"region", dossier.organisation.region},
          {"period", dossier.period},
          {"items", std::move(items)},
          {"published", std::move(published)}};
}

}  // namespace starratings::reference
