// What the cases and properties of the shipped schemes are worth: each threshold,
// comparison, weight, limit, step and cell of each scheme changed, one at a time.
// Cells of England's table have a test of their own, in mutants_test.cc.
#include <filesystem>
#include <functional>
#include <iostream>
#include <set>

#include "absl/strings/str_join.h"
#include "common/evidence/decimal.h"
#include "google/protobuf/text_format.h"
#include "rating-svc/verify/resolve.h"
#include "rating-svc/verify/testing.h"

namespace starratings::verify {
namespace {

namespace pb = scheme::v1;

struct Mutant {
  std::string what;
  pb::Scheme scheme;
};

// Makes the mutants of one scheme.
class Mutator {
 public:
  explicit Mutator(const pb::Scheme& scheme) : right_(scheme) {}

  std::vector<Mutant> Run() {
    Sums();
    Bands();
    for (int i = 0; i < right_.cap_size(); ++i) {
      Limit(right_.cap(i), [i](pb::Scheme& s) { return s.mutable_cap(i); });
    }
    for (int i = 0; i < right_.floor_size(); ++i) {
      Limit(right_.floor(i), [i](pb::Scheme& s) { return s.mutable_floor(i); });
    }
    for (int i = 0; i < right_.veto_size(); ++i) {
      for (int j = 0; j < right_.veto(i).any_size(); ++j) {
        Condition(right_.veto(i).id(), right_.veto(i).any(j),
                  [=](pb::Scheme& s) { return s.mutable_veto(i)->mutable_any(j); });
      }
    }
    Adjusts();
    if (right_.id() != kEngland) Cells();
    return std::move(mutants_);
  }

 private:
  using Change = std::function<void(pb::Scheme&)>;

  void Add(const std::string& what, const Change& change) {
    mutants_.push_back({what, right_});
    change(mutants_.back().scheme);
  }

  // By one unit of its last digit, up and down.
  void Threshold(const std::string& what, const pb::Threshold& right,
                 const std::function<pb::Threshold*(pb::Scheme&)>& at) {
    for (const int64_t by : {-1, 1}) {
      if (right.has_fraction()) {
        Add(absl::StrCat(what, ": threshold ", by), [=](pb::Scheme& s) {
          pb::Fraction& fraction = *at(s)->mutable_fraction();
          fraction.set_numerator(fraction.numerator() + by);
        });
        continue;
      }
      const std::string& text = right.decimal();
      const size_t point = text.find('.');
      int64_t unit = evidence::Decimal::kMicros;
      for (size_t i = point; point != std::string::npos && i + 1 < text.size(); ++i) unit /= 10;
      const int64_t micros = evidence::Decimal::Parse(text)->micros() + by * unit;
      const std::string changed = evidence::Decimal::FromMicros(micros).ToString();
      Add(absl::StrCat(what, ": ", text, " -> ", changed),
          [=](pb::Scheme& s) { at(s)->set_decimal(changed); });
    }
  }

  void Sums() {
    for (int i = 0; i < right_.sum_size(); ++i) {
      const pb::Sum& sum = right_.sum(i);
      for (int j = 0; j < sum.term_size(); ++j) {
        Add(absl::StrCat(sum.id(), ": weight of ", sum.term(j).value()), [=](pb::Scheme& s) {
          pb::Term& term = *s.mutable_sum(i)->mutable_term(j);
          term.set_weight(term.weight() + 1);
        });
      }
      if (sum.has_round()) {
        Add(sum.id() + ": not rounded", [=](pb::Scheme& s) { s.mutable_sum(i)->clear_round(); });
      }
      if (sum.over() > 1) {
        Add(sum.id() + ": over",
            [=, this](pb::Scheme& s) { s.mutable_sum(i)->set_over(right_.sum(i).over() + 1); });
      }
      if (sum.times() > 1) {
        Add(sum.id() + ": times",
            [=, this](pb::Scheme& s) { s.mutable_sum(i)->set_times(right_.sum(i).times() + 1); });
      }
      Add(sum.id() + ": mean", [=](pb::Scheme& s) { s.mutable_sum(i)->set_mean(!sum.mean()); });
      if (sum.need() == pb::NEED_AT_LEAST) {
        Add(sum.id() + ": least",
            [=, this](pb::Scheme& s) { s.mutable_sum(i)->set_least(right_.sum(i).least() - 1); });
      } else if (sum.term_size() > 2) {  // More than half of two is both.
        Add(sum.id() + ": need", [=, this](pb::Scheme& s) {
          s.mutable_sum(i)->set_need(right_.sum(i).need() == pb::NEED_MORE_THAN_HALF
                                         ? pb::NEED_ALL
                                         : pb::NEED_MORE_THAN_HALF);
        });
      }
    }
  }

