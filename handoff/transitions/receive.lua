-- Stores one message of a customer, once.
local key = P .. ':message:' .. args.id
-- A tombstone stands for a message that was purged or erased and that the platform shows again.
if redis.call('EXISTS', key, tombstone(args.id)) > 0 then return cjson.encode({result = 'duplicate'}) end
local conv = conv_key(args.conversation)
redis.call('HSETNX', conv, 'owner', 'bot')
redis.call('HSETNX', conv, 'epoch', 1)
redis.call('HSET', conv, 'customer', args.customer, 'last_place', args.place, 'last_message', args.id)
local seq = tell(args.conversation, {kind = 'message', id = args.id})
redis.call('HSET', key, 'json', args.json, 'conversation', args.conversation, 'seq', seq, 'state', 'waiting',
  'received_ms', now)
redis.call('RPUSH', conv .. ':inbox', args.id)
redis.call('ZADD', P .. ':inbox', 'NX', now, args.conversation)
journal('message_received', args.conversation, {message = args.id, place = args.place})
changed(args.conversation)
redis.call('PUBLISH', P .. ':arrivals', args.conversation)
return done({result = 'stored', seq = seq})
