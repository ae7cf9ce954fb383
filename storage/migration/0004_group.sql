-- Groups: a post knows the one it stands in, whoever may read it.

ALTER TABLE post ADD COLUMN group_id INTEGER NOT NULL DEFAULT 0;
CREATE INDEX post_group ON post (group_id, id) WHERE group_id <> 0;
CREATE INDEX account_group ON account (id) WHERE kind = 'group';
