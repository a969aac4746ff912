"""One proof: a canonical role, and the worst that a hostile document could make of it."""

from __future__ import annotations

import json
import time
from statistics import median

from components.scoped_identity.plan import plan
from components.scoped_identity.settings import parse as parse_settings
from policies.identity_scope.documents import Document, Kind, _parse_text, parse
from policies.identity_scope.prover import Scope, isolation, own_folder, ways_round
from policies.identity_scope.reach import Principal
from tests.pack import ME, allow, document
from tests.test_documents import permissions
from tests.test_settings import good


def _scope(text: Document) -> Scope:
    return Scope((Principal("role", (("access", text),), urn="role"),), ("eu-west-1",))


def canonical(rounds: int = 400) -> dict[str, float]:
    """Median milliseconds of proving what the component emits: each question, and parsing the document anew."""
    text = json.dumps(permissions(plan(parse_settings(good()), "eu-west-1", "123456789012")))
    scope = _scope(parse(text))
    found: dict[str, float] = {}
    for name, question in (("isolation", isolation), ("own folder", own_folder), ("no way round", ways_round)):
        found[name] = _milliseconds(lambda question=question: question(scope), rounds)
    found["parsing"] = _milliseconds(lambda: _parse_text.__wrapped__(text, Kind.IDENTITY), rounds)
    return found


def _milliseconds(work: object, rounds: int) -> float:
    assert callable(work)
    times: list[float] = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return median(times) * 1000


HOSTILE = {
    "300 stars": [allow("arn:aws:s3:::bkt/" + "*a" * 300)],
    "stars and question marks": [allow("arn:aws:s3:::bkt/" + "*a?b??" * 120)],
    "250 resources": [allow([f"arn:aws:s3:::bkt/*{i}*/{ME}/*" for i in range(250)])],
    "10,000 letters": [allow("arn:aws:s3:::bkt/" + "x" * 10_000)],
    "stars under star Denies": [
        allow("arn:aws:s3:::bkt/" + "*a?" * 100),
        {
            **allow(["arn:aws:s3:::bkt/" + "*?a?b??" * 20, "arn:aws:s3:::bkt/" + "a*?????b*" * 40], "s3:*"),
            "Effect": "Deny",
        },
    ],
}


def worst() -> dict[str, float]:
    """Seconds of the isolation question for each hostile document; each is bounded by the budget of steps."""
    found: dict[str, float] = {}
    for name, statements in HOSTILE.items():
        scope = _scope(parse(json.dumps(document(statements))))
        begin = time.perf_counter()
        isolation(scope)
        found[name] = time.perf_counter() - begin
    return found
