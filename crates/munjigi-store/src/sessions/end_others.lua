-- Forgets every session of the user but one.

for _, session in ipairs(redis.call('HKEYS', KEYS[1])) do
    if session ~= ARGV[1] then
        redis.call('HDEL', KEYS[1], session)
    end
end
