// Sums and bands.
#include "absl/strings/str_cat.h"
#include "common/evidence/decimal.h"
#include "rating-svc/verify/resolver.h"

namespace starratings::verify {
namespace {

__extension__ using Int128 = __int128;

using evidence::Decimal;

}  // namespace

void Resolver::Sums() {
  for (int i = 0; i < message_.sum_size(); ++i) {
    const scheme::v1::Sum& message = message_.sum(i);
    const Place at = place_.In("sum", i);
    const std::string& id = message.id();
    RuleId(id, at);
    scheme::Sum sum;
    sum.id = id;
    sum.output = sum_outputs_[static_cast<size_t>(i)];
    sum.say = message.say();
    if (message.term_size() < 2) Fail("FIELD_MISSING", id, at, "a sum must have two terms or more");
    if (message.term_size() > kTermsMost) {
      Fail("LIMIT_EXCEEDED", id, at,
           absl::StrCat("has ", message.term_size(), " terms; at most ", kTermsMost));
    }
    for (int j = 0; j < message.term_size(); ++j) {
      const scheme::v1::Term& term = message.term(j);
      const Place place = at.In("term", j);
      const int value = ValueNamed(term.value(), id, place.In("value"));
      if (value >= 0 && Info(value).scale < 0 &&
          (value >= message_.input_size() || Info(value).share)) {
        Fail("TYPE_MISMATCH", id, place.In("value"),
             "a term must be a value on a scale or a decimal input");
      }
      if (term.weight() < 1 || term.weight() > kFactorMost) {
        Fail("NUMBER_INVALID", id, place.In("weight"), "must be 1 to 1,000,000");
      }
      sum.terms.push_back({value, term.weight()});
    }
    for (const char* field : {"times", "over"}) {
      const int64_t factor = field[0] == 't' ? message.times() : message.over();
      if (factor < 0 || factor > kFactorMost) {
        Fail("NUMBER_INVALID", id, at.In(field), "must be 1 to 1,000,000");
      } else if (factor > 0) {
        (field[0] == 't' ? sum.times : sum.over) = factor;
      }
    }
    if (message.has_round()) {
      const auto unit = Decimal::Parse(message.round().unit());
      if (!unit.ok() || unit->micros() <= 0) {
        Fail("THRESHOLD_INVALID", id, at.In("round"), "`unit` must be a decimal above 0");
      } else {
        sum.round_to = scheme::Fraction{unit->micros(), Decimal::kMicros};
      }
    }
    sum.basis = Ground(message.basis(), message.citation_size(), id, at);
    sum.citations = Cite(message.citation(), id, at);
    Say(message.say(), false, id, at);
    CheckSize(sum, at);
    draft_.scheme.sums.push_back(std::move(sum));
    draft_.sum_lines.push_back(at.line());
  }
}

// The evaluator multiplies the sum by thresholds' denominators within 128 bits.
void Resolver::CheckSize(const scheme::Sum& sum, const Place& at) {
  if (sum.terms.size() > static_cast<size_t>(kTermsMost)) return;
  constexpr Int128 kLargestDecimal = static_cast<Int128>(1'000'000'000'000) * Decimal::kMicros;
  Int128 largest = 0;
  for (const scheme::Term& term : sum.terms) {
    if (term.value < 0 || term.weight < 1 || term.weight > kFactorMost) continue;
    const bool decimal = Info(term.value).scale < 0;
    largest += term.weight *
               (decimal ? kLargestDecimal : static_cast<Int128>(kLevelsMost) * Decimal::kMicros);
  }
  Int128 most = 1;
  for (int digit = 0; digit < 28; ++digit) most *= 10;
  if (largest * sum.times > most) {
    Fail("NUMBER_INVALID", sum.id, at, "the sum may become too large: use smaller weights");
  }
}

void Resolver::Bands() {
  for (int i = 0; i < message_.band_size(); ++i) {
    const scheme::v1::Band& message = message_.band(i);
    const Place at = place_.In("band", i);
    const std::string& id = message.id();
    RuleId(id, at);
    scheme::Band band;
    band.id = id;
    band.output = band_outputs_[static_cast<size_t>(i)];
    band.say = message.say();
    band.from = ValueNamed(message.from(), id, at.In("from"));
    if (band.from >= 0 && Info(band.from).scale >= 0) {
      Fail("TYPE_MISMATCH", id, at.In("from"), "a band reads a number, not a level");
    }
    std::vector<int> lines;
    for (int j = 0; j < message.cut_size(); ++j) {
      const Place place = at.In("cut", j);
      band.cuts.push_back(Number(message.cut(j), id, place));
      lines.push_back(place.line());
      if (j == 0) continue;
      const scheme::Fraction& last = band.cuts[static_cast<size_t>(j) - 1];
      const scheme::Fraction& cut = band.cuts.back();
      if (static_cast<Int128>(cut.numerator) * last.denominator <=
          static_cast<Int128>(last.numerator) * cut.denominator) {
        Fail("CUTS_INVALID", id, place, "cuts must ascend strictly");
      }
    }
    const int scale = Info(band.output).scale;
    if (scale >= 0 && message.cut_size() != LevelsOf(scale) - 1) {
      Fail("CUTS_INVALID", id, at,
           absl::StrCat("needs ", LevelsOf(scale) - 1, " cuts, one fewer than `", message.to(),
                        "` has levels, and has ", message.cut_size()));
    }
    band.basis = Ground(message.basis(), message.citation_size(), id, at);
    band.citations = Cite(message.citation(), id, at);
    Say(message.say(), false, id, at);
    draft_.scheme.bands.push_back(std::move(band));
    draft_.band_lines.push_back(at.line());
    draft_.cut_lines.push_back(std::move(lines));
  }
}

}  // namespace starratings::verify
