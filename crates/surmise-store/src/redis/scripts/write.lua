-- Makes a change, if its pass allows.
-- KEYS: the floor, the value. ARGV: the pass, the pass with what it writes.
local pass = ARGV[1]
local floor = redis.call('GETRANGE', KEYS[1], 0, PASS)
if is_foreign(floor, 'f') then return {'foreign', KEYS[1]} end
if refuses(floor, pass:sub(1, GRANT) .. NONE) then return {'floor', floor} end
local last = redis.call('GETRANGE', KEYS[2], 0, PASS)
if is_foreign(last, '[rw]') then return {'foreign', KEYS[2]} end
if refuses(last, pass) then return {'value', last} end
redis.call('SET', KEYS[2], ARGV[2])
return {'done'}
