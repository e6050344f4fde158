-- Forgets what of a conversation is past its days; one that anybody still works on is left alone.
local conv = conv_key(args.conversation)
local counts = {messages = 0, entries = 0, events = 0, cases = 0, customers = 0}

local function told(result)
  result.counts = counts
  if args.only_count then return cjson.encode(result) end
  return done(result)
end

if redis.call('EXISTS', conv) == 0 then return told({result = 'nothing'}) end
if (redis.call('HGET', conv, 'case') or '') ~= '' or redis.call('EXISTS', conv .. ':inbox', conv .. ':outbox') > 0 then
  return told({result = 'busy'})
end

-- Lines are in the order of their age; as many at a time as keep Redis free for others, all where they are counted.
local plural = {message = 'messages', entry = 'entries', event = 'events'}
local last_ms, gone = nil, 0
for _, text in ipairs(redis.call('LRANGE', conv .. ':transcript', 0, (args.only_count and 0 or args.most) - 1)) do
  local line = cjson.decode(text)
  if line.at_ms >= args.transcripts_before_ms then break end
  last_ms, gone = line.at_ms, gone + 1
  local kind = plural[line.kind]
  counts[kind] = counts[kind] + 1
  if not args.only_count and line.kind ~= 'event' then
    redis.call('UNLINK', P .. ':' .. line.kind .. ':' .. line.id)
    if line.kind == 'message' then bury(line.id, args.tombstones_ms) end
  end
end
local left = redis.call('LLEN', conv .. ':transcript') - gone
local kept_cases = 0
for _, id in ipairs(redis.call('LRANGE', conv .. ':cases', 0, -1)) do
  if tonumber(redis.call('HGET', P .. ':case:' .. id, 'resolved_ms') or '0') < args.cases_before_ms then
    counts.cases = counts.cases + 1
    if not args.only_count then
      redis.call('UNLINK', P .. ':case:' .. id)
      redis.call('LREM', conv .. ':cases', 1, id)
    end
  else
    kept_cases = kept_cases + 1
  end
end

last_ms = last_ms or tonumber(redis.call('HGET', conv, 'last_ms') or tostring(now))
local forgotten = left == 0 and kept_cases == 0 and last_ms < args.customers_before_ms
  and redis.call('HGET', conv, 'opted_out') ~= '1'
if forgotten then counts.customers = 1 end
if not args.only_count then
  if gone > 0 then redis.call('LTRIM', conv .. ':transcript', gone, -1) end
  if forgotten then
    redis.call('UNLINK', conv, conv .. ':transcript', conv .. ':seen', conv .. ':cases')
  elseif left == 0 then -- what the bot remembers is made of the words that are gone
    redis.call('HSET', conv, 'last_ms', last_ms)
    redis.call('HDEL', conv, 'tracker', 'memory')
  end
end
return told({result = gone + counts.cases + counts.customers > 0 and 'purged' or 'nothing', more = gone == args.most})
