-- A reply time told to a customer has passed without a reply.
local due = tonumber(redis.call('HGET', P .. ':case:' .. args.case, 'promise_due_ms') or '0')
if redis.call('HGET', P .. ':case:' .. args.case, 'promise_state') ~= 'running' or due > now then
  return done({result = 'not_due'})
end
end_promise(args.case, 'broken')
local conversation = redis.call('HGET', P .. ':case:' .. args.case, 'conversation')
tell(conversation, {kind = 'event', what = 'promise_broken', case = args.case})
changed(conversation)
return done({result = 'broken'})
