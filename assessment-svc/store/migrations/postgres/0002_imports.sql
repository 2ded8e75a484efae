-- Imports under way, and two ways into the log. A binary of version 1 may still
-- use the record.

-- Who is importing what. No part of the log: rows come, change and go.
CREATE TABLE imports (
  id          TEXT COLLATE "C" PRIMARY KEY,
  actor       TEXT COLLATE "C" NOT NULL,
  title       TEXT COLLATE "C" NOT NULL,
  items       BIGINT NOT NULL CHECK (items >= 0),
  items_total BIGINT NOT NULL CHECK (items_total >= 0),
  seen_us     BIGINT NOT NULL
);

-- From a time to a revision.
CREATE INDEX commits_by_time ON commits (time_us);

-- The last time the register changed.
CREATE INDEX commits_of_register ON commits (revision) WHERE kind = 'registration';

UPDATE schema_info SET version = 2;
