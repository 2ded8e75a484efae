#include "rating-svc/rating/cohort.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

#include "common/digest/canonical.h"
#include "common/digest/sha256.h"
#include "rating-svc/rating/print.h"
#include "rating-svc/scheme/constants.h"

namespace starratings::rating {
namespace {

// In lowest terms it fits: the verifier admits no larger numbers.
scheme::Fraction Lowest(const Value& number) {
  Int128 divisor = number.numerator < 0 ? -number.numerator : number.numerator;
  Int128 rest = number.denominator;
  while (rest != 0) divisor = std::exchange(rest, divisor % rest);
  return {static_cast<int64_t>(number.numerator / divisor),
          static_cast<int64_t>(number.denominator / divisor)};
}

}  // namespace

Cohort::Cohort(const scheme::Scheme& scheme)
    : scheme_(scheme), known_(scheme.quantiles.size()), evaluation_(scheme) {}

void Cohort::Add(const evidence::Dossier& dossier, evidence::Date date) {
  ++organisations_;
  Evaluate(scheme_, Read(scheme_, dossier, date).values, evaluation_);
  if (evaluation_.refused) return;
  for (size_t i = 0; i < known_.size(); ++i) {
    const Value& number = evaluation_.values[static_cast<size_t>(scheme_.quantiles[i].of)];
    if (number.absent == Absent::kNo) known_[i].push_back(Lowest(number));
  }
}

std::vector<scheme::CutTable> Cohort::Derive() {
  std::vector<scheme::CutTable> tables;
  for (size_t i = 0; i < known_.size(); ++i) {
    const scheme::Quantiles& quantiles = scheme_.quantiles[i];
    std::vector<scheme::Fraction>& known = known_[i];
    scheme::CutTable& table = tables.emplace_back();
    table.id = quantiles.id;
    table.organisations = organisations_;
    table.known = static_cast<int64_t>(known.size());
    std::sort(known.begin(), known.end(), scheme::Less);
    for (int64_t k = 1; table.known >= quantiles.least && k < quantiles.parts; ++k) {
      const int64_t rank = (k * table.known + quantiles.parts - 1) / quantiles.parts;
      table.cuts.push_back(known[static_cast<size_t>(rank) - 1]);
    }
    table.digest = DigestOf(scheme_, table);
  }
  return tables;
}

std::string DigestOf(const scheme::Scheme& scheme, const scheme::CutTable& table) {
  digest::CanonicalWriter form;
  form.String(1, scheme.digest);
  form.String(2, table.id);
  for (const scheme::Fraction& cut : table.cuts) {
    form.String(3, PrintNumber(cut.numerator, cut.denominator));
  }
  form.Number(4, table.organisations);
  form.Number(5, table.known);
  return digest::ToHex(digest::Sha256(form.bytes()));
}

scheme::Scheme Bind(const scheme::Scheme& scheme, std::vector<scheme::CutTable> tables) {
  assert(tables.size() == scheme.quantiles.size());
  scheme::Scheme bound = scheme;
  for (scheme::Band& band : bound.bands) {
    if (band.quantiles >= 0) band.cuts = tables[static_cast<size_t>(band.quantiles)].cuts;
  }
  bound.tables = std::move(tables);
  return bound;
}

}  // namespace starratings::rating
