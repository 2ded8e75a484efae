// The states of an exploration at one step, and how each was reached. Internal
// to the room; see space.h.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "rating-svc/verify/domain.h"

namespace starratings::verify {

// How many combinations of cells lead to a state. Does not grow beyond kWaysMost.
__extension__ using Ways = unsigned __int128;
inline constexpr Ways kWaysMost = Ways{1} << 127;
inline Ways AddWays(Ways a, Ways b) { return a >= kWaysMost - b ? kWaysMost : a + b; }

// From which state before the last choice, and what was chosen.
struct Origin {
  uint32_t parent = 0;
  int32_t choice = 0;
};

class Layer {
 public:
  explicit Layer(size_t width) : width_(width) {}

  size_t size() const { return origins_.size(); }
  size_t width() const { return width_; }
  Word* operator[](size_t state) { return words_.data() + state * width_; }
  const Word* operator[](size_t state) const { return words_.data() + state * width_; }
  const Origin& origin(size_t state) const { return origins_[state]; }
  Ways ways(size_t state) const { return ways_[state]; }

  // Adds a copy of `words`, and returns it.
  Word* Add(const Word* words, Origin origin, Ways ways);

  // Of equal states keeps the first, for all of them.
  void Compact();

  std::vector<Origin> TakeOrigins() { return std::move(origins_); }

 private:
  size_t width_;
  std::vector<Word> words_;
  std::vector<Origin> origins_;
  std::vector<Ways> ways_;
  std::vector<uint32_t> table_;  // Room for Compact().
};

}  // namespace starratings::verify
