"""A verdict on one document: our proof for all requests, against two linters and against one request to a simulator.

The documents are the pack's own cases, each with what is right, and documents shaped like those that AWS publishes. What is
right is whether two users can reach the same file, which the linters do not claim to decide; what they say is counted as
they say it: a finding, or none.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from policies.identity_scope.iam.documents import DocumentError, DocumentKind, _parse_text
from policies.identity_scope.inventory.principal import Principal
from policies.identity_scope.proof.isolation import isolation
from policies.identity_scope.proof.scope import Scope
from tests.policies.pack.engine import ME, allow, built, cases, document

HERE = Path(__file__).parent
DIFFERENTIAL = HERE.parent / "tests" / "policies" / "iam" / "differential"
OTHER = "us-east-1:99999999-8888-4777-8666-555555555555"
MINE = "us-east-1:11111111-2222-4333-8444-555555555555"


@dataclass(frozen=True)
class Example:
    """A document, the kind of mistake that is in it, and whether two users share a file under it."""

    kind: str
    text: str
    shared: bool


PUBLISHED = {
    "own folder": [allow(f"arn:aws:s3:::bkt/{ME}/*", ["s3:GetObject", "s3:PutObject"])],
    "own folder with a listing": [
        allow("arn:aws:s3:::bkt", "s3:ListBucket", Condition={"StringLike": {"s3:prefix": [f"{ME}/*"]}}),
        allow(f"arn:aws:s3:::bkt/{ME}/*", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]),
    ],
    "home folders by user name": [
        allow("arn:aws:s3:::bkt/home/${aws:username}/*", "s3:*"),
        allow("arn:aws:s3:::bkt", "s3:ListBucket", Condition={"StringLike": {"s3:prefix": ["home/${aws:username}/*"]}}),
    ],
    "rows by leading key": [
        allow(
            "arn:aws:dynamodb:us-east-1:123456789012:table/t",
            ["dynamodb:GetItem", "dynamodb:Query"],
            Condition={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [ME]}},
        )
    ],
    "read and write one bucket": [
        allow("arn:aws:s3:::bkt", "s3:ListBucket"),
        allow("arn:aws:s3:::bkt/*", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]),
    ],
}
"""Documents in the shapes of the example policies that AWS publishes, with the bucket renamed; True: users share files."""
PUBLISHED_SHARE = {"home folders by user name", "read and write one bucket"}


def examples() -> Iterator[Example]:
    for name, statements in PUBLISHED.items():
        yield Example("published examples", json.dumps(document(statements)), name in PUBLISHED_SHARE)
    for kind, case in cases():
        if kind not in ("objects", "listing", "denies", "actions") or {"config", "boundary"} & set(case["given"]):
            continue
        policies = [r for r in built(case) if r.type_ == "aws:iam/rolePolicy:RolePolicy"]
        if len(policies) == 1:
            yield Example(kind, policies[0].inputs["policy"], "s3-isolated-by-identity" in case["expect"])


def ours(examples_: list[Example]) -> list[dict[str, Any]]:
    """Parsing and the proof, from the text."""
    found: list[dict[str, Any]] = []
    for index, example in enumerate(examples_):
        times: list[float] = []
        flagged: bool | None = None
        for _ in range(5):
            begin = time.perf_counter()
            try:
                read = _parse_text.__wrapped__(example.text, DocumentKind.IDENTITY)
                scope = Scope((Principal("role", (("access", read),), urn="role"),), ("us-east-1",))
                flagged = bool(isolation(scope))
            except DocumentError:
                flagged = True
            times.append(time.perf_counter() - begin)
        found.append({"tool": "identity-scope", "document": index, "ms": sorted(times)[2] * 1000, "flagged": flagged})
    return found


LINTERS = ("--from", "parliament==1.6.4", "--with", "cloudsplaining==0.9.1", "--with", "setuptools<81")
"""What uvx runs the linters with; parliament imports setuptools' pkg_resources."""


def linters(examples_: list[Example]) -> list[dict[str, Any]]:
    """parliament and cloudsplaining, in an environment of their own."""
    uvx = Path(sys.executable).with_name("uvx")
    command = [str(uvx), "-q", *LINTERS, "python", str(HERE / "linters.py")]
    return _run(command, [example.text for example in examples_])


def simulator(examples_: list[Example]) -> list[dict[str, Any]]:
    """One question to iam-simulate: may this user read that user's file, in the obvious place?"""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return []
    if not (DIFFERENTIAL / "node_modules").exists():
        subprocess.run([npm, "ci", "--silent", "--ignore-scripts"], cwd=DIFFERENTIAL, check=True)
    return _run([node, str(DIFFERENTIAL / "time.mjs")], [json.dumps(_question(each.text)) for each in examples_])


def _question(text: str) -> dict[str, Any]:
    return {
        "request": {
            "principal": "arn:aws:sts::123456789012:assumed-role/role/CognitoIdentityCredentials",
            "action": "s3:GetObject",
            "resource": {"resource": f"arn:aws:s3:::bkt/{OTHER}/x", "accountId": "123456789012"},
            "contextVariables": {"cognito-identity.amazonaws.com:sub": MINE},
        },
        "identityPolicies": [{"name": "access", "policy": json.loads(text)}],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
    }


def _run(command: list[str], lines: list[str]) -> list[dict[str, Any]]:
    done = subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=True, timeout=300
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@dataclass(frozen=True)
class Verdicts:
    """What one tool said of all documents.

    Attributes:
        ms: median milliseconds of a document under which nobody shares files.
        ms_shared: the same, of one under which they do; ours then looks for a request that shows it, and replays it.
        found: of the documents under which users share files, how many it says something about.
        alarms: of those under which they do not, how many it says something about.
    """

    ms: float
    ms_shared: float
    found: int
    shared: int
    alarms: int
    scoped: int


def measure() -> dict[str, Verdicts]:
    every = [each for each in examples() if _is_json(each.text)]
    answers = [*ours(every), *linters(every), *simulator(every)]
    found: dict[str, Verdicts] = {}
    for tool in dict.fromkeys(answer["tool"] for answer in answers):
        mine = [answer for answer in answers if answer["tool"] == tool]
        said = Counter((every[a["document"]].shared, bool(a["flagged"])) for a in mine)
        found[tool] = Verdicts(
            median(a["ms"] for a in mine if not every[a["document"]].shared),
            median(a["ms"] for a in mine if every[a["document"]].shared),
            said[True, True],
            said[True, True] + said[True, False],
            said[False, True],
            said[False, True] + said[False, False],
        )
    return found


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
