// Puts the stages in order.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "rating-svc/scheme/reads.h"
#include "rating-svc/verify/resolve.h"

namespace starratings::verify {
namespace {

using scheme::Stage;
using scheme::StageKind;

// Walks the values depth first, so that each comes after all that it reads.
class Sorter {
 public:
  explicit Sorter(Draft& draft)
      : draft_(draft),
        scheme_(draft.scheme),
        writer_(scheme_.values.size(), Stage{}),
        written_(scheme_.values.size(), false),
        limits_(scheme_.values.size()),
        state_(scheme_.values.size(), State::kNew) {
    for (const Stage& stage : scheme::WritersOf(scheme_)) {
      const auto output = static_cast<size_t>(scheme::OutputOf(scheme_, stage));
      writer_[output] = stage;
      written_[output] = true;
    }
    for (size_t i = 0; i < scheme_.limits.size(); ++i) {
      limits_[static_cast<size_t>(scheme_.limits[i].target)].push_back(static_cast<int>(i));
    }
  }

  bool Run(Issues& issues) {
    for (size_t value = 0; value < scheme_.values.size(); ++value) {
      Visit(static_cast<int>(value), issues);
    }
    scheme_.stages = std::move(stages_);
    return cycles_.empty();
  }

 private:
  enum class State { kNew, kOpen, kDone };

  std::vector<int> ReadsOf(int value) const {
    std::vector<int> reads;
    if (written_[static_cast<size_t>(value)]) {
      reads = scheme::ReadsOf(scheme_, writer_[static_cast<size_t>(value)]);
    }
    for (const int limit : limits_[static_cast<size_t>(value)]) {
      const std::vector<int> more = scheme::ReadsOf(scheme_, {StageKind::kLimit, limit});
      reads.insert(reads.end(), more.begin(), more.end());
    }
    return reads;
  }

  // The depth is at most the number of values, which is limited.
  void Visit(int value, Issues& issues) {
    State& state = state_[static_cast<size_t>(value)];
    if (state == State::kDone) return;
    if (state == State::kOpen) {
      NoteCycle(value, issues);
      return;
    }
    state = State::kOpen;
    path_.push_back(value);
    for (const int read : ReadsOf(value)) Visit(read, issues);
    path_.pop_back();
    state = State::kDone;
    if (written_[static_cast<size_t>(value)]) {
      stages_.push_back(writer_[static_cast<size_t>(value)]);
    }
    for (const int limit : limits_[static_cast<size_t>(value)]) {
      stages_.push_back({StageKind::kLimit, limit});
    }
  }

  void NoteCycle(int value, Issues& issues) {
    std::vector<int> cycle(std::find(path_.begin(), path_.end(), value), path_.end());
    std::vector<int> sorted = cycle;
    std::sort(sorted.begin(), sorted.end());
    if (!cycles_.insert(sorted).second) return;
    std::vector<std::string> names;
    for (const int of : cycle) names.push_back(scheme_.values[static_cast<size_t>(of)].name);
    names.push_back(names.front());
    std::reverse(names.begin(), names.end());
    issues.Add("CYCLE", RuleOf(value), LineOf(value),
               absl::StrCat("these values would each have to be known before the next: ",
                            absl::StrJoin(names, " -> ")));
  }

  std::string RuleOf(int value) const {
    const auto index = static_cast<size_t>(writer_[static_cast<size_t>(value)].index);
    if (!written_[static_cast<size_t>(value)]) {
      return scheme_.limits[static_cast<size_t>(limits_[static_cast<size_t>(value)][0])].id;
    }
    switch (writer_[static_cast<size_t>(value)].kind) {
      case StageKind::kSum:
        return scheme_.sums[index].id;
      case StageKind::kBand:
        return scheme_.bands[index].id;
      case StageKind::kCount:
        return scheme_.counts[index].id;
      case StageKind::kAdjust:
        return scheme_.adjusts[index].id;
      default:
        return scheme_.matrices[index].id;
    }
  }

  int LineOf(int value) const {
    const auto index = static_cast<size_t>(writer_[static_cast<size_t>(value)].index);
    if (!written_[static_cast<size_t>(value)]) {
      return draft_.limit_lines[static_cast<size_t>(limits_[static_cast<size_t>(value)][0])];
    }
    switch (writer_[static_cast<size_t>(value)].kind) {
      case StageKind::kSum:
        return draft_.sum_lines[index];
      case StageKind::kBand:
        return draft_.band_lines[index];
      case StageKind::kCount:
        return draft_.count_lines[index];
      case StageKind::kAdjust:
        return draft_.adjust_lines[index];
      default:
        return draft_.matrix_lines[index];
    }
  }

  const Draft& draft_;
  scheme::Scheme& scheme_;
  std::vector<Stage> writer_;  // Of each value that a stage writes.
  std::vector<bool> written_;
  std::vector<std::vector<int>> limits_;  // By target.
  std::vector<State> state_;
  std::vector<int> path_;
  std::vector<Stage> stages_;
  std::set<std::vector<int>> cycles_;
};

}  // namespace

bool Order(Draft& draft, Issues& issues) { return Sorter(draft).Run(issues); }

}  // namespace starratings::verify
