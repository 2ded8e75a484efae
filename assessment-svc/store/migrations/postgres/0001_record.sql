-- The record on PostgreSQL, version 1: the tables of SQLite's, and a heartbeat.
-- docs/store.md says what each table holds.
--
-- Rows of the log are inserted, never updated or deleted. Texts compare by
-- bytes (COLLATE "C"), times are microseconds since 1970 UTC, days are days since 1970-01-01,
-- decimals are micros.

-- Which schema this is, and the number of the oldest binary that may use it.
CREATE TABLE schema_info (
  id            BIGINT PRIMARY KEY CHECK (id = 1),
  version       BIGINT NOT NULL CHECK (version > 0),
  oldest_binary BIGINT NOT NULL CHECK (oldest_binary BETWEEN 1 AND version)
);

-- The newest revision, and which store this is.
CREATE TABLE log_head (
  id          BIGINT PRIMARY KEY CHECK (id = 1),
  revision    BIGINT NOT NULL CHECK (revision >= 0),
  store       TEXT COLLATE "C" NOT NULL CHECK (length(store) = 36),
  incarnation BIGINT NOT NULL CHECK (incarnation > 0)
);

-- Written to see that this is the primary and its standby answers; it says
-- nothing.
CREATE TABLE heartbeat (
  id   BIGINT PRIMARY KEY CHECK (id = 1),
  beat BIGINT NOT NULL
);
INSERT INTO heartbeat VALUES (1, 0);

-- The log ---------------------------------------------------------------------

CREATE TABLE commits (
  revision     BIGINT PRIMARY KEY CHECK (revision > 0),
  time_us      BIGINT NOT NULL,
  actor        TEXT COLLATE "C" NOT NULL CHECK (actor <> ''),
  on_behalf_of TEXT COLLATE "C" NOT NULL,
  request_id   TEXT COLLATE "C" NOT NULL CHECK (request_id <> ''),
  request_hash BYTEA   NOT NULL CHECK (octet_length(request_hash) = 32),
  reason       TEXT COLLATE "C" NOT NULL,
  kind         TEXT COLLATE "C" NOT NULL CHECK (kind IN ('evidence', 'registration', 'scheme', 'round')),
  items        BIGINT NOT NULL CHECK (items >= 0),  -- In evidence_log.
  leaf_hash    BYTEA   NOT NULL CHECK (octet_length(leaf_hash) = 32),
  UNIQUE (actor, request_id)
);

-- Erasing a nonce, and only that, is allowed: see docs/store.md.
CREATE TABLE nonces (
  revision BIGINT PRIMARY KEY REFERENCES commits,
  nonce    BYTEA   NOT NULL CHECK (octet_length(nonce) = 16)
);

CREATE TABLE sources (
  id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  title         TEXT COLLATE "C" NOT NULL,
  uri           TEXT COLLATE "C" NOT NULL,
  sha256        TEXT COLLATE "C" NOT NULL,
  reconstructed BIGINT NOT NULL CHECK (reconstructed IN (0, 1)),
  UNIQUE (title, uri, sha256, reconstructed)
);

-- What was said, in the order it was said. Exactly one value, or the reason why
-- there is none. The second key is what stands behind the etags: there is one
-- n-th statement of an item. That commit and source are there is not asked again
-- for each row: the transaction has just written or found them, and fsck looks.
CREATE TABLE evidence_log (
  revision     BIGINT NOT NULL,
  ord          BIGINT NOT NULL CHECK (ord >= 0),
  organisation TEXT COLLATE "C" NOT NULL,
  period       TEXT COLLATE "C" NOT NULL,
  code         TEXT COLLATE "C" NOT NULL,
  instance     TEXT COLLATE "C" NOT NULL,
  ordinal      BIGINT NOT NULL CHECK (ordinal > 0),
  decimal      BIGINT,
  numerator    BIGINT CHECK (numerator BETWEEN 0 AND 1000000000000),
  denominator  BIGINT CHECK (denominator BETWEEN 1 AND 1000000000000),
  level        TEXT COLLATE "C",
  flag         BIGINT CHECK (flag IN (0, 1)),
  text         TEXT COLLATE "C",
  missing      BIGINT CHECK (missing BETWEEN 1 AND 5),
  observed_on  BIGINT,
  source       BIGINT NOT NULL,
  digest       BYTEA   NOT NULL CHECK (octet_length(digest) = 32),
  PRIMARY KEY (revision, ord),
  UNIQUE (organisation, period, code, instance, ordinal),
  CHECK (num_nonnulls(decimal, numerator, level, flag, text, missing) = 1),
  CHECK ((numerator IS NULL) = (denominator IS NULL))
);

-- The register, a row for each version of an entry.

CREATE TABLE organisations (
  bucket   BIGINT NOT NULL CHECK (bucket BETWEEN 0 AND 65535),
  id       TEXT COLLATE "C" NOT NULL,
  revision BIGINT NOT NULL REFERENCES commits,
  name     TEXT COLLATE "C" NOT NULL,
  kind     TEXT COLLATE "C" NOT NULL,
  region   TEXT COLLATE "C" NOT NULL,
  from_day BIGINT,
  to_day   BIGINT,
  PRIMARY KEY (bucket, id, revision)
);

CREATE TABLE periods (
  id       TEXT COLLATE "C" NOT NULL,
  revision BIGINT NOT NULL REFERENCES commits,
  from_day BIGINT NOT NULL,
  to_day   BIGINT NOT NULL,
  title    TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (id, revision)
);

