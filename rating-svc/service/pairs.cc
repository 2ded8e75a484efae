#include "rating-svc/service/pairs.h"

#include <algorithm>

namespace starratings::service {
namespace {

const rating::ResultOutcome* Find(const rating::Rating& rating, const std::string& id) {
  const auto found = std::find_if(rating.results.begin(), rating.results.end(),
                                  [&](const rating::ResultOutcome& r) { return r.id == id; });
  return found == rating.results.end() ? nullptr : &*found;
}

bool Same(const rating::ResultOutcome& a, const rating::ResultOutcome& b) {
  return a.level == b.level && a.number == b.number &&
         a.not_rated.has_value() == b.not_rated.has_value();
}

void WriteOutcome(int kind, const std::string& level, rating::v1::Outcome& message) {
  if (kind == 0) message.set_level(level);
  if (kind == 1) message.set_any_number(true);
  if (kind == 2) message.set_not_rated(true);
}

}  // namespace

bool Differs(const rating::Rating& before, const rating::Rating& after) {
  if (before.results.size() != after.results.size()) return true;
  return std::any_of(before.results.begin(), before.results.end(),
                     [&](const rating::ResultOutcome& result) {
                       const rating::ResultOutcome* const other = Find(after, result.id);
                       return other == nullptr || !Same(result, *other);
                     });
}

Moves::Outcome Moves::OutcomeOf(const rating::ResultOutcome& result) {
  if (result.not_rated) return {2, ""};
  if (result.level.empty()) return {1, ""};
  return {0, result.level};
}

void Moves::Add(const rating::Rating& before, const rating::Rating& after) {
  for (size_t i = 0; i < before.results.size(); ++i) {
    const rating::ResultOutcome* const other = Find(after, before.results[i].id);
    if (other == nullptr) continue;
    ++counts_[{i, before.results[i].id, OutcomeOf(before.results[i]), OutcomeOf(*other)}];
  }
}

void Moves::Write(google::protobuf::RepeatedPtrField<rating::v1::OutcomeMove>& messages) const {
  for (const auto& [move, count] : counts_) {
    const auto& [place, result, before, after] = move;
    rating::v1::OutcomeMove& message = *messages.Add();
    message.set_result(result);
    WriteOutcome(before.kind, before.level, *message.mutable_before());
    WriteOutcome(after.kind, after.level, *message.mutable_after());
    message.set_count(count);
  }
}

}  // namespace starratings::service
