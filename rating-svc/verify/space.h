// The states that a scheme can be in, all of them, exactly. Internal to the
// room.
//
// Enumerating all combinations of inputs would be hopeless (eleven indicators of
// four states and four judgements: a thousand million). But once a cap has been
// settled, what matters is the level that came out. So the scheme is turned into
// small steps, each of which takes up a value just before it is needed and
// forgets it when nothing reads it any more; states that have become equal are
// one. What remains is every combination of live values that evidence can lead
// to, each with a way that leads there.
#pragma once

#include <cstdint>
#include <vector>

#include "rating-svc/scheme/reads.h"
#include "rating-svc/verify/domain.h"
#include "rating-svc/verify/draft.h"
#include "rating-svc/verify/layer.h"

namespace starratings::verify {

using scheme::ConeOf;

// For each input the cell of its domain; -1 where it does not matter.
using Assignment = std::vector<int>;

// The state at hand, while an observer is told something.
class State {
 public:
  virtual ~State() = default;
  // What the inputs are on a way that leads here; of the second run with
  // `second`.
  virtual Assignment Trace(bool second) const = 0;
  // How many combinations of cells lead here.
  virtual verify::Ways Ways() const = 0;
};

// Is told what can happen.
class Observer {
 public:
  virtual ~Observer() = default;
  // A limit moves its target: without it the target would be another or absent.
  virtual void OnLimit(int /*limit*/) {}
  // The claimed veto fired; `target` is what came out.
  virtual void OnVeto(Word /*target*/, const State& /*state*/) {}
  // `list` is the list of cuts, where several are selected from.
  virtual void OnBand(int /*band*/, size_t /*list*/, int /*level*/) {}
  virtual void OnMatrix(int /*matrix*/, uint32_t /*cell*/, const State& /*state*/) {}
  // The target's final value; of two runs that differ in one input, both, where of
  // means only their order is told, as of all numbers; of two targets, both.
  virtual void OnEnd(Word /*first*/, Word /*second*/, const State& /*state*/) {}
};

// What to explore.
struct Question {
  int target = 0;    // A value.
  int varied = -1;   // An input that is one step higher in a second run; or none.
  int claimed = -1;  // A veto to tell of; or none.
  // An adjustment of which a second run leaves out a step; or none. The bound stands
  // behind the steps.
  int adjust = -1;
  int step = -1;
  int second = -1;  // Another value, of the same run; or none. Not with `varied`.
  // For each value one that is computed right after it, so that what both read
  // can be forgotten; -1: none. May be empty.
  std::vector<int> counterparts = {};
};

// What may be spent on all questions about one scheme together, in words of
// state that are looked at.
struct Budget {
  int64_t words = 2'000'000'000;
};

// The most words that the states may have at one time.
inline constexpr size_t kWordsMost = 16'000'000;

// Explores. Returns false if it would need too much; what was observed until
// then is incomplete.
bool Explore(const scheme::Scheme& scheme, const std::vector<Domain>& domains,
             const Question& question, Budget& budget, Observer& observer);

// Inputs that are exchangeable: levels of one scale, answered alike where missing,
// read only by one sum and there with one weight. For each input the first that it
// is like; itself if there is none.
std::vector<size_t> AlikeOf(const scheme::Scheme& scheme);

}  // namespace starratings::verify
