-- Changes what is kept of an execution, if nobody did since the caller looked; or else returns it.
-- KEYS: the execution, the number of the last change, the epoch. ARGV: what it begins with, or nothing if there is none; its
-- token, or nothing for a new one; when its times begin, or nothing if it is now; for how long it is kept from then on, in
-- microseconds; the rest.
if redis.call('GETRANGE', KEYS[1], 0, EXECUTION - 1) ~= ARGV[1] then return kept(KEYS[1]) end
local epoch, last = redis.call('GET', KEYS[3]), redis.call('GET', KEYS[2])
if not epoch then return {'lost'} end
if not epoch:find('^' .. ('%d'):rep(DIGITS) .. '$') then return {'foreign', KEYS[3]} end
if last and not last:find('^' .. ('%d'):rep(TOKEN) .. '$') then return {'foreign', KEYS[2]} end
local counter = NONE
if last and last:sub(1, DIGITS) >= epoch then
  epoch, counter = last:sub(1, DIGITS), last:sub(DIGITS + 1)
end
counter = next_number(counter)
if not counter then return {'exhausted', epoch} end
local number = epoch .. counter
local token, begins = ARGV[2], ARGV[3]
if token == '' then token = number end
if begins == '' then begins = text(time()) end
local forgotten_at = math.ceil((tonumber(begins) + tonumber(ARGV[4])) / 1000)
-- If the second is refused, a number is left out, which does no harm.
redis.call('SET', KEYS[2], number)
redis.call('SET', KEYS[1], token .. number .. begins .. ARGV[5], 'PXAT', ('%.0f'):format(forgotten_at))
return {'changed', token}
