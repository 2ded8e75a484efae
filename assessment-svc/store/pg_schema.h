// The schema of the record on PostgreSQL: whether a database has it, and how it
// gets it.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assessment-svc/store/pg_connection.h"
#include "assessment-svc/store/schema.h"
#include "assessment-svc/store/store.h"

namespace starratings::store {

// Version 0 if the database has no record.
absl::StatusOr<Schema> ReadPgSchema(PgConnection& connection, absl::Time deadline);

absl::StatusOr<Identity> ReadPgIdentity(PgConnection& connection, absl::Time deadline);

// Makes the schema what this binary knows, a transaction for each migration, one
// process at a time; returns the version it was.
absl::StatusOr<int64_t> MigratePg(PgConnection& connection, absl::Time deadline);

}  // namespace starratings::store
