"""Fixes of folders that principal tags name: the claim that a tag comes from, and what the configuration declares of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..iam.claims import TAG_KEY, Claim, IssuerKind, Language, Login, claim_of, is_attribute
from ..iam.variables import Variable, template
from ..inventory.principal import Principal
from ..inventory.vended import PoolLogins, VendedRole
from ..proof.results import Access, Violation
from ..proof.scope import Scope
from ..proof.sessions import tags_of
from .fix import Declaration, Fix, Setting

MAP, WRITES = "principalTags", "writeAttributes"
"""The properties of a tag map and of an app client that a fix sets."""


def pool_logins(role: VendedRole | None) -> PoolLogins | None:
    """How the identities of one pool get a role; None where it is no role of one pool."""
    found = list(role.logins.values()) if role is not None else []
    return found[0] if len(found) == 1 else None


def claims(logins: PoolLogins | None) -> dict[str, Claim]:
    """The claim of each tag, by its key in lower case; of several, the one that tells users apart the least."""
    found: dict[str, Claim] = {}
    for login in (logins.logins or ()) if logins is not None else ():
        for key, claim in login.tags.items():
            if isinstance(claim, Claim) and (key not in found or not claim.identifying):
                found[key] = claim
    return found


def tag_keys(access: Access) -> list[str]:
    """The keys, in lower case, of the tags that the entry of Resource speaks of, or the listing's conditions."""
    texts = [access.resource]
    if access.listing or not access.resource:
        texts += [value for test in access.statement.conditions for value in test.values]
        texts += access.statement.resources
    parts = [part for text in texts for part in template(text, access.statement.expands)]
    keys = [part.key for part in parts if isinstance(part, Variable) and part.key.startswith(TAG_KEY)]
    return [key.removeprefix(TAG_KEY) for key in dict.fromkeys(keys)]


@dataclass(frozen=True)
class SharedTag:
    """A tag, by its name, that the two identities of an example have the same value of, and the claim it comes from."""

    name: str
    claim: Claim


def shared_tag(result: Violation, known: Mapping[str, Claim]) -> SharedTag | None:
    """What makes a folder that a tag names one of both identities; None where that is not the cause."""
    theirs = dict(result.theirs.tags)
    spoken = tags_of([result.mine.statement])
    for name, value in result.mine.tags:
        claim = known.get(name.lower())
        if claim is not None and theirs.get(name) == value and f"{TAG_KEY}{name.lower()}" in spoken:
            return SharedTag(name, claim)
    return None


def by_claim(
    result: Violation, logins: PoolLogins | None, tenants: frozenset[str], rules: Sequence[str]
) -> Iterator[Fix]:
    """Fixes that leave the documents as they are: another claim for the tag, or one that users cannot change."""
    if logins is None:
        return
    keys = tag_keys(result.mine)
    known = claims(logins)
    for key in keys:
        claim = known.get(key)
        if claim is not None and claim.changeable and key in tenants:
            if is_attribute(claim.name):
                yield Fix(
                    settings=tuple(
                        Setting(each.urn, (WRITES,), sorted(each.writes - {claim.name}))
                        for each in logins.clients
                        if each.writes is not None and claim.name in each.writes
                    )
                )
            declared = [{"claim": claim.name, "why": "…"}]
            yield Fix(declare=Declaration(tuple(rules), "fixedClaims", declared))
    yield Fix(
        settings=tuple(
            Setting(each.urn, (MAP, name), "sub")
            for each in logins.maps
            if isinstance(each.tags, tuple)
            for name, claim_name in each.tags
            if name.lower() in keys and claim_name != "sub" and name.lower() not in tenants
        )
    )


def tenants_of(result: Violation, logins: PoolLogins | None, rules: Sequence[str]) -> Declaration | None:
    """The configuration that declares a shared tag as one of tenants, where its claim may be that."""
    shared = shared_tag(result, claims(logins))
    if shared is None or shared.claim.unique or shared.claim.changeable or logins is None:
        return None
    return Declaration(tuple(rules), "tenants", [{"tag": shared.name, "why": "…"}])


def own_tag(principal: Principal, keys: Iterable[str]) -> str | None:
    """A tag, of some, that tells every user of a role from the others and holds no `/`."""
    for key in keys:
        values = [login.tags.get(key) for login in principal.logins or ()]
        sent = [value for value in values if value is not None]
        if sent and all(isinstance(v, Claim) and v.identifying and v.language is Language.UUID for v in sent):
            return key
    return None


def with_fix(scope: Scope, fix: Fix) -> Scope:
    """The question after a fix, as far as that changes claims or what is declared of tags."""
    if fix.declare is not None and fix.declare.setting == "tenants":
        tags = frozenset(item["tag"].lower() for item in fix.declare.value)
        scope = replace(scope, tenants=scope.tenants | tags)
    if fix.declare is not None and fix.declare.setting == "fixedClaims":
        fixed = {item["claim"] for item in fix.declare.value}
        scope = _with_claims(scope, lambda key, c, login: replace(c, changeable=False) if c.name in fixed else c)
    mapped = {setting.path[1].lower(): setting.new for setting in fix.settings if setting.path[0] == MAP}
    if mapped:
        scope = _with_claims(
            scope, lambda key, c, login: claim_of(login.kind, login.provider, mapped[key]) if key in mapped else c
        )
    for setting in fix.settings:
        if setting.path == (WRITES,):
            written = frozenset(setting.new)
            scope = _with_claims(scope, lambda key, c, login, kept=written: _unwritten(c, login, kept))  # type: ignore[misc]
    return scope


def _unwritten(claim: Claim, login: Login, written: frozenset[str]) -> Claim:
    own = login.kind is IssuerKind.USER_POOL and is_attribute(claim.name) and claim.name not in written
    return replace(claim, changeable=False) if own else claim


def _with_claims(scope: Scope, change: Callable[[str, Claim, Login], Claim]) -> Scope:
    def of(login: Login) -> Login:
        tags: Mapping[str, Claim | str] = {
            key: change(key, each, login) if isinstance(each, Claim) else each for key, each in login.tags.items()
        }
        return replace(login, tags=tags)

    principals = tuple(
        replace(each, logins=tuple(map(of, each.logins)) if each.logins is not None else None)
        for each in scope.principals
    )
    return replace(scope, principals=principals)
