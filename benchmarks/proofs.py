"""One proof: a canonical role, and the worst that a hostile document could make of it."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from statistics import median

from components.scoped_identity.plan import plan
from policies.identity_scope.iam.documents import Document, DocumentKind, _parse_text, parse
from policies.identity_scope.inventory.principal import Principal
from policies.identity_scope.proof.escalation import escalations
from policies.identity_scope.proof.isolation import isolation
from policies.identity_scope.proof.own_folder import own_folder
from policies.identity_scope.proof.scope import Scope
from tests.components.test_documents import permissions
from tests.components.test_settings import good
from tests.components.test_settings import parse as parse_settings
from tests.policies.pack.engine import ME, allow, document


def _scope(text: Document) -> Scope:
    return Scope((Principal("role", (("access", text),), urn="role"),), ("eu-west-1",))


def canonical(rounds: int = 400) -> dict[str, float]:
    """Median milliseconds of proving what the component emits: each question, and parsing the document anew."""
    text = json.dumps(permissions(plan(parse_settings(good()), "eu-west-1", "123456789012")))
    scope = _scope(parse(text))
    found: dict[str, float] = {}
    for name, question in (("isolation", isolation), ("own folder", own_folder), ("escalation", escalations)):
        found[name] = _milliseconds(lambda question=question: question(scope), rounds)
    found["parsing"] = _milliseconds(lambda: _parse_text.__wrapped__(text, DocumentKind.IDENTITY), rounds)
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


PIECES = ["*", "?", "a", "b", "ab", "/", "*a", "?*", "us-east-1:", ME, f"{ME}*", "${*}", "*a?b", "0", ":"]


def _resource(chance: random.Random, length: int) -> str:
    return "arn:aws:s3:::" + "".join(chance.choice(PIECES) for _ in range(length))


def _statement(chance: random.Random) -> dict[str, object]:
    found = allow([_resource(chance, chance.randint(1, 40)) for _ in range(chance.choice([1, 2, 5, 30]))], "s3:*")
    if chance.random() < 0.3:
        found["Effect"] = "Deny"
    if chance.random() < 0.2:
        found["NotResource"] = found.pop("Resource")
    if chance.random() < 0.2:
        found["Condition"] = {"StringLike": {"s3:prefix": _resource(chance, 8).partition(":::")[2]}}
    return found


def search(documents: int = 300, seed: int = 0) -> Slowest:
    """The slowest document that a search comes to: random ones, and the slowest so far changed a little."""
    chance = random.Random(seed)
    slowest = Slowest(0.0, "", "")
    best: list[dict[str, object]] = []
    for _ in range(documents):
        if best and chance.random() < 0.6:
            statements = [*best]
            statements[chance.randrange(len(statements))] = _statement(chance)
            if chance.random() < 0.3:
                statements.append(_statement(chance))
        else:
            statements = [_statement(chance) for _ in range(chance.randint(1, 6))]
        text = json.dumps(document(statements))
        scope = _scope(parse(text))
        begin = time.perf_counter()
        results = isolation(scope)
        took = time.perf_counter() - begin
        if took > slowest.seconds:
            verdict = "holds" if not results else "; ".join(sorted({type(each).__name__ for each in results}))
            slowest, best = Slowest(took, text, verdict), statements
    return slowest


@dataclass(frozen=True)
class Slowest:
    """The document on which the isolation question took longest."""

    seconds: float
    text: str
    said: str


def worst() -> dict[str, float]:
    """Seconds of the isolation question for each hostile document; each is bounded by the budget of steps."""
    found: dict[str, float] = {}
    for name, statements in HOSTILE.items():
        scope = _scope(parse(json.dumps(document(statements))))
        begin = time.perf_counter()
        isolation(scope)
        found[name] = time.perf_counter() - begin
    return found
