-- Grants a lease, unless somebody holds it.
-- KEYS: the lease, the epoch. ARGV: the nonce, the time in microseconds, the holder.
local nonce, ttl = ARGV[1], tonumber(ARGV[2])
local epoch = redis.call('GET', KEYS[2])
if not epoch then return {'lost'} end
if not epoch:find('^' .. ('%d'):rep(DIGITS) .. '$') then return {'foreign', KEYS[2]} end
local held = redis.call('GET', KEYS[1])
if held and not held:find(SHAPE) then return {'foreign', KEYS[1]} end
local now = time()
if held and ends(held) > now then
  if nonce == NONE or held:sub(TOKEN + 1, NONCE) ~= nonce then
    return {'held', held, text(ends(held) - now)}
  end
  -- It is asked again. What its holder was told is not taken back; nor told anew, since the clock may have been set back.
  local renewed = ending(held, math.max(ends(held), now + ttl))
  redis.call('SET', KEYS[1], renewed)
  return {'granted', renewed, text(ttl)}
end
local counter = NONE
if held and held:sub(1, DIGITS) >= epoch then
  epoch, counter = held:sub(1, DIGITS), held:sub(DIGITS + 1, TOKEN)
end
counter = next_number(counter)
if not counter then return {'exhausted', epoch} end
local record = epoch .. counter .. nonce .. text(now + ttl) .. 'l' .. ARGV[3]
redis.call('SET', KEYS[1], record)
return {'granted', record, text(ttl)}
