-- The last trace is gone: the erasure is journalled, as numbers.
local begun = redis.call('HGET', P .. ':erasing', args.conversation)
if not begun then return done({result = 'ended_already'}) end
redis.call('HDEL', P .. ':erasing', args.conversation)
local counts = cjson.decode(begun).counts
counts.journal = args.journal
journal('customer_erased', '', counts)
return done({result = 'ended', counts = counts})
