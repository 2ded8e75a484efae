// Evidence as values: what suppliers and inspectors say about an organisation.
// The messages of starratings.evidence.v1 say the same on the wire.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/evidence/date.h"
#include "common/evidence/decimal.h"
#include "common/evidence/register.h"

namespace starratings::evidence {

// Why there is no value. All but kNotApplicable mean "unknown". The numbers
// are those of the wire and of the record.
enum class MissingReason {
  kNotReported = 1,
  kUnreliable = 2,
  kSuppressed = 3,
  kWithdrawn = 4,
  kNotApplicable = 5,
};

// "NOT_REPORTED" and so on.
const char* ToString(MissingReason reason);
std::optional<MissingReason> MissingReasonFromString(absl::string_view name);

// Cases out of all cases, as they were given: never reduced.
struct Ratio {
  static constexpr int64_t kMost = 1'000'000'000'000;

  int64_t numerator = 0;    // 0 to kMost.
  int64_t denominator = 1;  // 1 to kMost.

  friend bool operator==(const Ratio&, const Ratio&) = default;
};

// A level of the code's scale, by name.
struct Level {
  std::string name;
  friend bool operator==(const Level&, const Level&) = default;
};

// Free text; no rule reads it.
struct Text {
  std::string text;
  friend bool operator==(const Text&, const Text&) = default;
};

// What an item says. Well-formed by construction at the door (common/wire).
using Value = std::variant<Decimal, Ratio, Level, bool, Text, MissingReason>;

// For people and CSV: `12.5`, `30/140`, `most`, `yes`, `NOT_REPORTED`.
std::string ToString(const Value& value);

// Whether saying `next` where `current` stands corrects it: something that had
// a value gets another value, or none.
bool IsCorrection(const Value& current, const Value& next);

// Where a value was taken from. Two sources with the same contents are the
// same source.
struct Source {
  std::string title;
  std::string uri;
  std::string sha256;          // 64 hexadecimal digits, or empty.
  bool reconstructed = false;  // Nobody published it; it was filled in.

  friend auto operator<=>(const Source&, const Source&) = default;
};

// What an item is about.
struct ItemKey {
  std::string organisation;
  std::string period;
  std::string code;
  std::string instance;

  friend auto operator<=>(const ItemKey&, const ItemKey&) = default;
};

// By what right a person decided a fact for which the scheme leaves room.
struct Override {
  std::string authority;  // Who, and by which power.
  Date expires_on;        // The first day on which it no longer holds.

  friend bool operator==(const Override&, const Override&) = default;
};

// One fact.
struct Item {
  ItemKey key;
  Value value = MissingReason::kNotReported;
  std::optional<Date> observed_on;
  std::optional<Override> overriding;    // Of a value of a code of kind override.
  std::shared_ptr<const Source> source;  // Never null.
  // Of the canonical form (docs/digests.md); made at the door by common/wire.
  std::array<uint8_t, 32> digest{};
};

// A fact as the record holds it.
struct RecordedItem {
  Item item;
  int64_t revision = 0;
  int64_t ordinal = 0;         // 1 for the first statement under this key.
  std::string actor;           // Who said it.
  int64_t recorded_at_us = 0;  // Microseconds since 1970, UTC. Informative.
  std::string reason;          // May be empty.

  // What a writer names to say "only if nothing was said since".
  std::string Etag() const;
};

// One result of a published rating of another scheme.
struct PublishedResult {
  std::string scheme;  // Its id.
  std::string version;
  std::string result;
  std::string level;   // Empty: not rated, or no level.
  std::string digest;  // Of the rating, in hexadecimal.
};

// All facts about one organisation in one period, and its standing ones.
struct Dossier {
  Organisation organisation;
  std::string period;
  std::vector<RecordedItem> items;  // By (code, period, instance).
  // What schemes that read published ratings find; at most one for each scheme and
  // result.
  std::vector<PublishedResult> published = {};

  void SortItems();
};

}  // namespace starratings::evidence