  void Bands() {
    for (int i = 0; i < right_.band_size(); ++i) {
      const pb::Band& band = right_.band(i);
      for (int j = 0; j < band.cut_size(); ++j) {
        Threshold(band.id(), band.cut(j),
                  [=](pb::Scheme& s) { return s.mutable_band(i)->mutable_cut(j); });
      }
      for (int k = 0; k < band.list_size(); ++k) {
        for (int j = 0; j < band.list(k).cut_size(); ++j) {
          Threshold(absl::StrCat(band.id(), "/", k), band.list(k).cut(j), [=](pb::Scheme& s) {
            return s.mutable_band(i)->mutable_list(k)->mutable_cut(j);
          });
        }
      }
      Add(band.id() + ": direction", [=, this](pb::Scheme& s) {
        s.mutable_band(i)->set_direction(right_.band(i).direction() == pb::DIRECTION_AT_MOST
                                             ? pb::DIRECTION_AT_LEAST
                                             : pb::DIRECTION_AT_MOST);
      });
    }
  }

  // To the levels next to it on its scale.
  void Level(const std::string& what, const std::string& level,
             const std::function<void(pb::Scheme&, const std::string&)>& set) {
    for (const pb::Scale& scale : right_.scale()) {
      for (int i = 0; i < scale.level_size(); ++i) {
        if (scale.level(i) != level) continue;
        for (const int other : {i - 1, i + 1}) {
          if (other < 0 || other >= scale.level_size()) continue;
          const std::string name = scale.level(other);
          Add(absl::StrCat(what, ": ", level, " -> ", name), [=](pb::Scheme& s) { set(s, name); });
        }
      }
    }
  }

  void Condition(const std::string& rule, const pb::Condition& right,
                 const std::function<pb::Condition*(pb::Scheme&)>& at) {
    const std::string what = absl::StrCat(rule, " on ", right.value());
    const auto swap = [&](const Change& change) { Add(what + ": comparison", change); };
    switch (right.test_case()) {
      case pb::Condition::kAbove:
        Threshold(what, right.above(), [=](pb::Scheme& s) { return at(s)->mutable_above(); });
        swap([=](pb::Scheme& s) { *at(s)->mutable_at_least() = pb::Threshold(right.above()); });
        break;
      case pb::Condition::kBelow:
        Threshold(what, right.below(), [=](pb::Scheme& s) { return at(s)->mutable_below(); });
        swap([=](pb::Scheme& s) { *at(s)->mutable_at_most() = pb::Threshold(right.below()); });
        break;
      case pb::Condition::kAtLeast:
        Threshold(what, right.at_least(), [=](pb::Scheme& s) { return at(s)->mutable_at_least(); });
        swap([=](pb::Scheme& s) { *at(s)->mutable_above() = pb::Threshold(right.at_least()); });
        break;
      case pb::Condition::kAtMost:
        Threshold(what, right.at_most(), [=](pb::Scheme& s) { return at(s)->mutable_at_most(); });
        swap([=](pb::Scheme& s) { *at(s)->mutable_below() = pb::Threshold(right.at_most()); });
        break;
      case pb::Condition::kLevelAtMost:
        Level(what, right.level_at_most(),
              [=](pb::Scheme& s, const std::string& level) { at(s)->set_level_at_most(level); });
        swap([=](pb::Scheme& s) { at(s)->set_level_at_least(std::string(right.level_at_most())); });
        break;
      case pb::Condition::kLevelAtLeast:
        Level(what, right.level_at_least(),
              [=](pb::Scheme& s, const std::string& level) { at(s)->set_level_at_least(level); });
        swap([=](pb::Scheme& s) { at(s)->set_level_at_most(std::string(right.level_at_least())); });
        break;
      case pb::Condition::TEST_NOT_SET:
        break;
    }
  }

