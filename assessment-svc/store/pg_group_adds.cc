// What a group writes beside evidence.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assessment-svc/store/pg_group.h"
#include "common/digest/bucket.h"

namespace starratings::store {
namespace {

std::optional<int64_t> DaysOf(const std::optional<evidence::Date>& date) {
  return date ? std::optional<int64_t>(date->days()) : std::nullopt;
}

std::optional<int64_t> MicrosOf(const std::optional<evidence::Decimal>& decimal) {
  return decimal ? std::optional(decimal->micros()) : std::nullopt;
}

}  // namespace

void PgGroup::Add(const Registration& registration, int64_t revision) {
  registered_ = revision;
  std::vector<int64_t> buckets;
  std::vector<std::string> ids, names, kinds, regions;
  std::vector<std::optional<int64_t>> from, to;
  for (const evidence::Organisation& entry : registration.organisations) {
    buckets.push_back(digest::BucketOf(entry.id));
    ids.push_back(entry.id);
    names.push_back(entry.name);
    kinds.push_back(entry.kind);
    regions.push_back(entry.region);
    from.push_back(DaysOf(entry.from));
    to.push_back(DaysOf(entry.to));
  }
  if (!ids.empty()) {
    PgCall call{
        "INSERT INTO organisations (revision, bucket, id, name, kind, region, from_day, to_day)"
        " SELECT $1, e.* FROM unnest($2, $3, $4, $5, $6, $7, $8) AS e",
        {}};
    call.params.Add(revision).AddInts(buckets).AddTexts(ids).AddTexts(names).AddTexts(kinds);
    call.params.AddTexts(regions).AddOptionalInts(from).AddOptionalInts(to);
    others_.push_back(std::move(call));
  }
  for (const evidence::Period& entry : registration.periods) {
    PgCall call{
        "INSERT INTO periods (id, revision, from_day, to_day, title) VALUES ($1, $2, $3, $4, $5)",
        {}};
    call.params.Add(entry.id).Add(revision).Add(int64_t{entry.from.days()});
    call.params.Add(int64_t{entry.to.days()}).Add(entry.title);
    others_.push_back(std::move(call));
  }
  for (const Registration::CodeDraft& draft : registration.codes) {
    const evidence::Code& code = draft.code;
    codes_[code.id] = revision;
    PgCall call{
        "INSERT INTO codes (id, revision, title, kind, value_type, unit, minimum, maximum)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        {}};
    call.params.Add(code.id).Add(revision).Add(code.title).Add(static_cast<int64_t>(code.kind));
    call.params.Add(static_cast<int64_t>(code.value_type)).Add(code.unit);
    call.params.Add(MicrosOf(code.minimum)).Add(MicrosOf(code.maximum));
    others_.push_back(std::move(call));
    PgCall levels{
        "INSERT INTO code_levels (code, revision, ord, level)"
        " SELECT $1, $2, l.i - 1, l.level FROM unnest($3) WITH ORDINALITY AS l(level, i)",
        {}};
    levels.params.Add(code.id).Add(revision).AddTexts(code.levels);
    others_.push_back(std::move(levels));
  }
}

void PgGroup::Add(const SchemeDraft& scheme, int64_t revision) {
  schemes_[{scheme.id, scheme.version}] = scheme.digest;
  PgCall call{
      "INSERT INTO schemes (revision, id, version, digest, text) VALUES ($1, $2, $3, $4, $5)", {}};
  call.params.Add(revision).Add(scheme.id).Add(scheme.version).Add(scheme.digest).Add(scheme.text);
  others_.push_back(std::move(call));
}

void PgGroup::Add(const SchemeApproval& approval, int64_t revision) {
  approved_.insert(approval.digest);
  PgCall call{"INSERT INTO scheme_approvals (revision, digest) VALUES ($1, $2)", {}};
  call.params.Add(revision).Add(approval.digest);
  others_.push_back(std::move(call));
}

void PgGroup::Add(const RoundAct& act, int64_t revision) {
  std::vector<const RoundDraft*> drafts = {&act.round};
  for (const RoundDraft& other : act.others) drafts.push_back(&other);
  for (const RoundDraft* draft : drafts) {
    rounds_[draft->id] = revision;
    PgCall call{"INSERT INTO rounds (id, revision, content) VALUES ($1, $2, $3)", {}};
    call.params.Add(draft->id).Add(revision).AddBytes(draft->content);
    others_.push_back(std::move(call));
  }
  if (act.organisations.empty()) return;
  chosen_[act.round.id] = true;
  std::vector<int64_t> buckets;
  for (const std::string& id : act.organisations) buckets.push_back(digest::BucketOf(id));
  PgCall call{
      "INSERT INTO round_organisations (round, revision, bucket, organisation)"
      " SELECT $1, $2, o.* FROM unnest($3, $4) AS o",
      {}};
  call.params.Add(act.round.id).Add(revision).AddInts(buckets).AddTexts(act.organisations);
  others_.push_back(std::move(call));
}

}  // namespace starratings::store
