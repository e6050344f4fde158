-- Forgets journal lines and recorded results of an erased customer; of the lines, numbers by day and kind are kept.
local gone = 0
for _, id in ipairs(args.lines) do
  local line = redis.call('XRANGE', P .. ':journal', id, id)[1]
  local fields = line and line[2]
  if fields and fields[6] == args.conversation then
    local facts = cjson.decode(fields[8])
    local what = fields[2] .. (facts.outcome and ' ' .. facts.outcome or '')
    redis.call('HINCRBY', P .. ':erased', math.floor(tonumber(fields[4]) / 86400000) .. ' ' .. what, 1)
    gone = gone + redis.call('XDEL', P .. ':journal', id)
  end
end
for _, id in ipairs(args.results) do redis.call('UNLINK', P .. ':done:' .. id) end
return done({result = 'forgotten', counts = {journal = gone}})
