-- The record, version 1. docs/store.md says what each table holds.
--
-- Rows of the log are inserted, never updated or deleted. Texts compare by
-- bytes, times are microseconds since 1970 UTC, days are days since 1970-01-01,
-- decimals are micros.

-- Which schema this is, and the number of the oldest binary that may use it.
CREATE TABLE schema_info (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  version       INTEGER NOT NULL CHECK (version > 0),
  oldest_binary INTEGER NOT NULL CHECK (oldest_binary BETWEEN 1 AND version)
) STRICT;

-- The newest revision, and which store this is.
CREATE TABLE log_head (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  revision    INTEGER NOT NULL CHECK (revision >= 0),
  store       TEXT    NOT NULL CHECK (length(store) = 36),
  incarnation INTEGER NOT NULL CHECK (incarnation > 0)
) STRICT;

-- The log ---------------------------------------------------------------------

CREATE TABLE commits (
  revision     INTEGER PRIMARY KEY CHECK (revision > 0),
  time_us      INTEGER NOT NULL,
  actor        TEXT    NOT NULL CHECK (actor <> ''),
  on_behalf_of TEXT    NOT NULL,
  request_id   TEXT    NOT NULL CHECK (request_id <> ''),
  request_hash BLOB    NOT NULL CHECK (length(request_hash) = 32),
  reason       TEXT    NOT NULL,
  kind         TEXT    NOT NULL CHECK (kind IN ('evidence', 'registration', 'scheme', 'round')),
  items        INTEGER NOT NULL CHECK (items >= 0),  -- In evidence_log.
  leaf_hash    BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
  UNIQUE (actor, request_id)
) STRICT;

-- Erasing a nonce, and only that, is allowed: see docs/store.md.
CREATE TABLE nonces (
  revision INTEGER PRIMARY KEY REFERENCES commits,
  nonce    BLOB    NOT NULL CHECK (length(nonce) = 16)
) STRICT;

CREATE TABLE sources (
  id            INTEGER PRIMARY KEY,
  title         TEXT    NOT NULL,
  uri           TEXT    NOT NULL,
  sha256        TEXT    NOT NULL,
  reconstructed INTEGER NOT NULL CHECK (reconstructed IN (0, 1)),
  UNIQUE (title, uri, sha256, reconstructed)
) STRICT;

-- What was said, in the order it was said. Exactly one value, or the reason why
-- there is none. The second key is what stands behind the etags: there is one
-- n-th statement of an item.
CREATE TABLE evidence_log (
  revision     INTEGER NOT NULL REFERENCES commits,
  ord          INTEGER NOT NULL CHECK (ord >= 0),
  organisation TEXT    NOT NULL,
  period       TEXT    NOT NULL,
  code         TEXT    NOT NULL,
  instance     TEXT    NOT NULL,
  ordinal      INTEGER NOT NULL CHECK (ordinal > 0),
  decimal      INTEGER,
  numerator    INTEGER CHECK (numerator BETWEEN 0 AND 1000000000000),
  denominator  INTEGER CHECK (denominator BETWEEN 1 AND 1000000000000),
  level        TEXT,
  flag         INTEGER CHECK (flag IN (0, 1)),
  text         TEXT,
  missing      INTEGER CHECK (missing BETWEEN 1 AND 5),
  observed_on  INTEGER,
  source       INTEGER NOT NULL REFERENCES sources,
  digest       BLOB    NOT NULL CHECK (length(digest) = 32),
  PRIMARY KEY (revision, ord),
  UNIQUE (organisation, period, code, instance, ordinal),
  CHECK ((decimal IS NOT NULL) + (numerator IS NOT NULL) + (level IS NOT NULL)
         + (flag IS NOT NULL) + (text IS NOT NULL) + (missing IS NOT NULL) = 1),
  CHECK ((numerator IS NULL) = (denominator IS NULL))
) STRICT, WITHOUT ROWID;

-- The register, a row for each version of an entry.

