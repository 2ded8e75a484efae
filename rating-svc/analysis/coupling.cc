#include "rating-svc/analysis/coupling.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace starratings::analysis {
namespace {

// A transport problem with an axis for each marginal, by the simplex method:
// variables are combinations, a basis has as many as there are free marginals.
class Simplex {
 public:
  Simplex(const std::vector<std::vector<double>>& marginals, const std::vector<bool>& event)
      : marginals_(marginals), event_(event) {
    for (size_t axis = 0; axis < marginals.size(); ++axis) {
      first_row_.push_back(rows_);
      // All parts of one axis, and all but the last of the others, which follow.
      rows_ += marginals[axis].size() - (axis == 0 ? 0 : 1);
    }
  }

  double Solve() {
    Start();
    // Bland's rule ends always; the limit is for what rounding may do to it.
    constexpr int kRoundsMost = 100'000;
    for (int round = 0; round < kRoundsMost; ++round) {
      const size_t entering = Entering();
      if (entering == event_.size()) break;
      Exchange(entering);
    }
    double chance = 0;
    for (size_t i = 0; i < rows_; ++i) {
      if (event_[basis_[i]]) chance += amounts_[i];
    }
    return std::clamp(chance, 0.0, 1.0);
  }

 private:
  using Matrix = std::vector<std::vector<double>>;

  // The rows in which the combination has a one.
  template <typename Visit>
  void EachRow(size_t combination, Visit visit) const {
    for (size_t axis = marginals_.size(); axis-- > 0;) {
      const size_t parts = marginals_[axis].size();
      const size_t part = combination % parts;
      combination /= parts;
      if (axis == 0 || part + 1 < parts) visit(first_row_[axis] + part);
    }
  }

  // Fills up from the first parts on, always moving on along one axis: a basis.
  void Start() {
    std::vector<size_t> at(marginals_.size(), 0);
    std::vector<double> left;
    for (const auto& marginal : marginals_) left.push_back(marginal.front());
    while (true) {
      size_t combination = 0;
      for (size_t axis = 0; axis < at.size(); ++axis) {
        combination = combination * marginals_[axis].size() + at[axis];
      }
      size_t least = at.size();
      for (size_t axis = 0; axis < at.size(); ++axis) {
        if (at[axis] + 1 == marginals_[axis].size()) continue;  // Has no part to move on to.
        if (least == at.size() || left[axis] < left[least]) least = axis;
      }
      if (least == at.size()) {
        basis_.push_back(combination);
        amounts_.push_back(std::max(0.0, *std::min_element(left.begin(), left.end())));
        return;
      }
      const double amount = left[least];
      basis_.push_back(combination);
      amounts_.push_back(amount);
      for (double& rest : left) rest = std::max(0.0, rest - amount);
      left[least] = marginals_[least][++at[least]];
    }
  }

  // Solves basis * x = right (or its transpose) by elimination with pivots.
  std::vector<double> Solved(std::vector<double> right, bool transposed) const {
    Matrix matrix(rows_, std::vector<double>(rows_, 0.0));
    for (size_t i = 0; i < rows_; ++i) {
      EachRow(basis_[i], [&](size_t row) { (transposed ? matrix[i][row] : matrix[row][i]) = 1; });
    }
    for (size_t column = 0; column < rows_; ++column) {
      size_t pivot = column;
      for (size_t row = column + 1; row < rows_; ++row) {
        if (std::abs(matrix[row][column]) > std::abs(matrix[pivot][column])) pivot = row;
      }
      std::swap(matrix[pivot], matrix[column]);
      std::swap(right[pivot], right[column]);
      for (size_t row = column + 1; row < rows_; ++row) {
        const double factor = matrix[row][column] / matrix[column][column];
        if (factor == 0) continue;
        for (size_t k = column; k < rows_; ++k) matrix[row][k] -= factor * matrix[column][k];
        right[row] -= factor * right[column];
      }
    }
    for (size_t row = rows_; row-- > 0;) {
      for (size_t k = row + 1; k < rows_; ++k) right[row] -= matrix[row][k] * right[k];
      right[row] /= matrix[row][row];
    }
    return right;
  }

  // The first combination that would add to the chance; their number if none would.
  size_t Entering() const {
    constexpr double kNothing = 1e-9;
    std::vector<double> gains;
    for (size_t i = 0; i < rows_; ++i) gains.push_back(event_[basis_[i]] ? 1.0 : 0.0);
    const std::vector<double> prices = Solved(std::move(gains), true);
    for (size_t combination = 0; combination < event_.size(); ++combination) {
      double gain = event_[combination] ? 1.0 : 0.0;
      EachRow(combination, [&](size_t row) { gain -= prices[row]; });
      if (gain > kNothing) return combination;
    }
    return event_.size();
  }

  void Exchange(size_t entering) {
    constexpr double kNothing = 1e-9;
    std::vector<double> column(rows_, 0.0);
    EachRow(entering, [&](size_t row) { column[row] = 1; });
    const std::vector<double> taken = Solved(std::move(column), false);
    size_t leaving = rows_;
    for (size_t i = 0; i < rows_; ++i) {
      if (taken[i] <= kNothing) continue;
      if (leaving == rows_) {
        leaving = i;
        continue;
      }
      const double here = amounts_[i] / taken[i];
      const double there = amounts_[leaving] / taken[leaving];
      if (here < there || (here == there && basis_[i] < basis_[leaving])) leaving = i;
    }
    if (leaving == rows_) return;  // Cannot be: amounts are bounded.
    const double amount = amounts_[leaving] / taken[leaving];
    for (size_t i = 0; i < rows_; ++i) {
      amounts_[i] = std::max(0.0, amounts_[i] - amount * taken[i]);
    }
    basis_[leaving] = entering;
    amounts_[leaving] = amount;
  }

  const std::vector<std::vector<double>>& marginals_;
  const std::vector<bool>& event_;
  std::vector<size_t> first_row_;
  size_t rows_ = 0;
  std::vector<size_t> basis_;    // Combinations.
  std::vector<double> amounts_;  // Of each.
};

}  // namespace

double GreatestChance(const std::vector<std::vector<double>>& marginals,
                      const std::vector<bool>& event) {
  if (marginals.empty()) return event.front() ? 1 : 0;
  return Simplex(marginals, event).Solve();
}

}  // namespace starratings::analysis
