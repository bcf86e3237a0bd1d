-- What the scripts of fences begin with. Passes are 80 digits: the epoch, the counter, the nonce and the sequence, with 20
-- each. They are compared as text, since numbers of Lua have 53 bits; and digits are in the same order in every locale,
-- by which Lua compares text, as letters are not.
local TOKEN, GRANT, PASS = 40, 60, 80
local NONE = ('0'):rep(20)
local SHAPE = '^' .. ('%d'):rep(PASS)

-- Whether what a key has is not ours. What is not there is the empty text.
local function is_foreign(found, kind)
  return found ~= '' and not found:find(SHAPE .. kind .. '$')
end

-- Whether the last pass does not let another follow.
local function refuses(last, pass)
  if last == '' then return false end
  local token, seen = pass:sub(1, TOKEN), last:sub(1, TOKEN)
  if token ~= seen then return token < seen end
  if pass:sub(TOKEN + 1, GRANT) ~= last:sub(TOKEN + 1, GRANT) then return true end
  local sequence, highest = pass:sub(GRANT + 1, PASS), last:sub(GRANT + 1, PASS)
  if sequence ~= highest then return sequence < highest end
  return sequence ~= NONE
end

