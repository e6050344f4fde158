-- Leases a role of this partition: free, expired with its grace, or renewed by its holder. Uses Redis's own clock.
local time = redis.call('TIME')
local clock = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local key = P .. ':lease:' .. args.role
local holder = redis.call('HGET', key, 'holder')
local free_ms = tonumber(redis.call('HGET', key, 'until_ms') or '0') + tonumber(redis.call('HGET', key, 'grace_ms') or '0')
if holder and holder ~= args.holder and clock < free_ms then
  return cjson.encode({result = 'held', holder = holder, free_in_ms = free_ms - clock})
end
local fence = tonumber(redis.call('HGET', key, 'fence') or '0')
if holder ~= args.holder then fence = redis.call('INCR', P .. ':fence:' .. args.role) end
redis.call('HSET', key, 'holder', args.holder, 'fence', fence, 'until_ms', clock + args.ttl_ms, 'grace_ms', args.grace_ms)
return cjson.encode({result = 'leased', fence = fence})
