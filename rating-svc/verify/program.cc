#include "rating-svc/verify/program.h"

#include <algorithm>
#include <cassert>

#include "rating-svc/scheme/reads.h"
#include "rating-svc/verify/space.h"

namespace starratings::verify {
namespace {

using scheme::Scheme;
using scheme::StageKind;

// Who writes a value, and what limits it.
struct Node {
  bool written = false;
  scheme::Stage writer;
  std::vector<int> limits;
};

std::vector<Node> NodesOf(const Scheme& scheme) {
  std::vector<Node> nodes(scheme.values.size());
  for (const scheme::Stage& stage : scheme::WritersOf(scheme)) {
    Node& node = nodes[static_cast<size_t>(scheme::OutputOf(scheme, stage))];
    node.written = true;
    node.writer = stage;
  }
  for (size_t i = 0; i < scheme.limits.size(); ++i) {
    nodes[static_cast<size_t>(scheme.limits[i].target)].limits.push_back(static_cast<int>(i));
  }
  return nodes;
}

// Every read of a value, as often as it is read.
std::vector<int> ReadsOf(const Scheme& scheme, const Node& node) {
  std::vector<int> reads;
  if (node.written) reads = scheme::ReadsOf(scheme, node.writer);
  for (const int limit : node.limits) {
    const std::vector<int> more = scheme::ReadsOf(scheme, {StageKind::kLimit, limit});
    reads.insert(reads.end(), more.begin(), more.end());
  }
  return reads;
}

// Visits what `value` depends on, counting how often each is read.
void Count(const Scheme& scheme, const std::vector<Node>& nodes, int value,
           std::vector<int>& reads) {
  if (++reads[static_cast<size_t>(value)] > 1) return;
  for (const int read : ReadsOf(scheme, nodes[static_cast<size_t>(value)])) {
    Count(scheme, nodes, read, reads);
  }
}

class Compiler {
 public:
  Compiler(const Scheme& scheme, const Question& question)
      : scheme_(scheme),
        question_(question),
        nodes_(NodesOf(scheme)),
        reads_(scheme.values.size(), 0),
        slot_(scheme.values.size(), -1),
        begun_(scheme.values.size(), false) {}

  Program Run() {
    Count(scheme_, nodes_, question_.target, reads_);
    if (question_.second >= 0) Count(scheme_, nodes_, question_.second, reads_);
    Compute(question_.target);
    program_.result = SlotOf(question_.target);
    if (question_.second >= 0) {
      Compute(question_.second);
      program_.second = SlotOf(question_.second);
    }
    return std::move(program_);
  }

 private:
  int SlotOf(int value) const { return slot_[static_cast<size_t>(value)]; }

  int Take() {
    if (free_.empty()) return program_.slots++;
    const int slot = free_.back();
    free_.pop_back();
    return slot;
  }

  Op& Emit(OpKind kind, int index, int slot) {
    Op op;
    op.kind = kind;
    op.index = index;
    op.slot = slot;
    program_.ops.push_back(std::move(op));
    return program_.ops.back();
  }

  // The step emitted last was a read of `value`: forgets it if that was all.
  void Release(int value) {
    if (--reads_[static_cast<size_t>(value)] > 0) return;
    program_.ops.back().forget.push_back(SlotOf(value));
    free_.push_back(SlotOf(value));
  }

  void Compute(int value) {
    if (SlotOf(value) >= 0) return;
    begun_[static_cast<size_t>(value)] = true;
    const Node& node = nodes_[static_cast<size_t>(value)];
    const int slot = node.written ? Write(node.writer) : Take();
    if (!node.written) Emit(OpKind::kInput, value, slot);
    slot_[static_cast<size_t>(value)] = slot;
    if (!node.limits.empty()) Limit(node, slot);
    if (question_.counterparts.empty()) return;
    const int other = question_.counterparts[static_cast<size_t>(value)];
    // Not what nothing reads, which would never be forgotten; nor what is waiting
    // for this.
    if (other < 0 || reads_[static_cast<size_t>(other)] == 0) return;
    if (!begun_[static_cast<size_t>(other)]) Compute(other);
  }

  int Write(const scheme::Stage& writer) {
    switch (writer.kind) {
      case StageKind::kSum:
        return WriteSum(writer.index);
      case StageKind::kCount:
        return WriteCount(writer.index);
      case StageKind::kAdjust:
        return WriteAdjust(writer.index);
      case StageKind::kBand:
        return Read(OpKind::kBand, writer);
      default:
        return Read(OpKind::kMatrix, writer);
    }
  }

  // A stage that needs all it reads at once.
  int Read(OpKind kind, const scheme::Stage& stage) {
    const std::vector<int> values = scheme::ReadsOf(scheme_, stage);
    for (const int value : values) Compute(value);
    const int slot = Take();
    Op& op = Emit(kind, stage.index, slot);
    for (const int value : values) op.from.push_back(SlotOf(value));
    for (const int value : values) Release(value);
    return slot;
  }

  // Term by term: what remains of those before is their tally.
  int WriteSum(int index) {
    const scheme::Sum& sum = scheme_.sums[static_cast<size_t>(index)];
    const int slot = Take();
    const Tally tally{Take(), Take(), Take()};
    Emit(OpKind::kZero, index, slot).tally = tally;
    for (size_t i = 0; i < sum.terms.size(); ++i) {
      Compute(sum.terms[i].value);
      Op& op = Emit(OpKind::kTerm, index, slot);
      op.part = static_cast<int>(i);
      op.from = {SlotOf(sum.terms[i].value)};
      op.tally = tally;
      Release(sum.terms[i].value);
    }
    Op& done = Emit(IsFree(scheme_, sum) ? OpKind::kFreeSum : OpKind::kSum, index, slot);
    done.tally = tally;
    Drop(tally.Slots());
    return slot;
  }

