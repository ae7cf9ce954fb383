-- Programs that registered themselves, and what their users let them do (RFC 6749, 7636).

CREATE TABLE app (
  id INTEGER PRIMARY KEY,
  client_id TEXT NOT NULL UNIQUE,
  secret_hash BLOB NOT NULL,
  name TEXT NOT NULL,
  website TEXT NOT NULL,
  redirect_uris TEXT NOT NULL,        -- a line each
  scopes TEXT NOT NULL,
  pkce INTEGER NOT NULL,              -- has used it once: from then on it must
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE app_token (              -- of an app itself, for nobody
  hash BLOB PRIMARY KEY,
  app_id INTEGER NOT NULL REFERENCES app (id),
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE oauth_code (
  hash BLOB PRIMARY KEY,
  app_id INTEGER NOT NULL REFERENCES app (id),
  account_id INTEGER NOT NULL REFERENCES account (id),
  redirect_uri TEXT NOT NULL,
  scopes TEXT NOT NULL,
  bound TEXT NOT NULL,
  challenge TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  token_id INTEGER NOT NULL           -- that it was exchanged for; 0 before
) STRICT;
CREATE INDEX oauth_code_account ON oauth_code (account_id);

ALTER TABLE token ADD COLUMN app_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE token ADD COLUMN bound TEXT NOT NULL DEFAULT '';   -- of what it may publish
UPDATE token SET bound = 'company' WHERE may_publish = 0;
ALTER TABLE token DROP COLUMN may_publish;
