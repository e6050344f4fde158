-- An agent hands the case to a colleague.
local conversation, refused = refusal(args.case, {owner = 'agent:' .. args.agent, epoch = args.epoch})
if refused then return done(refused) end
local epoch = give_to(conversation, 'agent:' .. args.to)
redis.call('HSET', P .. ':case:' .. args.case, 'taken_by', args.to, 'taken_ms', now)
tell(conversation, {kind = 'event', what = 'case_transferred', case = args.case, by = args.agent, to = args.to})
journal('case_transferred', conversation, {case = args.case, by = args.agent, to = args.to})
changed(conversation)
return done({result = 'transferred', epoch = epoch})
