-- By which words posts are found.

CREATE TABLE search_todo (           -- posts whose words are to be written anew
  post_id INTEGER PRIMARY KEY
) STRICT;
INSERT INTO search_todo (post_id) SELECT id FROM post WHERE deleted_at = 0 AND boost_of_id = 0;

CREATE VIRTUAL TABLE post_words USING fts5(words, stems, ends, content = '', contentless_delete = 1, prefix = '2 3', tokenize = 'ascii');
