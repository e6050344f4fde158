-- Records what became of an entry; when it will never be said, a person is called in the same step.
if not holds_lease('delivery', args.fence) then return done({result = 'lease_lost'}) end
local key = P .. ':entry:' .. args.entry
local state = redis.call('HGET', key, 'state')
if state ~= 'sending' and state ~= 'unknown' then return done({result = 'settled_already', state = state or ''}) end
local conversation = redis.call('HGET', key, 'conversation')
local conv = conv_key(conversation)
local result = {result = 'settled'}
redis.call('HSET', key, 'state', args.state, 'detail', args.detail or '')
if state == 'sending' and args.state == 'unknown' then redis.call('HINCRBY', key, 'doubts', 1) end

if args.state == 'retry_at' or args.state == 'unknown' then
  redis.call('HSET', key, 'due_ms', args.due_ms)
  redis.call('ZADD', P .. ':outbox', args.due_ms, conversation)
else
  redis.call('LPOP', conv .. ':outbox')
  if args.state == 'sent' then redis.call('HSET', key, 'sent_ms', now, 'external_id', args.external_id or '') end
  local head = redis.call('LINDEX', conv .. ':outbox', 0)
  if head then
    redis.call('ZADD', P .. ':outbox', redis.call('HGET', P .. ':entry:' .. head, 'due_ms'), conversation)
  else
    redis.call('ZREM', P .. ':outbox', conversation)
  end
end
journal('entry_' .. args.state, conversation, {entry = args.entry, detail = args.detail, external_id = args.external_id})

if args.case and redis.call('HGET', conv, 'owner') == 'bot' then
  result.case = open_case(conversation, args.case)
elseif args.state == 'blocked' or args.state == 'dead' then
  tell(conversation, {kind = 'event', what = 'entry_' .. args.state, entry = args.entry, detail = args.detail or ''})
end
changed(conversation)
return done(result)
