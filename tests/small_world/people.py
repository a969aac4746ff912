"""People of a small world: an identity's ID, the login by which it came, and the principal tags of its session.

What tells two people apart is written down here a second time, with nothing of the proofs: two people have two IDs, and
different values of a claim that identifies people, where both have it of one provider or of two user pools.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from policies.identity_scope.iam.claims import SUB, Claim, IssuerKind, Language, Login

from .shape import SmallShape

PREFIX = "aws:principaltag/"
_MOST = 36
"""How many people are looked at."""


class SmallClaim(NamedTuple):
    """What is known of a claim: whether it is a UUID, tells people apart, can be changed, and is in every token."""

    uuid: bool
    unique: bool
    changeable: bool
    always: bool


CLAIMS = {
    "sub": SmallClaim(True, True, False, True),
    "id": SmallClaim(False, True, False, True),
    "name": SmallClaim(False, True, False, True),
    "mail": SmallClaim(False, False, True, False),
    "team": SmallClaim(False, False, False, False),
}
TEXTS = ("a", "A", "x", "a/", "a/x", "/", "x/a")
"""Values of texts that are tried, beside those that documents name."""


@dataclass(frozen=True)
class SmallLogin:
    """A provider, and the claim of each tag, or its value in every session, written `=VALUE`."""

    provider: str
    kind: str
    tags: tuple[tuple[str, str], ...]

    @staticmethod
    def of(raw: Mapping[str, Any]) -> SmallLogin:
        return SmallLogin(raw["provider"], raw["kind"], tuple(sorted(raw["tags"].items())))

    def as_asked(self) -> Login:
        """As the proofs are told of it."""
        return Login(self.provider, IssuerKind[self.kind], {key: _asked(value) for key, value in self.tags})


def _asked(value: str) -> Claim | str:
    if value.startswith("="):
        return value[1:]
    claim = CLAIMS[value]
    if claim.uuid:
        return SUB
    return Claim(value, Language.TEXT, 40, claim.unique, claim.changeable, "", claim.always)


class Person(str):
    """An identity's ID, which is compared with its login and tags."""

    login: SmallLogin
    tags: tuple[tuple[str, str], ...]

    @staticmethod
    def of(identity: str, login: SmallLogin, tags: Mapping[str, str]) -> Person:
        person = Person(identity)
        person.login, person.tags = login, tuple(sorted(tags.items()))
        return person

    def _key(self) -> tuple[str, SmallLogin, tuple[tuple[str, str], ...]]:
        return str(self), self.login, self.tags

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Person) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def tag(self, key: str) -> str | None:
        return next((value for name, value in self.tags if name == key), None)

    def names(self, tenants: Sequence[str]) -> list[str]:
        """What a folder of the person's own, or of the tenant, can end with."""
        found = [str(self)]
        for key, claim in self.login.tags:
            value = self.tag(key)
            known = CLAIMS.get(claim)
            if value and known and not known.changeable and (known.unique or key in tenants):
                found.append(value)
        return found


def two_people(one: Person, other: Person) -> bool:
    """Whether two IDs with these tags can be those of two people."""
    if str(one) == str(other):
        return False
    for (key, claim), (their_key, their_claim) in product(one.login.tags, other.login.tags):
        mine, theirs = CLAIMS.get(claim), CLAIMS.get(their_claim)
        if mine is None or theirs is None or not (mine.unique and theirs.unique):
            continue
        same = claim == their_claim and one.login.provider == other.login.provider
        value = one.tag(key)
        if (same or (mine.uuid and theirs.uuid)) and value is not None and value == other.tag(their_key):
            return False
    return True


def two_tenants(one: Person, other: Person, tenants: Sequence[str]) -> bool:
    """Whether two people are of two tenants, or may be: by a tag that one does not have, or that its owner can change."""
    for key in tenants:
        claims = dict(one.login.tags).get(key), dict(other.login.tags).get(key)
        known = [CLAIMS.get(claim or "") for claim in claims]
        changeable = any(claim is not None and claim.changeable for claim in known)
        if one.tag(key) is None or one.tag(key) != other.tag(key) or changeable:
            return True
    return not tenants


def people(
    shape: SmallShape, logins: Sequence[SmallLogin], texts: Sequence[str], tenants: Sequence[str]
) -> tuple[Person, ...]:
    """Some people of each login."""
    found: list[Person] = []
    chosen = random.Random(repr(logins))
    for login in logins:
        every = [
            Person.of(identity, login, tags)
            for identity in (shape.identities[0], shape.identities[-1])
            for tags in _tags(shape, login, [t for t in texts if not ("/" in t and tenants)])
        ]
        most = _MOST // len(logins)
        found += every if len(every) <= most else chosen.sample(every, most)
    return tuple(found)


def _tags(shape: SmallShape, login: SmallLogin, texts: Sequence[str]) -> Iterator[dict[str, str]]:
    constant = {key: value[1:] for key, value in login.tags if value.startswith("=")}
    claims = sorted({value for _, value in login.tags if not value.startswith("=")})
    values: list[list[str | None]] = []
    for claim in claims:
        some: list[str | None] = [*(uuids(shape) if CLAIMS[claim].uuid else texts)]
        values.append(some if CLAIMS[claim].always else [*some, None])
    for chosen in product(*values):
        by_claim = dict(zip(claims, chosen, strict=True))
        sent = {key: by_claim.get(claim) for key, claim in login.tags}
        yield {**constant, **{key: value for key, value in sent.items() if value is not None}}


def uuids(shape: SmallShape) -> list[str]:
    return [identity.partition(":")[2] for identity in shape.identities]


def sessions_of(
    identity: str, tags: Sequence[tuple[str, str]], logins: Sequence[SmallLogin], shape: SmallShape, spoken: str
) -> Iterator[Person]:
    """The people whose session has these tags, of those that documents speak of."""
    given = {key.lower(): value for key, value in tags}
    for login in logins:
        told = [(key, claim) for key, claim in login.tags if re.search(rf"{PREFIX}{key}\b", spoken)]
        by_claim: dict[str, set[str | None]] = {}
        for key, claim in told:
            by_claim.setdefault(claim, set()).add(given.get(key))
        if (
            given.keys() <= dict(told).keys()
            and all(_may_have(shape, claim, given.get(key)) for key, claim in told)
            and all(len(values) == 1 for claim, values in by_claim.items() if not claim.startswith("="))
        ):
            yield Person.of(identity, login, given)


def _may_have(shape: SmallShape, claim: str, value: str | None) -> bool:
    if claim.startswith("="):
        return value == claim[1:]
    if value is None:
        return not CLAIMS[claim].always
    return value in uuids(shape) if CLAIMS[claim].uuid else 0 < len(value) <= 40
