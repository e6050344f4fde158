-- A note among colleagues; the customer never sees it.
local conversation, refused = refusal(args.case, {})
if refused then return done(refused) end
tell(conversation, {kind = 'event', what = 'note', case = args.case, by = args.agent, text = args.text})
journal('note', conversation, {case = args.case, by = args.agent})
changed(conversation)
return done({result = 'noted'})
