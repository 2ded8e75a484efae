#include "tests/linearizable/checker.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_set>

#include "absl/strings/str_cat.h"

namespace starratings::linearizable {
namespace {

using Kind = Operation::Kind;
using Outcome = Operation::Outcome;

// What is under a key.
struct State {
  Etag etag;
  // False: nobody has seen the etag; etag.revision is one that it is above.
  bool is_exact = true;
  std::string value;
};

// `state` if its etag can be `etag`, which it then is.
std::optional<State> Seen(State state, const Etag& etag) {
  if (state.etag.ordinal != etag.ordinal) return std::nullopt;
  if (state.is_exact ? state.etag.revision != etag.revision
                     : state.etag.revision >= etag.revision) {
    return std::nullopt;
  }
  state.etag = etag;
  state.is_exact = true;
  return state;
}

// What `operation` makes of `state`; nothing: it cannot take effect there.
std::optional<State> Apply(const Operation& operation, const State& state) {
  if (operation.kind == Kind::kRead) {
    return state.value == operation.value_seen ? Seen(state, operation.seen) : std::nullopt;
  }
  if (operation.outcome == Outcome::kMismatch) {
    if (!operation.expected || *operation.expected == operation.seen) return std::nullopt;
    return Seen(state, operation.seen);
  }
  std::optional<State> before = state;
  if (operation.expected) before = Seen(state, *operation.expected);
  if (!before) return std::nullopt;
  State after = {{before->etag.ordinal + 1, before->etag.revision}, false, operation.value};
  return operation.outcome == Outcome::kUnknown ? after : Seen(std::move(after), operation.seen);
}

bool Writes(const Operation& operation) {
  return operation.kind == Kind::kSubmit && operation.outcome != Outcome::kMismatch;
}

// How far a search has come: which operations are placed, and what is there.
// Known operations stand in the order of their calls.
struct Progress {
  size_t first = 0;           // All known ones before it are placed, it is not.
  std::set<size_t> ahead;     // Those placed after it: few, as clients are few.
  std::set<size_t> unknowns;  // Of unknown outcome, placed.
  State state;

  size_t placed() const { return first + ahead.size(); }

  std::string Fingerprint() const {
    std::string print = absl::StrCat(first, "|", state.etag.ordinal, ".", state.etag.revision,
                                     state.is_exact ? "=" : ">", state.value);
    for (const size_t i : ahead) absl::StrAppend(&print, "|", i);
    absl::StrAppend(&print, "?");
    for (const size_t i : unknowns) absl::StrAppend(&print, "|", i);
    return print;
  }
};

// The search for one key.
class Search {
 public:
  explicit Search(const std::vector<const Operation*>& operations) {
    for (const Operation* operation : operations) {
      if (operation->outcome != Outcome::kUnknown) {
        known_.push_back(operation);
        newest_seen_ = std::max(newest_seen_, operation->seen.ordinal);
        if (operation->expected) {
          newest_seen_ = std::max(newest_seen_, operation->expected->ordinal);
        }
        if (Writes(*operation)) acknowledged_.insert(operation->seen.ordinal);
      } else if (operation->kind == Kind::kSubmit) {
        unknown_.push_back(operation);
      }
    }
    const auto by_call = [](const Operation* a, const Operation* b) { return a->call < b->call; };
    std::stable_sort(known_.begin(), known_.end(), by_call);
    std::stable_sort(unknown_.begin(), unknown_.end(), by_call);
  }

  Verdict::Kind Run(int64_t steps_most) {
    std::vector<Branch> path = {{Progress(), {}}};
    path.back().next = NextOf(path.back().progress);
    while (!path.empty()) {
      if (path.back().progress.first == known_.size()) return Verdict::Kind::kLinearizable;
      if (path.back().next.empty()) {
        path.pop_back();
        continue;
      }
      if (--steps_most < 0) return Verdict::Kind::kGaveUp;
      Progress progress = std::move(path.back().next.back());
      path.back().next.pop_back();
      if (!dead_ends_.insert(progress.Fingerprint()).second) continue;
      if (progress.placed() > furthest_.placed()) furthest_ = progress;
      std::vector<Progress> next = NextOf(progress);
      path.push_back({std::move(progress), std::move(next)});
    }
    return Verdict::Kind::kNotLinearizable;
  }

