"""The real program against what /openapi.json says of it: Schemathesis makes up requests, right and wrong, and looks at each
answer's status, kind and members. Three times: with a browser's cookies, as a program, and as nobody. Run by scripts/test."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
BINARY = Path(os.environ.get("BIN", HERE / "../target/debug/munjigi")).resolve()
PASSWORD = "seven quiet lanterns"
# The same requests each time.
USUAL = ["--seed", "20260101", "--generation-database", "none", "--max-examples", "12", "--no-shrink", "--no-color"]
# What is well formed may still be refused for a reason that no schema says: a password that is too common, two that differ.
CONFIG = """[checks]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "422"]
"""
# Answers that sign the caller out would make the rest of a run the run of nobody.
# What never ends, or is asked by proxies, is tried elsewhere.
NOT_OUT = ["--exclude-path-regex", r"/logout$|/sessions/\{sid\}|/sessions/refresh$|^/auth/"]
RUNS = {
    # It cannot leave our cookies out to see what comes then; the other two see that.
    "with cookies": ["--exclude-checks", "ignored_auth", *NOT_OUT],
    "as a program": ["--include-path-regex", "^/api/", *NOT_OUT, "--exclude-method", "DELETE"],
    "as nobody": ["--include-path-regex", "^/user/log|^/api/|^/user/refresh|^/user/info|health|ready|well-known|openapi"],
}


def start(folder):
    settings = ["limits.enabled=false", "passwords.argon2_memory=64KiB", "passwords.argon2_passes=1", "log.level=error"]
    command = [BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", f"{folder}/data"]
    command += [part for setting in settings for part in ("--set", setting)]
    with open(f"{folder}/log", "w") as log:
        server = subprocess.Popen(command, cwd=folder, env={}, stdout=subprocess.PIPE, stderr=log, text=True)
    for line in server.stdout:
        if found := re.search(r"listens on\s+(\S+)", line):
            return server, f"http://{found[1]}"
    sys.exit(f"{BINARY} did not start: {Path(folder, 'log').read_text()}")


def post(url, **members):
    request = urllib.request.Request(url, json.dumps(members).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return answer.headers.get_all("Set-Cookie") or [], json.load(answer)


def headers(url, number):
    """How each run says who it is, each as somebody else."""
    username = f"mina.{number}"
    lines, _ = post(f"{url}/user/register", username=username, password=PASSWORD, confirmPassword=PASSWORD, name="Mina")
    _, tokens = post(f"{url}/api/v1/sessions", username=username, password=PASSWORD)
    cookies = "; ".join(line.split(";")[0] for line in lines)
    return [[f"Cookie: {cookies}"], [f"Authorization: Bearer {tokens['accessToken']}"], []][number]


def main():
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "schemathesis.toml").write_text(CONFIG)
        server, url = start(folder)
        try:
            for number, (name, chosen) in enumerate(RUNS.items()):
                began = time.monotonic()
                given = [part for line in headers(url, number) for part in ("--header", line)]
                program = [sys.executable, "-m", "schemathesis.cli", "--config-file", f"{folder}/schemathesis.toml", "run"]
                command = [*program, f"{url}/openapi.json", *USUAL, *chosen, *given]
                path = os.pathsep.join(filter(None, [str(HERE / "python"), os.environ.get("PYTHONPATH")]))
                ran = subprocess.run(
                    command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
                )
                cases = re.search(r"(\d+) generated", ran.stdout)
                print(f"openapi {name}: {cases[1] if cases else 'no'} requests in {time.monotonic() - began:.0f} s")
                if ran.returncode != 0 or not cases:
                    print(ran.stdout, ran.stderr)
                    failed.append(name)
            if complaints := Path(folder, "log").read_text():
                print(complaints)
                failed.append("the log")
        finally:
            server.terminate()
            server.wait()
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


main()
