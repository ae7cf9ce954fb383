-- Browsers and apps that are told of notifications while they are not open. Each ends
-- with the session or token that it belongs to.

CREATE TABLE push (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account (id),
  session_id INTEGER UNIQUE REFERENCES session (id) ON DELETE CASCADE,
  token_id INTEGER UNIQUE REFERENCES token (id) ON DELETE CASCADE,
  endpoint TEXT NOT NULL,
  public_key BLOB NOT NULL,   -- P-256, uncompressed
  secret BLOB NOT NULL,
  kinds TEXT NOT NULL,        -- of notifications, space separated
  senders TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX push_account ON push (account_id);
