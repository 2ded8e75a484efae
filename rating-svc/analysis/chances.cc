#include "rating-svc/analysis/chances.h"

#include <algorithm>
#include <cassert>

namespace starratings::analysis {
namespace {

// The probability of k + 1 over that of k, and of k - 1 over that of k, of the
// beta-binomial.
template <typename Real>
struct JeffreysRatio {
  Real x, n;
  Real Up(Real k) const {
    return (n - k) * (2 * (k + x) + 1) / ((k + 1) * (2 * (2 * n - k - x) - 1));
  }
  Real Down(Real k) const {
    return k * (2 * (2 * n - k - x) + 1) / ((n - k + 1) * (2 * (k + x) - 1));
  }
};

// The same of the binomial.
template <typename Real>
struct ObservedRatio {
  Real x, n;
  Real Up(Real k) const { return (n - k) * x / ((k + 1) * (n - x)); }
  Real Down(Real k) const { return k * (n - x) / ((n - k + 1) * x); }
};

// What is smaller, against the largest term, is left out with all behind it.
constexpr double kNegligible = 1e-16;

// Terms are computed from x outwards, each from its neighbour, with 1 at x; the sum of all makes
// probabilities of them. That needs no gamma function, which would lose the digits that the
// error bound is about: where all terms are of the size of rounding errors times
// their distance from x, and the mean distance is some standard deviations.
template <typename Real, typename Ratio>
class Outward {
 public:
  Outward(Ratio ratio, int64_t x, int64_t n, const std::vector<int64_t>& firsts,
          std::vector<double>& parts)
      : ratio_(ratio), x_(x), n_(n), firsts_(firsts), sums_(firsts.size() + 1, Real{0}) {
    const auto home =
        static_cast<size_t>(std::upper_bound(firsts.begin(), firsts.end(), x) - firsts.begin());
    sums_[home] = 1;
    Real term = 1;
    for (size_t part = home; part < sums_.size(); ++part) {
      const int64_t last = part < firsts_.size() ? std::min(firsts_[part] - 1, n_) : n_;
      if (!Add<+1>(last, term, sums_[part])) break;
    }
    at_ = x_;
    term = 1;
    for (size_t part = home + 1; part-- > 0;) {
      const int64_t first = part > 0 ? std::max<int64_t>(firsts_[part - 1], 0) : 0;
      if (!Add<-1>(first, term, sums_[part])) break;
    }
    Real total = 0;
    for (const Real sum : sums_) total += sum;
    parts.clear();
    for (const Real sum : sums_) parts.push_back(static_cast<double>(sum / total));
  }

 private:
  // Adds the terms from behind `at_` up to `end`, in blocks: so that fewer
  // roundings add up. False if the rest is negligible: the ratios fall (or stay
  // below 2/3), so that it is no more than a geometric series.
  template <int kStep>
  bool Add(int64_t end, Real& term, Real& sum) {
    constexpr int kBlock = 16;
    while (kStep * (end - at_) > 0) {
      // All ratios of a block first: they do not wait for each other, as the
      // terms do. Behind `end` they mean nothing, but are numbers.
      Real ratios[kBlock];
      const auto k = static_cast<Real>(at_);
      for (int i = 0; i < kBlock; ++i) {
        const Real here = k + static_cast<Real>(kStep * i);
        ratios[i] = kStep > 0 ? ratio_.Up(here) : ratio_.Down(here);
      }
      const int block = static_cast<int>(std::min<int64_t>(kBlock, kStep * (end - at_)));
      Real parts[4] = {0, 0, 0, 0};
      int i = 0;
      for (; i + 2 <= block; i += 2) {
        parts[i & 2] += term * ratios[i];
        term *= ratios[i] * ratios[i + 1];
        parts[(i & 2) + 1] += term;
      }
      if (i < block) {
        term *= ratios[i];
        parts[0] += term;
      }
      at_ += kStep * block;
      sum += (parts[0] + parts[1]) + (parts[2] + parts[3]);
      if (term < static_cast<Real>(kNegligible) * (1 - ratios[block - 1])) return false;
    }
    return true;
  }

  const Ratio ratio_;
  const int64_t x_;
  const int64_t n_;
  const std::vector<int64_t>& firsts_;
  std::vector<Real> sums_;
  int64_t at_ = x_;
};

template <typename Real>
void Draw(RateModel model, int64_t x, int64_t n, const std::vector<int64_t>& firsts,
          std::vector<double>& parts) {
  const auto real_x = static_cast<Real>(x);
  const auto real_n = static_cast<Real>(n);
  if (model == RateModel::kJeffreys) {
    Outward<Real, JeffreysRatio<Real>>({real_x, real_n}, x, n, firsts, parts);
  } else {
    Outward<Real, ObservedRatio<Real>>({real_x, real_n}, x, n, firsts, parts);
  }
}

}  // namespace

void Chances(RateModel model, int64_t x, int64_t n, const std::vector<int64_t>& firsts,
             std::vector<double>& parts) {
  assert(x >= 0 && x <= n && n <= kDenominatorMost);
  if (model == RateModel::kObserved && (x == 0 || x == n)) {
    parts.assign(firsts.size() + 1, 0.0);
    parts[static_cast<size_t>(std::upper_bound(firsts.begin(), firsts.end(), x) - firsts.begin())] =
        1.0;
    return;
  }
  // With n cases the terms that count are some 8 * sqrt(2 * n) and the mean distance sqrt(n) / 2:
  // up to here doubles keep the bound, beyond long doubles do.
  constexpr int64_t kDoubleMost = 1'024;
  if (n <= kDoubleMost) {
    Draw<double>(model, x, n, firsts, parts);
  } else {
    Draw<long double>(model, x, n, firsts, parts);
  }
}

}  // namespace starratings::analysis
