// Random evidence for a scheme: near its thresholds, with gaps, old, misfiled, of the
// wrong type.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/evidence/evidence.h"
#include "nlohmann/json.hpp"
#include "tests/reference/scheme_author.h"

namespace starratings::reference {

class DossierAuthor {
 public:
  // `scheme` must outlive the author.
  DossierAuthor(const scheme::Scheme& scheme, uint32_t seed);

  evidence::Dossier Write();

  // In force, and some way into it.
  evidence::Date date() const { return date_; }

 private:
  void Items(size_t input, evidence::Dossier& dossier);
  evidence::RecordedItem Item(size_t input, const std::string& instance);
  evidence::Value Value(size_t input);
  evidence::Value WellFormed(size_t input);
  evidence::Value Ratio(size_t input);
  evidence::Value Decimal(size_t input);
  // A number that the scheme compares this value with.
  scheme::Fraction Edge(size_t value);

  const scheme::Scheme& scheme_;
  const evidence::Date date_;
  Chance chance_;
  std::map<int, std::vector<scheme::Fraction>> edges_;  // By value.
  std::vector<std::string> kinds_ = {"council"};
  std::vector<std::string> regions_ = {""};
};

// What a second implementation needs to know of a dossier.
nlohmann::json ToJson(const evidence::Dossier& dossier);

}  // namespace starratings::reference
