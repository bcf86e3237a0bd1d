-- Makes what is needed if nothing is there, and begins the next epoch if another process had the data last, or had another
-- history: what that one granted may be lacking. It takes a store whose data are lost for a new one only if it is asked to.
-- KEYS: the version, the epoch, what was connected to. ARGV: the version; the id of a new store, or nothing; the one that
-- it has to have, or nothing; the process and its history, or nothing if they are not told.
local format, epoch, found = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3])
local known = ARGV[3]
if format and format ~= ARGV[1] then return {'found', format, ''} end
if known ~= '' and not (format and epoch and found) then return {'lost'} end
if not format and (epoch or found) then return {'found', '', ''} end
if epoch and not epoch:find('^' .. ('%d'):rep(DIGITS) .. '$') then return {'foreign', KEYS[2]} end
if found and not found:find('^' .. ('%x'):rep(32)) then return {'foreign', KEYS[3]} end
local id = found and found:sub(1, 32) or ARGV[2]
if known ~= '' and known ~= id then return {'lost'} end
local recorded = id .. ARGV[4]
if not epoch or ARGV[4] == '' or found ~= recorded then
  local following = next_number(epoch or NONE)
  if not following then return {'exhausted', epoch} end
  local now = text(time())
  if now > following then following = now end
  redis.call('MSET', KEYS[1], ARGV[1], KEYS[2], following, KEYS[3], recorded)
end
return {'found', ARGV[1], recorded}
