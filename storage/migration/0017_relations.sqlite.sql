-- What members make of others and of lists, and which posts quote which.

ALTER TABLE people_list ADD COLUMN replies_policy TEXT NOT NULL DEFAULT 'list';
ALTER TABLE people_list ADD COLUMN exclusive INTEGER NOT NULL DEFAULT 0;   -- its people's posts stand nowhere else
CREATE INDEX people_list_exclusive ON people_list (owner_id) WHERE exclusive = 1;

CREATE TABLE account_note (          -- read by who wrote it alone
  account_id INTEGER NOT NULL REFERENCES account (id),
  target_id INTEGER NOT NULL REFERENCES account (id),
  note TEXT NOT NULL,
  PRIMARY KEY (account_id, target_id)
) STRICT;

CREATE TABLE featured_tag (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account (id),
  tag TEXT NOT NULL,
  UNIQUE (account_id, tag)
) STRICT;

CREATE TABLE endorsement (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account (id),
  target_id INTEGER NOT NULL REFERENCES account (id),
  UNIQUE (account_id, target_id)
) STRICT;
CREATE INDEX endorsement_account ON endorsement (account_id, id);

CREATE TABLE domain_block (          -- a server that one member does not want to see
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account (id),
  domain TEXT NOT NULL,
  UNIQUE (account_id, domain)
) STRICT;
CREATE INDEX domain_block_account ON domain_block (account_id, id);

ALTER TABLE post ADD COLUMN quote_of_id INTEGER NOT NULL DEFAULT 0;
UPDATE post SET quote_of_id = data ->> 'quote_of' WHERE data ->> 'quote_of' IS NOT NULL;
CREATE INDEX post_quote ON post (quote_of_id, id) WHERE quote_of_id <> 0 AND deleted_at = 0;
