-- Takes one try from every counter or from none: munjigi_rules::throttle::Quota::take for each. Answers the longest wait in
-- milliseconds, 0 if the tries are allowed, -1 if a counter cannot be read.

local now, slack = tonumber(ARGV[1]), tonumber(ARGV[2])
local wait = 0
local counters = {}
for i, key in ipairs(KEYS) do
    local interval, burst = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
    local counter = tonumber(redis.call('GET', key) or now)
    if not counter then
        return -1
    end
    counter = math.max(counter, now)
    local ahead = counter - now
    local most = math.max(interval, 1) * (math.max(burst, 1) - 1)
    wait = math.max(wait, ahead - most)
    counters[i] = counter + interval
end
if wait > 0 then
    return wait
end
for i, key in ipairs(KEYS) do
    local life = counters[i] - now + slack
    redis.call('SET', key, string.format('%.0f', counters[i]), 'PX', string.format('%.0f', life))
end
return 0
