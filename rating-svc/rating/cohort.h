// Cut points that depend on everybody: derived from a cohort before any of its
// members is rated, so that no rating changes another's.
#pragma once

#include <vector>

#include "rating-svc/rating/evaluate.h"

namespace starratings::rating {

// Gathers the numbers that the scheme's quantiles are of.
class Cohort {
 public:
  // `scheme` must outlive the cohort.
  explicit Cohort(const scheme::Scheme& scheme);

  // `date` is the round's. In whatever order.
  void Add(const evidence::Dossier& dossier, evidence::Date date);

  // One table for each of the quantiles. Cut k of q parts is the smallest number
  // such that at least k / q of those known are at or below it.
  std::vector<scheme::CutTable> Derive();

 private:
  const scheme::Scheme& scheme_;
  int64_t organisations_ = 0;
  std::vector<std::vector<scheme::Fraction>> known_;  // Of each of the quantiles.
  Evaluation evaluation_;
};

// The digest that names a table of the scheme: see docs/digests.md.
std::string DigestOf(const scheme::Scheme& scheme, const scheme::CutTable& table);

// The scheme for the cohort that the tables were derived from, one for each of the
// quantiles; with too few known, those that need it give nothing.
scheme::Scheme Bind(const scheme::Scheme& scheme, std::vector<scheme::CutTable> tables);

}  // namespace starratings::rating
