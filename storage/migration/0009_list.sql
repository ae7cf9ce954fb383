-- Lists of people: parts of a member's home timeline, seen by nobody else.

CREATE TABLE people_list (
  id INTEGER PRIMARY KEY,
  owner_id INTEGER NOT NULL REFERENCES account (id),
  title TEXT NOT NULL
) STRICT;
CREATE INDEX people_list_owner ON people_list (owner_id, id);

CREATE TABLE people_list_member (   -- counts while the owner follows the account
  list_id INTEGER NOT NULL REFERENCES people_list (id),
  account_id INTEGER NOT NULL REFERENCES account (id),
  PRIMARY KEY (list_id, account_id)
) STRICT;
CREATE INDEX people_list_member_account ON people_list_member (account_id);
