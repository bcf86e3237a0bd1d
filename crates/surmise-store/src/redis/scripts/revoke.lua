-- Ends a lease, if it is held with a token. The record stays, since the next token is counted from it.
-- KEYS: the lease. ARGV: the token.
local held = redis.call('GET', KEYS[1])
if held and not held:find(SHAPE) then return {'foreign', KEYS[1]} end
if not held or held:sub(1, TOKEN) ~= ARGV[1] or ends(held) <= time() then return {'free'} end
redis.call('SET', KEYS[1], ending(held, 0))
return {'done'}
