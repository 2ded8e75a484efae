-- Imports under way, and two ways into the log. A binary of version 1 may still
-- use the record.

-- Who is importing what. No part of the log: rows come, change and go.
CREATE TABLE imports (
  id          TEXT    PRIMARY KEY,
  actor       TEXT    NOT NULL,
  title       TEXT    NOT NULL,
  items       INTEGER NOT NULL CHECK (items >= 0),
  items_total INTEGER NOT NULL CHECK (items_total >= 0),
  seen_us     INTEGER NOT NULL
) STRICT;

-- From a time to a revision.
CREATE INDEX commits_by_time ON commits (time_us);

-- The last time the register changed.
CREATE INDEX commits_of_register ON commits (revision) WHERE kind = 'registration';

UPDATE schema_info SET version = 2;
