// Cuts that are derived from a cohort.
#include "absl/strings/str_cat.h"
#include "rating-svc/scheme/reads.h"
#include "rating-svc/verify/resolver.h"
#include "rating-svc/verify/space.h"

namespace starratings::verify {

void Resolver::Quantiles() {
  for (int i = 0; i < message_.quantiles_size(); ++i) {
    const scheme::v1::Quantiles& message = message_.quantiles(i);
    const Place at = place_.In("quantiles", i);
    const std::string& id = message.id();
    RuleId(id, at);
    quantiles_.emplace(id, i);
    scheme::Quantiles quantiles;
    quantiles.id = id;
    quantiles.of = ValueNamed(message.of(), id, at.In("of"));
    const auto of_count = [&] {
      return std::find(count_outputs_.begin(), count_outputs_.end(), quantiles.of) !=
             count_outputs_.end();
    };
    if (quantiles.of >= 0 && (Info(quantiles.of).scale >= 0 || of_count())) {
      Fail("TYPE_MISMATCH", id, at.In("of"), "must be a number: an input, or the output of a sum");
    }
    quantiles.parts = message.parts();
    if (message.parts() < 2 || message.parts() > kLevelsMost) {
      Fail("NUMBER_INVALID", id, at.In("parts"), absl::StrCat("must be 2 to ", kLevelsMost));
      quantiles.parts = 2;
    }
    quantiles.least = message.minimum_cohort();
    if (message.minimum_cohort() < 1) {
      Fail("NUMBER_INVALID", id, at.In("minimum_cohort"), "must be given, 1 or more");
    }
    quantiles.basis = Ground(message.basis(), message.citation_size(), id, at);
    quantiles.citations = Cite(message.citation(), id, at);
    draft_.scheme.quantiles.push_back(std::move(quantiles));
    draft_.quantile_lines.push_back(at.line());
  }
}

void Resolver::CutsOfCohort(const scheme::v1::Band& message, const Place& at, scheme::Band& band) {
  const Place place = at.In("quantiles");
  if (message.cut_size() > 0 || !message.by().empty() || message.list_size() > 0) {
    Fail("TYPE_MISMATCH", band.id, place, "where `quantiles` has the cuts the band has none");
  }
  const auto found = quantiles_.find(message.quantiles());
  if (found == quantiles_.end()) {
    Fail("REFERENCE_UNKNOWN", band.id, place,
         absl::StrCat("there are no quantiles `", message.quantiles(), "`"));
    return;
  }
  band.quantiles = found->second;
  const scheme::Quantiles& of = draft_.scheme.quantiles[static_cast<size_t>(found->second)];
  if (band.from >= 0 && band.from != of.of) {
    Fail("TYPE_MISMATCH", band.id, at.In("from"),
         absl::StrCat("must be what the quantiles `", of.id, "` are of"));
  }
  const int scale = Info(band.output).scale;
  if (scale >= 0 && LevelsOf(scale) != of.parts) {
    Fail("CUTS_INVALID", band.id, place,
         absl::StrCat("there are ", of.parts, " parts, and ", LevelsOf(scale), " levels"));
  }
  // The proofs use these: whatever else reads the number is refused, so that any
  // ascending cuts are as good.
  for (int part = 1; part < of.parts; ++part) band.cuts.push_back({part, of.parts});
}

// Whatever compares the number with something of its own would depend on where the
// cuts lie to it.
void Resolver::CheckQuantiles() {
  const scheme::Scheme& scheme = draft_.scheme;
  for (size_t i = 0; i < scheme.quantiles.size(); ++i) {
    const scheme::Quantiles& of = scheme.quantiles[i];
    bool read = false;
    bool used = false;
    scheme::ForEachCondition(
        scheme, [&](const scheme::Condition& condition) { read |= condition.value == of.of; });
    for (const scheme::Sum& sum : scheme.sums) {
      for (const scheme::Term& term : sum.terms) read |= term.value == of.of;
    }
    for (const scheme::Band& band : scheme.bands) {
      const bool here = band.quantiles == static_cast<int>(i);
      used |= here;
      read |= band.from == of.of && !here;
    }
    const Place at = place_.In("quantiles", static_cast<int>(i));
    if (of.of >= 0 && read) {
      Fail("TYPE_MISMATCH", of.id, at.In("of"),
           "only bands that take their cuts from these quantiles may read the number");
    }
    if (!used) Fail("RULE_DEAD", of.id, at, "no band takes its cuts from it");
  }
}

void CheckTiers(const Draft& draft, Issues& issues) {
  const scheme::Scheme& scheme = draft.scheme;
  for (size_t i = 0; i < scheme.quantiles.size(); ++i) {
    const std::vector<bool> cone = ConeOf(scheme, scheme.quantiles[i].of);
    for (const scheme::Band& band : scheme.bands) {
      if (band.quantiles < 0 || !cone[static_cast<size_t>(band.output)]) continue;
      issues.Add("CYCLE", scheme.quantiles[i].id, draft.quantile_lines[i],
                 absl::StrCat("rests on ", band.id,
                              ", whose cuts are derived from the cohort, too: all are derived "
                              "before anybody is rated"));
    }
  }
}

}  // namespace starratings::verify
