-- What the scripts share. The layout of a record is drawn in record.rs.

local FORMAT = '>BI4c16i8i8i8I4'

-- A record's fields, or nil for bytes that are none.
local function read_record(bytes)
    if #bytes ~= 49 or string.byte(bytes) ~= 1 then
        return nil
    end
    local record = {}
    record.version, record.gen, record.spent, record.rotated_at, record.idle_until, record.ends, record.epoch =
        struct.unpack(FORMAT, bytes)
    return record
end

local function write_record(record)
    return struct.pack(FORMAT, record.version, record.gen, record.spent, record.rotated_at, record.idle_until,
        record.ends, record.epoch)
end

local function is_over(record, now)
    return now >= record.idle_until or now >= record.ends
end

-- Lets a key live for so many milliseconds at least; never shortens its life.
local function live_for(key, millis)
    if redis.call('PTTL', key) < millis then
        redis.call('PEXPIRE', key, string.format('%.0f', millis))
    end
end
