#include "rating-svc/verify/replay.h"

#include <algorithm>
#include <memory>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/digest/sha256.h"
#include "common/evidence/text.h"
#include "common/wire/evidence_wire.h"
#include "google/protobuf/text_format.h"

namespace starratings::verify {
namespace {

using scheme::Scheme;

constexpr char kPeriod[] = "case";

int LevelIn(const Scheme& scheme, const scheme::Matrix& matrix, uint32_t cell, size_t i) {
  const int scale = scheme.values[static_cast<size_t>(matrix.from[i])].scale;
  const size_t levels = scheme.scales[static_cast<size_t>(scale)].levels.size();
  return static_cast<int>(cell / matrix.stride[i] % levels);
}

scheme::v1::Case Blank(const std::string& id) {
  scheme::v1::Case blank;
  blank.set_id(id);
  blank.set_basis(scheme::v1::BASIS_ASSUMED);
  return blank;
}

void Expect(const rating::Rating& rating, scheme::v1::Case& shown) {
  for (const rating::ResultOutcome& result : rating.results) {
    scheme::v1::Expect& expect = *shown.add_expect();
    expect.set_result(result.id);
    if (result.not_rated) {
      expect.mutable_not_rated();
    } else if (result.level.empty()) {
      expect.set_number(result.number);
    } else {
      expect.set_level(result.level);
    }
  }
}

// Puts a level where the register or a published rating would have it. What is no
// level is not there.
void GiveLevel(const scheme::Input& input, const evidence::Value& value,
               evidence::Dossier& dossier) {
  const auto* level = std::get_if<evidence::Level>(&value);
  if (level == nullptr) return;
  if (input.from == scheme::InputFrom::kPublished) {
    dossier.published.push_back({input.published_scheme, "", input.published_result, level->name,
                                 digest::ToHex(digest::Sha256(level->name))});
  } else if (input.attribute == scheme::Attribute::kKind) {
    dossier.organisation.kind = level->name;
  } else {
    dossier.organisation.region = level->name;
  }
}

}  // namespace

std::string CellName(const Scheme& scheme, const scheme::Matrix& matrix, uint32_t cell) {
  std::vector<std::string> levels;
  for (size_t i = 0; i < matrix.from.size(); ++i) {
    const int value = matrix.from[i];
    levels.push_back(absl::StrCat(scheme.values[static_cast<size_t>(value)].name, " = \"",
                                  scheme.LevelName(value, LevelIn(scheme, matrix, cell, i)), "\""));
  }
  return absl::StrJoin(levels, ", ");
}

std::string CellCase(const Scheme& scheme, const scheme::Matrix& matrix, uint32_t cell) {
  scheme::v1::Case shown = Blank("counterexample");
  for (size_t i = 0; i < matrix.from.size(); ++i) {
    const int value = matrix.from[i];
    if (static_cast<size_t>(value) >= scheme.inputs.size()) continue;
    scheme::v1::Given& given = *shown.add_given();
    given.set_code(scheme.values[static_cast<size_t>(value)].name);
    given.mutable_value()->set_level(scheme.LevelName(value, LevelIn(scheme, matrix, cell, i)));
  }
  return shown.given_size() == 0 ? "" : Print({shown});
}

evidence::Dossier DossierOf(const Scheme& scheme,
                            const std::vector<std::pair<int, evidence::Value>>& given) {
  static const auto kSource = std::make_shared<const evidence::Source>(
      evidence::Source{"A case of the scheme", "", "", false});
  evidence::Dossier dossier;
  dossier.organisation.id = "case";
  dossier.organisation.name = "case";
  dossier.period = kPeriod;
  for (const auto& [input, value] : given) {
    const scheme::Input& read = scheme.inputs[static_cast<size_t>(input)];
    if (read.from != scheme::InputFrom::kEvidence) {
      GiveLevel(read, value, dossier);
      continue;
    }
    evidence::RecordedItem item;
    item.item.key = {"case", read.standing ? evidence::kStanding : kPeriod, read.code, ""};
    item.item.value = value;
    item.item.source = kSource;
    dossier.items.push_back(std::move(item));
  }
  const auto key = [](const evidence::RecordedItem& item) {
    return std::tie(item.item.key.code, item.item.key.period);
  };
  std::sort(dossier.items.begin(), dossier.items.end(),
            [&key](const auto& a, const auto& b) { return key(a) < key(b); });
  return dossier;
}

Replay Run(const Scheme& scheme, const std::vector<Domain>& domains, const Assignment& assignment,
           const std::string& id) {
  std::vector<std::pair<int, evidence::Value>> given;
  scheme::v1::Case shown = Blank(id);
  for (size_t i = 0; i < scheme.inputs.size(); ++i) {
    const Domain& domain = domains[i];
    int cell = assignment[i];
    if (cell < 0 && scheme.inputs[i].on_missing == scheme::OnMissing::kRefuse) {
      cell = static_cast<int>(domain.present) - 1;
    }
    if (cell < 0) continue;
    const evidence::Value& value = domain.cells[static_cast<size_t>(cell)].value;
    given.emplace_back(static_cast<int>(i), value);
    if (domain.cells[static_cast<size_t>(cell)].word == kUnknown) continue;  // Silence says it.
    scheme::v1::Given& message = *shown.add_given();
    message.set_code(scheme.inputs[i].code);
    wire::Write(value, *message.mutable_value());
  }
  const evidence::Dossier dossier = DossierOf(scheme, given);
  Replay replay{std::move(shown), rating::Evaluation(scheme)};
  Expect(rating::Rate(scheme, dossier, scheme.from), replay.shown);
  rating::Evaluate(scheme, rating::Read(scheme, dossier, scheme.from).values, replay.evaluation);
  return replay;
}

bool Agrees(const Scheme& scheme, int value, const rating::Value& evaluated, Word proven) {
  if (evaluated.absent != rating::Absent::kNo) {
    return proven == (rating::DoesNotCount(evaluated.absent) ? kDoesNotCount : kUnknown);
  }
  if (scheme.values[static_cast<size_t>(value)].scale < 0) return proven >= 0;
  return proven == evaluated.level;
}

std::string Print(const std::vector<scheme::v1::Case>& cases) {
  scheme::v1::Cases message;
  for (const scheme::v1::Case& shown : cases) *message.add_case_() = shown;
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  printer.SetUseShortRepeatedPrimitives(true);
  std::string text;
  printer.PrintToString(message, &text);
  return text;
}

}  // namespace starratings::verify
