-- An agent's words go to the outbox, unless somebody spoke since the agent last looked.
-- The same entry asked for again (a form sent twice under a newer last line) is already said.
if redis.call('EXISTS', P .. ':entry:' .. args.entry.id) == 1 then
  return done({result = 'queued', entry = args.entry.id})
end
local conversation, refused = refusal(args.case,
  {owner = 'agent:' .. args.agent, epoch = args.epoch, seen_seq = args.seen_seq})
if refused then return done(refused) end
put_in_outbox(conversation, args.entry, args.epoch)
local key = P .. ':case:' .. args.case
if redis.call('HSETNX', key, 'first_reply_ms', now) == 1 then
  journal('first_reply', conversation, {case = args.case, by = args.agent})
end
end_promise(args.case, 'kept')
changed(conversation)
return done({result = 'queued', entry = args.entry.id, seq = tonumber(redis.call('HGET', conv_key(conversation), 'seq'))})
