"""Random inputs for every entry where foreign bytes come in: `python -m tests.fuzz --seconds 60`.

Each entry has a way to make inputs, from good ones by mutation, and the only exceptions that it may answer with. Anything
else that escapes, or an input that takes longer than two seconds, is a defect; it is printed with its input, and the exit
code is 1. A bounded run is part of the tests.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from components.scoped_identity.settings import SettingsError
from policies.identity_scope.iam.documents import DocumentError, DocumentKind
from policies.identity_scope.iam.documents import parse as parse_document
from policies.identity_scope.inventory.principal import Principal
from policies.identity_scope.pack.configuration import read as read_config
from policies.identity_scope.pack.rules import RULES
from policies.identity_scope.proof.isolation import isolation
from policies.identity_scope.proof.scope import Scope
from sandbox.aws.errors import AwsError
from sandbox.aws.http import HttpRequest, body_length, parse_head, read_body
from sandbox.aws.s3 import S3
from sandbox.aws.shapes import json_object
from sandbox.aws.sigv4 import read_signature
from sandbox.aws.tokens import FakeIdentityProvider
from sandbox.engine.strict_yaml import StackFileError, parse_yaml
from tests.components.test_settings import good
from tests.components.test_settings import parse as parse_settings
from tests.policies.pack.engine import built, cases

SLOW = 2.0
"""Seconds that no single input may take."""

DOCUMENTS = [
    text
    for kind, case in cases()
    if kind != "pools"
    for r in built(case)
    for key, text in r.inputs.items()
    if key in ("policy", "assumeRolePolicy") and isinstance(text, str)
]
WORDS: list[Any] = [
    "",
    "*",
    "?",
    "${",
    "${*}",
    "}",
    "$",
    "\x00",
    "\ud800",
    "é",
    "Allow",
    "Deny",
    "s3:*",
    "arn:",
    ":",
    "/",
]
ODD: list[Any] = [
    *WORDS,
    None,
    True,
    False,
    0,
    -1,
    1e308,
    float("nan"),
    [],
    {},
    [[]],
    {"a": {}},
    "x" * 5000,
    ["*"] * 50,
]
SETTINGS: list[dict[str, Any]] = [
    good(),
    good()
    | {
        "providers": {"google": {"clientId": "1.apps.googleusercontent.com"}, "oidc": [{"arn": "arn:aws:iam::1:x"}]},
        "authenticated": {"grants": [{"levels": {"bucket": "abc"}}, {"ownRows": {"table": "abc"}}]},
        "guests": {
            "reason": "Visitors look around.",
            "grants": [{"shared": {"bucket": "abc", "prefix": "a/", "why": "x"}}],
        },
        "groups": [{"name": "a", "precedence": 1}],
        "mappedRoles": [{"name": "b"}],
        "mappings": [{"provider": "google", "rules": [{"claim": "a", "value": "b", "role": "b"}]}],
        "existingPool": {"id": "x"},
        "roles": {"path": "/a/"},
        "tags": {"a": "b"},
    },
]
CONFIGS = [
    {"shared": [{"pattern": "a/b*", "actions": ["s3:GetObject"], "why": "All of them read it."}]},
    {"guests": [{"pool": "a", "reason": "Visitors look around."}], "folders": ["a/"], "apis": ["a"]},
    {"exemptions": [{"urn": "*", "reason": "It is old.", "expires": "2027-01-01"}], "managedPolicies": {"arn": {}}},
]


@dataclass(frozen=True)
class Entry:
    """Where foreign input comes in."""

    name: str
    make: Callable[[random.Random], Any]
    take: Callable[[Any], object]
    answers: tuple[type[Exception], ...]


def mutated(value: Any, random_: random.Random) -> Any:
    """A value with something in it replaced, removed, doubled or put elsewhere."""
    if isinstance(value, Mapping) and value and random_.random() < 0.85:
        found = dict(value)
        key = random_.choice(list(found))
        what = random_.random()
        if what < 0.1:
            del found[key]
        elif what < 0.2:
            found[str(random_.choice(WORDS))] = random_.choice(ODD)
        else:
            found[key] = mutated(found[key], random_)
        return found
    if isinstance(value, list) and value and random_.random() < 0.85:
        items = list(value)
        index = random_.randrange(len(items))
        if random_.random() < 0.2:
            return items + items
        items[index] = mutated(items[index], random_)
        return items
    if isinstance(value, str) and random_.random() < 0.6:
        at = random_.randint(0, len(value))
        return value[:at] + str(random_.choice(WORDS)) + value[at + random_.randint(0, 3) :]
    return random_.choice(ODD)


def _document(random_: random.Random) -> Any:
    text = random_.choice(DOCUMENTS)
    if random_.random() < 0.4:
        return mutated(text, random_)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for _ in range(random_.randint(1, 4)):
        found = mutated(found, random_)
    return found if random_.random() < 0.5 else json.dumps(found)


def _prove(source: Any) -> None:
    read = parse_document(source, DocumentKind.IDENTITY)
    isolation(Scope((Principal("role", (("access", read),), urn="role"),), ("eu-west-1",), steps=2000))


def _several(start: list[Any]) -> Callable[[random.Random], Any]:
    def make(random_: random.Random) -> Any:
        found = random_.choice(start)
        for _ in range(random_.randint(1, 5)):
            found = mutated(found, random_)
        return found

    return make


def _bytes(random_: random.Random) -> bytes:
    return bytes(random_.randrange(256) for _ in range(random_.randint(0, 60)))


def _request(random_: random.Random) -> bytes:
    """A request as it comes over the wire, most of them wrong in some place."""
    pieces = [
        *("bkt", "a/b", "%2F", "%", "?uploads", "&uploadId=1", "?list-type=2&prefix=", "..", "//", "\x00"),
        *("?policy", "?delete", "#", " ", "?tagging", "%C3%BC", "%FF", "+", ";"),
    ]
    target = "/bkt" + "".join(random_.choice(pieces) for _ in range(random_.randint(0, 5)))
    signature = (
        "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=" + "0" * 64
    )
    names = ["x-amz-copy-source", "authorization", "x-amz-date", "host", "x-amz-tagging", "content-length", "range"]
    values = [signature, "bkt/key", "bytes=0-1", "a=b&a=c", "3", "\t", "a\r\n b"]
    lines = [
        f"{random_.choice(names)}: {mutated(random_.choice(values), random_)}" for _ in range(random_.randint(0, 3))
    ]
    method = random_.choice(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", ""])
    head = "\r\n".join([f"{method} {target} HTTP/1.1", "Host: localhost", *lines, "", ""])
    return head.encode("utf-8", "replace") + _bytes(random_)


YAML = """\
config: &a
  aws:region: us-east-1
  p:tags: {app: "notes", plan: [1, 0x1F, 1.5, true, ~, *a]}
