// Which inputs meet before which, for one scheme and what does not vary.
// Internal to the room.
#pragma once

#include <vector>

#include "rating-svc/analysis/robustness.h"

namespace starratings::analysis {

class Planner {
 public:
  Planner(const scheme::Scheme& scheme, size_t result, const std::vector<bool>& cone,
          const std::vector<std::vector<Assessor::Cell>>& cells,
          std::span<const rating::Value> readings);

  Assessor::Plan Make(std::vector<size_t> varied);

 private:
  // What a factor can be: for each class, what stands for it in its inputs.
  struct Factor {
    std::vector<size_t> inputs;
    std::vector<std::vector<rating::Value>> classes;
  };

  bool IsGate(int value, const std::vector<size_t>& inputs) const;
  bool Meet(int value, const std::vector<size_t>& factors, Assessor::Plan& plan);

  const scheme::Scheme& scheme_;
  const size_t result_;
  const std::vector<bool>& cone_;
  const std::vector<std::vector<Assessor::Cell>>& cells_;
  std::vector<rating::Value> readings_;
  rating::Evaluation evaluation_;
  std::vector<Factor> factors_;  // As the plan numbers them.
  std::vector<bool> open_;       // Not yet part of another.
};

}  // namespace starratings::analysis
