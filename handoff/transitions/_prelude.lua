-- Runs before every transition. KEYS[1] is the partition's hash tag, ARGV: command id, now in ms, arguments as JSON.
-- Nested values travel as JSON strings, because cjson cannot tell an empty list from an empty table.
local P, command, now, args = KEYS[1], ARGV[1], tonumber(ARGV[2]), cjson.decode(ARGV[3])
local DONE_MS = 6 * 3600 * 1000

local recorded = redis.call('GET', P .. ':done:' .. command)
if recorded then return recorded end

local function done(result)
  local text = cjson.encode(result)
  redis.call('SET', P .. ':done:' .. command, text, 'PX', DONE_MS)
  return text
end

local function conv_key(conversation) return P .. ':conv:' .. conversation end

local function journal(kind, conversation, facts)
  redis.call('XADD', P .. ':journal', 'MAXLEN', '~', 1000000, '*', 'kind', kind, 'at_ms', now,
    'conversation', conversation or '', 'facts', cjson.encode(facts or {_ = 0}))
end

local function changed(conversation) redis.call('PUBLISH', P .. ':changes', conversation) end

-- What is left of a purged or erased message for some days: a fingerprint of its id, so that it is not taken in again.
local function tombstone(message) return P .. ':gone:' .. redis.sha1hex(message) end

local function bury(message, ms) redis.call('SET', tombstone(message), '', 'PX', ms) end

-- Appends to the transcript and returns the new last sequence number of the conversation.
local function tell(conversation, line)
  local seq = redis.call('HINCRBY', conv_key(conversation), 'seq', 1)
  line.seq, line.at_ms = seq, now
  redis.call('RPUSH', conv_key(conversation) .. ':transcript', cjson.encode(line))
  return seq
end

local function holds_lease(role, fence)
  return redis.call('HGET', P .. ':lease:' .. role, 'fence') == tostring(fence)
end

local function epoch_of(conversation)
  return tonumber(redis.call('HGET', conv_key(conversation), 'epoch') or '0')
end

-- Every change of owner goes through here, so the epoch grows with each.
local function give_to(conversation, owner)
  redis.call('HSET', conv_key(conversation), 'owner', owner)
  return redis.call('HINCRBY', conv_key(conversation), 'epoch', 1)
end

-- `turn`: the turn that wrote it; none for what people write.
local function put_in_outbox(conversation, entry, epoch, turn)
  local key = P .. ':entry:' .. entry.id
  local seq = tell(conversation, {kind = 'entry', id = entry.id, author = entry.author})
  local due = entry.held_until_ms or now
  redis.call('HSET', key, 'json', entry.json, 'state', entry.held_until_ms and 'held' or 'queued',
    'author', entry.author, 'epoch', epoch, 'attempts', 0, 'looks', 0, 'due_ms', due, 'seq', seq,
    'queued_ms', now, 'conversation', conversation)
  if entry.expires_ms then redis.call('HSET', key, 'expires_ms', entry.expires_ms) end
  if entry.although_opted_out then redis.call('HSET', key, 'although_opted_out', 1) end
  local length = redis.call('RPUSH', conv_key(conversation) .. ':outbox', entry.id)
  if length == 1 then redis.call('ZADD', P .. ':outbox', due, conversation) end
  journal('entry_queued', conversation, {entry = entry.id, author = entry.author, place = entry.place,
    turn = turn, link = entry.has_link})
end