  // Where it came furthest, and what could not be next there.
  std::string Explain() const {
    std::string text = absl::StrCat(
        "after ", furthest_.placed(), " of ", known_.size(), " operations the item is ",
        furthest_.state.is_exact ? "" : "above ", ToString(furthest_.state.etag), " \"",
        furthest_.state.value, "\"; none of these can be next:");
    for (const Operation* operation : Candidates(furthest_)) {
      absl::StrAppend(&text, "\n  ", ToString(*operation));
    }
    return text;
  }

 private:
  struct Branch {
    Progress progress;
    std::vector<Progress> next;  // Not tried yet.
  };

  // What is called before everything that is not placed has returned.
  std::vector<const Operation*> Candidates(const Progress& progress) const {
    std::vector<const Operation*> candidates;
    for (const size_t i : KnownCandidates(progress)) candidates.push_back(known_[i]);
    for (const size_t i : UnknownCandidates(progress)) candidates.push_back(unknown_[i]);
    return candidates;
  }

  int64_t EarliestReturn(const Progress& progress) const {
    int64_t earliest = Operation::kNever;
    for (size_t i = progress.first; i < known_.size() && known_[i]->call <= earliest; ++i) {
      if (!progress.ahead.contains(i)) earliest = std::min(earliest, known_[i]->finish);
    }
    return earliest;
  }

  std::vector<size_t> KnownCandidates(const Progress& progress) const {
    const int64_t earliest = EarliestReturn(progress);
    std::vector<size_t> candidates;
    for (size_t i = progress.first; i < known_.size() && known_[i]->call <= earliest; ++i) {
      if (!progress.ahead.contains(i)) candidates.push_back(i);
    }
    return candidates;
  }

  std::vector<size_t> UnknownCandidates(const Progress& progress) const {
    const int64_t earliest = EarliestReturn(progress);
    std::vector<size_t> candidates;
    for (size_t i = 0; i < unknown_.size() && unknown_[i]->call <= earliest; ++i) {
      if (!progress.unknowns.contains(i)) candidates.push_back(i);
    }
    return candidates;
  }

  std::vector<Progress> NextOf(const Progress& progress) const {
    std::vector<Progress> next;
    for (const size_t i : KnownCandidates(progress)) {
      std::optional<State> state = Apply(*known_[i], progress.state);
      if (!state) continue;
      // No ordinal comes twice: what only looks, and fits, fits nowhere else.
      if (!Writes(*known_[i])) next.clear();
      Progress& after = next.emplace_back(progress);
      after.ahead.insert(i);
      while (after.ahead.erase(after.first) > 0) ++after.first;
      after.state = *std::move(state);
      if (!Writes(*known_[i])) return next;
    }
    // Nobody needs an unknown one to have happened who has not seen its ordinal,
    // or knows whose it is.
    const int64_t ordinal = progress.state.etag.ordinal + 1;
    if (ordinal > newest_seen_ || acknowledged_.contains(ordinal)) return next;
    for (const size_t i : UnknownCandidates(progress)) {
      std::optional<State> state = Apply(*unknown_[i], progress.state);
      if (!state) continue;
      Progress& after = next.emplace_back(progress);
      after.unknowns.insert(i);
      after.state = *std::move(state);
    }
    return next;
  }

  std::vector<const Operation*> known_;
  std::vector<const Operation*> unknown_;
  int64_t newest_seen_ = 0;         // The largest ordinal that anybody saw.
  std::set<int64_t> acknowledged_;  // The ordinals of known submits.
  std::unordered_set<std::string> dead_ends_;
  Progress furthest_;
};

}  // namespace

Verdict Check(const std::vector<Operation>& history, int64_t steps_most) {
  std::map<std::string, std::vector<const Operation*>> by_key;
  for (const Operation& operation : history) by_key[operation.key].push_back(&operation);
  for (const auto& [key, operations] : by_key) {
    Search search(operations);
    const Verdict::Kind kind = search.Run(steps_most);
    if (kind != Verdict::Kind::kLinearizable) return {kind, key, search.Explain()};
  }
  return {};
}

}  // namespace starratings::linearizable
