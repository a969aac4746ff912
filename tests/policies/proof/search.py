"""The prover against a search for what it denies, at any scale: `python -m tests.policies.proof.search --sets 100000`.

Each set is random: one or two roles with their documents, some with a boundary, most of them near misses of the folders
that the component makes, and some beside spaces that are declared as shared. Where isolation is proven, requests are made
up from the documents' own patterns, by two identities that no document names and by two that are made to fit what the
documents name in part; none may be allowed to both. Where it is violated, both requests of the counterexample must be
allowed and about one object. The own folder is searched likewise, for requests of one identity that lie in no one folder,
and the ways round, for a request that would widen a role. Anything else is printed with its set, and the exit code is 1. A
bounded run is part of the tests.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

from policies.identity_scope.iam.actions import BUCKET_PIVOTS, OTHER_PIVOTS
from policies.identity_scope.iam.documents import Effect, parse
from policies.identity_scope.iam.evaluator import Applicable, Reading, decide
from policies.identity_scope.iam.issuers import fresh, shape_of
from policies.identity_scope.inventory.principal import Principal
from policies.identity_scope.proof.escalation import escalations
from policies.identity_scope.proof.isolation import isolation
from policies.identity_scope.proof.own_folder import own_folder
from policies.identity_scope.proof.reach import Caller, Shared
from policies.identity_scope.proof.results import Access, Escalation, NotProven, OutsideFolder, Result, Violation
from policies.identity_scope.proof.scope import Scope
from tests.policies.pack.engine import ME

REGION = "us-east-1"
STEPS = 5_000
"""Of one proof; what needs more is counted as not decided."""
REQUESTS = 30
"""Keys that are made up for each pair of identities."""
CHUNK = 100
"""Sets that a process takes at a time."""

PIECES = ["*", "?", "/", "a", "b", ":", "*/", "/*", "a/", ME, f"{ME}/", "${*}", "${cognito-identity.amazonaws.com:aud}"]
PARTIAL = [f"{REGION}:1*", f"{REGION}:7f??????-*", "*1", "*", f"{ME}*"]
"""Segments that name ids in part, or anything."""
HEADS = ["", "", "users/", "a/b/", "*/", "?/"]
ACTIONS = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:*Object",
    "s3:Get*",
    "s3:*",
    "*",
    "s3:DeleteObject",
    "s3:ListBucket",
    "s3:List*",
]
ASKED = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
LISTING = "s3:ListBucket"
SPACES = ["bkt/a/*", "bkt/a/b/*", "bkt/f/*", "bkt/users/*", "bkt/*/f", "bkt/*", "notes/*", "b?t/a*", "*/f/*", "bkt/f"]
"""What a configuration declares as shared."""
_BUCKET = re.compile("[A-Za-z0-9._-]{3,}")
"""What a bucket can be called: not `bkt-us-east-1:…`."""
OTHERS = [
    {"StringEquals": {"aws:PrincipalTag/team": "red"}},
    {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"Null": {"s3:prefix": "true"}},
    {"StringLike": {"cognito-identity.amazonaws.com:sub": f"{REGION}:1*"}},
]
OPERATORS = [
    *["StringLike", "StringLike", "StringEquals", "StringEqualsIgnoreCase", "StringNotLike", "StringNotEquals"],
    *["StringLikeIfExists", "ForAnyValue:StringLike", "ForAllValues:StringLike"],
]


@dataclass(frozen=True)
class Role:
    """A role's documents and its boundary, as JSON would have them."""

    documents: list[dict[str, Any]]
    boundary: dict[str, Any] | None


def role_set(random_: random.Random) -> list[Role]:
    if random_.random() < 0.15:
        # Nothing but folders that two could share whose ids are as the other's part says.
        resources = [f"arn:aws:s3:::bkt/{_partial(random_)}" for _ in range(2)]
        statement = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": resources}
        return [Role([{"Version": "2012-10-17", "Statement": [statement]}], None)]
    return [_role(random_) for _ in range(random_.choice([1, 1, 1, 2]))]


def _role(random_: random.Random) -> Role:
    documents = [_document(random_) for _ in range(random_.choice([1, 1, 2]))]
    return Role(documents, _document(random_) if random_.random() < 0.15 else None)


def _document(random_: random.Random) -> dict[str, Any]:
    statements = [_statement(random_) for _ in range(random_.choice([1, 1, 2, 3]))]
    versions = [{"Version": "2012-10-17"}] * 12 + [{}]
    return {**random_.choice(versions), "Statement": statements}


