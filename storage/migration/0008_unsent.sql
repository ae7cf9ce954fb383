-- What members wrote and did not publish yet.

CREATE TABLE unsent (
  id INTEGER PRIMARY KEY,
  author_id INTEGER NOT NULL REFERENCES account (id),
  state TEXT NOT NULL,              -- draft, scheduled or held
  due_at INTEGER NOT NULL,          -- 0 for drafts
  updated_at INTEGER NOT NULL,
  data TEXT NOT NULL                -- the rest as JSON
) STRICT;
CREATE INDEX unsent_author ON unsent (author_id, state, id);

CREATE TABLE unsent_media (         -- uploads that are kept for it
  unsent_id INTEGER NOT NULL REFERENCES unsent (id),
  media_id INTEGER NOT NULL,
  PRIMARY KEY (media_id, unsent_id)
) STRICT;
CREATE INDEX unsent_media_unsent ON unsent_media (unsent_id);
