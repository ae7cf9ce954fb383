-- By which words posts are found; see search.go for what the marks of stems and ends are.

CREATE TABLE search_todo (           -- posts whose words are to be written anew
  post_id BIGINT PRIMARY KEY
);
INSERT INTO search_todo (post_id) SELECT id FROM post WHERE deleted_at = 0 AND boost_of_id = 0;

CREATE TABLE post_words (
  post_id BIGINT PRIMARY KEY,
  words TSVECTOR NOT NULL
);
CREATE INDEX post_words_words ON post_words USING GIN (words);
