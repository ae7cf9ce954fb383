-- The directory of people: members here and what other servers say of theirs.

CREATE TABLE person (
  id INTEGER PRIMARY KEY,           -- of a member: the account's
  uri TEXT NOT NULL UNIQUE,
  peer TEXT NOT NULL,               -- '' for members here
  version INTEGER NOT NULL,
  gone INTEGER NOT NULL,
  name TEXT NOT NULL,               -- of the handle, folded
  host TEXT NOT NULL,
  sort BLOB NOT NULL,               -- the name, folded; bytes compare alike in both databases
  words TEXT NOT NULL,              -- all that it is found by, folded, a blank before each
  synced_at INTEGER NOT NULL,
  data TEXT NOT NULL                -- the fields as JSON
) STRICT;
CREATE INDEX person_peer ON person (peer, id);
CREATE INDEX person_handle ON person (name, host);
-- Holds all that a search in the order of names looks at.
CREATE INDEX person_sort ON person (sort, id, peer, words) WHERE gone = 0;

CREATE TABLE person_word (
  person_id INTEGER NOT NULL REFERENCES person (id),
  word BLOB NOT NULL,               -- folded
  PRIMARY KEY (person_id, word)
) STRICT;
CREATE INDEX person_word_word ON person_word (word, person_id);
