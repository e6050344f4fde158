-- Puts an announcement into the outbox, once for each occurrence; several desks may race for it.
local key = P .. ':announcement:' .. args.id
local state = redis.call('HGET', key, 'state')
if state then return done({result = 'known', state = state}) end
local conv = conv_key(args.conversation)
redis.call('HSETNX', conv, 'owner', 'bot')
redis.call('HSETNX', conv, 'epoch', 1)
redis.call('HSETNX', conv, 'customer', args.customer)
redis.call('HSET', key, 'state', 'queued', 'template', args.template, 'at_ms', args.at_ms, 'recorded_ms', now,
  'entry', args.entry.id)
redis.call('EXPIRE', key, args.kept_s)
redis.call('ZADD', P .. ':announcements', args.at_ms, args.id)
redis.call('ZREMRANGEBYSCORE', P .. ':announcements', '-inf', now - args.kept_s * 1000)
put_in_outbox(args.conversation, args.entry, epoch_of(args.conversation))
journal('announcement_queued', args.conversation, {announcement = args.id, entry = args.entry.id,
  template = args.template, late_ms = now - args.at_ms})
changed(args.conversation)
return done({result = 'queued', entry = args.entry.id})
