-- Pairings: whose keys are pinned, what was agreed and since when it holds.
CREATE TABLE pairing (
  authority TEXT PRIMARY KEY,
  state TEXT NOT NULL,              -- active, parked, left
  expires_at INTEGER NOT NULL,      -- 0 for never
  visible_from INTEGER NOT NULL,    -- posts of ours from then on are for it; 0 for all
  data TEXT NOT NULL                -- the whole pairing as JSON
) STRICT;

-- Invitations that were given away. Nothing here lets anybody make the code again.
CREATE TABLE invitation (
  id TEXT PRIMARY KEY,              -- a hash of the code's secret
  authority TEXT NOT NULL,          -- for whom it is
  expires_at INTEGER NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX invitation_authority ON invitation (authority);

-- What was asked to be taken back when a pairing ended, and what was.
ALTER TABLE receipt ADD COLUMN back_asked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE receipt ADD COLUMN back_at INTEGER NOT NULL DEFAULT 0;
