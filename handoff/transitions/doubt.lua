-- After a restore nobody knows what was said since the backup was taken: whatever waits to be said is looked for first.
local doubted = 0
for _, conversation in ipairs(redis.call('ZRANGE', P .. ':outbox', 0, -1)) do
  for _, id in ipairs(redis.call('LRANGE', conv_key(conversation) .. ':outbox', 0, -1)) do
    local key = P .. ':entry:' .. id
    if redis.call('HGET', key, 'state') ~= 'unknown' then
      redis.call('HSET', key, 'state', 'unknown', 'due_ms', now)
      redis.call('HINCRBY', key, 'doubts', 1)
      journal('entry_unknown', conversation, {entry = id, detail = 'restored'})
      doubted = doubted + 1
    end
  end
  redis.call('ZADD', P .. ':outbox', now, conversation)
end
return done({result = 'doubted', count = doubted})
