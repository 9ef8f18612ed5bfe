-- Asks Munjigi who a visitor is, for Apache's mod_lua. Needs lua-socket.

local http = require "socket.http"
local sink = require("ltn12").sink

local VERIFY = "http://127.0.0.1:3000/auth/verify?login=redirect"
local ASKED = {
  "Cookie", "Authorization", "User-Agent", "Accept", "Accept-Language", "Sec-Fetch-Dest", "Sec-WebSocket-Version",
}
local IDENTITY = { "Remote-User", "Remote-Id", "Remote-Name", "Remote-Email", "Remote-Groups" }

http.TIMEOUT = 5

local function set(headers, name, value)
  if value == "" then value = nil end
  headers[name] = value
end

function verify(r)
  local scheme = r.is_https and "https" or "http"
  local headers = {
    ["X-Original-URL"] = scheme .. "://" .. (r.headers_in["Host"] or "") .. r.unparsed_uri,
    ["X-Forwarded-For"] = r.useragent_ip,
  }
  for _, name in ipairs(ASKED) do headers[name] = r.headers_in[name] end

  local answered, status, answer = http.request {
    url = VERIFY, headers = headers, redirect = false, sink = sink.null(),
  }
  if not answered then
    r:err("munjigi: " .. tostring(status))
    return 503
  end
  -- A renewal, or cookies that are taken away: the configuration sets them.
  set(r.subprocess_env, "MUNJIGI_ACCESS", answer["x-set-cookie-access"])
  set(r.subprocess_env, "MUNJIGI_REFRESH", answer["x-set-cookie-refresh"])
  if status ~= 200 then
    for _, name in ipairs { "Location", "Cache-Control", "Retry-After", "WWW-Authenticate" } do
      set(r.err_headers_out, name, answer[name:lower()])
    end
    return status
  end

  -- A visitor cannot say who they are, nor as Remote_User or Remote.User, which are the same name where an app sees headers as variables.
  for name in pairs(r:headers_in_table()) do
    if name:lower():find("^remote") then set(r.headers_in, name, nil) end
  end
  -- Nor speak to the app itself, over an upgrade to HTTP/2 (h2c): there are WebSockets, and no other upgrade.
  if (r.headers_in["Upgrade"] or ""):lower() ~= "websocket" then set(r.headers_in, "Upgrade", nil) end
  -- What a visitor names in it would be taken away.
  set(r.headers_in, "Connection", nil)
  for _, name in ipairs(IDENTITY) do set(r.headers_in, name, answer[name:lower()]) end
  set(r.headers_in, "Cookie", answer["x-upstream-cookie"])
  return apache2.OK
end