"""
YAML_PIECES = [
    *(
        "&a ",
        "*a",
        "[",
        "{",
        "]",
        "}",
        ": ",
        "- ",
        "? ",
        "| ",
        "!!int ",
        "!!set ",
        "!x ",
        '"\\x00"',
        '"\\uD800"',
        "\t",
        "\n",
    ),
    *(
        "<<: *a\n",
        "--- ",
        "%YAML 1.1\n",
        "~",
        ".nan",
        "0x",
        "1e400",
        "9" * 30,
        "2024-01-01",
        "\u202e",
        "\x1b",
        "'",
        "#",
    ),
]


def _yaml(random_: random.Random) -> str:
    text = YAML
    for _ in range(random_.randint(1, 6)):
        at = random_.randint(0, len(text))
        text = text[:at] + random_.choice(YAML_PIECES) + text[at + random_.randint(0, 3) :]
    return text


def _s3(data: bytes) -> None:
    text, end, rest = data.partition(b"\r\n\r\n")
    head = parse_head(text + end)
    body = read_body(io.BytesIO(rest), body_length(head))
    request = HttpRequest(head.method, head.segments, head.query, head.headers, body)
    try:
        read_signature(request)
    finally:
        service = S3("123456789012")
        service.required_permissions(service.operation(request, "us-east-1"))


ELSEWHERE = FakeIdentityProvider()
TOKEN = ELSEWHERE.issue("https://accounts.google.com", "alice", "app", 2e9, {})

ENTRIES = (
    Entry("policy documents", _document, lambda d: parse_document(d, DocumentKind.IDENTITY), (DocumentError,)),
    Entry("trust policies", _document, lambda d: parse_document(d, DocumentKind.TRUST), (DocumentError,)),
    Entry("proofs", _document, _prove, (DocumentError,)),
    Entry("settings", _several(SETTINGS), lambda v: parse_settings(v if isinstance(v, dict) else {}), (SettingsError,)),
    Entry(
        "pack configuration",
        _several(CONFIGS),
        lambda v: [read_config(rule.settings, v, []) for rule in RULES if isinstance(v, dict)],
        (),
    ),
    Entry("S3 requests", _request, _s3, (AwsError,)),
    Entry("stack files", _yaml, lambda text: parse_yaml("Pulumi.dev.yaml", text), (StackFileError,)),
    Entry("JSON bodies", _bytes, json_object, (AwsError,)),
    Entry(
        "tokens",
        lambda r: str(mutated(TOKEN, r)),
        lambda t: ELSEWHERE.verify("https://accounts.google.com", t, {"app"}, 0),
        (AwsError,),
    ),
)


def fuzz(entry: Entry, random_: random.Random, inputs: int, seconds: float) -> tuple[int, str | None]:
    """Try an entry: how many inputs, and the first defect."""
    end = time.monotonic() + seconds
    for count in range(inputs):
        if time.monotonic() > end:
            return count, None
        given = entry.make(random_)
        begin = time.monotonic()
        try:
            entry.take(given)
        except entry.answers:
            pass
        except Exception as error:
            return count, f"{type(error).__name__}: {error}\n  input: {given!r:.600}"
        if time.monotonic() - begin > SLOW:
            return count, f"took {time.monotonic() - begin:.1f} s\n  input: {given!r:.600}"
    return inputs, None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Random inputs for every entry.")
    parser.add_argument("--seconds", type=float, default=60, help="for all entries together (default: 60)")
    parser.add_argument("--seed", type=int, default=None, help="of the random inputs (default: a new one)")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(2**32)
    print(f"seed {seed}")
    failed = False
    for entry in ENTRIES:
        count, defect = fuzz(entry, random.Random(seed), sys.maxsize, options.seconds / len(ENTRIES))
        print(f"  {entry.name:<26} {count:>9,} inputs  {defect or 'nothing escaped'}", flush=True)
        failed = failed or defect is not None
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
