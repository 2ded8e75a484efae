// What a scheme makes of evidence. Pure: the same arguments give the same
// answer, without clock, file, log or message. Cannot fail: the scheme is
// proven and the evidence well-formed, so that whatever is missing is a value
// with a reason.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "common/evidence/evidence.h"
#include "rating-svc/scheme/scheme.h"

namespace starratings::rating {

// Why a value is absent. kNotApplicable and kExempt do not count; the others
// are unknown. The first five are evidence::MissingReason.
enum class Absent : uint8_t {
  kNo = 0,
  kNotReported = 1,
  kUnreliable = 2,
  kSuppressed = 3,
  kWithdrawn = 4,
  kNotApplicable = 5,
  kStale = 6,
  kExempt = 7,
  kExpired = 8,
};
inline constexpr size_t kAbsents = 9;  // For what is kept by Absent.

// "NOT_REPORTED" and so on; "" for kNo.
const char* ToString(Absent absent);
inline bool DoesNotCount(Absent absent) {
  return absent == Absent::kNotApplicable || absent == Absent::kExempt;
}

__extension__ using Int128 = __int128;

// A level, a number, or absent.
struct Value {
  Int128 numerator = 0;  // Of a number.
  int64_t denominator = 1;
  int16_t level = 0;  // Of a level.
  Absent absent = Absent::kNotReported;
  bool assumed = false;  // By the scheme, where nothing was reported.
  bool refused = false;  // Absent, and no result may be rated.
  bool decided = false;  // What an input read is an override.
  // Where absence began: the input, or -1 - (index of the limit) that refused, or
  // kNoCuts - (index of the quantiles) that have no table.
  int16_t origin = 0;

  static constexpr int kNoCuts = -4096;  // Below all limits.

  static Value Level(int level);
  static Value Number(Int128 numerator, int64_t denominator);
  static Value Missing(Absent absent, int origin);
};

// What one stage did, packed: enough to explain it later.
struct StageTrace {
  Value before;        // Of the target of a limit.
  Value after;         // Of the target or output.
  bool fired = false;  // Of a limit: its conditions held.
  // Of a limit, count or adjustment: bit i is condition i; the bound of an
  // adjustment stands behind its steps.
  uint64_t held = 0;
  int32_t cell = -1;  // Of a matrix.
};

// Room for one evaluation, used again and again without allocation.
struct Evaluation {
  explicit Evaluation(const scheme::Scheme& scheme);

  std::vector<Value> values;       // One for each of the scheme's values: final.
  std::vector<StageTrace> stages;  // One for each stage, where traced.
  bool floors = false;             // Whether the scheme has any.
  bool refused = false;            // No result may be rated.
  int16_t refused_by = 0;          // An input; limits may have given it a level since.
  Absent refused_for = Absent::kNo;

  // Result `i`, absent with its reason where it is not rated.
  Value ResultOf(const scheme::Scheme& scheme, size_t i) const;
};

// Evaluates `scheme` on `readings`, one for each input. With `skip` (an index in
// scheme.stages) as if that rule did not exist: what it would write is absent.
void Evaluate(const scheme::Scheme& scheme, std::span<const Value> readings, Evaluation& evaluation,
              int skip = -1);

// The same, leaving evaluation.stages.
void EvaluateTraced(const scheme::Scheme& scheme, std::span<const Value> readings,
                    Evaluation& evaluation);

// What the inputs of a scheme read in a dossier.
struct Readings {
  // An override in force gave an input its value.
  bool overridden = false;
  std::vector<Value> values;  // One for each input.
  // The item that each input took its value from; null where there is none.
  std::vector<const evidence::RecordedItem*> items;
  // Why each input had no value before the scheme answered for it; kNo where it had.
  std::vector<Absent> gaps;
  // Every item that was looked at, whether or not it was usable.
  std::vector<const evidence::RecordedItem*> read;
  // The attributes that were looked at, by name, and what the register says.
  std::map<std::string, std::string> attributes;
  // The published rating that each input took its value from; null where there is
  // none.
  std::vector<const evidence::PublishedResult*> published;
};

// Whether the overrides of a dossier are read, or passed over as if nobody had
// recorded them.
enum class Overrides { kRead, kPassedOver };

// Reads `dossier` as of `date`, applying exemption, staleness, the expiry of overrides,
// instances and assumptions. The pointers are into `dossier`.
Readings Read(const scheme::Scheme& scheme, const evidence::Dossier& dossier, evidence::Date date,
              Overrides overrides = Overrides::kRead);

}  // namespace starratings::rating
