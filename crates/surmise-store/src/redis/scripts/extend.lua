-- Has a lease last for longer, if it is held with a token.
-- KEYS: the lease. ARGV: the token, the time in microseconds.
local held = redis.call('GET', KEYS[1])
if held and not held:find(SHAPE) then return {'foreign', KEYS[1]} end
local now, ttl = time(), tonumber(ARGV[2])
if not held or held:sub(1, TOKEN) ~= ARGV[1] or ends(held) <= now then return {'free'} end
-- What its holder was told is not taken back; nor told anew, since the clock may have been set back.
local renewed = ending(held, math.max(ends(held), now + ttl))
redis.call('SET', KEYS[1], renewed)
return {'granted', renewed, text(ttl)}
