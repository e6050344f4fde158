-- Calls an announcement off: before its time, or while it is in the outbox and certainly not said.
local key = P .. ':announcement:' .. args.id
local state = redis.call('HGET', key, 'state')
if state and state ~= 'queued' then return done({result = state, state = state}) end
if state == 'queued' then
  local entry_id = redis.call('HGET', key, 'entry')
  local entry, conv = P .. ':entry:' .. entry_id, conv_key(args.conversation)
  local stands = redis.call('HGET', entry, 'state')
  if stands ~= 'queued' and stands ~= 'retry_at' and stands ~= 'held' then
    return done({result = 'too_late', state = stands or ''})
  end
  redis.call('HSET', entry, 'state', 'cancelled', 'detail', 'called_off')
  redis.call('LREM', conv .. ':outbox', 1, entry_id)
  local head = redis.call('LINDEX', conv .. ':outbox', 0)
  if head then
    redis.call('ZADD', P .. ':outbox', redis.call('HGET', P .. ':entry:' .. head, 'due_ms'), args.conversation)
  else
    redis.call('ZREM', P .. ':outbox', args.conversation)
  end
  journal('entry_cancelled', args.conversation, {entry = entry_id, reason = 'called_off'})
end
redis.call('HSET', key, 'state', 'cancelled', 'template', args.template or '', 'at_ms', args.at_ms, 'recorded_ms', now)
redis.call('EXPIRE', key, args.kept_s)
redis.call('ZADD', P .. ':announcements', args.at_ms, args.id)
journal('announcement_cancelled', args.conversation, {announcement = args.id})
changed(args.conversation)
return done({result = 'cancelled'})
