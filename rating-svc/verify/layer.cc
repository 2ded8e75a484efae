#include "rating-svc/verify/layer.h"

#include <algorithm>

namespace starratings::verify {
namespace {

constexpr uint32_t kFree = 0xffffffff;

uint64_t Hash(const Word* words, size_t width) {
  uint64_t hash = 0x9e3779b97f4a7c15;
  for (size_t i = 0; i < width; ++i) {
    hash = (hash ^ static_cast<uint64_t>(words[i])) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  return hash;
}

}  // namespace

Word* Layer::Add(const Word* words, Origin origin, Ways ways) {
  origins_.push_back(origin);
  ways_.push_back(ways);
  words_.insert(words_.end(), words, words + width_);
  return words_.data() + words_.size() - width_;
}

void Layer::Compact() {
  size_t room = 16;
  while (room < 2 * size()) room *= 2;
  table_.assign(room, kFree);
  size_t kept = 0;
  for (size_t state = 0; state < size(); ++state) {
    const Word* const words = (*this)[state];
    size_t at = Hash(words, width_) & (room - 1);
    while (table_[at] != kFree && !std::equal(words, words + width_, (*this)[table_[at]])) {
      at = (at + 1) & (room - 1);
    }
    if (table_[at] != kFree) {
      ways_[table_[at]] = AddWays(ways_[table_[at]], ways_[state]);
      continue;
    }
    table_[at] = static_cast<uint32_t>(kept);
    if (kept != state) {
      std::copy(words, words + width_, (*this)[kept]);
      origins_[kept] = origins_[state];
      ways_[kept] = ways_[state];
    }
    ++kept;
  }
  words_.resize(kept * width_);
  origins_.resize(kept);
  ways_.resize(kept);
}

}  // namespace starratings::verify
