// Schemes with a planted fault: each is found, at its line.
#include <array>
#include <map>

#include "rating-svc/verify/proofs.h"
#include "rating-svc/verify/resolve.h"
#include "rating-svc/verify/testing.h"

namespace starratings::verify {
namespace {

// Replaces `from` in kSmall by `to`; then there must be an issue with `code` at
// the line of `at`.
struct Fault {
  const char* code;
  const char* from;
  const char* to;
  const char* at;
};

class PlantedFault : public testing::TestWithParam<Fault> {};

TEST_P(PlantedFault, IsFoundAtItsLine) {
  const Fault& fault = GetParam();
  const std::string text = With(kSmall, fault.from, fault.to);
  const Verification verification = Verify(text);
  EXPECT_EQ(verification.scheme, nullptr);
  const int line = LineOf(text, fault.at);
  const bool found =
      std::any_of(verification.issues.begin(), verification.issues.end(), [&](const Issue& issue) {
        return issue.code == fault.code && issue.line == line && !issue.message.empty();
      });
  EXPECT_TRUE(found) << fault.code << " at " << line << " not in:\n" << Told(verification.issues);
}

constexpr char kRow5[] = R"(row { when: "mid" when: "high" then: "mid" basis: BASIS_ASSUMED })";
constexpr char kBand[] = R"(result { value: "out")";

const Fault kFaults[] = {
    {"TEXT_SYNTAX", "title: \"Small\"", "colour: 3", "colour"},
    {"TEXT_SYNTAX", "title: \"Small\"", "title: \"A\" title: \"B\"", "title: \"B\""},
    {"NAME_MALFORMED", "id: \"small\"", "id: \"Small one\"", "Small one"},
    {"NAME_MALFORMED", "version: \"1\"", "version: \"\"", "version"},
    {"NAME_MALFORMED", "input { code: \"was\"", "input { code: \"Was\"", "\"Was\""},
    {"NAME_MALFORMED", "level: \"on\"", "level: \"any\"", "\"any\""},
    {"FIELD_MISSING", "title: \"Small\"", "", "\n"},
    {"DATE_INVALID", "2000-01-01", "2000-02-30", "2000-02-30"},
    {"DATE_INVALID", "2010-01-01", "1999-01-01", "1999-01-01"},
    {"DATE_INVALID", "1999-12", "Christmas", "Christmas"},
    {"NAME_TAKEN", "scale { id: \"list\"", "scale { id: \"s\"", "scale { id: \"s\" level: \"on\""},
    {"NAME_TAKEN", "level: \"on\" level: \"off\"", "level: \"on\" level: \"on\"", "\"on\""},
    {"NAME_TAKEN", "code: \"k\"", "code: \"b\"", "ratio {"},
    {"NAME_TAKEN", "veto { id: \"V\"", "veto { id: \"C\"", "veto { id"},
    {"NAME_TAKEN", "output: \"out\"", "output: \"a\"", "output: \"a\""},
    {"REFERENCE_UNKNOWN", "input { code: \"a\" scale: \"s\"", "input { code: \"a\" scale: \"t\"",
     "\"t\""},
    {"REFERENCE_UNKNOWN", "any { value: \"k\"", "any { value: \"q\"", "\"q\""},
    {"REFERENCE_UNKNOWN", "target: \"a\"", "target: \"q\"", "\"q\""},
    {"REFERENCE_UNKNOWN", "from: \"a\" from: \"b\"", "from: \"a\" from: \"q\"", "\"q\""},
    {"REFERENCE_UNKNOWN", "result { value: \"out\"", "result { value: \"q\"", "\"q\""},
    {"REFERENCE_UNKNOWN", "previous: \"was\"", "previous: \"q\"", "\"q\""},
    {"REFERENCE_UNKNOWN", "veto { stage: \"V\"", "veto { stage: \"C\"", "stage: \"C\""},
    {"REFERENCE_UNKNOWN", "symmetric { stage: \"M\"", "symmetric { stage: \"N\"", "\"N\""},
    {"REFERENCE_UNKNOWN", "symmetric { stage: \"M\" pair { a: \"a\"",
     "symmetric { stage: \"M\" pair { a: \"k\"", "pair { a: \"k\""},
    {"LEVEL_UNKNOWN", "limit: \"mid\"", "limit: \"middle\"", "middle"},
    {"LEVEL_UNKNOWN", "level_at_most: \"low\"", "level_at_most: \"lowest\"", "lowest"},
    {"LEVEL_UNKNOWN", "when: \"low|mid\"", "when: \"low|middle\"", "middle"},
    {"LEVEL_UNKNOWN", "listed_at_most: \"low\"", "listed_at_most: \"bad\"", "bad"},
    {"TYPE_MISMATCH", "any { value: \"b\" level_at_most: \"low\" }",
     "any { value: \"b\" above { decimal: \"1\" } }", "decimal"},
    {"TYPE_MISMATCH", "any { value: \"k\" above { fraction { numerator: 20 denominator: 100 } } }",
     "any { value: \"k\" level_at_most: \"low\" }", "\"k\" level_at_most"},
    {"TYPE_MISMATCH", "target: \"a\"", "target: \"k\"", "target: \"k\""},
    {"TYPE_MISMATCH", "from: \"a\" from: \"b\"", "from: \"a\" from: \"k\"", "from: \"k\""},
    {"TYPE_MISMATCH", "previous: \"was\"", "previous: \"a\"", "previous: \"a\""},
    {"TYPE_MISMATCH", "input { code: \"was\" scale: \"list\"",
     "input { code: \"was\" assume: \"on\" scale: \"list\"", "assume"},
    {"TYPE_MISMATCH", "standing: true", "exempt { when_denominator_below: 3 basis: BASIS_ASSUMED }",
     "exempt"},
    {"BASIS_MISSING", "listed_at_most: \"low\" basis: BASIS_ASSUMED", "listed_at_most: \"low\"",
     "transition"},
    {"BASIS_MISSING", kRow5, R"(row { when: "mid" when: "high" then: "mid" })", "then: \"mid\" }"},
    {"CITATION_MISSING", "text: \"Freedom\" basis: BASIS_ASSUMED",
     "text: \"Freedom\" basis: BASIS_DOCUMENTED", "Freedom"},
    {"CITATION_UNKNOWN", "text: \"Freedom\"", "text: \"Freedom\" citation { source: \"book\" }",
     "book"},
    {"THRESHOLD_INVALID", "denominator: 100", "denominator: 0", "denominator: 0"},
    {"THRESHOLD_INVALID", "fraction { numerator: 20 denominator: 100 }", "decimal: \"a fifth\"",
     "a fifth"},
    {"SAY_UNKNOWN", "veto { id: \"V\"", "veto { say: \"{colour}\" id: \"V\"", "colour"},
    {"ROW_MALFORMED", kRow5, R"(row { when: "mid" then: "mid" basis: BASIS_ASSUMED })",
     "row { when: \"mid\" then"},
    {"ROW_MALFORMED", "when: \"low|mid\"", "when: \"low|low\"", "low|low"},
    {"NUMBER_INVALID", "weight: 1 weight: 1", "weight: 1", "equals_points"},
    {"NUMBER_INVALID", "scale { id: \"list\"", "scale { lowest_score: 2 id: \"list\"",
     "lowest_score"},
    {"CUTS_INVALID", "cut: 2 cut: 4", "cut: 4 cut: 2", "equals_points"},
    {"CUTS_INVALID", "cut: 2 cut: 4", "cut: 2", "equals_points"},
    {"CYCLE", "any { value: \"b\" level_at_most: \"low\" }",
     "any { value: \"out\" level_at_most: \"low\" }", "matrix { id"},
    {"CYCLE", "any { value: \"k\" above { fraction { numerator: 20 denominator: 100 } } }",
     "any { value: \"out\" level_at_most: \"low\" }", "cap { id"},
    {"MATRIX_HOLE", kRow5, "", "matrix { id"},
    {"MATRIX_OVERLAP", "when: \"low|mid\"", "when: \"any\"", "when: \"low\" when: \"high\""},
    // The cap does not lower what is already at its limit.
    {"RULE_DEAD", "limit: \"mid\"", "limit: \"high\"", "cap { id"},
    {"RULE_DEAD", "listed_at_most: \"low\"", "listed_at_most: \"high\"", "transition"},
    {"RULE_DEAD", kBand,
     "band { id: \"B\" from: \"k\" output: \"x\" to: \"list\" cut { decimal: \"0.5\" } basis: "
     "BASIS_ASSUMED }\nresult { value: \"out\"",
     "band {"},
    // With a at most mid, the rows for a = high are out of reach.
    {"RULE_DEAD", "any { value: \"k\" above { fraction { numerator: 20 denominator: 100 } } }",
     "any { value: \"k\" at_least { decimal: \"0\" } } any { value: \"was\" level_at_least: "
     "\"on\" } any { value: \"b\" level_at_least: \"mid\" }",
     "when: \"high\" when: \"mid\""},
    // A floor at the level that everything has raises nothing.
    {"RULE_DEAD", kBand,
     "floor { id: \"FL\" target: \"out\" limit: \"low\" all { value: \"b\" level_at_least: \"mid\" "
     "} basis: BASIS_ASSUMED }\nresult { value: \"out\"",
     "floor {"},
    {"TYPE_MISMATCH", kBand,
     "floor { id: \"FL\" target: \"k\" limit: \"low\" all { value: \"b\" level_at_least: \"mid\" "
     "} basis: BASIS_ASSUMED }\nresult { value: \"out\"",
     "floor {"},
    {"TYPE_MISMATCH", "any { value: \"k\" above { fraction { numerator: 20 denominator: 100 } } }",
     "any { value: \"was\" level_at_least: \"off\" }\n"
     "all { value: \"b\" level_at_least: \"mid\" }",
     "all {"},
    {"FIELD_MISSING", "any { value: \"k\" above { fraction { numerator: 20 denominator: 100 } } }",
     "", "cap {"},
    // Better evidence that takes a floor away.
    {"NOT_MONOTONE", kBand,
     "floor { id: \"FL\" target: \"out\" limit: \"high\" all { value: \"b\" level_at_most: \"mid\" "
     "} all { value: \"b\" level_at_least: \"mid\" } basis: BASIS_ASSUMED }\n"
     "result { value: \"out\"",
     "property { id: \"MON\""},
    {"RESULT_UNREACHABLE", "when: \"high\" then: \"high\"", "when: \"high\" then: \"mid\"",
     "result {"},
    {"INPUT_DEAD", "input { code: \"was\"",
     "input { code: \"idle\" scale: \"s\" on_missing: ON_MISSING_ABSENT basis: BASIS_ASSUMED }\n"
     "input { code: \"was\"",
     "idle"},
    {"INPUT_DEAD", "limit: \"mid\"", "limit: \"high\"", "input { code: \"k\""},
    {"NOT_MONOTONE", "lower_is_better: true", "lower_is_better: false", "property { id: \"MON\""},
    {"NOT_SYMMETRIC", "when: \"high\" when: \"low\" then: \"mid\"",
     "when: \"high\" when: \"low\" then: \"high\"", "property { id: \"SYM\""},
    {"NOT_OUTRANKING", "when: \"mid\" when: \"mid\" then: \"mid\"",
     "when: \"mid\" when: \"mid\" then: \"low\"", "property { id: \"OUT\""},
    {"POINTS_DIFFER", "weight: 1 weight: 1", "weight: 2 weight: 1", "property { id: \"PTS\""},
    {"FORCED_UNPROVEN", "when: \"mid\" when: \"mid\" then: \"mid\" basis: BASIS_ASSUMED",
     "when: \"mid\" when: \"mid\" then: \"mid\" basis: BASIS_FORCED",
     "when: \"mid\" when: \"mid\""},
};

INSTANTIATE_TEST_SUITE_P(Each, PlantedFault, testing::ValuesIn(kFaults), [](const auto& each) {
  return absl::StrCat(each.param.code, "_", each.index);
});

const Issue& Only(const Verification& verification, const std::string& code) {
  static const Issue kNone;
  for (const Issue& issue : verification.issues) {
    if (issue.code == code) return issue;
  }
  ADD_FAILURE() << code << " not in:\n" << Told(verification.issues);
  return kNone;
}

std::string Level(const scheme::v1::Case& shown, const std::string& code) {
  for (const scheme::v1::Given& given : shown.given()) {
    if (given.code() == code) return given.value().level();
  }
  return "";
}

// Drops the properties, and what follows from them, so that what breaks them can
// be run.
std::string WithoutProperties(const std::string& text) {
  return absl::StrReplaceAll(text.substr(0, text.find("property {")),
                             {{"BASIS_FORCED", "BASIS_ASSUMED"}});
}

// Runs the counterexample on the scheme without its properties: the cases must
// come out as they say.
scheme::v1::Cases Replayed(const std::string& text, const std::string& code) {
  const Issue issue = Only(Verify(text), code);
  const Verification bare = Verify(WithoutProperties(text));
  EXPECT_NE(bare.scheme, nullptr) << Told(bare.issues);
  if (bare.scheme == nullptr) return {};
  const CaseReport report = RunCases(*bare.scheme, issue.counterexample);
  EXPECT_TRUE(report.issues.empty()) << Told(report.issues);
  EXPECT_FALSE(report.outcomes.empty()) << code;
  for (const CaseOutcome& outcome : report.outcomes) EXPECT_TRUE(outcome.passed) << outcome.message;
  return CasesIn(issue.counterexample);
}

int Rank(const std::string& level) { return level == "low" ? 0 : level == "mid" ? 1 : 2; }

TEST(Counterexample, OfAHoleNamesItsLevels) {
  const Issue issue = Only(Verify(With(kSmall, kRow5, "")), "MATRIX_HOLE");
  const scheme::v1::Cases cases = CasesIn(issue.counterexample);
  ASSERT_EQ(cases.case__size(), 1);
  EXPECT_EQ(Level(cases.case_(0), "a"), "mid");
  EXPECT_EQ(Level(cases.case_(0), "b"), "high");
}

TEST(Counterexample, OfMonotoneIsBetterEvidenceWithAWorseResult) {
  const std::string text = With(kSmall, "when: \"mid\" when: \"high\" then: \"mid\"",
                                "when: \"mid\" when: \"high\" then: \"low\"");
  const scheme::v1::Cases cases = Replayed(text, "NOT_MONOTONE");
  ASSERT_EQ(cases.case__size(), 2);
  int steps = 0;
  for (const char* code : {"a", "b"}) {
    steps += Rank(Level(cases.case_(1), code)) - Rank(Level(cases.case_(0), code));
  }
  EXPECT_EQ(steps, 1);
  EXPECT_GT(Rank(cases.case_(0).expect(0).level()), Rank(cases.case_(1).expect(0).level()));
}

TEST(Counterexample, OfANumberThatTurnsTheWrongWayIsOneStepOfIt) {
  const scheme::v1::Cases cases =
      Replayed(With(kSmall, "lower_is_better: true", "lower_is_better: false"), "NOT_MONOTONE");
  ASSERT_EQ(cases.case__size(), 2);
  EXPECT_EQ(cases.case_(0).expect(0).level(), "high");
  EXPECT_EQ(cases.case_(1).expect(0).level(), "mid");
}

TEST(Counterexample, OfSymmetryIsTwoExchangedProfilesWithTwoResults) {
  const std::string text = With(kSmall, "when: \"high\" when: \"mid\" then: \"mid\"",
                                "when: \"high\" when: \"mid\" then: \"high\"");
  const scheme::v1::Cases cases = Replayed(text, "NOT_SYMMETRIC");
  ASSERT_EQ(cases.case__size(), 2);
  EXPECT_EQ(Level(cases.case_(0), "a"), Level(cases.case_(1), "b"));
  EXPECT_EQ(Level(cases.case_(0), "b"), Level(cases.case_(1), "a"));
  EXPECT_NE(cases.case_(0).expect(0).level(), cases.case_(1).expect(0).level());
}

// What "current outranks prospects" can mean, of the reconstructed table of 2002: by
// swaps it holds everywhere, level by level only where no veto reaches.
TEST(Outranks, OfEnglandHoldsByItsReadingAndScope) {
  const std::string england = ShippedText(kEngland, "scheme.textproto");
  const std::string claim = R"(property { id: "X" outranks { stage: "M"
    pair { a: "adults.serving" b: "adults.prospects" }
    pair { a: "children.serving" b: "children.prospects" } )";
  const auto issues = [&](const std::string& rest) {
    return Verify(england + claim + rest + " } basis: BASIS_ASSUMED }\n").issues;
  };
  EXPECT_TRUE(issues("reading: OUTRANKS_READING_SWAP").empty());
  EXPECT_TRUE(issues("reading: OUTRANKS_READING_SWAP scope: PROPERTY_SCOPE_LIVE").empty());
  EXPECT_TRUE(issues("reading: OUTRANKS_READING_LEXICOGRAPHIC scope: PROPERTY_SCOPE_LIVE").empty());
  const std::vector<Issue> lexicographic = issues("reading: OUTRANKS_READING_LEXICOGRAPHIC");
  ASSERT_EQ(lexicographic.size(), 1);
  EXPECT_EQ(lexicographic[0].code, "NOT_OUTRANKING");
  EXPECT_THAT(lexicographic[0].message, testing::HasSubstr("higher in the stronger value"));
  EXPECT_FALSE(lexicographic[0].counterexample.empty());
}

// Known figures: of 81 live cells the principles alone leave one level to three, two
// or three stars to 52, fewer than three to 14, anything to 12.
TEST(Allowed, OfEnglandIsWhatThePrinciplesAloneLeave) {
  const Verification verification = Verify(ShippedText(kEngland, "scheme.textproto"));
  ASSERT_NE(verification.scheme, nullptr) << Told(verification.issues);
  const scheme::Matrix& matrix = verification.scheme->matrices.at(0);
  ASSERT_EQ(matrix.allowed.size(), 256);
  std::map<std::pair<int, int>, int> counts;
  for (uint32_t cell = 0; cell < 256; ++cell) {
    const std::array<uint32_t, 4> levels = {cell / 64, cell / 16 % 4, cell / 4 % 4, cell % 4};
    const bool live = std::all_of(levels.begin(), levels.end(), [](uint32_t l) { return l > 0; });
    if (live) ++counts[{matrix.allowed[cell].first, matrix.allowed[cell].second}];
  }
  const std::map<std::pair<int, int>, int> known = {
      {{2, 2}, 2}, {{3, 3}, 1}, {{2, 3}, 52}, {{0, 2}, 14}, {{0, 3}, 12}};
  EXPECT_EQ(counts, known);
}

TEST(Counterexample, OfOutranksTradesOneStepForAWorseResult) {
  const std::string text = With(kSmall, "when: \"mid\" when: \"mid\" then: \"mid\"",
                                "when: \"mid\" when: \"mid\" then: \"low\"");
  const scheme::v1::Cases cases = Replayed(text, "NOT_OUTRANKING");
  ASSERT_EQ(cases.case__size(), 2);
  EXPECT_EQ(Rank(Level(cases.case_(1), "a")), Rank(Level(cases.case_(0), "a")) + 1);
  EXPECT_EQ(Rank(Level(cases.case_(1), "b")), Rank(Level(cases.case_(0), "b")) - 1);
  EXPECT_LT(Rank(cases.case_(1).expect(0).level()), Rank(cases.case_(0).expect(0).level()));
}

TEST(Counterexample, OfPointsShowsWhatTheTableGives) {
  const scheme::v1::Cases cases =
      Replayed(With(kSmall, "cut: 2 cut: 4", "cut: 2 cut: 3"), "POINTS_DIFFER");
  ASSERT_EQ(cases.case__size(), 1);
  EXPECT_EQ(cases.case_(0).expect(0).level(), "mid");  // The points say high.
}

// No text can say it: a veto that does not go to the lowest level.
TEST(Counterexample, OfAVetoIsEvidenceThatItSpares) {
  scheme::v1::Scheme message;
  google::protobuf::TextFormat::ParseInfoTree tree;
  ASSERT_TRUE(wire::ParseText(kSmall, message, &tree).empty());
  Issues issues;
  Draft draft = Resolve(message, Place(message.GetDescriptor(), &tree), issues);
  ASSERT_TRUE(Order(draft, issues));
  ASSERT_TRUE(issues.empty());
  draft.scheme.limits[1].level = 1;
  std::vector<std::string> report;
  ProveWhole(draft, issues, report);
  for (const Issue& issue : issues.Take()) {
    if (issue.code != "VETO_BROKEN") continue;
    EXPECT_EQ(issue.rule_id, "VET");
    EXPECT_EQ(issue.line, LineOf(kSmall, "property { id: \"VET\""));
    const scheme::v1::Cases cases = CasesIn(issue.counterexample);
    ASSERT_EQ(cases.case__size(), 1);
    EXPECT_EQ(Level(cases.case_(0), "b"), "low");
    EXPECT_EQ(cases.case_(0).expect(0).level(), "mid");
    return;
  }
  ADD_FAILURE();
}

TEST(Verify, TellsEverythingThatIsWrongAtOnce) {
  std::string text = With(kSmall, "listed_at_most: \"low\"", "listed_at_most: \"bad\"");
  text = With(text, "previous: \"was\"", "previous: \"q\"");
  text = With(text, "1999-12", "Christmas");
  EXPECT_EQ(Verify(text).issues.size(), 3u);
}

TEST(Verify, AHoleDoesNotHideAnAsymmetry) {
  std::string text = With(kSmall, kRow5, "");
  text = With(text, "when: \"high\" when: \"low\" then: \"mid\"",
              "when: \"high\" when: \"low\" then: \"high\"");
  const Verification verification = Verify(text);
  Only(verification, "MATRIX_HOLE");
  Only(verification, "NOT_SYMMETRIC");
}

TEST(Verify, RefusesWhatIsTooLarge) {
  EXPECT_EQ(Verify(std::string(kTextMost + 1, ' ')).issues[0].code, "LIMIT_EXCEEDED");
  std::string scales;
  for (int i = 0; i < 65; ++i) {
    absl::StrAppend(&scales, "scale { id: \"s", i, "\" level: \"a\" level: \"b\" }\n");
  }
  EXPECT_EQ(Verify(absl::StrCat(kSmall, scales)).issues[0].code, "LIMIT_EXCEEDED");
}

TEST(Verify, SurvivesAnyPrefixOfAText) {
  const std::string text = kSmall;
  for (size_t size = 0; size + 1 < text.size(); size += 7) {
    EXPECT_FALSE(Verify(text.substr(0, size)).issues.empty());
  }
}

}  // namespace
}  // namespace starratings::verify
