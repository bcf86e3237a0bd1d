-- Returns who holds a lease.
-- KEYS: the lease.
local held = redis.call('GET', KEYS[1])
if held and not held:find(SHAPE) then return {'foreign', KEYS[1]} end
local now = time()
if not held or ends(held) <= now then return {'free'} end
return {'held', held, text(ends(held) - now)}
