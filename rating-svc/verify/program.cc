#include "rating-svc/verify/program.h"

#include <cassert>

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
  const auto writes = [&](int output, StageKind kind, size_t index) {
    Node& node = nodes[static_cast<size_t>(output)];
    node.written = true;
    node.writer = {kind, static_cast<int>(index)};
  };
  for (size_t i = 0; i < scheme.sums.size(); ++i) writes(scheme.sums[i].output, StageKind::kSum, i);
  for (size_t i = 0; i < scheme.bands.size(); ++i) {
    writes(scheme.bands[i].output, StageKind::kBand, i);
  }
  for (size_t i = 0; i < scheme.matrices.size(); ++i) {
    writes(scheme.matrices[i].output, StageKind::kMatrix, i);
  }
  for (size_t i = 0; i < scheme.limits.size(); ++i) {
    nodes[static_cast<size_t>(scheme.limits[i].target)].limits.push_back(static_cast<int>(i));
  }
  return nodes;
}

// Every read of a value, as often as it is read.
std::vector<int> ReadsOf(const Scheme& scheme, const Node& node) {
  std::vector<int> reads;
  if (node.written) {
    const auto index = static_cast<size_t>(node.writer.index);
    if (node.writer.kind == StageKind::kSum) {
      for (const scheme::Term& term : scheme.sums[index].terms) reads.push_back(term.value);
    } else if (node.writer.kind == StageKind::kBand) {
      reads.push_back(scheme.bands[index].from);
    } else {
      reads = scheme.matrices[index].from;
    }
  }
  for (const int limit : node.limits) {
    for (const scheme::Condition& condition : scheme.limits[static_cast<size_t>(limit)].any) {
      reads.push_back(condition.value);
    }
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
    const auto index = static_cast<size_t>(writer.index);
    switch (writer.kind) {
      case StageKind::kSum:
        return HasDecimals(scheme_, scheme_.sums[index]) ? FreeSum(writer.index)
                                                         : ExactSum(writer.index);
      case StageKind::kBand:
        return Read(OpKind::kBand, writer.index, {scheme_.bands[index].from});
      default:
        return Read(OpKind::kMatrix, writer.index, scheme_.matrices[index].from);
    }
  }

  // A stage that needs all it reads at once.
  int Read(OpKind kind, int index, const std::vector<int>& values) {
    for (const int value : values) Compute(value);
    const int slot = Take();
    Op& op = Emit(kind, index, slot);
    for (const int value : values) op.from.push_back(SlotOf(value));
    for (const int value : values) Release(value);
    return slot;
  }

  int FreeSum(int index) {
    std::vector<int> values;
    for (const scheme::Term& term : scheme_.sums[static_cast<size_t>(index)].terms) {
      values.push_back(term.value);
    }
    return Read(OpKind::kFreeSum, index, values);
  }

  // Term by term: what remains of those before is their total.
  int ExactSum(int index) {
    const int slot = Take();
    Emit(OpKind::kZero, index, slot);
    const scheme::Sum& sum = scheme_.sums[static_cast<size_t>(index)];
    for (size_t i = 0; i < sum.terms.size(); ++i) {
      Compute(sum.terms[i].value);
      Op& op = Emit(OpKind::kTerm, index, slot);
      op.part = static_cast<int>(i);
      op.from = {SlotOf(sum.terms[i].value)};
      Release(sum.terms[i].value);
    }
    return slot;
  }

  void Limit(const Node& node, int target) {
    const Account account{Take(), Take(), Take(), Take(), Take(), Take(), Take()};
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
    for (const int slot : account.Slots()) {
      settle.forget.push_back(slot);
      free_.push_back(slot);
    }
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

std::vector<bool> ConeOf(const Scheme& scheme, int value) {
  std::vector<int> reads(scheme.values.size(), 0);
  Count(scheme, NodesOf(scheme), value, reads);
  return {reads.begin(), reads.end()};
}

}  // namespace starratings::verify
