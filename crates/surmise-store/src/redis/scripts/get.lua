-- Returns what a key has.
-- KEYS: the key.
local found = redis.call('GET', KEYS[1])
if not found then return {'free'} end
return {'has', found}
