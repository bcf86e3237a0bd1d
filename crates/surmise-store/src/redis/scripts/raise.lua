-- Raises a floor, if the pass allows.
-- KEYS: the floor. ARGV: the pass, whose sequence is none; the pass with what says that it is a floor.
local floor = redis.call('GETRANGE', KEYS[1], 0, PASS)
if is_foreign(floor, 'f') then return {'foreign', KEYS[1]} end
if refuses(floor, ARGV[1]) then return {'floor', floor} end
redis.call('SET', KEYS[1], ARGV[2])
return {'done'}
