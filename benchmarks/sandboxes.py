"""The sandbox: where the seconds of `make up` go, and what enforcement costs a request."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import quote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from sandbox.aws.server import Sandbox
from sandbox.scenario.access_checks import AccessChecks
from tests.conftest import deploy

ROOT = Path(__file__).resolve().parent.parent
_UP = """\
import json, sys, time
begin = time.perf_counter()
from sandbox.cli import commands, terminal
found = {"importing": time.perf_counter() - begin}
step = terminal.Terminal.step
from contextlib import contextmanager
@contextmanager
def timed(self, what):
    start = time.perf_counter()
    with step(self, what):
        yield
    found[what] = time.perf_counter() - start
terminal.Terminal.step = timed
code = commands.main(["up", "--json"])
print(json.dumps(found), file=sys.stderr)
sys.exit(code)
"""


def up() -> dict[str, float]:
    """Seconds of `python -m sandbox up`, by step; `all` from the process's start to its end."""
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _UP], cwd=ROOT, check=True, capture_output=True, text=True)
    whole = time.perf_counter() - begin
    found: dict[str, float] = json.loads(done.stderr.strip().splitlines()[-1])
    return {"all": whole, **found}


@dataclass(frozen=True)
class Throughput:
    """Requests a second of the same signed request, one after the other on one connection."""

    through_enforcement: float
    bare_moto: float
    ratio: float
    """How much longer a request takes through enforcement; the median of the rounds' own."""


def throughput(rounds: int, requests: int = 200) -> dict[str, Throughput]:
    """A user's own object, got and put, through signature, session and policy, against moto's answer alone."""
    found: dict[str, Throughput] = {}
    for dev in deploy():
        access_checks: AccessChecks = dev.access_checks()
        person = access_checks.sign_in("alice")
        moto = DomainDispatcherApplication(create_backend_app)
        bare = make_server("127.0.0.1", 0, moto, threaded=True, request_handler=_KeepAliveHandler)
        threading.Thread(target=bare.serve_forever, daemon=True).start()
        path = quote(f"/{dev.app.bucket}/{dev.app.prefix}{person.identity}/bench.txt")
        here, there = dev.sandbox.port, bare.server_port
        for method, body in (("PUT", b"x" * 1000), ("GET", b"")):
            headers = _signed(dev.sandbox, person.credentials, method, path, body, dev.app.region)
            pairs = []
            for _ in range(rounds + 1):
                ours = _seconds(here, method, path, body, headers, requests)
                pairs.append((ours, _seconds(there, method, path, body, headers, requests)))
            pairs = pairs[1:]
            found[f"{method} object"] = Throughput(
                requests / median(a for a, _ in pairs),
                requests / median(b for _, b in pairs),
                median(a / b for a, b in pairs),
            )
        bare.shutdown()
    return found


class _KeepAliveHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"


def _signed(
    sandbox: Sandbox, credentials: tuple[str, str, str], method: str, path: str, body: bytes, region: str
) -> dict[str, str]:
    request = AWSRequest(method=method, url=f"{sandbox.endpoint}{path}", data=body)
    S3SigV4Auth(Credentials(*credentials), "s3", region).add_auth(request)
    return {**dict(request.headers.items()), "Host": urlsplit(request.url).netloc}


def _seconds(port: int, method: str, path: str, body: bytes, headers: dict[str, str], requests: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    begin = time.perf_counter()
    for _ in range(requests):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    took = time.perf_counter() - begin
    connection.close()
    return took
