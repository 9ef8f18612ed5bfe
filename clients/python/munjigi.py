"""Who is signed in at a Munjigi server: an example for services in Python, to copy and to change. Needs PyJWT and cryptography.

    gate = Munjigi("https://id.example.com", feed_token=os.environ["MUNJIGI_FEED_TOKEN"])
    user = gate.user(authorization=headers.get("Authorization"), cookie=headers.get("Cookie"))
"""

import json
import logging
import random
import re
import threading
import time
import urllib.request
from dataclasses import dataclass

import jwt

log = logging.getLogger("munjigi")

ALGORITHMS = ["ES256", "EdDSA", "RS256"]  # What the key set can hold: never HS256, nor none.
CLAIMS = ["iss", "aud", "sub", "sid", "sep", "name", "username", "iat", "exp", "auth_time"]
MOST_TOKEN = 4096
MOST_EVENT = 1 << 20
SILENCE = 5.0


class Unavailable(Exception):
    """It is not known at the moment whether somebody is signed in: answer 503."""


@dataclass(frozen=True)
class User:
    id: str
    username: str
    name: str
    session_id: str


class Munjigi:
    """A gate that trusts the server at `issuer`. `feed_token` is what `munjigi secret feed-token` prints there; with None a log-out
    counts when the access token expires. `url` is where the server is reached from here."""

    def __init__(self, issuer, feed_token, *, audience=None, url=None, cookie_domain=None, refuse_when_stale=False):
        self._issuer = issuer
        self._audience = audience or issuer
        self._url = url or issuer
        prefix = "" if issuer.startswith("http://") else "__Secure-" if cookie_domain else "__Host-"
        self._cookie = f"{prefix}accessToken"
        self._keys = jwt.PyJWKClient(f"{self._url}/.well-known/jwks.json", lifespan=300, timeout=3, cooldown_duration=1)
        self._refuse_when_stale = refuse_when_stale
        self._feed_token = feed_token
        self._sessions = {}
        self._users = {}
        self._current_at = None
        self._last_id = None
        self.ready = threading.Event()
        if feed_token is None:
            self.ready.set()
        else:
            threading.Thread(target=self._follow, name="munjigi feed", daemon=True).start()

    def user(self, authorization=None, cookie=None):
        """Who shows these headers, or None. Nothing is renewed here: whoever has only a refresh token is led to log-in, which
        renews and leads back."""
        scheme, _, bearer = (authorization or "").partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else _only(cookie or "", self._cookie)
        return self._verify(token) if token else None

    def _verify(self, token):
        if len(token) > MOST_TOKEN:
            return None
        try:
            header = jwt.get_unverified_header(token)
            # Exactly these: a token brings no key of its own, and does not change how it is read.
            if header.keys() != {"alg", "typ", "kid"} or header["typ"] != "at+jwt":
                return None
            key = self._keys.get_signing_key(header["kid"])
            if key.algorithm_name != header["alg"] or header["alg"] not in ALGORITHMS:
                return None
            # A token from a clock that is a little ahead is good all the same.
            options = {"require": CLAIMS, "strict_aud": True, "verify_iat": False}
            claims = jwt.decode(token, key, [key.algorithm_name], options, audience=self._audience, issuer=self._issuer)
        except jwt.PyJWKClientConnectionError as error:
            raise Unavailable("the keys cannot be read") from error
        except (jwt.PyJWKError, jwt.PyJWKSetError, jwt.PyJWKClientError, jwt.InvalidTokenError):
            return None
        user = User(claims["sub"], claims["username"], claims["name"], claims["sid"])
        if claims["sid"] in self._sessions or claims["sep"] < self._users.get(claims["sub"], (0, 0))[0]:
            return None
        if not self.ready.is_set():
            raise Unavailable("the feed has not said yet what has ended")
        if self._refuse_when_stale and self._feed_token and time.monotonic() - self._current_at > SILENCE:
            raise Unavailable("nothing was heard of the feed")
        return user

    def _follow(self):
        while True:
            try:
                self._follow_once()
            except Exception as error:  # Whatever it is, it is tried again.
                log.warning("the feed of %s was lost: %s", self._url, error)
                if not isinstance(error, OSError):
                    self._last_id = None
            time.sleep(random.uniform(0.5, 1.5))

    def _follow_once(self):
        headers = {"Authorization": f"Bearer {self._feed_token}", "Accept": "text/event-stream"}
        if self._last_id:
            headers["Last-Event-ID"] = self._last_id
        request = urllib.request.Request(f"{self._url}/auth/revocations", headers=headers)
        with _opener.open(request, timeout=SILENCE) as stream:
            name, data, held, heard = "", "", 0, time.monotonic()
            while line := stream.readline(MOST_EVENT):
                held += len(line)
                if held > MOST_EVENT or time.monotonic() - heard > SILENCE:
                    raise ValueError("no event within 1 MiB or 5 s")
                field, _, value = line.decode().rstrip("\r\n").partition(":")
                value = value.removeprefix(" ")
                if field == "event":
                    name = value
                elif field == "data":
                    data += value
                elif field == "id":
                    self._last_id = value
                elif not field and not value:
                    if data:
                        self._take(name, json.loads(data))
                        held, heard = 0, time.monotonic()
                    name, data = "", ""

    def _take(self, name, data):
        if name == "ended":
            for entry in data["sessions"]:
                self._sessions[entry["sid"]] = max(int(entry["until"]), self._sessions.get(entry["sid"], 0))
            for entry in data["users"]:
                epoch, until = self._users.get(entry["sub"], (0, 0))
                self._users[entry["sub"]] = (max(int(entry["minEpoch"]), epoch), max(int(entry["until"]), until))
        elif name == "current":
            if data.get("issuer", self._issuer) != self._issuer:
                raise ValueError(f"this is the feed of {data['issuer']}")
            self._current_at = time.monotonic()
            self.ready.set()
            now = time.time()
            self._sessions = {sid: until for sid, until in self._sessions.items() if until > now}
            self._users = {sub: entry for sub, entry in self._users.items() if entry[1] > now}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The feed token goes to this server and nowhere else."""

    def redirect_request(self, *_):
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def _only(line, name):
    """The value of a cookie that is there once."""
    found = [value.strip() for key, _, value in (part.partition("=") for part in line.split(";")) if key.strip() == name]
    return found[0] if len(found) == 1 and re.fullmatch(r"[A-Za-z0-9._-]+", found[0]) else None
