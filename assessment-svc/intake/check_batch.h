// What a batch of evidence must be for the record to take it, given what is
// registered. The items are well-formed by themselves (common/wire); here they
// meet the register.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "common/evidence/evidence.h"
#include "common/evidence/register.h"
#include "common/status/field_errors.h"

namespace starratings::intake {

inline constexpr size_t kItemsMost = 10'000;
inline constexpr size_t kRequestBytesMost = 3 << 20;
inline constexpr size_t kReasonBytesMost = 2'000;

// What a batch is checked against, but for organisations: there are too many.
struct Register {
  absl::flat_hash_set<std::string> periods;
  absl::flat_hash_map<std::string, evidence::Code> codes;
};

struct SubmittedItem {
  evidence::Item item;
  // Nothing is wrong with the item by itself. Of one that has faults already
  // only the parts of the key are looked at, so that no fault is told twice.
  bool well_formed = true;
};

// Notes in `errors`, under `items[i].item.`, everything that keeps the record
// from taking `items`: what they are about is not registered, a value is not
// one its code takes, an override does not say by what right, a key occurs twice.
// `strangers` are the organisations among theirs that are not registered.
void CheckBatch(const std::vector<SubmittedItem>& items, const Register& registered,
                const absl::flat_hash_set<std::string>& strangers, status::FieldErrors& errors);

// Notes a value that `code` does not take: of another type, out of range, or
// no level of the scale. Every code takes a missing reason.
void CheckValue(const evidence::Value& value, const evidence::Code& code, absl::string_view field,
                status::FieldErrors& errors);

}  // namespace starratings::intake
