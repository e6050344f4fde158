-- The agent gives the conversation back to the bot, and the customer is told.
local conversation, refused = refusal(args.case,
  {owner = 'agent:' .. args.agent, epoch = args.epoch, seen_seq = args.seen_seq})
if refused then return done(refused) end
local epoch = close_case(conversation, args.case, args.agent, 'given_back')
if args.entry then put_in_outbox(conversation, args.entry, epoch) end
changed(conversation)
return done({result = 'given_back', epoch = epoch})
