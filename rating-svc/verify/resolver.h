// The working state of Resolve(). Internal to the room.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rating-svc/verify/draft.h"
#include "rating-svc/verify/issues.h"
#include "starratings/scheme/v1/scheme.pb.h"

namespace starratings::verify {

// The most that a scheme may have of anything. They bound what a hostile text
// can cost, and keep the evaluator's arithmetic within 128 bits.
inline constexpr int kPublicationsMost = 1'000;
inline constexpr int kScalesMost = 64;
inline constexpr int kLevelsMost = 64;
inline constexpr int kInputsMost = 256;
inline constexpr int kStagesMost = 1'024;
inline constexpr int kConditionsMost = 64;
inline constexpr int kStepsMost = 32;
inline constexpr int kTermsMost = 256;
inline constexpr int kFromMost = 16;
inline constexpr int kRowsMost = 100'000;
inline constexpr int64_t kCellsMost = 1'000'000;
inline constexpr int kQuantilesMost = 64;
inline constexpr int kResultsMost = 64;
inline constexpr int kFollowsMost = 1'000;  // Transitions, consequences, properties.
inline constexpr int kCitationsMost = 20;
inline constexpr int64_t kFactorMost = 1'000'000;             // Weights, `times`, `over`.
inline constexpr int64_t kDenominatorMost = 1'000'000'000;    // Of thresholds; exemptions.
inline constexpr int64_t kNumeratorMost = 1'000'000'000'000;  // Of thresholds.

// What may stand in the sentences of rules.
inline constexpr std::initializer_list<absl::string_view> kLimitPlaces = {
    "value", "threshold", "margin", "before", "after", "limit", "target", "organisation"};
inline constexpr std::initializer_list<absl::string_view> kWriterPlaces = {
    "after", "value", "target", "organisation"};
inline constexpr std::initializer_list<absl::string_view> kAdjustPlaces = {
    "before", "after", "value", "target", "organisation"};

class Resolver {
 public:
  // All arguments must outlive the resolver.
  Resolver(const scheme::v1::Scheme& message, const Place& place, Issues& issues)
      : message_(message), place_(place), issues_(issues) {}

  Draft Run();

 private:
  // resolve.cc
  bool CheckCounts();
  void Head();
  void InForce();
  void Supersedes();
  void Publications();
  void Scales();
  void Levels(const scheme::v1::Scale& scale, const Place& at);
  void DeclareOutputs();

  // resolve_inputs.cc
  void Inputs();
  void InputType(const scheme::v1::Input& message, const Place& at, scheme::Input& input,
                 scheme::ValueInfo& info);
  void Elsewhere(const scheme::v1::Input& message, const Place& at, scheme::Input& input,
                 scheme::ValueInfo& info);
  void Gaps(const scheme::v1::Input& message, const Place& at, scheme::Input& input,
            const scheme::ValueInfo& info);

  // resolve_stages.cc
  void Sums();
  void Terms(const scheme::v1::Sum& message, const Place& at, scheme::Sum& sum);
  void Need(const scheme::v1::Sum& message, const Place& at, scheme::Sum& sum);
  void Bands();
  // The cuts of `field`; `steps` is how many there must be.
  std::vector<scheme::Fraction> Cuts(
      const google::protobuf::RepeatedPtrField<scheme::v1::Threshold>& messages, int steps,
      const std::string& rule, const Place& at, std::vector<int>& lines);
  void Lists(const scheme::v1::Band& message, const Place& at, scheme::Band& band,
             std::vector<std::vector<int>>& lines);

  // resolve_quantiles.cc
  void Quantiles();
  void CutsOfCohort(const scheme::v1::Band& message, const Place& at, scheme::Band& band);
  void CheckQuantiles();

  // resolve_sizes.cc: that sums fit the evaluator's arithmetic.
  struct Size;
  void CheckSizes();
  void CheckCuts(std::vector<std::optional<Size>>& known);
  Size SizeOf(int value, std::vector<std::optional<Size>>& known, int depth);
  Size SizeOfSum(const scheme::Sum& sum, std::vector<std::optional<Size>>& known, int depth);

  // resolve_counts.cc
  void Counts();
  void Adjusts();

