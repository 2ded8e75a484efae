// Chooses organisations in SQL, as of a revision, for the PostgreSQL store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "assessment-svc/store/pg_connection.h"
#include "assessment-svc/store/store.h"

namespace starratings::store {

// Organisations with their buckets, which are a part of every key.
struct BucketedIds {
  std::vector<int64_t> buckets;
  std::vector<std::string> ids;
};

// `ids` in the order (bucket, id), each once; without those before `from`.
BucketedIds BucketsOf(const std::vector<std::string>& ids, const OrganisationCursor& from = {});

// Statements over the organisations that a filter chooses, in order: alias `o`,
// in its newest version at a revision. $1 to kParams are OrganisationParams().
class OrganisationTexts {
 public:
  static constexpr int kParams = 11;

  // `columns` of `o`, between `before` and `behind`.
  explicit OrganisationTexts(absl::string_view columns, absl::string_view before = "",
                             absl::string_view behind = "");

  // The statement for a filter: from the shortest list there is to its
  // organisations.
  const char* For(const OrganisationFilter& filter) const;

 private:
  std::vector<std::string> texts_;  // By driver.
};

// `limit`: nothing for none.
PgParams OrganisationParams(const OrganisationFilter& filter, const OrganisationCursor& after,
                            std::optional<int64_t> limit, int64_t revision);

// The columns that OrganisationOf() reads.
inline constexpr char kOrganisationColumns[] =
    "o.id, o.name, o.kind, o.region, o.from_day, o.to_day";
evidence::Organisation OrganisationOf(const PgResult& rows, int row);

}  // namespace starratings::store