  template <typename Message, typename At>
  void Limit(const Message& right, const At& at) {
    Level(right.id(), right.limit(),
          [=](pb::Scheme& s, const std::string& level) { at(s)->set_limit(level); });
    for (int j = 0; j < right.any_size(); ++j) {
      Condition(right.id(), right.any(j), [=](pb::Scheme& s) { return at(s)->mutable_any(j); });
    }
    for (int j = 0; j < right.all_size(); ++j) {
      Condition(right.id(), right.all(j), [=](pb::Scheme& s) { return at(s)->mutable_all(j); });
    }
  }

  void Adjusts() {
    for (int i = 0; i < right_.adjust_size(); ++i) {
      for (int j = 0; j < right_.adjust(i).step_size(); ++j) {
        const pb::Step& step = right_.adjust(i).step(j);
        const auto at = [=](pb::Scheme& s) { return s.mutable_adjust(i)->mutable_step(j); };
        Condition(absl::StrCat(right_.adjust(i).id(), " step ", j), step.when(),
                  [=](pb::Scheme& s) { return at(s)->mutable_when(); });
        for (const int by : {-step.by(), 2 * step.by()}) {
          Add(absl::StrCat(right_.adjust(i).id(), " step ", j, " by ", by),
              [=](pb::Scheme& s) { at(s)->set_by(by); });
        }
      }
    }
  }

  void Cells() {
    for (int i = 0; i < right_.matrix_size(); ++i) {
      for (int j = 0; j < right_.matrix(i).row_size(); ++j) {
        Level(absl::StrCat(right_.matrix(i).id(), " row ", j), right_.matrix(i).row(j).then(),
              [=](pb::Scheme& s, const std::string& level) {
                s.mutable_matrix(i)->mutable_row(j)->set_then(level);
              });
      }
    }
  }

  const pb::Scheme right_;
  std::vector<Mutant> mutants_;
};

bool AllPass(const scheme::Scheme& scheme, const std::string& cases) {
  const CaseReport report = RunCases(scheme, cases);
  return report.issues.empty() &&
         std::all_of(report.outcomes.begin(), report.outcomes.end(),
                     [](const CaseOutcome& outcome) { return outcome.passed; });
}

// Cases first: they are faster than proofs.
bool Survives(const Mutant& mutant, const std::string& cases) {
  Issues issues;
  Draft draft = Resolve(mutant.scheme, Place(mutant.scheme.GetDescriptor(), nullptr), issues);
  if (!issues.empty() || !Order(draft, issues)) return false;
  if (!AllPass(draft.scheme, cases)) return false;
  std::string text;
  google::protobuf::TextFormat::PrintToString(mutant.scheme, &text);
  return Verify(text).scheme != nullptr;
}

// Changes that no evidence can tell: the nine scores never add up to a per cent
// between these and the cut points.
const std::set<std::string> kEquivalent = {
    "cqc-local-authority-2023 B: 39 -> 38", "cqc-local-authority-2023 B: 63 -> 62",
    "cqc-local-authority-2023 B: 63 -> 64", "cqc-local-authority-2023 B: 88 -> 87",
    "cqc-local-authority-2023 B: 88 -> 89"};

TEST(Mutations, OfEveryShippedSchemeAreCaught) {
  int schemes = 0;
  for (const auto& folder :
       std::filesystem::directory_iterator(absl::StrCat(SOURCE_ROOT, "/rating-svc/schemes"))) {
    if (!folder.is_directory()) continue;
    const std::string name = folder.path().filename().string();
    pb::Scheme right;
    ASSERT_TRUE(wire::ParseText(ShippedText(name, "scheme.textproto"), right).empty()) << name;
    const std::string cases = ShippedText(name, "cases.textproto");
    const std::vector<Mutant> mutants = Mutator(right).Run();
    std::vector<std::string> survivors;
    size_t equivalent = 0;
    for (const Mutant& mutant : mutants) {
      const bool survives = Survives(mutant, cases);
      if (kEquivalent.count(absl::StrCat(name, " ", mutant.what)) > 0) {
        EXPECT_TRUE(survives) << mutant.what;
        ++equivalent;
      } else if (survives) {
        survivors.push_back(mutant.what);
      }
    }
    std::cout << name << ": " << mutants.size() - survivors.size() - equivalent << " of "
              << mutants.size() << " mutants are caught; " << equivalent << " are equivalent\n";
    EXPECT_EQ(survivors, std::vector<std::string>()) << name;
    ++schemes;
  }
  EXPECT_GE(schemes, 6);
}

}  // namespace
}  // namespace starratings::verify
