-- Moves a feed's cursor forward, never back. Platform ids are compared as numbers too long for Lua: by length, then text.
local key = P .. ':cursor:' .. args.feed
local current = redis.call('GET', key) or ''
if #args.id < #current or (#args.id == #current and args.id <= current) then
  return cjson.encode({result = 'kept', id = current})
end
redis.call('SET', key, args.id)
return done({result = 'moved', id = args.id})
