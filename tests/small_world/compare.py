"""What the proofs say of a set of documents, held against the oracle.

- *Holds*: the oracle must find nothing that speaks against it among its keys.
- *Violated*: the request that is shown must be one that the oracle allows, by an identity of the small world.
- *Not proven*: only for want of steps, for access points under a wildcard, which show the objects of any bucket, or where
  the set holds something that is not known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from policies.identity_scope.iam.actions import BUCKET_PIVOTS, OTHER_PIVOTS
from policies.identity_scope.iam.documents import Effect
from policies.identity_scope.iam.issuers import Shape
from policies.identity_scope.inventory.declared import Shared
from policies.identity_scope.inventory.principal import BucketPolicy, Principal
from policies.identity_scope.proof.escalation import escalations
from policies.identity_scope.proof.isolation import isolation
from policies.identity_scope.proof.own_folder import own_folder
from policies.identity_scope.proof.results import Access, Escalation, NotProven, OutsideFolder, Result, Violation
from policies.identity_scope.proof.scope import Scope

from .oracle import EVERYONE, ISSUER, Call, Oracle, applies
from .people import Person, sessions_of
from .sets import FAR, DocumentSet, role_arns
from .shape import SmallShape

STEPS = 50_000
_NOT_SEEN = "nothing was found in"
_BUCKET = re.compile("[A-Za-z0-9._-]{3,}")
_PIVOTS = frozenset({*BUCKET_PIVOTS, *OTHER_PIVOTS})


@dataclass
class Comparison:
    """Verdicts of each proof, and what is wrong with them; each defect begins with its kind."""

    said: Counter[str] = field(default_factory=Counter)
    defects: list[str] = field(default_factory=list)


class SmallScope(Scope):
    """A question about the IDs of a small world, in one region or in two."""

    def __init__(self, shapes: Sequence[Shape], principals: tuple[Principal, ...], **named: Any) -> None:
        super().__init__(principals, **named)
        object.__setattr__(self, "_shapes", list(shapes))

    def shapes(self) -> list[Shape]:
        found: list[Shape] = self._shapes  # type: ignore[attr-defined]
        return found


def scope_of(made: DocumentSet, steps: int = STEPS) -> Scope:
    roles, policies, shared = made.parsed
    resource = tuple(BucketPolicy(f"policy of {bucket}", document, bucket) for bucket, document in policies.items())
    principals = tuple(
        Principal(
            role.name,
            tuple((f"document {n}", document) for n, document in enumerate(role.documents)),
            None if role.boundary is None else (("boundary", role.boundary),),
            resource,
            (role.arn,),
            role.name,
            logins=None if role.logins is None else tuple(login.as_asked() for login in role.logins),
        )
        for role in roles
    )
    return SmallScope(
        [shape_of(shape) for shape in made.shapes],
        principals,
        shared=tuple(Shared(s.pattern, s.actions, "All use it.") for s in shared),
        folders=tuple(made.folders),
        steps=steps,
        focus=frozenset(made.focus) or None,
        tenants=frozenset(made.tenants),
    )


def shape_of(shape: SmallShape) -> Shape:
    return Shape(shape.region, "aws", ISSUER, shape.digits, shape.groups)


def compare(made: DocumentSet, far: int = FAR) -> Comparison:
    """Ask the three proofs, and the oracle."""
    scope, oracles = scope_of(made), made.oracles(far)
    found = Comparison()
    said = [_asked(proof, scope) for proof in (isolation, own_folder, escalations)]
    shown = [a for results in said[:2] if not isinstance(results, Exception) for r in results for a in _accesses(r)]
    for oracle in oracles:
        oracle.also = tuple(dict.fromkeys(access.action for access in shown if not access.listing))
    for (name, against, wrong), results in zip(_CLAIMS, said, strict=True):
        if isinstance(results, Exception):
            found.defects.append(f"{name}, failed: {results!r}")
            continue
        verdict = _verdict(results)
        found.said[f"{name}: {verdict}"] += 1
        if verdict == "holds":
            found.defects += [f"{name}, said to hold: {why}" for why in filter(None, map(against, oracles))]
        for result in results:
            if isinstance(result, (Violation, OutsideFolder, Escalation)):
                accesses = _accesses(result)
                oracle = next((o for o in oracles if o.shape.has(accesses[0].identity)), oracles[0])
                found.defects += [
                    f"{name}, said to be violated: {why}"
                    for why in wrong(oracle, result)
                    # Of a second key, which is not shown, what is not known may have been assumed.
                    if not (made.has_unknowns and _NOT_SEEN in why)
                ]
                # Whether one empty string is no value, for which ForAllValues holds, is left open.
                known = not made.has_unknowns and "ForAllValues" not in made.text
                if known and any(access.assumed for access in accesses):
                    found.defects.append(f"{name}, said to be violated: something was assumed where all is known")
                roles = {role.name for role in oracle.focus}
                if not any(access.role in roles for access in accesses) and not isinstance(result, OutsideFolder):
                    found.defects.append(f"{name}, said to be violated: no role that is asked about has a part in it")
        if verdict == "not proven" and not made.has_unknowns and not made.has_texts:
            reasons = {r.reason for r in results if isinstance(r, NotProven)}
            found.defects.append(f"{name}, said not to be proven: {'; '.join(sorted(reasons))}")
    return found


def _asked(proof: Callable[[Scope], Sequence[Result]], scope: Scope) -> Sequence[Result] | Exception:
    """A proof that fails is a defect like others, to be reported with its set."""
    try:
        return proof(scope)
    except Exception as error:
        return error


def _accesses(result: Result) -> tuple[Access, ...]:
    if isinstance(result, Violation):
        return result.mine, result.theirs
    return (result.access,) if isinstance(result, (OutsideFolder, Escalation)) else ()


def _verdict(results: Sequence[Result]) -> str:
    if any(isinstance(r, (Violation, OutsideFolder, Escalation)) for r in results):
        return "violated"
    open_ = [r.reason for r in results if isinstance(r, NotProven)]
    if any("steps" in reason or "was not found" in reason for reason in open_):
        return "over budget"
    if open_ and all("access point" in reason for reason in open_):
        return "access points"
    return "not proven" if open_ else "holds"


def _leak(oracle: Oracle) -> str | None:
    leak = oracle.leak()
    return leak and "{} and {} reach {}".format(*leak)


def _outside(oracle: Oracle) -> str | None:
    outside = oracle.outside()
    return outside and f"{outside[0]} reaches {' and '.join(outside[1])}"


def _escalation(oracle: Oracle) -> str | None:
    call = oracle.escalation(role_arns(oracle.shape))
    return None if call is None else f"{call.identity} may {call.action} {call.arn}"


def _ways(oracle: Oracle, access: Access) -> set[str]:
    """As what the oracle allows a request that a proof shows."""
    role = next((r for r in oracle.roles if r.name == access.role), None)
    identity = next(iter(_people(oracle, access)), None)
    nobody = Call(None, access.action, access.arn, access.prefix)
    calls = [nobody] if identity is None else [replace(nobody, identity=identity), nobody]
    if access.statement.effect is not Effect.ALLOW or not any(applies(access.statement, call) for call in calls):
        return set()
    return oracle.allows(calls[0], None if identity is None else role) | oracle.allows(nobody, None)


def _people(oracle: Oracle, access: Access) -> list[str]:
    """Who may make a request: the identity, or those whose session has its tags."""
    role = next((r for r in oracle.roles if r.name == access.role), None)
    if role is None or role.logins is None:
        return [access.identity]
    return list(sessions_of(access.identity, access.tags, role.logins, oracle.shape, oracle.spoken))


def _not_about(access: Access, arn: str) -> bool:
    """Whether a request tells nothing of an object."""
    bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
    if not arn.startswith("arn:aws:s3:::") or not _BUCKET.fullmatch(bucket) or not key:
        return True
    if access.listing:
        return access.arn != f"arn:aws:s3:::{bucket}" or not key.startswith(access.prefix or "")
    return access.arn != arn or access.prefix is not None


def _reaches(oracle: Oracle, access: Access, arn: str) -> bool:
    bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
    return bool(_ways(oracle, access) - {EVERYONE}) and not oracle.is_shared(
        access.action, next(iter(_people(oracle, access)), access.identity), bucket, key
    )


def _wrong_violation(oracle: Oracle, result: Result) -> Iterator[str]:
    assert isinstance(result, Violation)
    sides = (result.mine, result.theirs)
    if sides[0].identity == sides[1].identity or not all(oracle.shape.has(side.identity) for side in sides):
        yield f"not two identities: {sides[0].identity} and {sides[1].identity}"
    pairs = list(product(*(_people(oracle, side) for side in sides)))
    if pairs and not any(oracle.apart(*pair) for pair in pairs):
        yield f"not two people: {_told(sides[0])}, {_told(sides[1])}"
    for side in sides:
        if _not_about(side, result.arn):
            yield f"not about {result.arn}: {_told(side)}"
        elif not _ways(oracle, side):
            yield f"not allowed: {_told(side)}"
    reaching = [_reaches(oracle, side, result.arn) for side in sides]
    opened = [EVERYONE in _ways(oracle, side) for side in sides]
    if not (reaching[0] and (reaching[1] or opened[1])) and not (reaching[1] and opened[0]):
        yield f"shared, or open to everyone: {_told(sides[0])}, {_told(sides[1])}"


def _wrong_folder(oracle: Oracle, result: Result) -> Iterator[str]:
    assert isinstance(result, OutsideFolder)
    people = _people(oracle, result.access)
    if not people:
        yield f"nobody's tags: {_told(result.access)}"
        return
    identity = people[0]
    if not oracle.shape.has(identity):
        yield f"not an identity: {identity}"
    if _not_about(result.access, result.arn):
        yield f"not about {result.arn}: {_told(result.access)}"
    elif not _reaches(oracle, result.access, result.arn):
        yield f"not allowed, or shared: {_told(result.access)}"
    key = result.arn.removeprefix("arn:aws:s3:::")
    if isinstance(identity, Person):
        # Several people can have such a session: the example is right if it is so for one of them.
        every = [each.names(oracle.tenants) for each in people if isinstance(each, Person)]
        if all(_lies(key, result.folder, names, oracle.folders) for names in every):
            yield f"{key} lies in {result.folder}, or that is no folder of {every}: {_told(result.access)}"
        return
    if oracle.folders:
        allowed = [f"{folder}{identity}/" for folder in oracle.folders]
        if key.startswith(tuple(allowed)):
            yield f"{key} lies in one of {allowed}: {_told(result.access)}"
        return
    if result.folder and oracle.folders_of(result.folder, identity)[-1:] != [result.folder]:
        yield f"not a folder of {identity}: {result.folder}: {_told(result.access)}"
    elif result.folder and key.startswith(result.folder):
        yield f"{key} lies in {result.folder}: {_told(result.access)}"
    elif folders := oracle.folders_of(key, identity):
        # Another key lies in none of these: if it lies in a folder, in one that is not within another.
        whole = oracle.folders_of(result.folder, identity) == [result.folder]
        if not (whole and oracle.has_some(identity, result.folder)) and not all(
            oracle.beside([folder], identity) or _spelt_out(oracle, identity, folder) for folder in folders
        ):
            yield f"{key} lies in {folders[0]}, and {_NOT_SEEN} {result.folder}: {_told(result.access)}"


def _lies(key: str, folder: str, names: Sequence[str], folders: Sequence[str]) -> bool:
    """Whether a key lies in the person's folder, or the folder that is shown is none of the person's."""
    ends = tuple(f"{name}/" for name in names)
    if folders:
        return key.startswith(tuple(f"{each}{end}" for each in folders for end in ends))
    return bool(folder) and (key.startswith(folder) or not folder.endswith(ends))


def _spelt_out(oracle: Oracle, identity: str, folder: str) -> bool:
    """Whether documents spell out a key, however long, that an identity reaches beside a folder."""
    places = list(oracle.places)
    return any(not key.startswith(folder) for place in places for key in oracle.spelt_out(identity, place))


def _wrong_escalation(oracle: Oracle, result: Result) -> Iterator[str]:
    assert isinstance(result, Escalation)
    access = result.access
    if not oracle.shape.has(access.identity):
        yield f"not an identity: {access.identity}"
    if access.action not in _PIVOTS:
        yield f"no escalation: {_told(access)}"
    if not _ways(oracle, access):
        yield f"not allowed: {_told(access)}"


def _told(access: Access) -> str:
    prefix = "" if access.prefix is None else f" under `{access.prefix}`"
    tags = "".join(f" with {name}={value}" for name, value in access.tags)
    return f"{access.identity}{tags} may {access.action} {access.arn}{prefix} as {access.role}"


_CLAIMS = (
    ("isolation", _leak, _wrong_violation),
    ("own folder", _outside, _wrong_folder),
    ("no escalation", _escalation, _wrong_escalation),
)
"""Of each proof its name, what speaks against "holds", and what is wrong with an example."""
