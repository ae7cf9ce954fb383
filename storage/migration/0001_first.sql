-- The first schema. Written once for both databases: the runner turns INTEGER
-- into BIGINT, BLOB into BYTEA and drops STRICT for PostgreSQL.
-- Ids are time-ordered integers; times are milliseconds UTC, 0 for none.

CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  uri TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,               -- username, folded
  host TEXT NOT NULL,               -- '' for members here, else folded
  authority TEXT NOT NULL,
  email TEXT NOT NULL,              -- folded
  words TEXT NOT NULL,              -- display name, folded, for the search of people
  kind TEXT NOT NULL,
  inbox TEXT NOT NULL,              -- where deliveries go: the shared one if there is one
  posts INTEGER NOT NULL DEFAULT 0,
  followers INTEGER NOT NULL DEFAULT 0,
  following INTEGER NOT NULL DEFAULT 0,
  last_post_at INTEGER NOT NULL DEFAULT 0,
  suspended_at INTEGER NOT NULL DEFAULT 0,
  deleted_at INTEGER NOT NULL DEFAULT 0,
  data TEXT NOT NULL,               -- the whole account as JSON
  UNIQUE (name, host)
) STRICT;
CREATE INDEX account_host ON account (host, id);
CREATE INDEX account_authority ON account (authority);
CREATE INDEX account_email ON account (email) WHERE email <> '';

