-- What was decided about content that crosses to or from other servers. Decisions
-- write into audit_waiting inside their own transaction; the linker moves rows from
-- there into audit, in order, each with the hash over its forerunner's and its own
-- words. Nothing changes or removes a row of audit.

CREATE TABLE audit_waiting (
  id INTEGER PRIMARY KEY,           -- when it came; the order in which rows are linked
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  peer TEXT NOT NULL,
  zone TEXT NOT NULL,
  rule TEXT NOT NULL,
  key_id TEXT NOT NULL,
  result TEXT NOT NULL,
  cause TEXT NOT NULL,
  by_whom TEXT NOT NULL
) STRICT;

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,          -- 1, 2, 3 ... without a gap
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  peer TEXT NOT NULL,
  zone TEXT NOT NULL,
  rule TEXT NOT NULL,
  key_id TEXT NOT NULL,
  result TEXT NOT NULL,
  cause TEXT NOT NULL,
  by_whom TEXT NOT NULL,
  hash BLOB NOT NULL                -- SHA-256; see social.AuditRow.Hash
) STRICT;
