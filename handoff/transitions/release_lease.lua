-- Gives a lease back at once; the fence stays, so the next holder gets a higher one.
local key = P .. ':lease:' .. args.role
if redis.call('HGET', key, 'holder') ~= args.holder then return done({result = 'not_held'}) end
redis.call('DEL', key)
return done({result = 'released'})
