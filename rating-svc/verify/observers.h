// What the proofs of a whole scheme note of an exploration. Internal to the room.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "rating-svc/verify/space.h"

namespace starratings::verify {

// What can happen at all.
class Coverage : public Observer {
 public:
  explicit Coverage(const scheme::Scheme& scheme)
      : limits(scheme.limits.size(), false),
        bands(scheme.bands.size()),
        cells(scheme.matrices.size()) {
    for (size_t i = 0; i < scheme.bands.size(); ++i) {
      const scheme::Band& band = scheme.bands[i];
      const int scale = scheme.values[static_cast<size_t>(band.output)].scale;
      const size_t levels = scheme.scales[static_cast<size_t>(scale)].levels.size();
      bands[i].assign(std::max<size_t>(band.lists.size(), 1), std::vector<bool>(levels, false));
    }
    for (size_t i = 0; i < scheme.matrices.size(); ++i) {
      cells[i].assign(scheme.matrices[i].cells.size(), false);
    }
  }

  void OnLimit(int limit) override { limits[static_cast<size_t>(limit)] = true; }
  void OnBand(int band, size_t list, int level) override {
    bands[static_cast<size_t>(band)][list][static_cast<size_t>(level)] = true;
  }
  void OnMatrix(int matrix, uint32_t cell, const State& /*state*/) override {
    cells[static_cast<size_t>(matrix)][cell] = true;
  }
  void OnEnd(Word word, Word /*second*/, const State& state) override {
    if (reached.count(word) == 0) reached.emplace(word, state.Trace(false));
  }

  std::vector<bool> limits;                           // Each that makes a difference.
  std::vector<std::vector<std::vector<bool>>> bands;  // By list of cuts and level.
  std::vector<std::vector<bool>> cells;               // By matrix.
  std::map<Word, Assignment> reached;                 // The target's values, and a way to each.
};

// Two runs that differ by one step in one input.
class Moves : public Observer {
 public:
  // Whether the step is to the worse.
  explicit Moves(bool lower_is_better) : lower_is_better_(lower_is_better) {}

  void OnEnd(Word first, Word second, const State& state) override {
    matters = matters || first != second;
    if (first < 0 || second < 0 || worse) return;  // The absent is not compared.
    if (lower_is_better_ ? second <= first : second >= first) return;
    worse = Found{first, second, state.Trace(false), state.Trace(true)};
  }

  struct Found {
    Word first;
    Word second;
    Assignment before;
    Assignment after;
  };
  bool matters = false;
  std::optional<Found> worse;

 private:
  const bool lower_is_better_;
};

class Firing : public Observer {
 public:
  void OnVeto(Word target, const State& state) override {
    fired = true;
    if (target != 0 && !spared) spared = {target, state.Trace(false)};
  }
  bool fired = false;
  std::optional<std::pair<Word, Assignment>> spared;
};

// Whether leaving out a step changes anything.
class Stepping : public Observer {
 public:
  void OnEnd(Word with, Word without, const State& /*state*/) override {
    matters = matters || (with >= 0 && with != without);
  }
  bool matters = false;
};

}  // namespace starratings::verify
