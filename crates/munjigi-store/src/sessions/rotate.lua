-- The twin of munjigi_rules::refresh::rotate; a property test holds the two together. Numbers are doubles, which are exact
-- below 2^53. Answers { decision, the record as it now is, number }.

local key, session = KEYS[1], ARGV[1]
local now, gen, issued_at = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[6])
local nonce, parent = ARGV[4], ARGV[5]
local young, idle_ttl, min_epoch = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local late, slack, longest = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local LAST_GENERATION = 4294967295

-- Where the token stands relative to the record, and how many rotations the record is behind.
local function place_of(record)
    local child = math.min(record.gen + 1, LAST_GENERATION)
    if gen > child then
        local since = math.max(now - record.rotated_at, 0) + late
        local most_lost = math.floor(since / math.max(young, 1))
        if gen - child <= most_lost then
            return 'ahead', gen - child
        end
    elseif gen == child and parent == record.spent then
        return 'child', 0
    elseif gen == record.gen and nonce == record.spent then
        return 'spent', 0
    end
    return nil
end

local bytes = redis.call('HGET', key, session)
if not bytes then
    return { 'gone', '', 0 }
end
local record = read_record(bytes)
if not record then
    return { 'corrupt', '', 0 }
end
if is_over(record, now) then
    redis.call('HDEL', key, session)
    return { 'gone', '', 0 }
end
if record.epoch < min_epoch then
    return { 'gone', '', 0 }
end
local place, lost = place_of(record)
if not place then
    return { 'reused', '', 0 }
end
if now - issued_at < young then
    return { 'kept', '', 0 }
end
if place == 'spent' then
    return { 'repeated', bytes, (now - record.rotated_at > late) and 1 or 0 }
end
record.gen, record.spent, record.rotated_at = gen, nonce, now
record.idle_until = math.min(now + idle_ttl, record.ends)
bytes = write_record(record)
redis.call('HSET', key, session, bytes)
live_for(key, math.min(record.idle_until - now + slack, longest))
return { place == 'ahead' and 'adopted' or 'rotated', bytes, lost }
