#include "rating-svc/analysis/comparison.h"

#include <algorithm>
#include <map>
#include <set>

#include "common/evidence/text.h"

namespace starratings::analysis {
namespace {

using evidence::Dossier;
using evidence::ItemKey;
using evidence::RecordedItem;

std::map<ItemKey, const RecordedItem*> ByKey(const Dossier& dossier) {
  std::map<ItemKey, const RecordedItem*> items;
  for (const RecordedItem& item : dossier.items) items[item.item.key] = &item;
  return items;
}

bool SaysTheSame(const RecordedItem& a, const RecordedItem& b) {
  return a.item.value == b.item.value && a.item.observed_on == b.item.observed_on &&
         a.item.overriding == b.item.overriding;
}

std::vector<std::string> Sorted(const std::set<std::string>& codes) {
  return {codes.begin(), codes.end()};
}

}  // namespace

Comparison Compare(const ComparedSide& before, const Dossier& later, const ComparedSide& after) {
  std::set<std::string> corrected_codes;
  std::set<std::string> added_codes;
  const std::map<ItemKey, const RecordedItem*> now = ByKey(later);
  const std::map<ItemKey, const RecordedItem*> then = ByKey(before.dossier);
  Dossier corrected = before.dossier;
  for (RecordedItem& item : corrected.items) {
    if (item.item.key.period == evidence::kStanding) continue;
    const auto found = now.find(item.item.key);
    if (found == now.end()) continue;
    if (!SaysTheSame(item, *found->second)) corrected_codes.insert(item.item.key.code);
    item = *found->second;
  }
  for (const RecordedItem& item : after.dossier.items) {
    const auto found = then.find(item.item.key);
    const bool fresh = found == then.end() || (item.item.key.period == evidence::kStanding &&
                                               !SaysTheSame(item, *found->second));
    if (fresh) added_codes.insert(item.item.key.code);
  }
  Comparison comparison;
  comparison.path = {rating::Rate(before.scheme, before.dossier, before.date),
                     rating::Rate(before.scheme, corrected, before.date),
                     rating::Rate(before.scheme, after.dossier, after.date),
                     rating::Rate(after.scheme, after.dossier, after.date)};
  comparison.corrected = Sorted(corrected_codes);
  comparison.added = Sorted(added_codes);
  return comparison;
}

}  // namespace starratings::analysis
