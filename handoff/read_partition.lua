-- Reads every key of one partition at one moment, for a backup. KEYS[1] is the partition's hash tag. Changes nothing.
-- Left out: leases and recorded results, which mean something to living processes only.
local P = KEYS[1]
local found = {}
for _, key in ipairs(redis.call('KEYS', P .. ':*')) do
  local kind = string.match(string.sub(key, #P + 2), '^[^:]+')
  if kind ~= 'lease' and kind ~= 'done' then
    table.insert(found, key)
    table.insert(found, redis.call('PTTL', key))
    table.insert(found, redis.call('DUMP', key))
  end
end
return found
