// Schemes for the tests of this room and for the benchmark, built by hand.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/digest/sha256.h"
#include "common/evidence/text.h"
#include "rating-svc/rating/evaluate.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::rating {

inline constexpr int kNo = 0;
inline constexpr int kSome = 1;
inline constexpr int kMost = 2;
inline constexpr int kYes = 3;

// The values of EnglandShape(), in order.
enum EnglandValue {
  kAdultsServing,
  kAdultsProspects,
  kChildrenServing,
  kChildrenProspects,
  kPlacements,
  kReRegistrations,
  kChildrensHomes,
  kAdultHomes,
  kEquipment,
  kListState,
  kStars,
};

inline scheme::Condition AtMost(int value, int level) {
  scheme::Condition condition;
  condition.value = value;
  condition.comparison = scheme::Comparison::kLevelAtMost;
  condition.level = level;
  condition.text = "at most level " + std::to_string(level);
  return condition;
}

inline scheme::Condition Compared(int value, scheme::Comparison comparison,
                                  scheme::Fraction threshold) {
  scheme::Condition condition;
  condition.value = value;
  condition.comparison = comparison;
  condition.threshold = threshold;
  condition.text = "the threshold";
  return condition;
}

inline scheme::Limit Cap(std::string id, int target, int level,
                         std::vector<scheme::Condition> any) {
  scheme::Limit limit;
  limit.id = std::move(id);
  limit.target = target;
  limit.level = level;
  limit.any = std::move(any);
  limit.unknown = scheme::OnUnknown::kSkip;
  return limit;
}

inline scheme::Band BandWith(std::string id, int from, int output,
                             std::vector<scheme::Fraction> cuts) {
  scheme::Band band;
  band.id = std::move(id);
  band.from = from;
  band.output = output;
  band.cuts = std::move(cuts);
  return band;
}

inline scheme::Limit Veto(std::string id, int target, std::vector<scheme::Condition> any) {
  scheme::Limit limit = Cap(std::move(id), target, 0, std::move(any));
  limit.veto = true;
  limit.limits_absent = true;
  limit.unknown = scheme::OnUnknown::kRefuse;
  return limit;
}

inline void AddInput(scheme::Scheme& scheme, std::string code, int scale,
                     scheme::OnMissing on_missing) {
  scheme::ValueInfo info;
  info.name = info.title = code;
  info.scale = scale;
  info.share = scale < 0;
  scheme::Input input;
  input.code = std::move(code);
  input.type = scale < 0 ? scheme::InputType::kRatio : scheme::InputType::kLevel;
  input.on_missing = on_missing;
  input.basis = scheme::Basis::kDocumented;
  scheme.values.push_back(std::move(info));
  scheme.inputs.push_back(std::move(input));
}

// The table of 256 cells that points give: serving twice, prospects once.
inline scheme::Matrix PointsTable() {
  scheme::Matrix matrix;
  matrix.id = "M";
  matrix.from = {kAdultsServing, kAdultsProspects, kChildrenServing, kChildrenProspects};
  matrix.stride = {64, 16, 4, 1};
  matrix.output = kStars;
  matrix.rows.resize(1);
  for (int cell = 0; cell < 256; ++cell) {
    const int points = 2 * (cell / 64) + cell / 16 % 4 + 2 * (cell / 4 % 4) + cell % 4;
    const int stars = points >= 15 ? 3 : points >= 10 ? 2 : points >= 6 ? 1 : 0;
    matrix.cells.push_back(static_cast<uint8_t>(stars));
    matrix.row_of.push_back(0);
  }
  return matrix;
}