CREATE TABLE actor_key (
  uri TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account (id),
  kind TEXT NOT NULL,
  public BLOB NOT NULL,
  private BLOB,
  fetched_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX actor_key_account ON actor_key (account_id);

CREATE TABLE fetch_token (
  url TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE post (
  id INTEGER PRIMARY KEY,
  uri TEXT NOT NULL UNIQUE,
  author_id INTEGER NOT NULL REFERENCES account (id),
  kind TEXT NOT NULL,
  parent_id INTEGER NOT NULL,       -- 0 for none, or not known here yet
  parent_uri TEXT NOT NULL,
  thread_id INTEGER NOT NULL,
  boost_of_id INTEGER NOT NULL,
  audience_kind TEXT NOT NULL,
  audience_name TEXT NOT NULL,
  audience_owner TEXT NOT NULL,
  ceiling_kind TEXT NOT NULL,
  ceiling_name TEXT NOT NULL,
  ceiling_owner TEXT NOT NULL,
  local INTEGER NOT NULL,
  has_media INTEGER NOT NULL,
  published_at INTEGER NOT NULL,
  edited_at INTEGER NOT NULL,
  deleted_at INTEGER NOT NULL DEFAULT 0,
  arrived_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  replies INTEGER NOT NULL DEFAULT 0,
  boosts INTEGER NOT NULL DEFAULT 0,
  favourites INTEGER NOT NULL DEFAULT 0,
  data TEXT NOT NULL,               -- content, mentions, tags, emojis, attachments as JSON
  raw BLOB                          -- the origin's bytes
) STRICT;
CREATE INDEX post_author ON post (author_id, id) WHERE deleted_at = 0;
CREATE INDEX post_parent ON post (parent_id, id) WHERE parent_id <> 0;
CREATE INDEX post_waiting ON post (parent_uri) WHERE parent_id = 0 AND parent_uri <> '';
CREATE INDEX post_thread ON post (thread_id, id);
CREATE INDEX post_boost ON post (boost_of_id, author_id) WHERE boost_of_id <> 0;
CREATE INDEX post_public ON post (id) WHERE deleted_at = 0 AND boost_of_id = 0 AND parent_uri = ''
  AND audience_kind IN ('public', 'company', 'partner', 'instance');

CREATE TABLE post_version (
  post_id INTEGER NOT NULL REFERENCES post (id),
  version INTEGER NOT NULL,
  at INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (post_id, version)
) STRICT;

CREATE TABLE mention (
  account_id INTEGER NOT NULL,
  post_id INTEGER NOT NULL REFERENCES post (id),
  PRIMARY KEY (account_id, post_id)
) STRICT;
CREATE INDEX mention_post ON mention (post_id);

CREATE TABLE post_tag (
  tag TEXT NOT NULL,
  post_id INTEGER NOT NULL REFERENCES post (id),
  PRIMARY KEY (tag, post_id)
) STRICT;
CREATE INDEX post_tag_post ON post_tag (post_id);

CREATE TABLE poll (
  post_id INTEGER PRIMARY KEY REFERENCES post (id),
  options TEXT NOT NULL,
  multiple INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  closed_at INTEGER NOT NULL,
  voters INTEGER NOT NULL
) STRICT;
CREATE INDEX poll_ending ON poll (expires_at) WHERE closed_at = 0 AND expires_at <> 0;

CREATE TABLE vote (
  post_id INTEGER NOT NULL REFERENCES post (id),
  account_id INTEGER NOT NULL,
  choice INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (post_id, account_id, choice)
) STRICT;

CREATE TABLE mark (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,               -- favourite, bookmark, pin
  account_id INTEGER NOT NULL,
  post_id INTEGER NOT NULL REFERENCES post (id),
  uri TEXT NOT NULL,                -- of the activity, for remote favourites
  UNIQUE (account_id, post_id, kind)
) STRICT;
CREATE INDEX mark_post ON mark (post_id, kind, id);
CREATE INDEX mark_account ON mark (account_id, kind, id);
CREATE INDEX mark_uri ON mark (uri) WHERE uri <> '';

CREATE TABLE media (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account (id),
  post_id INTEGER NOT NULL,
  file TEXT NOT NULL,
  small TEXT NOT NULL,
  size INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  attachment TEXT NOT NULL
) STRICT;
CREATE INDEX media_post ON media (post_id, created_at);

CREATE TABLE idempotency (
  account_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  post_id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (account_id, name)
) STRICT;

CREATE TABLE timeline (
  owner_id INTEGER NOT NULL,
  id INTEGER NOT NULL,              -- when it arrived
  post_id INTEGER NOT NULL,
  subject_id INTEGER NOT NULL,      -- the post, or what it boosts: an owner gets each once
  author_id INTEGER NOT NULL,
  PRIMARY KEY (owner_id, id),
  UNIQUE (owner_id, subject_id)
) STRICT;
CREATE INDEX timeline_post ON timeline (post_id);

CREATE TABLE follow (
  id INTEGER PRIMARY KEY,
  follower_id INTEGER NOT NULL REFERENCES account (id),
  target_id INTEGER NOT NULL REFERENCES account (id),
  state TEXT NOT NULL,
  uri TEXT NOT NULL,
  show_boosts INTEGER NOT NULL,
  notify INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (follower_id, target_id)
) STRICT;
CREATE INDEX follow_target ON follow (target_id, state, id);
CREATE INDEX follow_follower ON follow (follower_id, state, id);
CREATE INDEX follow_uri ON follow (uri);

CREATE TABLE block (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,               -- block or mute
  account_id INTEGER NOT NULL,
  target_id INTEGER NOT NULL,
  UNIQUE (account_id, target_id, kind)
) STRICT;
CREATE INDEX block_target ON block (target_id, kind);

CREATE TABLE notification (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  from_id INTEGER NOT NULL,
  post_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  read_at INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account_id, kind, from_id, post_id)
) STRICT;
CREATE INDEX notification_list ON notification (account_id, id);
CREATE INDEX notification_post ON notification (post_id);

CREATE TABLE report (
  id INTEGER PRIMARY KEY,
  data TEXT NOT NULL,
  closed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE peer (
  authority TEXT PRIMARY KEY,
  zone TEXT NOT NULL,
  zone_name TEXT NOT NULL,
  reason TEXT NOT NULL,
  software TEXT NOT NULL,
  dialect TEXT NOT NULL,
  shared_inbox TEXT NOT NULL,
  known_at INTEGER NOT NULL,
  zoned_at INTEGER NOT NULL,
  last_in_at INTEGER NOT NULL,
  last_out_at INTEGER NOT NULL,
  last_error TEXT NOT NULL
) STRICT;

CREATE TABLE knock (
  authority TEXT PRIMARY KEY,
  actor TEXT NOT NULL,
  wanted TEXT NOT NULL,
  since INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  count INTEGER NOT NULL
) STRICT;

-- The change log: what this instance told others, in commit order within an epoch.
CREATE TABLE activity (
  id INTEGER PRIMARY KEY,
  uri TEXT NOT NULL UNIQUE,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  verb TEXT NOT NULL,
  actor_id INTEGER NOT NULL,
  post_id INTEGER NOT NULL,
  object_uri TEXT NOT NULL,
  retraction INTEGER NOT NULL,
  audience TEXT NOT NULL,           -- JSON
  ceiling TEXT NOT NULL,            -- JSON
  body BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (epoch, seq)
) STRICT;
CREATE INDEX activity_post ON activity (post_id) WHERE post_id <> 0;

CREATE TABLE receipt (
  object_uri TEXT NOT NULL,
  peer TEXT NOT NULL,
  inbox TEXT NOT NULL,
  post_id INTEGER NOT NULL,
  how TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (object_uri, peer, inbox)
) STRICT;
CREATE INDEX receipt_post ON receipt (post_id) WHERE post_id <> 0;

CREATE TABLE refusal (              -- posts that did not arrive
  post_id INTEGER NOT NULL,
  inbox TEXT NOT NULL,
  peer TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (post_id, inbox)
) STRICT;

CREATE TABLE inbound (
  id INTEGER PRIMARY KEY,
  uri TEXT NOT NULL,
  inbox_id INTEGER NOT NULL,
  peer TEXT NOT NULL,
  actor TEXT NOT NULL,
  body BLOB,
  received_at INTEGER NOT NULL,
  signed_at INTEGER NOT NULL,
  result TEXT NOT NULL,
  back_at INTEGER NOT NULL DEFAULT 0, -- when it was taken back, by its sender's clock
  back_by TEXT NOT NULL DEFAULT '',   -- and by which activity
  UNIQUE (uri, inbox_id)
) STRICT;
CREATE INDEX inbound_received ON inbound (received_at);

CREATE TABLE seen (
  name TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX seen_at ON seen (at);

CREATE TABLE job (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  host TEXT NOT NULL,
  ref INTEGER NOT NULL,
  target TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL,         -- due, and the lease of a claimed one
  lease_at INTEGER NOT NULL DEFAULT 0, -- until when somebody works on it
  created_at INTEGER NOT NULL,
  held_at INTEGER NOT NULL DEFAULT 0,
  chain INTEGER NOT NULL DEFAULT 0, -- 0 for none
  waits INTEGER NOT NULL DEFAULT 0, -- 1 while an older one of its chain is not done
  last_error TEXT NOT NULL DEFAULT '',
  UNIQUE (kind, ref, target)
) STRICT;
CREATE INDEX job_due ON job (kind, next_at, host) WHERE held_at = 0 AND waits = 0;
CREATE INDEX job_host ON job (host, waits, next_at);
CREATE INDEX job_chain ON job (chain, kind, target, id) WHERE chain <> 0;

CREATE TABLE host (
  name TEXT PRIMARY KEY,
  failures INTEGER NOT NULL,
  next_try INTEGER NOT NULL,
  last_ok INTEGER NOT NULL,
  last_error TEXT NOT NULL,
  heard_at INTEGER NOT NULL DEFAULT 0, -- when it was tried early because it sent something
  held_at INTEGER NOT NULL DEFAULT 0   -- since when an administrator holds what goes there
) STRICT;

CREATE TABLE password (
  account_id INTEGER PRIMARY KEY REFERENCES account (id),
  hash TEXT NOT NULL
) STRICT;

CREATE TABLE token (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account (id),
  hash BLOB NOT NULL UNIQUE,
  app TEXT NOT NULL,
  scopes TEXT NOT NULL,
  may_publish INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account (id),
  hash BLOB NOT NULL UNIQUE,
  user_agent TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE link (
  hash BLOB PRIMARY KEY,
  purpose TEXT NOT NULL,
  account_id INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

-- Files of other servers' posts that somebody here looked at: a cache, bounded in
-- size and age. The id is the file's; its time is when it was fetched.

CREATE TABLE remote_media (
  id INTEGER PRIMARY KEY,
  post_id INTEGER NOT NULL,
  url TEXT NOT NULL,
  origin TEXT NOT NULL,             -- authority of url
  file TEXT NOT NULL,               -- name in the blob store
  media_type TEXT NOT NULL,         -- by its bytes
  size INTEGER NOT NULL,
  UNIQUE (post_id, url)
) STRICT;
