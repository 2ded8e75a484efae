// Published outcomes, run through the evaluator that rates organisations.
#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/evidence/text.h"
#include "common/status/errors.h"
#include "common/status/field_errors.h"
#include "common/wire/evidence_wire.h"
#include "common/wire/scheme_text.h"
#include "rating-svc/rating/cohort.h"
#include "rating-svc/rating/print.h"
#include "rating-svc/verify/issues.h"
#include "rating-svc/verify/replay.h"

namespace starratings::verify {
namespace {

using scheme::Scheme;

constexpr int kCasesMost = 10'000;
// Combinations of what is left open: of one case, and of all.
constexpr int kCompletionsMost = 100'000;
constexpr int64_t kCompletionsOfAllMost = 1'000'000;

// What one code may be in a case: more than one value if it is left open.
struct Open {
  int input = 0;
  std::vector<evidence::Value> values;
};

struct Prepared {
  std::vector<Open> given;
  evidence::Date date;
  std::vector<scheme::CutTable> tables;
  int completions = 1;
};

std::string Quote(absl::string_view text) { return absl::StrCat("\"", text, "\""); }

// A number as results print it; empty if it is none.
std::string Normal(const std::string& number) {
  const auto decimal = evidence::Decimal::Parse(number);
  if (decimal.ok()) return decimal->ToString();
  const bool fraction = number.find('/') != std::string::npos &&
                        number.find_first_not_of("-0123456789/") == std::string::npos;
  return fraction ? number : "";
}

class CaseReader {
 public:
  CaseReader(const Scheme& scheme, Issues& issues) : scheme_(scheme), issues_(issues) {}

  // What the case says. Notes what is wrong; then the answer is of no use.
  Prepared Read(const scheme::v1::Case& message, const Place& at) {
    id_ = message.id();
    Prepared prepared;
    if (!evidence::CheckText(id_, 1, 128).ok()) {
      Fail("NAME_MALFORMED", at.In("id"), "a case's `id` must be given, up to 128 bytes");
    } else if (!ids_.insert(id_).second) {
      Fail("NAME_TAKEN", at.In("id"), "another case has this id");
    }
    Ground(message, at);
    prepared.date = Day(message, at);
    for (int i = 0; i < message.given_size(); ++i) {
      Given(message.given(i), at.In("given", i), prepared);
    }
    Tables(message, at, prepared);
    if (message.expect_size() == 0) Fail("FIELD_MISSING", at, "a case must have an `expect`");
    for (int i = 0; i < message.expect_size(); ++i) {
      Expect(message.expect(i), at.In("expect", i));
    }
    int64_t completions = 1;
    for (const Open& open : prepared.given) {
      completions *= static_cast<int64_t>(open.values.size());
      if (completions > kCompletionsMost) break;
    }
    all_ += completions;
    if (completions > kCompletionsMost || all_ > kCompletionsOfAllMost) {
      Fail("LIMIT_EXCEEDED", at,
           absl::StrCat("leaves too much open: at most ", kCompletionsMost,
                        " combinations a case, ", kCompletionsOfAllMost, " in all"));
    }
    prepared.completions = static_cast<int>(std::min<int64_t>(completions, kCompletionsMost));
    return prepared;
  }

 private:
  void Fail(absl::string_view code, const Place& at, absl::string_view message) {
    issues_.Add(code, id_, at.line(), message);
  }

  void Ground(const scheme::v1::Case& message, const Place& at) {
    if (message.basis() < scheme::v1::BASIS_DOCUMENTED ||
        message.basis() > scheme::v1::BASIS_ASSUMED) {
      Fail("BASIS_MISSING", at.In("basis"), "must say `basis`");
    } else if (message.basis() == scheme::v1::BASIS_DOCUMENTED && message.citation().empty()) {
      Fail("CITATION_MISSING", at.In("basis"), "what is DOCUMENTED must cite where");
    }
    for (int i = 0; i < message.citation_size(); ++i) {
      if (!message.citation(i).source().empty()) continue;
      Fail("FIELD_MISSING", at.In("citation", i), "a citation must name its `source`");
    }
  }

