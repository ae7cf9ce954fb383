-- What an entry of the change log is about, so that only the newest one for it is
-- told, and whom it alone concerns.
ALTER TABLE activity ADD COLUMN about TEXT NOT NULL DEFAULT '';
ALTER TABLE activity ADD COLUMN peer TEXT NOT NULL DEFAULT '';
UPDATE activity SET about = object_uri WHERE post_id <> 0 AND verb IN ('create', 'edit', 'narrow', 'delete', 'boost', 'unboost', 'poll_count');
UPDATE activity SET about = coalesce((SELECT uri FROM account WHERE account.id = activity.actor_id), '') WHERE verb IN ('profile', 'leave');
CREATE INDEX activity_about ON activity (about, epoch, seq) WHERE about <> '';

-- Tombstones of other servers' posts, for the digest.
CREATE INDEX post_gone ON post (author_id, id) WHERE deleted_at <> 0 AND local = 0;

-- What sisters and partners took back, with their authors' proofs.
CREATE TABLE retraction (
  object_uri TEXT PRIMARY KEY,
  authority TEXT NOT NULL,
  actor TEXT NOT NULL,
  body BLOB NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX retraction_authority ON retraction (authority, object_uri);

-- How far the change logs of others were read.
CREATE TABLE catchup (
  peer TEXT PRIMARY KEY,
  next_at INTEGER NOT NULL,
  data TEXT NOT NULL                -- the rest as JSON
) STRICT;
CREATE INDEX catchup_next ON catchup (next_at);
