-- Pairings: whose keys are pinned, what was agreed and since when it holds.
CREATE TABLE pairing (
  authority TEXT PRIMARY KEY,
  state TEXT NOT NULL,              -- active, parked, left
  expires_at INTEGER NOT NULL,      -- 0 for never
  data TEXT NOT NULL                -- the whole pairing as JSON
) STRICT;