  void Tables(const scheme::v1::Case& message, const Place& at, Prepared& prepared) {
    if (static_cast<size_t>(message.table_size()) != scheme_.quantiles.size()) {
      Fail("FIELD_MISSING", at,
           absl::StrCat("must have a `table` for each of the scheme's ", scheme_.quantiles.size(),
                        " quantiles"));
      return;
    }
    for (int i = 0; i < message.table_size(); ++i) {
      const scheme::Quantiles& of = scheme_.quantiles[static_cast<size_t>(i)];
      const Place place = at.In("table", i);
      scheme::CutTable& table = prepared.tables.emplace_back();
      table.id = of.id;
      if (message.table(i).quantiles() != of.id) {
        Fail("REFERENCE_UNKNOWN", place, absl::StrCat("must be the table of `", of.id, "`"));
      }
      for (const std::string& cut : message.table(i).cut()) {
        const auto number = rating::ParseNumber(cut);
        if (!number) Fail("VALUE_INVALID", place, "a cut must be a decimal or a fraction");
        table.cuts.push_back(number.value_or(scheme::Fraction{}));
      }
      const auto cuts = static_cast<int>(table.cuts.size());
      if (cuts > 0 && cuts != of.parts - 1) {
        Fail("CUTS_INVALID", place, absl::StrCat("must have ", of.parts - 1, " cuts, or none"));
      }
      table.organisations = table.known = cuts > 0 ? of.least : 0;
    }
  }

  evidence::Date Day(const scheme::v1::Case& message, const Place& at) {
    if (message.date().empty()) return scheme_.from;
    const auto date = evidence::Date::Parse(message.date());
    if (!date.ok()) {
      Fail("DATE_INVALID", at.In("date"), date.status().message());
      return scheme_.from;
    }
    if (!scheme_.InForceOn(*date)) {
      Fail("DATE_INVALID", at.In("date"), "the scheme is not in force on this day");
    }
    return *date;
  }

  void Given(const scheme::v1::Given& message, const Place& at, Prepared& prepared) {
    const auto input =
        std::find_if(scheme_.inputs.begin(), scheme_.inputs.end(),
                     [&](const scheme::Input& of) { return of.code == message.code(); });
    if (input == scheme_.inputs.end()) {
      Fail("REFERENCE_UNKNOWN", at.In("code"),
           absl::StrCat("the scheme reads no code `", message.code(), "`"));
      return;
    }
    Open open{static_cast<int>(input - scheme_.inputs.begin()), {}};
    for (const Open& other : prepared.given) {
      if (other.input == open.input) Fail("NAME_TAKEN", at.In("code"), "the code is given twice");
    }
    if (message.has_value()) {
      status::FieldErrors errors;
      open.values.push_back(wire::ValueFromProto(message.value(), "", errors));
      for (const auto& error : status::DetailOf(errors.ToStatus()).fields) {
        Fail("VALUE_INVALID", at.In("value"), absl::StrCat(error.field, " ", error.rule));
      }
      if (errors.empty()) CheckFits(open, at.In("value"));
    } else if (message.has_one_of() && message.one_of().level_size() > 0) {
      for (const std::string& level : message.one_of().level()) {
        open.values.push_back(evidence::Level{level});
      }
      CheckFits(open, at.In("one_of"));
    } else {
      Fail("FIELD_MISSING", at, "must have a `value`, or `one_of` with a level");
    }
    prepared.given.push_back(std::move(open));
  }

