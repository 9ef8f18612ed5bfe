-- Forgets every session of the user that was opened under an epoch below this one, but for the one that is kept.

local below, kept = tonumber(ARGV[1]), ARGV[2]
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
    local record = read_record(fields[i + 1])
    if fields[i] ~= kept and not (record and record.epoch >= below) then
        redis.call('HDEL', KEYS[1], fields[i])
    end
end