CREATE TABLE organisations (
  bucket   INTEGER NOT NULL CHECK (bucket BETWEEN 0 AND 65535),
  id       TEXT    NOT NULL,
  revision INTEGER NOT NULL REFERENCES commits,
  name     TEXT    NOT NULL,
  kind     TEXT    NOT NULL,
  region   TEXT    NOT NULL,
  from_day INTEGER,
  to_day   INTEGER,
  PRIMARY KEY (bucket, id, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE periods (
  id       TEXT    NOT NULL,
  revision INTEGER NOT NULL REFERENCES commits,
  from_day INTEGER NOT NULL,
  to_day   INTEGER NOT NULL,
  title    TEXT    NOT NULL,
  PRIMARY KEY (id, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE codes (
  id         TEXT    NOT NULL,
  revision   INTEGER NOT NULL REFERENCES commits,
  title      TEXT    NOT NULL,
  kind       INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 6),
  value_type INTEGER NOT NULL CHECK (value_type BETWEEN 1 AND 5),
  unit       TEXT    NOT NULL,
  minimum    INTEGER,
  maximum    INTEGER,
  PRIMARY KEY (id, revision)
) STRICT, WITHOUT ROWID;

-- Worst first.
CREATE TABLE code_levels (
  code     TEXT    NOT NULL,
  revision INTEGER NOT NULL,
  ord      INTEGER NOT NULL CHECK (ord >= 0),
  level    TEXT    NOT NULL,
  PRIMARY KEY (code, revision, ord),
  FOREIGN KEY (code, revision) REFERENCES codes (id, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE schemes (
  revision INTEGER PRIMARY KEY REFERENCES commits,
  id       TEXT    NOT NULL,
  version  TEXT    NOT NULL,
  digest   TEXT    NOT NULL CHECK (length(digest) = 64),
  text     TEXT    NOT NULL,
  UNIQUE (id, version)
) STRICT;
CREATE INDEX schemes_by_digest ON schemes (digest);

-- A row for each version of a round.
CREATE TABLE rounds (
  id       TEXT    NOT NULL,
  revision INTEGER NOT NULL REFERENCES commits,
  content  BLOB    NOT NULL,
  UNIQUE (id, revision)
) STRICT;

-- Whom the freeze of a round has chosen.
CREATE TABLE round_organisations (
  round        TEXT    NOT NULL,
  bucket       INTEGER NOT NULL CHECK (bucket BETWEEN 0 AND 65535),
  organisation TEXT    NOT NULL,
  revision     INTEGER NOT NULL,
  PRIMARY KEY (round, bucket, organisation),
  FOREIGN KEY (round, revision) REFERENCES rounds (id, revision)
) STRICT, WITHOUT ROWID;

-- What can be made again from the log ------------------------------------------

-- The newest statement of each item.
CREATE TABLE evidence_current (
  bucket       INTEGER NOT NULL CHECK (bucket BETWEEN 0 AND 65535),
  organisation TEXT    NOT NULL,
  period       TEXT    NOT NULL,
  code         TEXT    NOT NULL,
  instance     TEXT    NOT NULL,
  rev_from     INTEGER NOT NULL,
  ordinal      INTEGER NOT NULL,
  decimal      INTEGER,
  numerator    INTEGER,
  denominator  INTEGER,
  level        TEXT,
  flag         INTEGER,
  text         TEXT,
  missing      INTEGER,
  observed_on  INTEGER,
  source       INTEGER NOT NULL,
  digest       BLOB    NOT NULL,
  PRIMARY KEY (bucket, organisation, period, code, instance)
) STRICT, WITHOUT ROWID;

-- The statements before it: each held from rev_from up to, not including, rev_to.
CREATE TABLE evidence_past (
  bucket       INTEGER NOT NULL CHECK (bucket BETWEEN 0 AND 65535),
  organisation TEXT    NOT NULL,
  period       TEXT    NOT NULL,
  code         TEXT    NOT NULL,
  instance     TEXT    NOT NULL,
  rev_from     INTEGER NOT NULL,
  rev_to       INTEGER NOT NULL CHECK (rev_to > rev_from),
  ordinal      INTEGER NOT NULL,
  decimal      INTEGER,
  numerator    INTEGER,
  denominator  INTEGER,
  level        TEXT,
  flag         INTEGER,
  text         TEXT,
  missing      INTEGER,
  observed_on  INTEGER,
  source       INTEGER NOT NULL,
  digest       BLOB    NOT NULL,
  PRIMARY KEY (bucket, organisation, period, code, instance, rev_from)
) STRICT, WITHOUT ROWID;

-- Staging -----------------------------------------------------------------------

-- Ratings that rating-svc has sent. No part of the log until a round names the
-- attempt.
CREATE TABLE ratings (
  round        TEXT    NOT NULL,
  attempt      TEXT    NOT NULL,
  bucket       INTEGER NOT NULL CHECK (bucket BETWEEN 0 AND 65535),
  organisation TEXT    NOT NULL,
  chunk        INTEGER NOT NULL,
  content      BLOB    NOT NULL,
  PRIMARY KEY (round, attempt, bucket, organisation)
) STRICT, WITHOUT ROWID;
CREATE INDEX ratings_by_chunk ON ratings (round, attempt, chunk);

-- The log is never updated, and never deleted from -------------------------------

CREATE TRIGGER commits_update BEFORE UPDATE ON commits
BEGIN SELECT RAISE(ABORT, 'the log is never updated'); END;
CREATE TRIGGER commits_delete BEFORE DELETE ON commits
BEGIN SELECT RAISE(ABORT, 'the log is never deleted from'); END;
CREATE TRIGGER nonces_update BEFORE UPDATE ON nonces
BEGIN SELECT RAISE(ABORT, 'the log is never updated'); END;
CREATE TRIGGER sources_update BEFORE UPDATE ON sources
BEGIN SELECT RAISE(ABORT, 'the log is never updated'); END;
CREATE TRIGGER sources_delete BEFORE DELETE ON sources
BEGIN SELECT RAISE(ABORT, 'the log is never deleted from'); END;
CREATE TRIGGER evidence_log_update BEFORE UPDATE ON evidence_log
BEGIN SELECT RAISE(ABORT, 'the log is never updated'); END;
CREATE TRIGGER evidence_log_delete BEFORE DELETE ON evidence_log
BEGIN SELECT RAISE(ABORT, 'the log is never deleted from'); END;
CREATE TRIGGER organisations_update BEFORE UPDATE ON organisations
BEGIN SELECT RAISE(ABORT, 'the log is never updated'); END;
CREATE TRIGGER organisations_delete BEFORE DELETE ON organisations
BEGIN SELECT RAISE(ABORT, 'the log is never deleted from'); END;
CREATE TRIGGER periods_update BEFORE UPDATE ON periods
BEGIN SELECT RAISE(ABORT, 'the log is never updated'); END;
CREATE TRIGGER periods_delete BEFORE DELETE ON periods
BEGIN SELECT RAISE(ABORT, 'the log is never deleted from'); END;
CREATE TRIGGER codes_update BEFORE UPDATE ON codes
BEGIN SELECT RAISE(ABORT, 'the log is never updated'); END;
CREATE TRIGGER codes_delete BEFORE DELETE ON codes
BEGIN SELECT RAISE(ABORT, 'the log is never deleted from'); END;
CREATE TRIGGER code_levels_update BEFORE UPDATE ON code_levels
BEGIN SELECT RAISE(ABORT, 'the log is never updated'); END;
CREATE TRIGGER code_levels_delete BEFORE DELETE ON code_levels
BEGIN SELECT RAISE(ABORT, 'the log is never deleted from'); END;
CREATE TRIGGER schemes_update BEFORE UPDATE ON schemes
BEGIN SELECT RAISE(ABORT, 'the log is never updated'); END;
CREATE TRIGGER schemes_delete BEFORE DELETE ON schemes
BEGIN SELECT RAISE(ABORT, 'the log is never deleted from'); END;
CREATE TRIGGER rounds_update BEFORE UPDATE ON rounds
BEGIN SELECT RAISE(ABORT, 'the log is never updated'); END;
CREATE TRIGGER rounds_delete BEFORE DELETE ON rounds
BEGIN SELECT RAISE(ABORT, 'the log is never deleted from'); END;
CREATE TRIGGER round_organisations_update BEFORE UPDATE ON round_organisations
BEGIN SELECT RAISE(ABORT, 'the log is never updated'); END;
CREATE TRIGGER round_organisations_delete BEFORE DELETE ON round_organisations
BEGIN SELECT RAISE(ABORT, 'the log is never deleted from'); END;

INSERT INTO schema_info (id, version, oldest_binary) VALUES (1, 1, 1);
