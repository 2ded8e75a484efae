-- Overrides, approvals of schemes, and rounds by revision. A binary of version 1 may
-- use the record until there is an override in it: it does not carry what makes it one.

-- By what right a person decided the value, and the first day on which it no longer
-- holds; of overrides alone.
ALTER TABLE evidence_log ADD COLUMN authority TEXT COLLATE "C";
ALTER TABLE evidence_log ADD COLUMN expires_on BIGINT;
-- Not validated: that would read the whole log while nobody may write. The rows there
-- are have neither.
ALTER TABLE evidence_log ADD CONSTRAINT override_is_whole
  CHECK ((expires_on IS NULL) = (authority IS NULL)) NOT VALID;
ALTER TABLE evidence_current ADD COLUMN authority TEXT COLLATE "C";
ALTER TABLE evidence_current ADD COLUMN expires_on BIGINT;
ALTER TABLE evidence_past ADD COLUMN authority TEXT COLLATE "C";
ALTER TABLE evidence_past ADD COLUMN expires_on BIGINT;

-- The second person who stands behind a scheme.
CREATE TABLE scheme_approvals (
  revision BIGINT PRIMARY KEY REFERENCES commits,
  digest   TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(digest) = 64)
);
CREATE TRIGGER scheme_approvals_change BEFORE UPDATE OR DELETE OR TRUNCATE ON scheme_approvals
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- From a revision to the rounds it changed.
CREATE INDEX rounds_by_revision ON rounds (revision);

UPDATE schema_info SET version = 3;
