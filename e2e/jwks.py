"""Verifies an access token from the command line as a service in Python would: PyJWT and nothing of ours."""

import json
import sys

import jwt

jwks_url, issuer, audience, algorithm, token = sys.argv[1:]
key = jwt.PyJWKClient(jwks_url).get_signing_key_from_jwt(token)
try:
    claims = jwt.decode(token, key.key, algorithms=[algorithm], issuer=issuer, audience=audience)
    print(json.dumps({"claims": claims, "typ": jwt.get_unverified_header(token)["typ"]}))
except jwt.InvalidTokenError as error:
    print(json.dumps({"refused": type(error).__name__}))
