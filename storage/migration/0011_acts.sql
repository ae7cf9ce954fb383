-- What administrators did is found among all that was decided.
CREATE INDEX audit_acts ON audit (seq) WHERE kind IN ('member', 'policy', 'zone', 'pairing', 'queue');
