#include "rating-svc/wire/rating_wire.h"

#include "common/digest/sha256.h"
#include "rating-svc/rating/cohort.h"
#include "rating-svc/rating/print.h"

namespace starratings::wire {
namespace {

// The enums of rating and scheme have the numbers of the wire.
static_assert(static_cast<int>(rating::Move::kNone) == rating::v1::MOVE_NONE);
static_assert(static_cast<int>(rating::Move::kEntered) == rating::v1::MOVE_ENTERED);
static_assert(static_cast<int>(rating::Move::kRemained) == rating::v1::MOVE_REMAINED);
static_assert(static_cast<int>(rating::Move::kLeft) == rating::v1::MOVE_LEFT);
static_assert(static_cast<int>(rating::Move::kUnknown) == rating::v1::MOVE_UNKNOWN);
static_assert(static_cast<int>(scheme::Basis::kDocumented) == scheme::v1::BASIS_DOCUMENTED);
static_assert(static_cast<int>(scheme::Basis::kForced) == scheme::v1::BASIS_FORCED);
static_assert(static_cast<int>(scheme::Basis::kAssumed) == scheme::v1::BASIS_ASSUMED);

void Write(const rating::ResultOutcome& result, rating::v1::Result& message) {
  message.set_id(result.id);
  message.set_basis(static_cast<scheme::v1::Basis>(result.basis));
  if (result.not_rated) {
    rating::v1::NotRated& not_rated = *message.mutable_not_rated();
    not_rated.set_reason(rating::ToString(result.not_rated->reason));
    not_rated.set_rule_id(result.not_rated->rule_id);
    not_rated.set_code(result.not_rated->code);
  } else if (!result.number.empty()) {
    message.set_number(result.number);
  } else {
    message.set_level(result.level);
  }
  if (result.mechanical != nullptr) Write(*result.mechanical, *message.mutable_mechanical());
}

void Write(const rating::Decision& decision, rating::v1::Decision& message) {
  message.set_id(decision.id);
  message.set_code(decision.code);
  message.set_previous(decision.previous);
  message.set_state(decision.state);
  message.set_move(static_cast<rating::v1::Move>(decision.move));
  message.set_listed(decision.listed);
}

}  // namespace

rating::v1::SchemeRef RefOf(const scheme::Scheme& scheme) {
  rating::v1::SchemeRef ref;
  ref.set_id(scheme.id);
  ref.set_version(scheme.version);
  ref.set_digest(scheme.digest);
  return ref;
}

void WriteCompact(const rating::Rating& rating, rating::v1::Rating& message) {
  message.set_organisation(rating.organisation);
  for (const rating::ResultOutcome& result : rating.results) {
    Write(result, *message.add_results());
  }
  for (const rating::Decision& decision : rating.decisions) {
    Write(decision, *message.add_decisions());
  }
  message.set_digest(digest::ToHex(rating.digest));
}

void Write(const rating::Rating& rating, const scheme::Scheme& scheme,
           rating::v1::Rating& message) {
  WriteCompact(rating, message);
  message.set_name(rating.name);
  message.set_period(rating.period);
  *message.mutable_scheme() = RefOf(scheme);
  for (const scheme::Consequence* consequence : rating.consequences) {
    rating::v1::Consequence& out = *message.add_consequences();
    out.set_id(consequence->id);
    out.set_text(consequence->text);
    out.set_code(consequence->code);
  }
  for (const evidence::PublishedResult& published : rating.published) {
    rating::v1::PublishedReading& out = *message.add_published();
    out.set_scheme(published.scheme);
    out.set_version(published.version);
    out.set_result(published.result);
    out.set_level(published.level);
    out.set_digest(published.digest);
  }
  for (const scheme::CutTable& table : rating.tables) {
    rating::v1::CutTable& out = *message.add_tables();
    out.set_quantiles(table.id);
    for (const scheme::Fraction& cut : table.cuts) {
      out.add_cuts(rating::PrintNumber(cut.numerator, cut.denominator));
    }
    out.set_organisations(table.organisations);
    out.set_known(table.known);
    out.set_digest(table.digest);
  }
}

std::vector<evidence::PublishedResult> PublishedOf(const rating::v1::Rating& message) {
  std::vector<evidence::PublishedResult> published;
  for (const rating::v1::PublishedReading& of : message.published()) {
    published.push_back({of.scheme(), of.version(), of.result(), of.level(), of.digest()});
  }
  return published;
}

std::optional<std::vector<scheme::CutTable>> TablesOf(const rating::v1::Rating& message,
                                                      const scheme::Scheme& scheme) {
  if (static_cast<size_t>(message.tables_size()) != scheme.quantiles.size()) return std::nullopt;
  std::vector<scheme::CutTable> tables;
  for (const rating::v1::CutTable& said : message.tables()) {
    const scheme::Quantiles& of = scheme.quantiles[tables.size()];
    const bool whole = said.cuts_size() == of.parts - 1;
    if (said.quantiles() != of.id || (said.cuts_size() > 0 && !whole)) return std::nullopt;
    scheme::CutTable& table = tables.emplace_back();
    table.id = said.quantiles();
    for (const std::string& cut : said.cuts()) {
      const std::optional<scheme::Fraction> number = rating::ParseNumber(cut);
      if (!number) return std::nullopt;
      table.cuts.push_back(*number);
    }
    table.organisations = said.organisations();
    table.known = said.known();
    table.digest = rating::DigestOf(scheme, table);
  }
  return tables;
}

}  // namespace starratings::wire
