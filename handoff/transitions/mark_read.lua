-- Remembers up to when what customers wrote in a place was read to its end; moves forward, never back.
-- Repeating it changes nothing and says the same, so its result need not be recorded; it comes many times a minute.
local key = P .. ':read:' .. args.place
local current = tonumber(redis.call('GET', key) or '0')
if args.until_ms > current then redis.call('SET', key, string.format('%d', args.until_ms)) end
return cjson.encode({result = 'marked'})
