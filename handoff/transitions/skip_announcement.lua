-- Records that an occurrence is not announced: nobody was there in time.
local key = P .. ':announcement:' .. args.id
local state = redis.call('HGET', key, 'state')
if state then return done({result = 'known', state = state}) end
redis.call('HSET', key, 'state', 'skipped', 'template', args.template, 'at_ms', args.at_ms, 'recorded_ms', now)
redis.call('EXPIRE', key, args.kept_s)
redis.call('ZADD', P .. ':announcements', args.at_ms, args.id)
journal('announcement_skipped', args.conversation, {announcement = args.id, template = args.template,
  late_ms = now - args.at_ms})
return done({result = 'skipped'})
