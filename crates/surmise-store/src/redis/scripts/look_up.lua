-- Returns what is kept of an execution.
-- KEYS: the execution.
return kept(KEYS[1])
