-- Erases one customer's conversation with everything in it; an open case closes. Waits for words that may be going out.
local conv = conv_key(args.conversation)
for _, id in ipairs(redis.call('LRANGE', conv .. ':outbox', 0, -1)) do
  local state = redis.call('HGET', P .. ':entry:' .. id, 'state')
  if state == 'sending' or state == 'unknown' then
    return cjson.encode({result = 'in_flight', entry = id, state = state})
  end
end

local counts = {messages = 0, entries = 0, unsent = redis.call('LLEN', conv .. ':outbox'), events = 0, cases = 0}
local plural = {message = 'messages', entry = 'entries', event = 'events'}
for _, text in ipairs(redis.call('LRANGE', conv .. ':transcript', 0, -1)) do
  local line = cjson.decode(text)
  local kind = plural[line.kind]
  counts[kind] = counts[kind] + 1
  if line.kind == 'message' then bury(line.id, args.tombstones_ms) end
  if line.kind ~= 'event' then redis.call('UNLINK', P .. ':' .. line.kind .. ':' .. line.id) end
end

-- Of an open case a shell is left, which tells the agent why it is gone.
local open = redis.call('HGET', conv, 'case') or ''
for _, id in ipairs(redis.call('LRANGE', conv .. ':cases', 0, -1)) do
  local key = P .. ':case:' .. id
  counts.cases = counts.cases + 1
  if id == open then
    end_promise(id, 'ended')
    local was = redis.call('HMGET', key, 'reason', 'priority', 'opened_ms', 'taken_by')
    redis.call('DEL', key)
    redis.call('HSET', key, 'conversation', '-', 'packet', '{}', 'reason', was[1], 'priority', was[2],
      'opened_ms', was[3], 'taken_by', was[4] or '', 'state', 'resolved', 'resolution', 'erased', 'resolved_ms', now,
      'resolved_by', '')
    redis.call('PEXPIRE', key, args.tombstones_ms)
    redis.call('ZREM', P .. ':cases:open', id)
  else
    redis.call('UNLINK', key)
  end
end

redis.call('UNLINK', conv, conv .. ':transcript', conv .. ':seen', conv .. ':cases', conv .. ':inbox', conv .. ':outbox')
redis.call('ZREM', P .. ':inbox', args.conversation)
redis.call('ZREM', P .. ':outbox', args.conversation)
-- Up to here the journal tells of the erased; what comes after is about somebody new.
local last = redis.call('XREVRANGE', P .. ':journal', '+', '-', 'COUNT', 1)[1]
redis.call('HSET', P .. ':erasing', args.conversation,
  cjson.encode({until_line = last and last[1] or '0-0', counts = counts}))
if open ~= '' then journal('case_erased', '', {case = open}) end
changed(args.conversation)
return done({result = 'erased', case = open ~= '' and open or nil, counts = counts})