  // What the input would not understand it would read as missing.
  void CheckFits(const Open& open, const Place& at) {
    const auto index = static_cast<size_t>(open.input);
    for (const evidence::Value& value : open.values) {
      if (std::holds_alternative<evidence::MissingReason>(value)) continue;
      const scheme::InputType type = scheme_.inputs[index].type;
      const auto* level = std::get_if<evidence::Level>(&value);
      const auto* flag = std::get_if<bool>(&value);
      const bool fits =
          type == scheme::InputType::kRatio     ? std::holds_alternative<evidence::Ratio>(value)
          : type == scheme::InputType::kDecimal ? std::holds_alternative<evidence::Decimal>(value)
                                                : level != nullptr || flag != nullptr;
      const bool level_only = scheme_.inputs[index].from != scheme::InputFrom::kEvidence;
      if (!fits || (level_only && level == nullptr)) {
        Fail("TYPE_MISMATCH", at, "the input takes values of another type");
      } else if (level != nullptr || flag != nullptr) {
        CheckLevel(scheme_.values[index].scale,
                   level != nullptr ? level->name : std::string(*flag ? "yes" : "no"), at);
      }
    }
  }

  void CheckLevel(int scale, const std::string& level, const Place& at) {
    const scheme::Scale& of = scheme_.scales[static_cast<size_t>(scale)];
    if (std::find(of.levels.begin(), of.levels.end(), level) != of.levels.end()) return;
    Fail("LEVEL_UNKNOWN", at,
         absl::StrCat(Quote(level), " is no level of the scale `", of.id, "`"));
  }

  void Expect(const scheme::v1::Expect& message, const Place& at) {
    using Proto = scheme::v1::Expect;
    if (message.what_case() == Proto::WHAT_NOT_SET) {
      Fail("FIELD_MISSING", at, "must say what must come out");
      return;
    }
    for (const scheme::Transition& transition : scheme_.transitions) {
      if (transition.id == message.result()) {
        ExpectMove(message, transition, at);
        return;
      }
    }
    for (const scheme::Result& result : scheme_.results) {
      const scheme::ValueInfo& info = scheme_.values[static_cast<size_t>(result.value)];
      if (info.name != message.result()) continue;
      const bool number = message.what_case() == Proto::kNumber;
      const bool level = message.what_case() == Proto::kLevel;
      if (message.what_case() == Proto::kMove || (number && info.scale >= 0) ||
          (level && info.scale < 0)) {
        Fail("TYPE_MISMATCH", at, "the result is of another type");
      } else if (level) {
        CheckLevel(info.scale, message.level(), at.In("level"));
      } else if (number && Normal(message.number()).empty()) {
        Fail("VALUE_INVALID", at.In("number"), "must be a decimal or a fraction");
      }
      return;
    }
    Fail("REFERENCE_UNKNOWN", at.In("result"),
         absl::StrCat("there is no result or transition `", message.result(), "`"));
  }

  void ExpectMove(const scheme::v1::Expect& message, const scheme::Transition& transition,
                  const Place& at) {
    using Proto = scheme::v1::Expect;
    static const std::set<std::string> kMoves = {"ENTERED", "REMAINED", "LEFT", "NONE", "UNKNOWN"};
    if (message.what_case() == Proto::kLevel) {
      CheckLevel(scheme_.values[static_cast<size_t>(transition.previous)].scale, message.level(),
                 at.In("level"));
    } else if (message.what_case() != Proto::kMove) {
      Fail("TYPE_MISMATCH", at, "of a transition a `level` or a `move` can be expected");
    } else if (kMoves.count(message.move()) == 0) {
      Fail("VALUE_INVALID", at.In("move"), "must be ENTERED, REMAINED, LEFT, NONE or UNKNOWN");
    }
  }

