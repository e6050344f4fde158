-- Ends a stop: what is still true of what waited is said.
local key = P .. ':stop'
local since = redis.call('HGET', key, 'since_ms')
if not since then return done({result = 'not_stopped'}) end
redis.call('DEL', key)
journal('resumed', args.conversation, {by = args.by, stopped_ms = now - tonumber(since)})
changed(args.conversation)
return done({result = 'resumed', since_ms = tonumber(since)})
