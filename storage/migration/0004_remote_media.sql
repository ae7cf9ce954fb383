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
