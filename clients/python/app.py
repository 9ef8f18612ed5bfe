"""A service that says who asks: `python3 app.py http://localhost:3000 4000`, with the feed token in MUNJIGI_FEED_TOKEN."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from munjigi import Munjigi, Unavailable

gate = Munjigi(sys.argv[1], feed_token=os.environ.get("MUNJIGI_FEED_TOKEN"), refuse_when_stale=True)


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        # Of two lines neither is believed, and cookies in two lines count as in one.
        lines = self.headers.get_all("Authorization") or []
        try:
            cookie = "; ".join(self.headers.get_all("Cookie") or [])
            user = gate.user(lines[0] if lines else None, cookie) if len(lines) < 2 else None
        except Unavailable:
            return self.answer(503, {"code": "unavailable"})
        if user is None:
            return self.answer(401, {"code": "login_required"})
        return self.answer(200, {"id": user.id, "username": user.username, "name": user.name, "sessionId": user.session_id})

    def answer(self, status, body):
        text = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), App)
    print(f"listens on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
