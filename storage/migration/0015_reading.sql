-- What members keep about their reading: nobody else sees any of it.

CREATE TABLE content_filter (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account (id),
  data TEXT NOT NULL
) STRICT;
CREATE INDEX content_filter_account ON content_filter (account_id, id);

CREATE TABLE marker (               -- how far a list was read
  account_id INTEGER NOT NULL REFERENCES account (id),
  timeline TEXT NOT NULL,
  last_read_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, timeline)
) STRICT;

CREATE TABLE tag_follow (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account (id),
  tag TEXT NOT NULL,
  UNIQUE (tag, account_id)
) STRICT;
CREATE INDEX tag_follow_account ON tag_follow (account_id, id);

CREATE TABLE conversation (         -- how far a thread of direct posts was read, or put away
  account_id INTEGER NOT NULL REFERENCES account (id),
  thread_id INTEGER NOT NULL,
  read_to INTEGER NOT NULL,
  gone_to INTEGER NOT NULL,
  PRIMARY KEY (account_id, thread_id)
) STRICT;

CREATE INDEX post_direct ON post (author_id, id) WHERE audience_kind = 'direct';
