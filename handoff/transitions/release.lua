-- An agent puts the case back into the queue.
local conversation, refused = refusal(args.case, {owner = 'agent:' .. args.agent, epoch = args.epoch})
if refused then return done(refused) end
local epoch = give_to(conversation, 'queue')
redis.call('HSET', P .. ':case:' .. args.case, 'taken_by', '')
tell(conversation, {kind = 'event', what = 'case_released', case = args.case, by = args.agent})
journal('case_released', conversation, {case = args.case, by = args.agent})
changed(conversation)
return done({result = 'released', epoch = epoch})
