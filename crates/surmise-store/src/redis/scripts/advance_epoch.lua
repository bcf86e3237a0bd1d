-- Begins the next epoch: the microseconds since 1970, or one more than the last.
-- KEYS: the epoch.
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'lost'} end
if not epoch:find('^' .. ('%d'):rep(DIGITS) .. '$') then return {'foreign', KEYS[1]} end
local following = next_number(epoch)
if not following then return {'exhausted', epoch} end
local now = text(time())
if now > following then following = now end
redis.call('SET', KEYS[1], following)
return {'epoch', following}
