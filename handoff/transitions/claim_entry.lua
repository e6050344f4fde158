-- Gives delivery the head of a conversation's outbox: to send, or to look up because nobody knows.
if not holds_lease('delivery', args.fence) then return done({result = 'lease_lost'}) end
local conv = conv_key(args.conversation)
local result = {result = 'nothing'}

local function drop(id, reason)
  redis.call('HSET', P .. ':entry:' .. id, 'state', 'cancelled', 'detail', reason)
  redis.call('LPOP', conv .. ':outbox')
  journal('entry_cancelled', args.conversation, {entry = id, reason = reason})
  changed(args.conversation)
end

-- Why an entry may no longer be said, looked at just before it would be.
local function overtaken(key)
  local author = redis.call('HGET', key, 'author')
  local expires = tonumber(redis.call('HGET', key, 'expires_ms') or '0')
  if author == 'bot' and tonumber(redis.call('HGET', key, 'epoch')) ~= epoch_of(args.conversation) then
    return 'stale_epoch'
  end
  if expires > 0 and expires <= now then return 'expired' end
  if redis.call('HGET', conv, 'opted_out') == '1' and not string.match(author, '^agent:')
    and redis.call('HGET', key, 'although_opted_out') ~= '1' then
    return 'opted_out'
  end
end

-- During a stop nothing automated is said. What a person wrote is not held up by it: words of ours that wait before
-- theirs are called off, for an answer that comes after a person's would be out of place.
local function a_person_waits()
  for _, id in ipairs(redis.call('LRANGE', conv .. ':outbox', 1, -1)) do
    if string.match(redis.call('HGET', P .. ':entry:' .. id, 'author') or '', '^agent:') then return true end
  end
  return false
end

local function is_stopped(key)
  return args.stopped and not string.match(redis.call('HGET', key, 'author'), '^agent:')
end

local function hold(key, id)
  if redis.call('HGET', key, 'detail') ~= 'stopped' then
    redis.call('HSET', key, 'state', 'retry_at', 'detail', 'stopped')
    journal('entry_retry_at', args.conversation, {entry = id, detail = 'stopped'})
  end
  redis.call('ZADD', P .. ':outbox', now + args.stop_look_ms, args.conversation)
end

local function in_hand(ruling, id)
  local key = P .. ':entry:' .. id
  local fields = redis.call('HMGET', key, 'json', 'attempts', 'looks', 'queued_ms', 'sending_ms', 'doubts',
    'detail')
  redis.call('ZADD', P .. ':outbox', now + args.look_after_ms, args.conversation)
  return {result = ruling, entry = id, record = {json = fields[1], attempts = fields[2], looks = fields[3],
    queued_ms = fields[4], sending_ms = fields[5] or '0', doubts = fields[6] or '0',
    detail = fields[7] or ''}}
end

local id = redis.call('LINDEX', conv .. ':outbox', 0)
while id do
  local key = P .. ':entry:' .. id
  local state, due = redis.call('HGET', key, 'state'), tonumber(redis.call('HGET', key, 'due_ms'))
  if state == 'sending' then -- its sender died or lost its lease; nobody knows whether it went out
    redis.call('HSET', key, 'state', 'unknown', 'due_ms', now + args.look_after_ms)
    redis.call('HINCRBY', key, 'doubts', 1)
    redis.call('ZADD', P .. ':outbox', now + args.look_after_ms, args.conversation)
    journal('entry_unknown', args.conversation, {entry = id, detail = 'found in sending'})
    break
  end
  if due > now then
    redis.call('ZADD', P .. ':outbox', due, args.conversation)
    break
  end
  if state == 'unknown' then
    redis.call('HSET', key, 'fence', args.fence)
    redis.call('HINCRBY', key, 'looks', 1)
    result = in_hand('look', id)
    break
  end
  local reason = overtaken(key)
  if not reason and is_stopped(key) then
    if not a_person_waits() then
      hold(key, id)
      break
    end
    reason = 'stopped'
  end
  if not reason then
    redis.call('HSET', key, 'state', 'sending', 'fence', args.fence, 'sending_ms', now, 'looks', 0)
    redis.call('HINCRBY', key, 'attempts', 1)
    result = in_hand('send', id)
    break
  end
  drop(id, reason)
  id = redis.call('LINDEX', conv .. ':outbox', 0)
end
if not id then redis.call('ZREM', P .. ':outbox', args.conversation) end
return done(result)
