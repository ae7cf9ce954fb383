-- What was not sent is found among all that was.
CREATE INDEX audit_refused ON audit (seq) WHERE kind = 'send' AND result = 'refused';