  // resolve_limits.cc
  void Caps();
  void Vetoes();
  void Floors();
  // What a cap and a floor have in common.
  template <typename Message>
  scheme::Limit LimitOf(const Message& message, const Place& at, const char* what);
  // The conditions of `field`, each `at`.In(field, i).
  void Conditions(const google::protobuf::RepeatedPtrField<scheme::v1::Condition>& messages,
                  const char* field, const Place& at, scheme::Limit& limit);
  // A condition; its value is -1 after an issue.
  scheme::Condition ConditionOf(const scheme::v1::Condition& message, const Place& at,
                                const std::string& rule);
  void Test(const scheme::v1::Condition& message, const Place& at, const std::string& rule,
            scheme::Condition& condition);

  // resolve_matrix.cc
  void Matrices();
  void Shape(const scheme::v1::Matrix& message, const Place& at, scheme::Matrix& matrix);
  void Fill(const scheme::v1::Matrix& message, const Place& at, scheme::Matrix& matrix);
  std::optional<std::vector<std::vector<uint32_t>>> When(const scheme::v1::Row& row,
                                                         const Place& at,
                                                         const scheme::Matrix& matrix);
  void FindHoles(const scheme::Matrix& matrix, const Place& at);

  // resolve_results.cc
  void Results();
  void Transitions();
  void Consequences();
  void Properties();
  void Claim(const scheme::v1::Property& message, const Place& at, Property& property);
  bool IsLive(int scope, const std::string& rule, const Place& at);
  int MatrixOf(const std::string& stage, const std::string& rule, const Place& at);
  std::vector<std::pair<int, int>> Pairs(
      const google::protobuf::RepeatedPtrField<scheme::v1::Pair>& messages, const Place& at,
      const std::string& rule, int matrix, bool same_scale);
  PointsClaim Points(const scheme::v1::EqualsPoints& message, const Place& at,
                     const std::string& rule);

  // resolve_common.cc: what all share.
  void Fail(absl::string_view code, absl::string_view rule, const Place& at,
            absl::string_view message) {
    issues_.Add(code, rule, at.line(), message);
  }
  // Notes a rule's id, which must be well-formed and new.
  void RuleId(const std::string& id, const Place& at);
  // Notes a value's name; -1 if it is taken or malformed.
  int Declare(const std::string& name, const char* field, const Place& at, scheme::ValueInfo info);
  scheme::Basis Ground(int basis, int citations, const std::string& rule, const Place& at);
  std::vector<scheme::Citation> Cite(
      const google::protobuf::RepeatedPtrField<scheme::v1::Citation>& messages,
      const std::string& rule, const Place& at);
  // Checks prose that people read; `least` 0 or 1.
  void Prose(const std::string& text, size_t least, const char* field, const std::string& rule,
             const Place& at);
  void Say(const std::string& text, std::initializer_list<absl::string_view> places,
           const std::string& rule, const Place& at);
  // The index of what is named, or -1 after an issue.
  int ScaleNamed(const std::string& id, const std::string& rule, const Place& at);
  int ValueNamed(const std::string& name, const std::string& rule, const Place& at);
  int LevelNamed(int scale, const std::string& level, const std::string& rule, const Place& at);
  int ResultNamed(const std::string& name, const std::string& rule, const Place& at);
  scheme::Fraction Number(const scheme::v1::Threshold& message, const std::string& rule,
                          const Place& at);

  const scheme::ValueInfo& Info(int value) const {
    return draft_.scheme.values[static_cast<size_t>(value)];
  }
  int LevelsOf(int scale) const {
    return static_cast<int>(draft_.scheme.scales[static_cast<size_t>(scale)].levels.size());
  }

  const scheme::v1::Scheme& message_;
  const Place place_;
  Issues& issues_;
  Draft draft_;
  std::map<std::string, int> scales_;
  std::map<std::string, int> values_;
  std::map<std::string, int> matrices_;
  std::map<std::string, int> quantiles_;
  std::set<std::string> publications_;
  std::set<std::string> rules_;
  // The outputs that are declared before what they are of is resolved.
  std::vector<int> sum_outputs_;
  std::vector<int> band_outputs_;
  std::vector<int> matrix_outputs_;
  std::vector<int> count_outputs_;
  std::vector<int> adjust_outputs_;
};

}  // namespace starratings::verify
