-- Forgets the oldest lines of the journal, some at a time, up to the first that is young enough.
local gone, last = 0, nil
for _, line in ipairs(redis.call('XRANGE', P .. ':journal', '-', '+', 'COUNT', args.most)) do
  if tonumber(line[2][4]) >= args.before_ms then break end
  gone, last = gone + 1, line[1]
end
local result = {result = 'trimmed', counts = {journal = gone}, more = gone == args.most}
if args.only_count then return cjson.encode(result) end
if last then
  local ms, seq = string.match(last, '(%d+)-(%d+)')
  redis.call('XTRIM', P .. ':journal', 'MINID', ms .. '-' .. string.format('%.0f', tonumber(seq) + 1))
end
if not result.more and args.purged then journal('purged', '', args.purged) end
return done(result)
