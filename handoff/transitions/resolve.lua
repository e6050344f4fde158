-- The agent is done: the case closes and the next message is the bot's.
local conversation, refused = refusal(args.case,
  {owner = 'agent:' .. args.agent, epoch = args.epoch, seen_seq = args.seen_seq})
if refused then return done(refused) end
local epoch = close_case(conversation, args.case, args.agent, 'resolved')
changed(conversation)
return done({result = 'resolved', epoch = epoch})