def _statement(random_: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": random_.choice(["Allow", "Allow", "Allow", "Deny"])}
    listing = random_.random() < 0.25
    resources = ["arn:aws:s3:::bkt"] if listing else [_resource(random_) for _ in range(random_.choice([1, 1, 2]))]
    actions = [LISTING] if listing else random_.sample(ACTIONS, random_.choice([1, 1, 2]))
    found["NotAction" if random_.random() < 0.04 else "Action"] = actions
    negated = random_.random() < (0.4 if found["Effect"] == "Deny" else 0.03)
    found["NotResource" if negated else "Resource"] = resources
    if random_.random() < (0.9 if listing else 0.05):
        operators = random_.sample(OPERATORS, random_.choice([1, 1, 1, 2]))
        found["Condition"] = {
            o: {"s3:prefix": [_key(random_) for _ in range(random_.choice([1, 1, 2]))]} for o in operators
        }
    if random_.random() < 0.05:
        found["Condition"] = {**found.get("Condition", {}), **random_.choice(OTHERS)}
    return found


def _resource(random_: random.Random) -> str:
    if random_.random() < 0.03:
        return random_.choice(["*", "arn:aws:s3:::*", f"arn:aws:s3:::bkt-{ME}/*"])
    return f"arn:aws:s3:::{random_.choice(['bkt', 'bkt', 'bkt', 'notes', 'b?t'])}/{_key(random_)}"


def _key(random_: random.Random) -> str:
    """Mostly the own folder; else several segments, or a folder with something put in."""
    what = random_.random()
    if what < 0.55:
        return f"{random_.choice(HEADS)}{ME}/*"
    if what < 0.8:
        return _partial(random_)
    text = f"{random_.choice(HEADS)}{ME}/*"
    for _ in range(random_.choice([1, 1, 2])):
        at = random_.choice([0, text.index("$") if "$" in text else 0, len(text) - 1, len(text)])
        text = text[:at] + random_.choice(PIECES) + text[at:]
    return text


def _partial(random_: random.Random) -> str:
    parts = [ME, *random_.choice([[random_.choice(PARTIAL)], [random_.choice(PARTIAL), "f"], [ME], ["f"]])]
    return "/".join(random_.sample(parts, len(parts)))


def spaces(random_: random.Random) -> tuple[Shared, ...]:
    """None for most sets, or one or two."""
    return tuple(
        Shared(
            random_.choice(SPACES), tuple(random_.sample([*ASKED, LISTING], random_.choice([1, 2, 4]))), "All use it."
        )
        for _ in range(random_.choice([0, 0, 0, 1, 2]))
    )


def principals(roles: list[Role]) -> tuple[Principal, ...]:
    return tuple(
        Principal(
            f"role {n}",
            tuple((f"role {n}, document {i}", parse(d)) for i, d in enumerate(role.documents)),
            None if role.boundary is None else ((f"role {n}, boundary", parse(role.boundary)),),
            urn=f"role {n}",
        )
        for n, role in enumerate(roles)
    )


def check(roles: list[Role], shared: tuple[Shared, ...], random_: random.Random) -> tuple[list[str], list[str]]:
    """What the proofs say of isolation, of the own folder and of ways round, and what is wrong with that."""
    scope = Scope(principals(roles), (REGION,), shared, steps=STEPS)
    verdicts: list[str] = []
    defects: list[str | None] = []
    for name, results, wrong, search in (
        ("isolation", isolation(scope), _wrong, met),
        ("own folder", own_folder(scope), _not_outside, scattered),
        ("no way round", escalations(scope), _no_way_round, widened),
    ):
        violated = [r for r in results if not isinstance(r, NotProven)]
        defects += [wrong(scope, result) for result in violated]
        if not results:
            defects.append(search(scope, random_))
        granted = any(_grants(p) for p in scope.principals)
        holds = "holds" if granted else "holds, as nothing is granted"
        verdicts.append(f"{name}: {'violated' if violated else 'not proven' if results else holds}")
    return verdicts, [defect for defect in defects if defect]


def _grants(principal: Principal) -> bool:
    return any(s.effect is Effect.ALLOW for _, document in principal.documents for s in document.statements)


def _wrong(scope: Scope, result: Result) -> str | None:
    """Why a counterexample to isolation is none."""
    if not isinstance(result, Violation) or result.mine.identity == result.theirs.identity:
        return f"not two identities: {result}"
    return _not_allowed(scope, result.mine, result.arn) or _not_allowed(scope, result.theirs, result.arn)


def _not_outside(scope: Scope, result: Result) -> str | None:
    """Why a counterexample to the own folder is none."""
    if not isinstance(result, OutsideFolder) or (
        result.folder and result.arn.startswith(f"arn:aws:s3:::{result.folder}")
    ):
        return f"not outside: {result}"
    return _not_allowed(scope, result.access, result.arn)


def _no_way_round(scope: Scope, result: Result) -> str | None:
    """Why a way round is none."""
    if not isinstance(result, Escalation) or result.access.action not in (*BUCKET_PIVOTS, *OTHER_PIVOTS):
        return f"not a way round: {result}"
    return _not_allowed(scope, result.access, result.access.arn)


def _not_allowed(scope: Scope, access: Access, arn: str) -> str | None:
    role = next(p for p in scope.principals if p.urn == access.role)
    request = Caller(access.identity, shape_of(REGION)).request(access.action, access.arn, access.prefix)
    if not decide(request, Applicable(role.documents, role.boundary), Reading.PESSIMISTIC).allowed:
        return f"not allowed: {access}"
    if not (arn.startswith(f"{access.arn}/{access.prefix or ''}") if access.listing else arn == access.arn):
        return f"not about {arn}: {access}"
    if _declared(scope, access.action, arn.removeprefix("arn:aws:s3:::")):
        return f"declared as shared: {access}"
    return None


def _declared(scope: Scope, action: str, key: str) -> bool:
    """Whether reaching `BUCKET/KEY` by an action is declared as shared."""
    spaces = [space.pattern for space in scope.shared if action in space.actions]
    regexes = [re.escape(space).replace(r"\*", ".*").replace(r"\?", ".") for space in spaces]
    return any(re.fullmatch(regex, key, re.DOTALL) for regex in regexes)


def met(scope: Scope, random_: random.Random) -> str | None:
    """An object that two identities reach, which the proof says there is none of."""
    text = scope.text()
    fitting = [_fitting(text, random_) for _ in range(2)]
    for one, other in (fresh(REGION, text), (fitting[0], fitting[1])):
        if one == other:
            continue
        callers = [Caller(one, shape_of(REGION)), Caller(other, shape_of(REGION))]
        keys = [*_patterns(scope), f"{one}/x", f"{other}/x"]
        for _ in range(REQUESTS):
            bucket, _, key = _filled(random_.choice(keys), random_, one, other).partition("/")
            if all(_reached(scope, caller, bucket, key) for caller in callers):
                return f"{bucket}/{key} is reached by {one} and {other}"
    return None


def scattered(scope: Scope, random_: random.Random) -> str | None:
    """Objects that one identity reaches and that lie in no one folder of its own, where the proof says that all do."""
    one, other = fresh(REGION, scope.text())
    caller = Caller(one, shape_of(REGION))
    folders: set[str] | None = None
    keys = [*_patterns(scope), f"{one}/x"]
    for _ in range(REQUESTS):
        bucket, _, key = _filled(random_.choice(keys), random_, one, other).partition("/")
        if _reached(scope, caller, bucket, key):
            own = {f"{bucket}/{key[: m.end()]}{one}/" for m in re.finditer(rf"(?={one}/)", key)}
            folders = own if folders is None else folders & own
            if not folders:
                return f"{bucket}/{key} is reached by {one}, and lies in no folder that all else lies in"
    return None


def widened(scope: Scope, random_: random.Random) -> str | None:
    """A request that would widen a role's reach, where the proof says that there is none."""
    one, other = fresh(REGION, scope.text())
    caller = Caller(one, shape_of(REGION))
    for _ in range(REQUESTS):
        bucket = _filled(random_.choice(_patterns(scope)), random_, one, other).partition("/")[0]
        if _BUCKET.fullmatch(bucket):
            asked = [(random_.choice(BUCKET_PIVOTS), f"arn:aws:s3:::{bucket}"), (random_.choice(OTHER_PIVOTS), "*")]
            for request in (caller.request(*each) for each in asked):
                if any(decide(request, Applicable(r.documents, r.boundary)).allowed for r in scope.principals):
                    return f"{request.action} {request.resource} is allowed"
    return None


def _fitting(text: str, random_: random.Random) -> str:
    """An identity id whose digits begin and end as the documents name them in part, or do so nearly."""
    heads = re.findall(rf"{REGION}:([0-9a-f]+)", text) or re.findall(r"([0-9a-f]+)\*", text)
    tails = re.findall(r"\*([0-9a-f]+)", text)
    head, tail = random_.choice([*heads, *heads, "0"])[:8], random_.choice([*tails, *tails, "a"])[:8]
    digits = head + "".join(random_.choice("01f") for _ in range(32 - len(head) - len(tail))) + tail
    return f"{REGION}:{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _patterns(scope: Scope) -> list[str]:
    """`BUCKET/KEY` patterns of everything that the documents speak of."""
    found = ["bkt/*"]
    for line in scope.text().splitlines():
        if line.startswith("arn:aws:s3:::"):
            found.append(line.removeprefix("arn:aws:s3:::"))
        else:
            found.append(f"bkt/{line}*")
    return [*found, *(space.pattern for space in scope.shared)]


def _filled(pattern: str, random_: random.Random, one: str, other: str) -> str:
    """A word of a pattern: one identity or the other for each variable, something telling for each wildcard."""
    pieces = ["", "", "a", "f", "x", "1", "/", "b/", "a/b", ":", one, other, f"{one}/x", f"/{other}", f"{other}/1"]

    def fill(match: re.Match[str]) -> str:
        if match.group() == "*":
            return "".join(random_.choice(pieces) for _ in range(random_.choice([1, 1, 2, 3])))
        if match.group() == "?":
            return random_.choice("ab/:1f")
        return "*" if match.group() == "${*}" else random_.choice([one, other])

    return re.sub(r"\$\{[^}]*\}|\*|\?", fill, pattern)


def _reached(scope: Scope, caller: Caller, bucket: str, key: str) -> bool:
    """Whether some role of the set lets a caller read, write or delete an object, or learn its name."""
    if not _BUCKET.fullmatch(bucket):
        return False
    arn = f"arn:aws:s3:::{bucket}"
    prefixes = [None, *(key[:n] for n in sorted({0, len(key), *(m.end() for m in re.finditer("[/:a]", key))}))]
    asked = [(action, f"{arn}/{key}", None) for action in ASKED] + [(LISTING, arn, prefix) for prefix in prefixes]
    requests = [caller.request(*each) for each in asked if not _declared(scope, each[0], f"{bucket}/{key}")]
    return any(
        decide(request, Applicable(role.documents, role.boundary), Reading.PESSIMISTIC).allowed
        for role in scope.principals
        for request in requests
    )


def run(seed: int, number: int) -> tuple[Counter[str], list[str]]:
    """A chunk of sets: how often the proof said what, and what was wrong."""
    random_ = random.Random(f"{seed} {number}")
    said: Counter[str] = Counter()
    wrong: list[str] = []
    for _ in range(CHUNK):
        roles, shared = role_set(random_), spaces(random_)
        verdicts, defects = check(roles, shared, random_)
        said.update(verdicts)
        for defect in defects:
            documents = json.dumps([{"documents": r.documents, "boundary": r.boundary} for r in roles])
            wrong.append(f"{defect}\n  {documents}" + "".join(f"\n  {space}" for space in shared))
    return said, wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.policies.proof.search", description=(__doc__ or "").partition(":")[0] + "."
    )
    parser.add_argument("--sets", type=int, default=2000, help="how many sets of roles (default: 2000)")
    parser.add_argument("--seed", type=int, default=None, help="of the random sets (default: a new one)")
    parser.add_argument("--processes", type=int, default=None, help="side by side (default: one a core)")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(2**32)
    print(f"seed {seed}", flush=True)
    said: Counter[str] = Counter()
    failed, done, begin = False, 0, time.monotonic()
    with multiprocessing.Pool(options.processes) as pool:
        for counts, wrong in pool.imap_unordered(partial(run, seed), range(-(-options.sets // CHUNK))):
            said += counts
            for each in wrong:
                failed = True
                print(f"\n{each}", flush=True)
            done += CHUNK
            if done % max(options.sets // 20, CHUNK) < CHUNK:
                print(f"  {done:>9,} sets, {time.monotonic() - begin:.0f} s", flush=True)
    print(f"{done:,} sets in {time.monotonic() - begin:.0f} s")
    for verdict, count in sorted(said.items()):
        print(f"  {verdict:<41} {count:>9,}")
    print("something was found" if failed else "nothing was found that contradicts the proof")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
