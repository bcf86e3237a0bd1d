-- What the scripts begin with that read or change what is kept: is this the server, and are these the data, that the
-- connection was made to? A server that is made to follow another keeps its connections, and may be promoted again on them.
-- KEYS, the last: what was connected to. ARGV, the last: what it has to have.
do
  local replication = redis.call('INFO', 'replication')
  if replication:find('role:slave', 1, true) then return {'replica'} end
  local recorded, history = ARGV[#ARGV], replication:match('master_replid:(%x+)')
  local found = redis.call('GET', KEYS[#KEYS])
  if not found then return {'lost'} end
  local is_told = #recorded > 32 and history
  if found ~= recorded or is_told and not recorded:find(history, 1, true) then return {'anew'} end
end