// The shape of the 2002 scheme: four judgements, five key indicators with a cap
// each, a table, two vetoes, the list.
inline scheme::Scheme EnglandShape() {
  using scheme::Comparison;
  scheme::Scheme scheme;
  scheme.id = "shape";
  scheme.version = "1";
  scheme.digest = digest::ToHex(digest::Sha256("shape"));
  scheme.scales = {{"serving", {"no", "some", "most", "yes"}, 0},
                   {"prospects", {"poor", "uncertain", "promising", "excellent"}, 0},
                   {"stars", {"0", "1", "2", "3"}, 0},
                   {"list", {"on_list", "off_list"}, 0}};
  AddInput(scheme, "adults.serving", 0, scheme::OnMissing::kRefuse);
  AddInput(scheme, "adults.prospects", 1, scheme::OnMissing::kRefuse);
  AddInput(scheme, "children.serving", 0, scheme::OnMissing::kRefuse);
  AddInput(scheme, "children.prospects", 1, scheme::OnMissing::kRefuse);
  for (const char* code :
       {"placements", "re_registrations", "childrens_homes", "adult_homes", "equipment"}) {
    AddInput(scheme, code, -1, scheme::OnMissing::kAbsent);
    scheme.inputs.back().exempt_below = 30;
  }
  AddInput(scheme, "special_measures.list_state", 3, scheme::OnMissing::kAbsent);
  scheme.inputs.back().standing = true;
  scheme::ValueInfo stars;
  stars.name = stars.title = "stars";
  stars.scale = 2;
  scheme.values.push_back(stars);
  scheme.matrices.push_back(PointsTable());
  scheme.limits = {
      Cap("C-K1", kChildrenServing, kSome, {Compared(kPlacements, Comparison::kAbove, {20, 100})}),
      Cap("C-K2", kChildrenServing, kSome,
          {Compared(kReRegistrations, Comparison::kAbove, {24, 100})}),
      Cap("C-K3", kChildrenServing, kSome, {Compared(kChildrensHomes, Comparison::kBelow, {1, 1})}),
      Cap("C-K4", kAdultsServing, kMost, {Compared(kAdultHomes, Comparison::kBelow, {1, 1})}),
      Cap("C-K5", kAdultsServing, kMost, {Compared(kEquipment, Comparison::kBelow, {80, 100})}),
      Veto("V1", kStars, {AtMost(kAdultsServing, kNo), AtMost(kChildrenServing, kNo)}),
      Veto("V2", kStars, {AtMost(kAdultsProspects, 0), AtMost(kChildrenProspects, 0)})};
  scheme.limits[5].basis = scheme::Basis::kDocumented;
  using scheme::StageKind;
  scheme.stages = {{StageKind::kLimit, 0}, {StageKind::kLimit, 1}, {StageKind::kLimit, 2},
                   {StageKind::kLimit, 3}, {StageKind::kLimit, 4}, {StageKind::kMatrix, 0},
                   {StageKind::kLimit, 5}, {StageKind::kLimit, 6}};
  scheme.results = {{kStars, "stars"}};
  scheme.transitions = {{"SM", kListState, 0, 0, scheme::Basis::kDocumented, {}}};
  scheme.consequences = {{"F3", 0, {3}, "More freedom", "", scheme::Basis::kDocumented, {}},
                         {"F0", 0, {0}, "A plan", "PLAN", scheme::Basis::kDocumented, {}}};
  return scheme;
}

// The readings of four judgements, without indicators or list state.
inline std::vector<Value> Judgements(int adults_serving, int adults_prospects, int children_serving,
                                     int children_prospects) {
  std::vector<Value> readings = {Value::Level(adults_serving), Value::Level(adults_prospects),
                                 Value::Level(children_serving), Value::Level(children_prospects)};
  for (int i = kPlacements; i <= kListState; ++i) {
    readings.push_back(Value::Missing(Absent::kNotReported, i));
  }
  return readings;
}

// An item that says `value`; its digest is of what it says.
inline evidence::RecordedItem Item(const std::string& code, evidence::Value value,
                                   const std::string& period = "2001-02",
                                   const std::string& instance = "") {
  evidence::RecordedItem item;
  item.item.key = {"walsall", period, code, instance};
  item.item.value = std::move(value);
  item.item.source =
      std::make_shared<const evidence::Source>(evidence::Source{"A test", "", "", false});
  item.item.digest = digest::Sha256(code + period + instance + evidence::ToString(item.item.value));
  return item;
}

inline evidence::Dossier DossierOf(std::vector<evidence::RecordedItem> items) {
  evidence::Dossier dossier;
  dossier.organisation = {"walsall", "Walsall", "council", "", {}, {}};
  dossier.period = "2001-02";
  dossier.items = std::move(items);
  return dossier;
}

}  // namespace starratings::rating
