-- Jobs of one chain run one after the other: a Follow before the Undo of it.

ALTER TABLE job ADD COLUMN chain INTEGER NOT NULL DEFAULT 0;   -- 0 for none
ALTER TABLE job ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;   -- 1 while an older one of its chain is not done
DROP INDEX job_due;
CREATE INDEX job_due ON job (kind, next_at) WHERE held_at = 0 AND waits = 0;
CREATE INDEX job_chain ON job (chain, kind, target, id) WHERE chain <> 0;
