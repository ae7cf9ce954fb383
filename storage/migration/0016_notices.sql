-- What members do not want to hear of, and what of the rest stands together.

ALTER TABLE notification ADD COLUMN held INTEGER NOT NULL DEFAULT 0; -- 1: by the policy
CREATE INDEX notification_alike ON notification (account_id, kind, post_id, id);
CREATE INDEX notification_held ON notification (account_id, from_id) WHERE held = 1;

CREATE TABLE notification_permit (  -- who is heard whatever the policy says
  account_id INTEGER NOT NULL REFERENCES account (id),
  from_id INTEGER NOT NULL REFERENCES account (id),
  PRIMARY KEY (account_id, from_id)
) STRICT;

ALTER TABLE conversation ADD COLUMN muted INTEGER NOT NULL DEFAULT 0; -- of any thread; 1: tells of nothing more
CREATE INDEX conversation_thread ON conversation (thread_id);
