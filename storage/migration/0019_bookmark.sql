-- What members keep with a bookmark; nobody else sees any of it.

ALTER TABLE mark ADD COLUMN folder TEXT NOT NULL DEFAULT '';
ALTER TABLE mark ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE mark ADD COLUMN remind_at INTEGER NOT NULL DEFAULT 0; -- 0 for never, or done
CREATE INDEX mark_folder ON mark (account_id, folder, id) WHERE kind = 'bookmark';
CREATE INDEX mark_remind ON mark (remind_at) WHERE remind_at > 0;