  int WriteCount(int index) {
    const scheme::Count& count = scheme_.counts[static_cast<size_t>(index)];
    const int slot = Take();
    Emit(OpKind::kZero, index, slot).tally = {slot, slot, slot};
    for (size_t i = 0; i < count.conditions.size(); ++i) {
      Test(OpKind::kCount, index, static_cast<int>(i), slot, count.conditions[i]);
    }
    return slot;
  }

  Op& Test(OpKind kind, int index, int part, int slot, const scheme::Condition& condition) {
    Compute(condition.value);
    Op& op = Emit(kind, index, slot);
    op.part = part;
    op.from = {SlotOf(condition.value)};
    Release(condition.value);
    return op;
  }

  int WriteAdjust(int index) {
    const scheme::Adjust& adjust = scheme_.adjusts[static_cast<size_t>(index)];
    Compute(adjust.from);
    const int slot = Take();
    const int start = Take();
    Op& begin = Emit(OpKind::kBegin, index, slot);
    begin.from = {SlotOf(adjust.from)};
    begin.start = start;
    Release(adjust.from);
    const auto steps = static_cast<int>(adjust.steps.size());
    for (int i = 0; i < steps; ++i) {
      Test(OpKind::kStep, index, i, slot, adjust.steps[static_cast<size_t>(i)].when).start = start;
    }
    if (adjust.bound) {
      Test(OpKind::kBound, index, steps, slot, *adjust.bound).start = start;
    }
    Drop({start});
    return slot;
  }

  // The step emitted last was the last to use these slots.
  void Drop(const std::vector<int>& slots) {
    for (const int slot : slots) {
      program_.ops.back().forget.push_back(slot);
      free_.push_back(slot);
    }
  }

  void Limit(const Node& node, int target) {
    Account account{Take(), Take(), Take(), Take(), Take(), Take(), Take()};
    account.floors = std::any_of(node.limits.begin(), node.limits.end(), [this](int limit) {
      return scheme_.limits[static_cast<size_t>(limit)].floor;
    });
    if (account.floors) {
      for (int* slot :
           {&account.highest, &account.floor_by, &account.floor_second, &account.floor_absent,
            &account.floor_undecided, &account.absent_undecided}) {
        *slot = Take();
      }
    }
    Emit(OpKind::kOpen, 0, target).account = account;
    for (const int limit : node.limits) {
      const auto& conditions = scheme_.limits[static_cast<size_t>(limit)].any;
      for (size_t i = 0; i < conditions.size(); ++i) {
        Compute(conditions[i].value);
        Op& op = Emit(OpKind::kCondition, limit, target);
        op.part = static_cast<int>(i);
        op.from = {SlotOf(conditions[i].value)};
        op.account = account;
        Release(conditions[i].value);
      }
      Emit(OpKind::kFold, limit, target).account = account;
    }
    Op& settle = Emit(OpKind::kSettle, node.limits.front(), target);
    settle.account = account;
    Drop(account.Slots());
  }

  const Scheme& scheme_;
  const Question& question_;
  const std::vector<Node> nodes_;
  std::vector<int> reads_;  // How often each value is still to be read.
  std::vector<int> slot_;   // Of each value; -1 before it is computed.
  std::vector<bool> begun_;
  std::vector<int> free_;
  Program program_;
};

}  // namespace

Program Compile(const Scheme& scheme, const Question& question) {
  return Compiler(scheme, question).Run();
}

std::vector<size_t> AlikeOf(const Scheme& scheme) {
  const std::vector<Node> nodes = NodesOf(scheme);
  // What is read by one term alone, and by which sum with which weight.
  std::vector<int> reads(scheme.values.size(), 0);
  for (const Node& node : nodes) {
    for (const int read : ReadsOf(scheme, node)) ++reads[static_cast<size_t>(read)];
  }
  std::vector<std::pair<int, int64_t>> term(scheme.values.size(), {-1, 0});
  for (size_t i = 0; i < scheme.sums.size(); ++i) {
    for (const scheme::Term& of : scheme.sums[i].terms) {
      if (reads[static_cast<size_t>(of.value)] != 1) continue;
      term[static_cast<size_t>(of.value)] = {static_cast<int>(i), of.weight};
    }
  }
  const auto plain = [&](size_t input) {
    return term[input].first >= 0 && nodes[input].limits.empty() &&
           scheme.values[input].scale >= 0 &&
           std::none_of(
               scheme.results.begin(), scheme.results.end(),
               [&](const auto& result) { return result.value == static_cast<int>(input); }) &&
           std::none_of(scheme.transitions.begin(), scheme.transitions.end(),
                        [&](const auto& of) { return of.previous == static_cast<int>(input); });
  };
  std::vector<size_t> like(scheme.inputs.size());
  for (size_t i = 0; i < like.size(); ++i) {
    like[i] = i;
    for (size_t j = 0; j < i && plain(i); ++j) {
      if (like[j] != j || !plain(j) || term[j] != term[i]) continue;
      const scheme::Input& a = scheme.inputs[i];
      const scheme::Input& b = scheme.inputs[j];
      if (scheme.values[i].scale == scheme.values[j].scale && a.from == b.from &&
          a.on_missing == b.on_missing && a.assume == b.assume) {
        like[i] = j;
        break;
      }
    }
  }
  return like;
}

}  // namespace starratings::verify
