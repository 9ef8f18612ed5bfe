-- Keeps a new session; removes the user's sessions that are over, and those rotated longest ago beyond the cap.

local key, session, bytes = KEYS[1], ARGV[1], ARGV[2]
local now, ttl, most = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local others = {}
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
    local record = read_record(fields[i + 1])
    if record and is_over(record, now) then
        redis.call('HDEL', key, fields[i])
    elseif fields[i] ~= session then
        -- What cannot be read (a newer version's, perhaps) stays as long as there is room.
        others[#others + 1] = { session = fields[i], rotated_at = record and record.rotated_at or 0 }
    end
end
local removed = {}
if #others >= most then
    table.sort(others, function(a, b) return a.rotated_at > b.rotated_at end)
    for i = most, #others do
        redis.call('HDEL', key, others[i].session)
        removed[#removed + 1] = others[i].session
    end
end
redis.call('HSET', key, session, bytes)
live_for(key, ttl)
return removed
