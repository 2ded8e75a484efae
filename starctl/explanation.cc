#include "starctl/explanation.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "starctl/notes.h"
#include "starctl/phrases.h"
#include "starctl/table.h"

namespace starratings::starctl {
namespace {

using rating::v1::Rating;
using rating::v1::Reading;
using rating::v1::Step;
using rating::v1::Trace;

void AppendHead(const Rating& rating, std::string& out) {
  absl::StrAppend(&out, rating.name(), " (", rating.organisation(), "), ", rating.period(), ", ",
                  SchemeText(rating.scheme()));
  if (rating.has_snapshot()) absl::StrAppend(&out, ", revision ", rating.snapshot().revision());
  absl::StrAppend(&out, "\n\n");
  for (const auto& result : rating.results()) {
    absl::StrAppend(&out, "  ", result.id(), ": ", OutcomeAndMechanicalText(result));
    if (!result.has_not_rated()) absl::StrAppend(&out, "  (basis ", Name(result.basis()), ")");
    absl::StrAppend(&out, "\n");
  }
  for (const auto& decision : rating.decisions()) {
    absl::StrAppend(&out, "  ", decision.id(), ": ",
                    decision.previous().empty() ? "unknown" : decision.previous(), " -> ",
                    decision.state().empty() ? "unknown" : decision.state(), "  (",
                    Name(decision.move()), ")\n");
  }
  for (const auto& table : rating.tables()) {
    absl::StrAppend(&out, "  cuts ", table.quantiles(), ": ",
                    table.cuts().empty() ? "none" : absl::StrJoin(table.cuts(), ", "), "  (",
                    table.known(), " known of ", table.organisations(), " organisations)\n");
  }
  absl::StrAppend(&out, "\n");
  for (const std::string& sentence : rating.trace().sentences()) {
    absl::StrAppend(&out, Wrap(sentence, "  ", "  "));
  }
}

void AppendReadings(const Trace& trace, std::string& out) {
  Notes notes;
  Table table({{"code"},
               {"value"},
               {"said"},
               {"observed"},
               {"revision", Table::Align::kRight},
               {"source"}});
  for (const Reading& reading : trace.readings()) {
    std::string value = reading.absent().empty() ? reading.value() : reading.absent();
    if (reading.assumed()) absl::StrAppend(&value, " (assumed by the scheme)");
    if (!reading.has_item()) {
      table.AddRow({reading.code(), value, "", "", "", reading.from()});
      continue;
    }
    // What was said stands beside what it counts for, where these differ.
    std::string said = ValueText(reading.item().item().value());
    if (said == value) said.clear();
    if (reading.item().item().has_override() && !reading.assumed() && reading.absent().empty()) {
      absl::StrAppend(&value, " (override)");
    }
    table.AddRow({reading.code(), value, said, reading.item().item().observed_on(),
                  absl::StrCat(reading.item().revision()), notes.MarkOf(reading.source())});
  }
  if (table.empty()) return;
  absl::StrAppend(&out, "\nWhat was read\n\n", table.ToString("  "), "\n", notes.ToString());
}

std::string Effect(const Step& step) {
  const bool limits = step.kind() == rating::v1::STEP_KIND_CAP ||
                      step.kind() == rating::v1::STEP_KIND_VETO ||
                      step.kind() == rating::v1::STEP_KIND_FLOOR;
  if (!limits) {
    return absl::StrCat(step.target(), " = ", step.after().empty() ? "absent" : step.after(),
                        step.before().empty() ? "" : absl::StrCat(", from ", step.before()));
  }
  if (!step.fired()) return absl::StrCat(step.target(), " stays");
  return absl::StrCat(step.target(), ": ", step.before().empty() ? "absent" : step.before(), " -> ",
                      step.after().empty() ? "absent" : step.after());
}

// `fired, decided, binding`: as much of it as is true.
std::string DoneBy(const Step& step) {
  std::vector<std::string> done;
  if (step.fired()) done.push_back("fired");
  if (step.decided()) done.push_back("decided");
  if (step.binding()) done.push_back("binding");
  return absl::StrJoin(done, ", ");
}

// A fraction is exact, and nobody can read it.
std::string MarginText(const std::string& margin) {
  const size_t slash = margin.find('/');
  const size_t end = std::min(margin.find(' '), margin.size());
  int64_t above = 0, below = 0;
  if (slash == std::string::npos || slash > end ||
      !absl::SimpleAtoi(margin.substr(0, slash), &above) ||
      !absl::SimpleAtoi(margin.substr(slash + 1, end - slash - 1), &below) || below == 0) {
    return margin;
  }
  return absl::StrFormat("%s, about %.2f", margin,
                         static_cast<double>(above) / static_cast<double>(below));
}

void AppendTests(const Step& step, std::string& out) {
  for (const auto& test : step.tests()) {
    std::string line = absl::StrCat(test.value(), " ", test.condition(), ": ",
                                    test.absent().empty() ? test.found() : test.absent(),
                                    test.held() ? ", held" : "");
    if (!test.margin().empty()) absl::StrAppend(&line, "; margin ", MarginText(test.margin()));
    absl::StrAppend(&out, Wrap(line, "      ", "        "));
  }
}

void AppendSteps(const Trace& trace, std::string& out) {
  if (trace.steps_size() == 0) return;
  Table table({{"rule"}, {"kind"}, {"effect"}, {"what it did"}, {"basis"}});
  for (const Step& step : trace.steps()) {
    table.AddRow(
        {step.rule_id(), Name(step.kind()), Effect(step), DoneBy(step), Name(step.basis())});
  }
  absl::StrAppend(&out, "\nThe rules, in the order they were applied\n\n");
  // Titles and a rule of dashes, then a line for each step: its tests go below.
  const std::vector<std::string> lines = absl::StrSplit(table.ToString("  "), '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    absl::StrAppend(&out, lines[i], "\n");
    const int step = static_cast<int>(i) - 2;
    if (step >= 0 && step < trace.steps_size()) AppendTests(trace.steps(step), out);
  }
}

void AppendConsequences(const Rating& rating, std::string& out) {
  if (rating.consequences_size() == 0) return;
  absl::StrAppend(&out, "\nWhat follows\n\n");
  for (const auto& consequence : rating.consequences()) {
    const std::string code =
        consequence.code().empty() ? "" : absl::StrCat(" [", consequence.code(), "]");
    absl::StrAppend(&out, Wrap(absl::StrCat(consequence.text(), code), "  - ", "    "));
  }
}

// What the rules that decided cite. The rest is in the scheme.
void AppendCitations(const Trace& trace, std::string& out) {
  std::map<std::string, std::string> publications;
  for (const auto& publication : trace.publications()) {
    publications[publication.id()] =
        absl::StrCat(publication.title(), publication.date().empty() ? "" : ", ",
                     publication.date(), publication.uri().empty() ? "" : " <", publication.uri(),
                     publication.uri().empty() ? "" : ">");
  }
  std::string text;
  std::set<std::string> cited;
  for (const Step& step : trace.steps()) {
    if (!step.decided()) continue;
    for (const auto& citation : step.citations()) {
      cited.insert(citation.source());
      absl::StrAppend(&text, Wrap(absl::StrCat(step.rule_id(), ": \"", citation.quote(), "\" (",
                                               citation.source(), ")"),
                                  "  ", "    "));
    }
  }
  if (text.empty()) return;
  absl::StrAppend(&out, "\nWhat the rules that decided restate\n\n", text, "\n");
  for (const std::string& source : cited) {
    absl::StrAppend(&out, Wrap(absl::StrCat(source, ": ", publications[source]), "  ", "    "));
  }
}

}  // namespace

std::string ExplanationText(const Rating& rating) {
  std::string out;
  AppendHead(rating, out);
  AppendReadings(rating.trace(), out);
  AppendSteps(rating.trace(), out);
  AppendConsequences(rating, out);
  AppendCitations(rating.trace(), out);
  absl::StrAppend(&out, "\nrating digest ", rating.digest(), "\nscheme digest ",
                  rating.scheme().digest(), "\n");
  return out;
}

}  // namespace starratings::starctl