-- Opens a case: owner queue, a new epoch, the packet stored, the promise running. Returns its id and the epoch.
local function open_case(conversation, case)
  local number = redis.call('INCR', P .. ':cases:count')
  local id = 'C' .. string.match(P, '%d+') .. '-' .. number
  local epoch = give_to(conversation, 'queue')
  redis.call('HSET', P .. ':case:' .. id, 'conversation', conversation, 'reason', case.reason,
    'priority', case.priority, 'packet', case.packet, 'state', 'open', 'opened_ms', now, 'taken_by', '')
  redis.call('ZADD', P .. ':cases:open', (100 - case.priority) * 1e13 + now, id)
  redis.call('HSET', conv_key(conversation), 'case', id)
  redis.call('RPUSH', conv_key(conversation) .. ':cases', id)
  if case.promise then
    redis.call('HSET', P .. ':case:' .. id, 'promise', case.promise, 'promise_state', 'running',
      'promise_due_ms', case.promise_due_ms)
    redis.call('ZADD', P .. ':promises', case.promise_due_ms, id)
  end
  tell(conversation, {kind = 'event', what = 'case_opened', case = id, reason = case.reason})
  journal('case_opened', conversation, {case = id, reason = case.reason, priority = case.priority,
    promise_due_ms = case.promise_due_ms})
  return id, epoch
end

-- Moves the open case of a conversation forward in the queue when its customer's words became more urgent.
local function raise_case(conversation, raised)
  local id = redis.call('HGET', conv_key(conversation), 'case')
  local key = P .. ':case:' .. (id or '')
  if not id or redis.call('HGET', key, 'state') ~= 'open' then return end
  if tonumber(redis.call('HGET', key, 'priority')) >= raised.priority then return end
  redis.call('HSET', key, 'priority', raised.priority)
  local opened = tonumber(redis.call('HGET', key, 'opened_ms'))
  redis.call('ZADD', P .. ':cases:open', (100 - raised.priority) * 1e13 + opened, id)
  tell(conversation, {kind = 'event', what = 'case_raised', case = id, reason = raised.reason})
  journal('case_raised', conversation, {case = id, reason = raised.reason, priority = raised.priority})
end

local function end_promise(case_id, state)
  local key = P .. ':case:' .. case_id
  if redis.call('HGET', key, 'promise_state') ~= 'running' then return end
  redis.call('HSET', key, 'promise_state', state)
  redis.call('ZREM', P .. ':promises', case_id)
  journal('promise_' .. state, redis.call('HGET', key, 'conversation'), {case = case_id})
end

-- The guard of everything an agent does with a case: still open, same epoch, theirs, and nothing said since.
local function refusal(case_id, wanted)
  local key = P .. ':case:' .. case_id
  local conversation = redis.call('HGET', key, 'conversation')
  if not conversation then return nil, {result = 'no_such_case'} end
  if redis.call('HGET', key, 'state') ~= 'open' then
    if redis.call('HGET', key, 'resolution') == 'erased' then return nil, {result = 'erased'} end
    return nil, {result = 'resolved', by = redis.call('HGET', key, 'resolved_by') or ''}
  end
  local conv = conv_key(conversation)
  local owner, epoch = redis.call('HGET', conv, 'owner'), epoch_of(conversation)
  if wanted.owner and owner ~= wanted.owner then
    return nil, {result = 'owned', by = owner, since_ms = redis.call('HGET', key, 'taken_ms') or '0'}
  end
  if wanted.epoch and epoch ~= wanted.epoch then return nil, {result = 'stale_epoch', by = owner} end
  local seq = tonumber(redis.call('HGET', conv, 'seq') or '0')
  if wanted.seen_seq and seq > wanted.seen_seq then
    return nil, {result = 'changed', seq = seq, seen_seq = wanted.seen_seq}
  end
  return conversation
end

-- Ends a case and gives the conversation back to the bot, with a tracker to be begun afresh.
local function close_case(conversation, case_id, by, resolution)
  redis.call('HSET', P .. ':case:' .. case_id, 'state', 'resolved', 'resolved_ms', now, 'resolved_by', by,
    'resolution', resolution)
  redis.call('ZREM', P .. ':cases:open', case_id)
  redis.call('HSET', conv_key(conversation), 'case', '')
  redis.call('HDEL', conv_key(conversation), 'tracker')
  end_promise(case_id, 'ended')
  local epoch = give_to(conversation, 'bot')
  tell(conversation, {kind = 'event', what = 'case_' .. resolution, case = case_id, by = by})
  journal('case_' .. resolution, conversation, {case = case_id, by = by})
  return epoch
end
