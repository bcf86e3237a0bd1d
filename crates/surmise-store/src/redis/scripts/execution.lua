-- What the scripts of executions have after those of leases. What is kept of a key begins with the token of its execution, the
-- number of the change that made it so, and when its times begin, in microseconds since 1970; the rest is the caller's.
local EXECUTION = 100

-- Returns what is kept, or the empty text, and the time.
local function kept(key)
  return {'kept', redis.call('GET', key) or '', text(time())}
end
