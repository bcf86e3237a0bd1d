-- What the scripts of leases begin with. The record of a lease has the epoch and the counter of the token, the nonce and when
-- it ends, in microseconds since 1970, with 20 digits each; then `l` and the holder. Times are less than 2^53, and so are
-- numbers; the others are text, since they may not be.
local DIGITS, TOKEN, NONCE, HEAD = 20, 40, 60, 80
local NONE = ('0'):rep(DIGITS)
local SHAPE = '^' .. ('%d'):rep(HEAD) .. 'l'

local function text(number)
  local digits = ('%.0f'):format(number)
  return ('0'):rep(DIGITS - #digits) .. digits
end

-- Returns when it is by the clock of the server.
local function time()
  local now = redis.call('TIME')
  return tonumber(now[1]) * 1000000 + tonumber(now[2])
end

-- Returns when a lease ends, or 0 if it was given back.
local function ends(record)
  return tonumber(record:sub(NONCE + 1, HEAD))
end

-- Returns a record that ends at another time.
local function ending(record, time)
  return record:sub(1, NONCE) .. text(time) .. record:sub(HEAD + 1)
end

-- Returns the number after one of 20 digits, or nil after the last that has 64 bits.
local function next_number(digits)
  if digits >= '18446744073709551615' then return nil end
  local kept = digits:match('^(.-)9*$')
  local last = kept:byte(#kept) + 1
  return kept:sub(1, -2) .. string.char(last) .. ('0'):rep(DIGITS - #kept)
end

