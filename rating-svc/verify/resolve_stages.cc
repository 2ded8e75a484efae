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
    Terms(message, at, sum);
    Need(message, at, sum);
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
    Say(message.say(), kWriterPlaces, id, at);
    draft_.scheme.sums.push_back(std::move(sum));
    draft_.sum_lines.push_back(at.line());
  }
}

void Resolver::Terms(const scheme::v1::Sum& message, const Place& at, scheme::Sum& sum) {
  if (message.term_size() < 2) {
    Fail("FIELD_MISSING", sum.id, at, "a sum must have two terms or more");
  }
  if (message.term_size() > kTermsMost) {
    Fail("LIMIT_EXCEEDED", sum.id, at,
         absl::StrCat("has ", message.term_size(), " terms; at most ", kTermsMost));
  }
  for (int i = 0; i < message.term_size(); ++i) {
    const scheme::v1::Term& term = message.term(i);
    const Place place = at.In("term", i);
    const int value = ValueNamed(term.value(), sum.id, place.In("value"));
    if (term.weight() < 1 || term.weight() > kFactorMost) {
      Fail("NUMBER_INVALID", sum.id, place.In("weight"), "must be 1 to 1,000,000");
    }
    sum.terms.push_back({value, term.weight()});
  }
}

void Resolver::Need(const scheme::v1::Sum& message, const Place& at, scheme::Sum& sum) {
  sum.mean = message.mean();
  if (message.need() < 0 || message.need() > scheme::v1::NEED_MORE_THAN_HALF) {
    Fail("NUMBER_INVALID", sum.id, at.In("need"),
         "must be NEED_ALL, NEED_AT_LEAST or NEED_MORE_THAN_HALF");
  } else if (message.need() != scheme::v1::NEED_UNSPECIFIED) {
    sum.need = static_cast<scheme::Need>(message.need());
  }
  sum.least = message.least();
  const bool at_least = sum.need == scheme::Need::kAtLeast;
  if (at_least && (message.least() < 1 || message.least() > message.term_size())) {
    Fail("NUMBER_INVALID", sum.id, at.In("least"), "must be 1 to the number of terms");
  } else if (!at_least && message.least() != 0) {
    Fail("TYPE_MISMATCH", sum.id, at.In("least"), "`least` stands only with NEED_AT_LEAST");
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
    if (message.direction() < 0 || message.direction() > scheme::v1::DIRECTION_AT_MOST) {
      Fail("NUMBER_INVALID", id, at.In("direction"),
           "must be DIRECTION_AT_LEAST or DIRECTION_AT_MOST");
    }
    band.at_most = message.direction() == scheme::v1::DIRECTION_AT_MOST;
    std::vector<std::vector<int>> lines;
    const int scale = Info(band.output).scale;
    if (!message.quantiles().empty()) {
      CutsOfCohort(message, at, band);
      // The band's line stands for cuts that are nowhere.
      lines.emplace_back(band.cuts.size(), at.line());
    } else if (!message.by().empty() || message.list_size() > 0) {
      Lists(message, at, band, lines);
    } else {
      lines.emplace_back();
      band.cuts = Cuts(message.cut(), scale < 0 ? -1 : LevelsOf(scale) - 1, id, at, lines.back());
    }
    band.basis = Ground(message.basis(), message.citation_size(), id, at);
    band.citations = Cite(message.citation(), id, at);
    Say(message.say(), kWriterPlaces, id, at);
    draft_.scheme.bands.push_back(std::move(band));
    draft_.band_lines.push_back(at.line());
    draft_.cut_lines.push_back(std::move(lines));
  }
}

std::vector<scheme::Fraction> Resolver::Cuts(
    const google::protobuf::RepeatedPtrField<scheme::v1::Threshold>& messages, int steps,
    const std::string& rule, const Place& at, std::vector<int>& lines) {
  std::vector<scheme::Fraction> cuts;
  for (int i = 0; i < messages.size(); ++i) {
    const Place place = at.In("cut", i);
    cuts.push_back(Number(messages.Get(i), rule, place));
    lines.push_back(place.line());
    if (i == 0) continue;
    const scheme::Fraction& last = cuts[static_cast<size_t>(i) - 1];
    const scheme::Fraction& cut = cuts.back();
    if (static_cast<Int128>(cut.numerator) * last.denominator <=
        static_cast<Int128>(last.numerator) * cut.denominator) {
      Fail("CUTS_INVALID", rule, place, "cuts must ascend strictly");
    }
  }
  if (steps >= 0 && messages.size() != steps) {
    Fail("CUTS_INVALID", rule, at,
         absl::StrCat("needs ", steps, " cuts, one fewer than it can give levels, and has ",
                      messages.size()));
  }
  return cuts;
}

void Resolver::Lists(const scheme::v1::Band& message, const Place& at, scheme::Band& band,
                     std::vector<std::vector<int>>& lines) {
  if (message.cut_size() > 0) {
    Fail("TYPE_MISMATCH", band.id, at.In("cut", 0),
         "where `by` selects the cuts they stand in lists");
  }
  band.by = ValueNamed(message.by(), band.id, at.In("by"));
  const int by_scale = band.by < 0 ? -1 : Info(band.by).scale;
  if (band.by >= 0 && by_scale < 0) {
    Fail("TYPE_MISMATCH", band.id, at.In("by"), "`by` must be on a scale");
  }
  const int scale = Info(band.output).scale;
  band.list_of.assign(by_scale < 0 ? 0 : static_cast<size_t>(LevelsOf(by_scale)), -1);
  for (int i = 0; i < message.list_size(); ++i) {
    const scheme::v1::CutList& of = message.list(i);
    const Place place = at.In("list", i);
    scheme::CutList list;
    if (scale >= 0 && !of.lowest().empty()) {
      list.lowest = LevelNamed(scale, of.lowest(), band.id, place.In("lowest"));
    }
    lines.emplace_back();
    const int steps = scale < 0 || list.lowest < 0 ? -1 : LevelsOf(scale) - 1 - list.lowest;
    list.cuts = Cuts(of.cut(), steps, band.id, place, lines.back());
    if (of.cut_size() == 0) Fail("CUTS_INVALID", band.id, place, "a list must have a cut");
    list.basis = Ground(of.basis(), of.citation_size(), band.id, place);
    list.citations = Cite(of.citation(), band.id, place);
    if (of.level_size() == 0) {
      Fail("FIELD_MISSING", band.id, place, "must name the levels of `by` that it is for");
    }
    for (int j = 0; by_scale >= 0 && j < of.level_size(); ++j) {
      const int level = LevelNamed(by_scale, of.level(j), band.id, place.In("level", j));
      if (level < 0) continue;
      int& chosen = band.list_of[static_cast<size_t>(level)];
      if (chosen >= 0) {
        Fail("NAME_TAKEN", band.id, place.In("level", j),
             absl::StrCat("two lists are for `", of.level(j), "`"));
      }
      chosen = i;
    }
    band.lists.push_back(std::move(list));
  }
  for (size_t level = 0; level < band.list_of.size(); ++level) {
    if (band.list_of[level] >= 0) continue;
    Fail("CUTS_INVALID", band.id, at,
         absl::StrCat("no list of cuts is for `",
                      draft_.scheme.LevelName(band.by, static_cast<int>(level)), "`"));
  }
}

}  // namespace starratings::verify
