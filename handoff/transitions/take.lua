-- An agent takes a waiting case; of two, one gets it.
local conversation, refused = refusal(args.case, {owner = 'queue', epoch = args.epoch})
if refused then return done(refused) end
local epoch = give_to(conversation, 'agent:' .. args.agent)
redis.call('HSET', P .. ':case:' .. args.case, 'taken_by', args.agent, 'taken_ms', now)
tell(conversation, {kind = 'event', what = 'case_taken', case = args.case, by = args.agent})
journal('case_taken', conversation, {case = args.case, by = args.agent})
changed(conversation)
return done({result = 'taken', epoch = epoch})
