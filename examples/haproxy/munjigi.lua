-- Asks Munjigi who a visitor is, for HAProxy 2.6 or newer.

local VERIFY = "http://127.0.0.1:3000/auth/verify?login=redirect"
local ASKED = {
  "cookie", "authorization", "user-agent", "accept", "accept-language", "sec-fetch-dest", "sec-websocket-version",
}
local IDENTITY = { "remote-user", "remote-id", "remote-name", "remote-email", "remote-groups" }

-- Lines of a header, from 0 on.
local function first(headers, name)
  return headers[name] and headers[name][0]
end

local function set(http, name, value)
  http:req_del_header(name)
  if value and value ~= "" then http:req_set_header(name, value) end
end

core.register_action("munjigi", { "http-req" }, function(txn)
  local sent = txn.http:req_get_headers()
  local scheme = txn.sf:ssl_fc() == "1" and "https" or "http"
  local headers = {
    ["x-original-url"] = { scheme .. "://" .. (first(sent, "host") or "") .. txn.sf:pathq() },
    ["x-forwarded-for"] = { txn.sf:src() },
  }
  for _, name in ipairs(ASKED) do
    local lines = {}
    for number = 0, sent[name] and #sent[name] or -1 do lines[#lines + 1] = sent[name][number] end
    if #lines > 0 then headers[name] = lines end
  end

  local answer = core.httpclient():get { url = VERIFY, headers = headers, timeout = 5000 }
  local status = answer and answer.status or 0
  if status ~= 200 then
    local reply = txn:reply { status = status >= 300 and status or 503, body = answer and answer.body }
    reply:add_header("cache-control", "no-store")
    for _, name in ipairs { "location", "set-cookie", "retry-after", "content-type", "www-authenticate" } do
      for _, line in pairs(answer and answer.headers and answer.headers[name] or {}) do reply:add_header(name, line) end
    end
    txn:done(reply)
    return
  end
  -- A renewal: the configuration sets the cookies.
  for _, name in ipairs { "access", "refresh" } do
    local line = first(answer.headers, "x-set-cookie-" .. name)
    if line then txn:set_var("txn.munjigi_" .. name, line) end
  end
  for _, name in ipairs(IDENTITY) do set(txn.http, name, first(answer.headers, name)) end
  set(txn.http, "cookie", first(answer.headers, "x-upstream-cookie"))
end)
