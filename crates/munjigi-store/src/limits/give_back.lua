-- Gives one try back to every counter that still exists, and shortens its life by as much.

for i, key in ipairs(KEYS) do
    local interval = tonumber(ARGV[i])
    local counter = tonumber(redis.call('GET', key) or '')
    if counter then
        local life = redis.call('PTTL', key) - interval
        if life > 0 then
            redis.call('SET', key, string.format('%.0f', counter - interval), 'PX', string.format('%.0f', life))
        else
            redis.call('DEL', key)
        end
    end
end
