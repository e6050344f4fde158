-- Makes a new version of the knowledge the current one, or says that somebody was faster.
-- KEYS: current, version:<n>, articles, command:<id>
-- ARGV: expected current number ('' for none), n, document, vectors, checksum, fingerprint, channel,
--       then article id and "<version> <fingerprint>" in turn
-- Gives {'published', n} or {'lost', current number}; the same command again gives its first result.
local recorded = redis.call('GET', KEYS[4])
if recorded then
  return { 'published', recorded }
end
local current = redis.call('GET', KEYS[1]) or ''
if current ~= ARGV[1] then
  return { 'lost', current }
end
redis.call('HSET', KEYS[2], 'document', ARGV[3], 'vectors', ARGV[4], 'checksum', ARGV[5], 'fingerprint', ARGV[6])
for i = 8, #ARGV, 2 do
  redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('SET', KEYS[4], ARGV[2], 'EX', 604800)
redis.call('PUBLISH', ARGV[7], ARGV[2])
return { 'published', ARGV[2] }