CREATE TABLE codes (
  id         TEXT COLLATE "C" NOT NULL,
  revision   BIGINT NOT NULL REFERENCES commits,
  title      TEXT COLLATE "C" NOT NULL,
  kind       BIGINT NOT NULL CHECK (kind BETWEEN 1 AND 6),
  value_type BIGINT NOT NULL CHECK (value_type BETWEEN 1 AND 5),
  unit       TEXT COLLATE "C" NOT NULL,
  minimum    BIGINT,
  maximum    BIGINT,
  PRIMARY KEY (id, revision)
);

-- Worst first.
CREATE TABLE code_levels (
  code     TEXT COLLATE "C" NOT NULL,
  revision BIGINT NOT NULL,
  ord      BIGINT NOT NULL CHECK (ord >= 0),
  level    TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (code, revision, ord),
  FOREIGN KEY (code, revision) REFERENCES codes (id, revision)
);

CREATE TABLE schemes (
  revision BIGINT PRIMARY KEY REFERENCES commits,
  id       TEXT COLLATE "C" NOT NULL,
  version  TEXT COLLATE "C" NOT NULL,
  digest   TEXT COLLATE "C" NOT NULL CHECK (length(digest) = 64),
  text     TEXT COLLATE "C" NOT NULL,
  UNIQUE (id, version)
);
CREATE INDEX schemes_by_digest ON schemes (digest);

-- A row for each version of a round.
CREATE TABLE rounds (
  id       TEXT COLLATE "C" NOT NULL,
  revision BIGINT NOT NULL REFERENCES commits,
  content  BYTEA   NOT NULL,
  UNIQUE (id, revision)
);

-- Whom the freeze of a round has chosen.
CREATE TABLE round_organisations (
  round        TEXT COLLATE "C" NOT NULL,
  bucket       BIGINT NOT NULL CHECK (bucket BETWEEN 0 AND 65535),
  organisation TEXT COLLATE "C" NOT NULL,
  revision     BIGINT NOT NULL,
  PRIMARY KEY (round, bucket, organisation),
  FOREIGN KEY (round, revision) REFERENCES rounds (id, revision)
);

-- What can be made again from the log ------------------------------------------

-- The newest statement of each item.
CREATE TABLE evidence_current (
  bucket       BIGINT NOT NULL CHECK (bucket BETWEEN 0 AND 65535),
  organisation TEXT COLLATE "C" NOT NULL,
  period       TEXT COLLATE "C" NOT NULL,
  code         TEXT COLLATE "C" NOT NULL,
  instance     TEXT COLLATE "C" NOT NULL,
  rev_from     BIGINT NOT NULL,
  ordinal      BIGINT NOT NULL,
  decimal      BIGINT,
  numerator    BIGINT,
  denominator  BIGINT,
  level        TEXT COLLATE "C",
  flag         BIGINT,
  text         TEXT COLLATE "C",
  missing      BIGINT,
  observed_on  BIGINT,
  source       BIGINT NOT NULL,
  digest       BYTEA   NOT NULL,
  PRIMARY KEY (bucket, organisation, period, code, instance)
);

-- The statements before it: each held from rev_from up to, not including, rev_to.
CREATE TABLE evidence_past (
  bucket       BIGINT NOT NULL CHECK (bucket BETWEEN 0 AND 65535),
  organisation TEXT COLLATE "C" NOT NULL,
  period       TEXT COLLATE "C" NOT NULL,
  code         TEXT COLLATE "C" NOT NULL,
  instance     TEXT COLLATE "C" NOT NULL,
  rev_from     BIGINT NOT NULL,
  rev_to       BIGINT NOT NULL CHECK (rev_to > rev_from),
  ordinal      BIGINT NOT NULL,
  decimal      BIGINT,
  numerator    BIGINT,
  denominator  BIGINT,
  level        TEXT COLLATE "C",
  flag         BIGINT,
  text         TEXT COLLATE "C",
  missing      BIGINT,
  observed_on  BIGINT,
  source       BIGINT NOT NULL,
  digest       BYTEA   NOT NULL,
  PRIMARY KEY (bucket, organisation, period, code, instance, rev_from)
);

-- Staging -----------------------------------------------------------------------

-- Ratings that rating-svc has sent. No part of the log until a round names the
-- attempt.
CREATE TABLE ratings (
  round        TEXT COLLATE "C" NOT NULL,
  attempt      TEXT COLLATE "C" NOT NULL,
  bucket       BIGINT NOT NULL CHECK (bucket BETWEEN 0 AND 65535),
  organisation TEXT COLLATE "C" NOT NULL,
  chunk        BIGINT NOT NULL,
  content      BYTEA   NOT NULL,
  PRIMARY KEY (round, attempt, bucket, organisation)
);
CREATE INDEX ratings_by_chunk ON ratings (round, attempt, chunk);


-- The log is never updated, and never deleted from -------------------------------

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the log is never updated, and never deleted from';
END $$;

CREATE TRIGGER commits_change BEFORE UPDATE OR DELETE OR TRUNCATE ON commits
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER sources_change BEFORE UPDATE OR DELETE OR TRUNCATE ON sources
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evidence_log_change BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER organisations_change BEFORE UPDATE OR DELETE OR TRUNCATE ON organisations
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER periods_change BEFORE UPDATE OR DELETE OR TRUNCATE ON periods
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER codes_change BEFORE UPDATE OR DELETE OR TRUNCATE ON codes
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER code_levels_change BEFORE UPDATE OR DELETE OR TRUNCATE ON code_levels
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER schemes_change BEFORE UPDATE OR DELETE OR TRUNCATE ON schemes
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rounds_change BEFORE UPDATE OR DELETE OR TRUNCATE ON rounds
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER round_organisations_change BEFORE UPDATE OR DELETE OR TRUNCATE ON round_organisations
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Erasing a nonce is allowed.
CREATE TRIGGER nonces_change BEFORE UPDATE OR TRUNCATE ON nonces
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO schema_info (id, version, oldest_binary) VALUES (1, 1, 1);