  const Scheme& scheme_;
  Issues& issues_;
  std::string id_;
  std::set<std::string> ids_;
  int64_t all_ = 0;
};

// What differs from one expectation; empty if nothing does.
std::string Differs(const scheme::v1::Expect& expect, const rating::Rating& rating) {
  using Proto = scheme::v1::Expect;
  for (const rating::Decision& decision : rating.decisions) {
    if (decision.id != expect.result()) continue;
    const bool move = expect.what_case() == Proto::kMove;
    const std::string& wanted = move ? expect.move() : expect.level();
    const std::string found = move ? rating::ToString(decision.move) : decision.state;
    return wanted == found
               ? ""
               : absl::StrCat(decision.id, " must be ", Quote(wanted), " and is ", Quote(found));
  }
  for (const rating::ResultOutcome& result : rating.results) {
    if (result.id != expect.result()) continue;
    std::string wanted = "not rated";
    if (expect.what_case() == Proto::kLevel) wanted = Quote(expect.level());
    if (expect.what_case() == Proto::kNumber) wanted = Quote(Normal(expect.number()));
    std::string found = Quote(result.level.empty() ? result.number : result.level);
    if (result.not_rated) found = "not rated";
    if (wanted == found) return "";
    if (result.not_rated) {
      absl::StrAppend(&found, " (", result.not_rated->code, " is ",
                      rating::ToString(result.not_rated->reason), ")");
    }
    return absl::StrCat(result.id, " must be ", wanted, " and is ", found);
  }
  return absl::StrCat("there is no ", expect.result());
}

// Goes through the combinations until one differs.
CaseOutcome RunCase(const Scheme& scheme, const scheme::v1::Case& message,
                    const Prepared& prepared) {
  CaseOutcome outcome{message.id(), true, 0, ""};
  std::optional<Scheme> bound;
  if (!scheme.quantiles.empty()) bound = rating::Bind(scheme, prepared.tables);
  for (; outcome.completions < prepared.completions && outcome.passed; ++outcome.completions) {
    int rest = outcome.completions;
    std::vector<std::pair<int, evidence::Value>> given;
    std::vector<std::string> chosen;
    for (const Open& open : prepared.given) {
      const auto values = static_cast<int>(open.values.size());
      const evidence::Value& value = open.values[static_cast<size_t>(rest % values)];
      rest /= values;
      given.emplace_back(open.input, value);
      if (values == 1) continue;
      chosen.push_back(absl::StrCat(scheme.inputs[static_cast<size_t>(open.input)].code, " = ",
                                    Quote(evidence::ToString(value))));
    }
    const evidence::Dossier dossier = DossierOf(scheme, given);
    const rating::Rating rating = rating::Rate(bound ? *bound : scheme, dossier, prepared.date);
    for (const scheme::v1::Expect& expect : message.expect()) {
      const std::string differs = Differs(expect, rating);
      if (differs.empty()) continue;
      outcome.passed = false;
      absl::StrAppend(&outcome.message, outcome.message.empty() ? "" : "; ", differs);
    }
    if (!outcome.passed && !chosen.empty()) {
      absl::StrAppend(&outcome.message, " with ", absl::StrJoin(chosen, ", "));
    }
  }
  return outcome;
}

}  // namespace

CaseReport RunCases(const Scheme& scheme, absl::string_view text) {
  CaseReport report;
  Issues issues;
  scheme::v1::Cases message;
  google::protobuf::TextFormat::ParseInfoTree tree;
  for (const wire::TextIssue& issue : wire::ParseText(text, message, &tree)) {
    issues.Add("TEXT_SYNTAX", "", issue.line,
               absl::StrCat("column ", issue.column, ": ", issue.message));
  }
  if (issues.empty() && message.case__size() > kCasesMost) {
    issues.Add("LIMIT_EXCEEDED", "", 1,
               absl::StrCat("has ", message.case__size(), " cases; at most ", kCasesMost));
  }
  const Place place(message.GetDescriptor(), &tree);
  CaseReader reader(scheme, issues);
  std::vector<Prepared> prepared;
  if (issues.empty()) {
    for (int i = 0; i < message.case__size(); ++i) {
      prepared.push_back(reader.Read(message.case_(i), place.In("case", i)));
    }
  }
  if (issues.empty()) {
    for (int i = 0; i < message.case__size(); ++i) {
      report.outcomes.push_back(
          RunCase(scheme, message.case_(i), prepared[static_cast<size_t>(i)]));
    }
  }
  report.issues = issues.Take();
  return report;
}

}  // namespace starratings::verify
