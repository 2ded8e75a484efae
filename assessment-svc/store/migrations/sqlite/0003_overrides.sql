-- Overrides, approvals of schemes, and rounds by revision. A binary of version 1 may
-- use the record until there is an override in it: it does not carry what makes it one.

-- By what right a person decided the value, and the first day on which it no longer
-- holds; of overrides alone.
ALTER TABLE evidence_log ADD COLUMN authority TEXT;
ALTER TABLE evidence_log ADD COLUMN expires_on INTEGER
  CHECK ((expires_on IS NULL) = (authority IS NULL));
ALTER TABLE evidence_current ADD COLUMN authority TEXT;
ALTER TABLE evidence_current ADD COLUMN expires_on INTEGER;
ALTER TABLE evidence_past ADD COLUMN authority TEXT;
ALTER TABLE evidence_past ADD COLUMN expires_on INTEGER;

-- The second person who stands behind a scheme.
CREATE TABLE scheme_approvals (
  revision INTEGER PRIMARY KEY REFERENCES commits,
  digest   TEXT    NOT NULL UNIQUE CHECK (length(digest) = 64)
) STRICT;
CREATE TRIGGER scheme_approvals_update BEFORE UPDATE ON scheme_approvals
BEGIN SELECT RAISE(ABORT, 'the log is never updated'); END;
CREATE TRIGGER scheme_approvals_delete BEFORE DELETE ON scheme_approvals
BEGIN SELECT RAISE(ABORT, 'the log is never deleted from'); END;

-- From a revision to the rounds it changed.
CREATE INDEX rounds_by_revision ON rounds (revision);

UPDATE schema_info SET version = 3;
