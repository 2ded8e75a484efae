// Random schemes that use the whole language.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "rating-svc/scheme/scheme.h"
#include "starratings/scheme/v1/scheme.pb.h"

namespace starratings::reference {

// Small numbers by chance, the same on every machine.
class Chance {
 public:
  explicit Chance(uint32_t seed) : random_(seed) {}

  int Pick(int below) { return static_cast<int>(random_() % static_cast<uint32_t>(below)); }
  bool OneIn(int n) { return Pick(n) == 0; }
  template <typename T>
  const T& Of(const std::vector<T>& values) {
    return values[static_cast<size_t>(Pick(static_cast<int>(values.size())))];
  }
  // Puts `values`, a vector or a repeated field, in another order.
  template <typename Values>
  void Shuffle(Values& values) {
    for (int i = static_cast<int>(values.size()) - 1; i > 0; --i) {
      std::swap(*(values.begin() + i), *(values.begin() + Pick(i + 1)));
    }
  }

 private:
  std::mt19937 random_;
};

// Writes schemes most of which resolve; whether they are any good is chance.
class SchemeAuthor {
 public:
  explicit SchemeAuthor(uint32_t seed) : chance_(seed) {}
  scheme::v1::Scheme Write();

 private:
  struct Named {
    std::string name;
    const scheme::v1::Scale* scale = nullptr;  // None: a number.
  };

  void Scales();
  void Input();
  void TypeOf(scheme::v1::Input& input);
  void Sum();
  void Band();
  // A band by the quantiles of a sum of its own, since nothing else may read that.
  void Ranked();
  void Count();
  void Adjust();
  void Matrix();
  // Caps, floors and vetoes of the value that was named last.
  void Limits();
  void Results();

  const scheme::v1::Scale* Scale(const char* id) const;
  std::string Level(const scheme::v1::Scale& scale);
  void Threshold(scheme::v1::Threshold& threshold);
  // Tests one of the first `known` values.
  void Condition(scheme::v1::Condition& condition, size_t known);
  void Cuts(google::protobuf::RepeatedPtrField<scheme::v1::Threshold>& cuts, int count);
  // A value on a scale, or a number; null if there is none.
  const Named* Any(bool level);
  void Name(const std::string& name, const scheme::v1::Scale* scale);
  std::string NewName(const char* prefix);

  Chance chance_;
  scheme::v1::Scheme scheme_;
  std::vector<Named> values_;  // Each may read those before it.
  int names_ = 0;
};

// Puts all rules, rows and inputs of each kind in another order; but for adjustments,
// of which one that begins with another's output must stand after that.
void Permute(scheme::v1::Scheme& scheme, Chance& chance);

// The text of a message.
std::string TextOf(const scheme::v1::Scheme& scheme);

// What a text says, resolved and in order, with its digest; nothing if it does not
// resolve. It need not be proven.
std::optional<scheme::Scheme> Resolved(const std::string& text);

}  // namespace starratings::reference
