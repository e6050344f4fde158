-- From now on nothing automated is said; what people write still goes.
local key = P .. ':stop'
if redis.call('EXISTS', key) == 1 then
  return done({result = 'stopped_already', by = redis.call('HGET', key, 'by'),
    since_ms = tonumber(redis.call('HGET', key, 'since_ms'))})
end
redis.call('HSET', key, 'by', args.by, 'reason', args.reason, 'since_ms', now)
journal('stopped', args.conversation, {by = args.by})
changed(args.conversation)
return done({result = 'stopped', by = args.by, since_ms = now})
