// Which rules reached a result, and on what ground it stands. Internal to the
// room.
#pragma once

#include <vector>

#include "rating-svc/rating/evaluate.h"

namespace starratings::rating {

// Follows a traced evaluation back from its results.
class Grounds {
 public:
  // All arguments must outlive the object.
  Grounds(const scheme::Scheme& scheme, std::span<const Value> readings,
          const Evaluation& evaluation);

  // Whether the rule of this stage reached a result.
  bool Decided(size_t stage) const { return decided_[stage]; }

  // The ground of a result: the weakest among the rules that reached it. Where
  // several vetoes or caps each suffice, the strongest of them counts: the
  // result stands on it, whatever the others rest on.
  scheme::Basis BasisOf(size_t result) const;

 private:
  void Follow(int value);
  scheme::Basis Ground(int value) const;
  // The ground of a limit that fired: its own, and that of what made it fire.
  scheme::Basis LimitGround(size_t stage) const;
  // Whether the limit of this stage put its target where it ended.
  bool Reached(size_t stage) const;
  const scheme::Limit* LimitAt(size_t stage) const;

  const scheme::Scheme& scheme_;
  const std::span<const Value> readings_;
  const Evaluation& evaluation_;
  std::vector<bool> decided_;  // By stage.
  // By value: the stages that write or limit it are among these.
  struct Range {
    uint32_t begin = 0;
    uint32_t end = 0;
  };
  std::vector<Range> stages_;
};

}  // namespace starratings::rating
