-- Returns the version of the layout and the epoch, and makes both if neither is there and it is asked to.
-- KEYS: the version, the epoch. ARGV: the version to be made, or nothing.
local format, epoch = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
if not format and not epoch and ARGV[1] ~= '' then
  format, epoch = ARGV[1], text(tonumber(redis.call('TIME')[1]))
  redis.call('MSET', KEYS[1], format, KEYS[2], epoch)
end
if not format and not epoch then return {'lost'} end
return {'found', format or '', epoch or ''}
