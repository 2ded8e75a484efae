#include "rating-svc/analysis/improvements.h"

#include <algorithm>
#include <cassert>

#include "rating-svc/analysis/ladder.h"
#include "rating-svc/analysis/packed.h"
#include "rating-svc/analysis/structure.h"

namespace starratings::analysis {
namespace {

using rating::Absent;
using rating::Value;
using scheme::Scheme;

// Visits combinations of steps by their number, each once, and leaves out what goes beyond a
// path that was found: it is not minimal, whether or not the scheme is monotone.
// Only where the scheme is proven to be so is more left out: where all steps
// that are still to come would not suffice together, none of them is tried.
class Searcher {
 public:
  Searcher(const Scheme& scheme, std::span<const Value> readings, size_t result, bool better,
           const SearchLimits& limits)
      : scheme_(scheme),
        result_(result),
        better_(better),
        limits_(limits),
        proven_(IsProvenRising(scheme, scheme.results[result].value, readings)),
        from_(readings.begin(), readings.end()),
        readings_(from_),
        evaluation_(scheme) {
    level_ = Outcome().level;
    const std::vector<bool> cone = ConeOf(scheme, scheme.results[result].value);
    for (size_t i = 0; i < scheme.inputs.size(); ++i) {
      if (!cone[i]) continue;
      std::vector<Value> ladder = LadderOf(scheme, readings, i, better);
      if (ladder.empty()) continue;
      inputs_.push_back(i);
      ladders_.push_back(std::move(ladder));
    }
    at_.assign(inputs_.size(), 0);
    room_.assign(inputs_.size() + 1, 0);
    for (size_t k = inputs_.size(); k-- > 0;) room_[k] = room_[k + 1] + Height(k);
  }

  Search Run() {
    for (int steps = 1; steps <= room_[0]; ++steps) {
      visited_ = false;
      if (!Walk(0, steps)) {
        search_.complete = false;
        break;
      }
      search_.complete_steps = steps;
      if (!visited_) break;  // Whatever has more steps goes beyond a path, or is in vain.
    }
    if (search_.complete) search_.complete_steps = room_[0];
    return std::move(search_);
  }

 private:
  int Height(size_t k) const { return static_cast<int>(ladders_[k].size()); }

  void Put(size_t k, int steps) {
    Value& reading = readings_[inputs_[k]];
    reading = steps == 0 ? from_[inputs_[k]] : ladders_[k][static_cast<size_t>(steps - 1)];
    if (packed_ != nullptr && !packed_->Set(inputs_[k], reading)) packed_ = nullptr;
  }

  Value Outcome() {
    // Tables are worth making once the search turns out to be long.
    if (outcomes_++ == limits_.tables_after) packed_ = Packed::Of(scheme_, result_, readings_);
    if (packed_ != nullptr) return Value::Level(packed_->Level());
    Evaluate(scheme_, readings_, evaluation_);
    return evaluation_.ResultOf(scheme_, result_);
  }

  bool Suffices(const Value& outcome) const {
    if (outcome.absent != Absent::kNo) return false;
    return better_ ? outcome.level > level_ : outcome.level < level_;
  }

  // Whether the place at hand lies beyond a path.
  bool IsBeyond() {
    work_ += static_cast<int64_t>(search_.paths.size());
    return std::any_of(search_.paths.begin(), search_.paths.end(), [&](const Path& path) {
      return std::all_of(path.changes.begin(), path.changes.end(), [&](const Change& change) {
        const auto found = std::lower_bound(inputs_.begin(), inputs_.end(), change.input);
        return at_[static_cast<size_t>(found - inputs_.begin())] >= change.steps;
      });
    });
  }

  // With all that inputs from `k` on can do, on top of the place at hand.
  bool IsInVain(size_t k) {
    if (!proven_) return false;
    ++work_;
    for (size_t j = k; j < inputs_.size(); ++j) Put(j, Height(j));
    const bool suffices = Suffices(Outcome());
    for (size_t j = k; j < inputs_.size(); ++j) Put(j, at_[j]);
    return !suffices;
  }

  // Spends `rest` steps on inputs from `k` on, in every way. False if the limits
  // were met.
  bool Walk(size_t k, int rest) {
    if (rest == 0) return Look();
    if (room_[k] - (k < at_.size() ? at_[k] : 0) < rest) return true;
    if (rest > 1 && IsInVain(k)) return true;
    for (size_t j = k; j < inputs_.size(); ++j) {
      if (at_[j] == Height(j)) continue;
      if (room_[j] - at_[j] < rest) break;  // Later ones have less room.
      Put(j, ++at_[j]);
      const bool go_on = IsBeyond() || Walk(j, rest - 1);
      Put(j, --at_[j]);
      if (!go_on || ++work_ > limits_.work_most) return false;
    }
    return true;
  }

  bool Look() {
    visited_ = true;
    ++work_;
    const Value outcome = Outcome();
    if (!Suffices(outcome)) return true;
    if (search_.paths.size() == limits_.paths_most) return false;
    Path path;
    path.level = outcome.level;
    for (size_t k = 0; k < inputs_.size(); ++k) {
      if (at_[k] == 0) continue;
      path.changes.push_back({inputs_[k], from_[inputs_[k]], readings_[inputs_[k]], at_[k]});
      path.steps += at_[k];
    }
    search_.paths.push_back(std::move(path));
    return true;
  }

  const Scheme& scheme_;
  const size_t result_;
  const bool better_;
  const SearchLimits limits_;
  const bool proven_;
  const std::vector<Value> from_;
  std::vector<Value> readings_;
  std::unique_ptr<Packed> packed_;
  int64_t outcomes_ = 0;
  rating::Evaluation evaluation_;
  int level_ = 0;

  std::vector<size_t> inputs_;  // Those that can go somewhere, ascending.
  std::vector<std::vector<Value>> ladders_;
  std::vector<int> at_;    // How many steps each has gone.
  std::vector<int> room_;  // How many steps those from here on can go.

  int64_t work_ = 0;
  bool visited_ = false;
  Search search_;
};

}  // namespace

Improvements FindImprovements(const Scheme& scheme, std::span<const Value> readings, size_t result,
                              const SearchLimits& limits) {
  const int value = scheme.results[result].value;
  const int scale = scheme.values[static_cast<size_t>(value)].scale;
  assert(scale >= 0);
  Improvements improvements;
  const std::vector<bool> cone = ConeOf(scheme, value);
  for (size_t i = 0; i < scheme.inputs.size(); ++i) {
    if (cone[i] && IsHeld(readings[i])) improvements.held.push_back(i);
  }
  rating::Evaluation evaluation(scheme);
  Evaluate(scheme, readings, evaluation);
  const Value now = evaluation.ResultOf(scheme, result);
  if (now.absent != Absent::kNo) return improvements;
  improvements.rated = true;
  improvements.level = now.level;
  const size_t levels = scheme.scales[static_cast<size_t>(scale)].levels.size();
  improvements.at_top = static_cast<size_t>(now.level) + 1 == levels;
  if (!improvements.at_top) {
    improvements.gains = Searcher(scheme, readings, result, true, limits).Run();
  }
  if (now.level > 0) {
    improvements.losses = Searcher(scheme, readings, result, false, limits).Run();
  }
  return improvements;
}

}  // namespace starratings::analysis
