#include "rating-svc/verify/domain.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "rating-svc/scheme/constants.h"
#include "rating-svc/scheme/reads.h"

namespace starratings::verify {
namespace {

using evidence::Decimal;
using scheme::Comparison;
using scheme::ConstantsOf;
using scheme::Fraction;
using scheme::Less;
using scheme::Scheme;

constexpr int64_t kDecimalMost = 1'000'000'000'000 * Decimal::kMicros - 1;

// Merging only spares work; for more constants than these it would cost more.
constexpr size_t kMergedMost = 64;

// What all tests of a value say about a number: numbers of one signature are
// the same to the scheme.
std::vector<int> SignatureOf(const Scheme& scheme, int value, const Number& number) {
  std::vector<int> signature;
  scheme::ForEachCondition(scheme, [&](const scheme::Condition& condition) {
    if (condition.value != value) return;
    signature.push_back(Passes(condition.comparison, number, condition.threshold) ? 1 : 0);
  });
  for (const scheme::Band& band : scheme.bands) {
    if (band.from != value) continue;
    for (size_t list = 0; list < std::max<size_t>(band.lists.size(), 1); ++list) {
      signature.push_back(BandLevel(band, number, list));
    }
  }
  return signature;
}

// A representative, if the kind of number has one there.
using Candidate = std::optional<Domain::Cell>;

// A share with this value and at least `least` cases; of 100 where that is
// exact, since that is how people write it.
Candidate Share(Fraction value, int64_t least) {
  if (value.numerator < 0) return std::nullopt;
  const int64_t wanted = 100 % value.denominator == 0 ? std::max<int64_t>(least, 100) : least;
  const int64_t times = std::max<int64_t>((wanted + value.denominator - 1) / value.denominator, 1);
  const Int128 numerator = static_cast<Int128>(value.numerator) * times;
  const Int128 denominator = static_cast<Int128>(value.denominator) * times;
  if (numerator > evidence::Ratio::kMost || denominator > evidence::Ratio::kMost) {
    return std::nullopt;
  }
  return Domain::Cell{
      evidence::Ratio{static_cast<int64_t>(numerator), static_cast<int64_t>(denominator)},
      0,
      {numerator, denominator}};
}

std::vector<Candidate> SharesAround(const std::vector<Fraction>& constants, int64_t least) {
  std::vector<Candidate> shares;
  const Fraction zero{0, 1};
  const Fraction one{1, 1};
  // The mediant of two fractions lies between them.
  const auto between = [](const Fraction& a, const Fraction& b) {
    return Fraction{a.numerator + b.numerator, a.denominator + b.denominator};
  };
  Fraction last = zero;
  if (constants.empty() || Less(zero, constants.front())) shares.push_back(Share(zero, least));
  for (const Fraction& constant : constants) {
    if (constant.numerator < 0) continue;
    if (Less(last, constant)) shares.push_back(Share(between(last, constant), least));
    shares.push_back(Share(constant, least));
    last = constant;
  }
  const Fraction above = Less(last, one)
                             ? between(last, one)
                             : Fraction{last.numerator + last.denominator, last.denominator};
  shares.push_back(Share(above, least));
  return shares;
}

Candidate DecimalOf(Int128 micros) {
  if (micros < -kDecimalMost || micros > kDecimalMost) return std::nullopt;
  return Domain::Cell{
      Decimal::FromMicros(static_cast<int64_t>(micros)), 0, {micros, Decimal::kMicros}};
}

Int128 Floor(Int128 numerator, Int128 denominator) {
  const Int128 quotient = numerator / denominator;
  return numerator % denominator != 0 && numerator < 0 ? quotient - 1 : quotient;
}

// Decimals have a grid: between two constants there may be none.
std::vector<Candidate> DecimalsAround(const std::vector<Fraction>& constants) {
  std::vector<Candidate> decimals;
  if (constants.empty()) return {DecimalOf(0), DecimalOf(Decimal::kMicros)};
  const auto micros = [](const Fraction& x) {
    return static_cast<Int128>(x.numerator) * Decimal::kMicros;
  };
  for (size_t i = 0; i < constants.size(); ++i) {
    const Fraction& x = constants[i];
    const Int128 floor = Floor(micros(x), x.denominator);
    const bool on_grid = micros(x) % x.denominator == 0;
    if (i == 0) decimals.push_back(DecimalOf(on_grid ? floor - 1 : floor));
    if (on_grid) decimals.push_back(DecimalOf(floor));
    const Int128 next = floor + 1;
    const bool room =
        i + 1 == constants.size() || next * constants[i + 1].denominator < micros(constants[i + 1]);
    if (room) decimals.push_back(DecimalOf(next));
  }
  return decimals;
}

// Drops what is the same to the scheme as the cell before it.
void Merge(const Scheme& scheme, int value, std::vector<Candidate>& cells) {
  std::vector<Candidate> kept;
  std::vector<int> last;
  for (const Candidate& cell : cells) {
    if (!cell) continue;
    std::vector<int> signature = SignatureOf(scheme, value, cell->number);
    // Of a kind, the one nearest to the edge is the most telling: of those below
    // an edge the last, of those above it the first.
    const bool same = !kept.empty() && signature == last;
    if (same && kept.size() == 1) kept.back() = cell;
    if (!same) kept.push_back(cell);
    last = std::move(signature);
  }
  cells = std::move(kept);
}

void Keep(const std::vector<Candidate>& cells, Domain& domain) {
  for (const Candidate& cell : cells) {
    if (!cell) continue;
    domain.cells.push_back(*cell);
    domain.cells.back().word = static_cast<Word>(domain.cells.size()) - 1;
  }
  domain.present = domain.cells.size();
}

bool IsTerm(const Scheme& scheme, int value) {
  for (const scheme::Sum& sum : scheme.sums) {
    for (const scheme::Term& term : sum.terms) {
      if (term.value == value) return true;
    }
  }
  return false;
}

Domain InputDomain(const Scheme& scheme, int value) {
  const scheme::Input& input = scheme.inputs[static_cast<size_t>(value)];
  const int scale = scheme.values[static_cast<size_t>(value)].scale;
  Domain domain;
  if (scale >= 0) {
    const auto& levels = scheme.scales[static_cast<size_t>(scale)].levels;
    for (size_t level = 0; level < levels.size(); ++level) {
      domain.cells.push_back({evidence::Level{levels[level]}, static_cast<Word>(level), {}});
    }
    domain.present = domain.cells.size();
  } else {
    const std::vector<Fraction> constants = ConstantsOf(scheme, value);
    const bool share = input.type == scheme::InputType::kRatio;
    std::vector<Candidate> cells =
        share ? SharesAround(constants, input.exempt_below.value_or(1)) : DecimalsAround(constants);
    // In a sum each decimal counts: at least a lower and a higher one remain.
    if (!IsTerm(scheme, value) && constants.size() <= kMergedMost) Merge(scheme, value, cells);
    Keep(cells, domain);
  }
  if (input.on_missing == scheme::OnMissing::kAbsent) {
    domain.cells.push_back({evidence::MissingReason::kNotReported, kUnknown, {}});
    // Only evidence can say that something does not apply.
    if (input.from == scheme::InputFrom::kEvidence) {
      domain.cells.push_back({evidence::MissingReason::kNotApplicable, kDoesNotCount, {}});
    }
  }
  return domain;
}

}  // namespace

std::vector<Domain> DomainsOf(const Scheme& scheme) {
  std::vector<Domain> domains(scheme.values.size());
  for (size_t i = 0; i < scheme.inputs.size(); ++i) {
    domains[i] = InputDomain(scheme, static_cast<int>(i));
  }
  for (const scheme::Sum& sum : scheme.sums) {
    if (!IsFree(scheme, sum)) continue;
    std::vector<Candidate> cells = DecimalsAround(ConstantsOf(scheme, sum.output));
    Keep(cells, domains[static_cast<size_t>(sum.output)]);
  }
  return domains;
}

bool IsFree(const Scheme& scheme, const scheme::Sum& sum) {
  // Where a cohort's cuts lie to it nobody knows.
  const bool ranked = std::any_of(scheme.quantiles.begin(), scheme.quantiles.end(),
                                  [&](const scheme::Quantiles& of) { return of.of == sum.output; });
  return ranked || std::any_of(sum.terms.begin(), sum.terms.end(), [&](const scheme::Term& term) {
           const bool counted =
               std::any_of(scheme.counts.begin(), scheme.counts.end(),
                           [&](const scheme::Count& count) { return count.output == term.value; });
           return scheme.values[static_cast<size_t>(term.value)].scale < 0 && !counted;
         });
}

namespace {

// Totals are below 2^34 and weights below 2^28 by the resolver's limits.
constexpr int kWeightBits = 28;

}  // namespace

Word TotalOf(const scheme::Sum& sum, Word total, Word weight) {
  if (!sum.mean) return total;
  const Word common = std::max<Word>(std::gcd(total, weight), 1);
  return (total / common) << kWeightBits | (weight / common);
}

Number SumOf(const scheme::Sum& sum, Word total) {
  Number exact{static_cast<Int128>(total) * sum.times, sum.over};
  if (sum.mean) {
    exact.numerator = static_cast<Int128>(total >> kWeightBits) * sum.times;
    exact.denominator *= total & ((Word{1} << kWeightBits) - 1);
  }
  if (!sum.round_to) return exact;
  // floor(x / unit + 1/2) * unit.
  const Int128 steps = exact.numerator * sum.round_to->denominator;
  const Int128 unit = exact.denominator * sum.round_to->numerator;
  return {Floor(2 * steps + unit, 2 * unit) * sum.round_to->numerator, sum.round_to->denominator};
}

bool Passes(Comparison comparison, const Number& number, const Fraction& threshold) {
  const Int128 left = number.numerator * threshold.denominator;
  const Int128 right = number.denominator * threshold.numerator;
  switch (comparison) {
    case Comparison::kAbove:
      return left > right;
    case Comparison::kBelow:
      return left < right;
    case Comparison::kAtLeast:
      return left >= right;
    case Comparison::kAtMost:
      return left <= right;
    default:
      return false;
  }
}

int BandLevel(const scheme::Band& band, const Number& number, size_t list) {
  const bool selected = !band.lists.empty();
  const std::vector<Fraction>& cuts = selected ? band.lists[list].cuts : band.cuts;
  int level = selected ? band.lists[list].lowest : 0;
  const Comparison better = band.at_most ? Comparison::kAtMost : Comparison::kAtLeast;
  for (const Fraction& cut : cuts) {
    if (Passes(better, number, cut)) ++level;
  }
  return level;
}

}  // namespace starratings::verify
