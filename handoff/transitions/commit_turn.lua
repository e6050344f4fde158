-- Stores everything one turn decided, or nothing.
local conv = conv_key(args.conversation)
if not holds_lease('responder', args.fence) then return done({result = 'lease_lost'}) end
if epoch_of(args.conversation) ~= args.epoch then return done({result = 'stale_epoch'}) end
for index, id in ipairs(args.messages) do
  if redis.call('LINDEX', conv .. ':inbox', index - 1) ~= id then return done({result = 'not_waiting'}) end
end

for _, id in ipairs(args.messages) do
  redis.call('HSET', P .. ':message:' .. id, 'state', 'handled', 'outcome', args.outcome, 'rule', args.rule or '',
    'turn', args.turn_id, 'handled_ms', now, 'understood', args.understood or '')
  journal('outcome', args.conversation, {message = id, outcome = args.outcome, rule = args.rule, turn = args.turn_id,
    reason = args.case and args.case.reason, intent = args.intent, articles = args.articles,
    failed = args.failed})
end
redis.call('LTRIM', conv .. ':inbox', #args.messages, -1)
local next_id = redis.call('LINDEX', conv .. ':inbox', 0)
if next_id then
  redis.call('ZADD', P .. ':inbox', redis.call('HGET', P .. ':message:' .. next_id, 'received_ms'), args.conversation)
else
  redis.call('ZREM', P .. ':inbox', args.conversation)
end

if args.tracker then redis.call('HSET', conv, 'tracker', args.tracker) end
if args.memory then redis.call('HSET', conv, 'memory', args.memory) end
if args.opted_out ~= nil then
  redis.call('HSET', conv, 'opted_out', args.opted_out and '1' or '0')
  journal(args.opted_out and 'opted_out' or 'opted_in', args.conversation)
end
local result = {result = 'committed', epoch = args.epoch}
if args.raised then raise_case(args.conversation, args.raised) end
if args.case then result.case, result.epoch = open_case(args.conversation, args.case) end
for _, entry in ipairs(args.entries) do put_in_outbox(args.conversation, entry, result.epoch, args.turn_id) end
changed(args.conversation)
return done(result)
