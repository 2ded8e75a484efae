// Relations between ratings that hold whatever the right answer is: what a scheme's
// text may do without changing what it makes of anybody.
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "common/wire/evidence_wire.h"
#include "gtest/gtest.h"
#include "rating-svc/rating/rating.h"
#include "tests/reference/dossier_author.h"

namespace starratings::reference {
namespace {

using evidence::Dossier;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using rating::Explanation;
using scheme::Scheme;
namespace v1 = scheme::v1;

constexpr uint32_t kSchemes = 600;
constexpr int kDossiers = 10;

// What comes out, but for which of several rules and inputs is said to stand in the way.
std::vector<std::string> Outcomes(const rating::Rating& rating) {
  std::vector<std::string> outcomes;
  for (const rating::ResultOutcome& result : rating.results) {
    outcomes.push_back(result.level + result.number + (result.not_rated ? "not rated" : ""));
  }
  for (const rating::Decision& decision : rating.decisions) {
    outcomes.push_back(decision.state + " " + rating::ToString(decision.move));
  }
  for (const scheme::Consequence* consequence : rating.consequences) {
    outcomes.push_back(consequence->text);
  }
  return outcomes;
}

using Names = std::map<std::string, std::string>;

std::string Renamed(const Names& names, const std::string& name) {
  const auto found = names.find(name);
  return found == names.end() ? name : found->second;
}

// Each rule of an explanation with what it did.
using Steps = std::map<std::string, std::tuple<std::string, std::string, bool, bool, bool>>;
Steps StepsOf(const Explanation& explanation, const Names& names = {}) {
  Steps steps;
  for (const rating::StepFinding& step : explanation.steps) {
    steps[Renamed(names, step.rule_id)] = {step.before, step.after, step.fired, step.decided,
                                           step.binding};
  }
  return steps;
}

// Calls `relation` with random schemes, as a message and resolved, and an author of
// evidence for each.
template <typename Relation>
void ForSchemes(Relation relation) {
  int schemes = 0;
  for (uint32_t seed = 1; seed <= kSchemes; ++seed) {
    const v1::Scheme message = SchemeAuthor(seed).Write();
    const std::optional<Scheme> scheme = Resolved(TextOf(message));
    if (!scheme) continue;
    ++schemes;
    DossierAuthor author(*scheme, seed);
    Chance chance(seed);
    relation(message, *scheme, author, chance);
    if (testing::Test::HasFatalFailure()) FAIL() << scheme->text;
  }
  EXPECT_GT(schemes, kSchemes / 2);
}

TEST(MetamorphicTest, TheOrderOfRulesAndRowsDoesNotMatter) {
  ForSchemes(
      [](const v1::Scheme& message, const Scheme& scheme, DossierAuthor& author, Chance& chance) {
        v1::Scheme permuted = message;
        Permute(permuted, chance);
        std::optional<Scheme> other = Resolved(TextOf(permuted));
        ASSERT_TRUE(other);
        other->digest = scheme.digest;
        for (int i = 0; i < kDossiers; ++i) {
          const Dossier dossier = author.Write();
          const Explanation here = rating::Explain(scheme, dossier, author.date());
          const Explanation there = rating::Explain(*other, dossier, author.date());
          ASSERT_EQ(Outcomes(here.rating), Outcomes(there.rating)) << ToJson(dossier);
          bool rated = true;
          for (const auto& result : here.rating.results) rated = rated && !result.not_rated;
          if (!rated) continue;
          ASSERT_EQ(StepsOf(here), StepsOf(there)) << ToJson(dossier);
          ASSERT_EQ(here.rating.digest, there.rating.digest) << "for the same scheme digest";
        }
      });
}

// Every name that a scheme gives, and one of its own for each.
Names NamesOf(const Message& message) {
  Names names;
  const auto& scheme = dynamic_cast<const v1::Scheme&>(message);
  const auto name = [&](const std::string& id) {
    names[id] = "n" + std::string(id.rbegin(), id.rend());
  };
  for (const auto& input : scheme.input()) name(input.code());
  const auto stages = [&](const auto& entries) {
    for (const auto& entry : entries) {
      name(entry.id());
      name(entry.output());
    }
  };
  stages(scheme.sum());
  stages(scheme.band());
  stages(scheme.count());
  stages(scheme.adjust());
  stages(scheme.matrix());
  const auto rules = [&](const auto& entries) {
    for (const auto& entry : entries) name(entry.id());
  };
  rules(scheme.cap());
  rules(scheme.floor());
  rules(scheme.veto());
  rules(scheme.scale());
  rules(scheme.transition());
  rules(scheme.consequence());
  return names;
}

// Puts new names wherever the old ones stand, but for the levels of scales.
void Rename(const Names& names, Message& message) {
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    const bool text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    const bool part = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    for (int i = 0; i < count; ++i) {
      if (part && field->is_repeated()) {
        Rename(names, *reflection.MutableRepeatedMessage(&message, field, i));
      } else if (part) {
        Rename(names, *reflection.MutableMessage(&message, field));
      } else if (text && field->is_repeated()) {
        const std::string old = reflection.GetRepeatedString(message, field, i);
        reflection.SetRepeatedString(&message, field, i, Renamed(names, old));
      } else if (text) {
        const std::string old = reflection.GetString(message, field);
        reflection.SetString(&message, field, Renamed(names, old));
      }
    }
  }
}

TEST(MetamorphicTest, NamesDoNotMatter) {
  ForSchemes([](const v1::Scheme& message, const Scheme& scheme, DossierAuthor& author, Chance&) {
    const Names names = NamesOf(message);
    v1::Scheme renamed = message;
    Rename(names, renamed);
    const std::optional<Scheme> other = Resolved(TextOf(renamed));
    ASSERT_TRUE(other);
    for (int i = 0; i < kDossiers; ++i) {
      const Dossier dossier = author.Write();
      Dossier copy = dossier;
      for (evidence::RecordedItem& item : copy.items) {
        item.item.key.code = Renamed(names, item.item.key.code);
        item.item.digest = wire::ItemDigest(item.item);
      }
      copy.SortItems();
      const Explanation here = rating::Explain(scheme, dossier, author.date());
      const Explanation there = rating::Explain(*other, copy, author.date());
      ASSERT_EQ(Outcomes(here.rating), Outcomes(there.rating)) << ToJson(dossier);
      ASSERT_EQ(StepsOf(here, names), StepsOf(there)) << ToJson(dossier);
      for (size_t r = 0; r < here.rating.results.size(); ++r) {
        const auto& refused = here.rating.results[r].not_rated;
        if (!refused) continue;
        const auto& as = there.rating.results[r].not_rated;
        ASSERT_EQ(refused->reason, as->reason);
        ASSERT_EQ(Renamed(names, refused->rule_id), as->rule_id);
        ASSERT_EQ(Renamed(names, refused->code), as->code);
      }
    }
  });
}

// A cap of some level whose conditions exclude each other.
bool AddIdleCap(v1::Scheme& scheme, const Scheme& resolved, Chance& chance) {
  const auto value = static_cast<size_t>(chance.Pick(static_cast<int>(resolved.values.size())));
  const scheme::ValueInfo& target = resolved.values[value];
  if (target.scale < 0 || value == 0 || resolved.values[0].scale < 0) return false;
  const auto& levels = resolved.scales[static_cast<size_t>(resolved.values[0].scale)].levels;
  v1::Cap& cap = *scheme.add_cap();
  cap.set_id("idle");
  cap.set_target(target.name);
  cap.set_limit(resolved.scales[static_cast<size_t>(target.scale)].levels[0]);
  cap.set_if_absent(v1::IF_ABSENT_LIMIT);
  cap.set_unknown(v1::ON_UNKNOWN_SKIP);
  cap.set_basis(v1::BASIS_ASSUMED);
  for (int i = 0; i < 2; ++i) cap.add_all()->set_value(resolved.values[0].name);
  cap.mutable_all(0)->set_level_at_most(levels[0]);
  cap.mutable_all(1)->set_level_at_least(levels[1]);
  return true;
}

TEST(MetamorphicTest, ACapThatNeverFiresDoesNotMatter) {
  int caps = 0;
  ForSchemes(
      [&](const v1::Scheme& message, const Scheme& scheme, DossierAuthor& author, Chance& chance) {
        v1::Scheme longer = message;
        if (!AddIdleCap(longer, scheme, chance)) return;
        std::optional<Scheme> other = Resolved(TextOf(longer));
        if (!other) return;  // The cap would be a cycle.
        ++caps;
        ASSERT_NE(other->digest, scheme.digest);
        other->digest = scheme.digest;
        for (int i = 0; i < kDossiers; ++i) {
          const Dossier dossier = author.Write();
          const Explanation here = rating::Explain(scheme, dossier, author.date());
          const Explanation there = rating::Explain(*other, dossier, author.date());
          ASSERT_EQ(here.rating.digest, there.rating.digest) << ToJson(dossier);
          Steps steps = StepsOf(there);
          ASSERT_FALSE(std::get<2>(steps["idle"]));
          steps.erase("idle");
          ASSERT_EQ(StepsOf(here), steps) << ToJson(dossier);
        }
      });
  EXPECT_GT(caps, 100);
}

TEST(MetamorphicTest, TwiceTheCasesAreTheSameShare) {
  int same = 0;
  ForSchemes([&](const v1::Scheme& message, const Scheme& scheme, DossierAuthor& author, Chance&) {
    v1::Scheme doubled = message;
    for (v1::Input& input : *doubled.mutable_input()) {
      if (!input.has_exempt()) continue;
      v1::Exempt& exempt = *input.mutable_exempt();
      exempt.set_when_denominator_below(2 * exempt.when_denominator_below());
    }
    const std::optional<Scheme> other = Resolved(TextOf(doubled));
    ASSERT_TRUE(other);
    for (int i = 0; i < kDossiers; ++i) {
      const Dossier dossier = author.Write();
      Dossier copy = dossier;
      for (evidence::RecordedItem& item : copy.items) {
        auto* const ratio = std::get_if<evidence::Ratio>(&item.item.value);
        if (ratio == nullptr) continue;
        *ratio = {2 * ratio->numerator, 2 * ratio->denominator};
        item.item.digest = wire::ItemDigest(item.item);
      }
      const rating::Rating here = rating::Rate(scheme, dossier, author.date());
      const rating::Rating there = rating::Rate(*other, copy, author.date());
      ASSERT_EQ(Outcomes(here), Outcomes(there)) << ToJson(dossier);
      bool looked_at = scheme.digest != other->digest;
      for (const auto* item : rating::Read(scheme, dossier, author.date()).read) {
        looked_at = looked_at || std::holds_alternative<evidence::Ratio>(item->item.value);
      }
      ASSERT_EQ(here.digest != there.digest, looked_at) << ToJson(dossier);
      same += !looked_at;
    }
  });
  EXPECT_GT(same, 100);
}

}  // namespace
}  // namespace starratings::reference
