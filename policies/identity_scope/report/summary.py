"""An inventory with its findings as what a report shows: each role's access in words, and where it goes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..findings.escaping import escaped_value
from ..findings.example import Example
from ..findings.tagging import own_tag
from ..iam.actions import escalating
from ..iam.documents import Condition, Document, Effect, Statement
from ..iam.issuers import known_issuers
from ..inventory.by_pool import by_pool
from ..inventory.facts import PoolFact
from ..inventory.inventory import Inventory
from ..inventory.labels import unmarked
from ..inventory.principal import Principal
from ..inventory.vended import VendedRole
from ..proof.effective import Effective, Subject, effective
from ..proof.isolation import isolation
from ..proof.scope import Scope
from .views import EVERYTHING, Access, Kind, Pool, Report, Request, Role, Stack

IDENTITY = "⟨identity ID⟩"
"""What stands for the variable of the identity ID."""
_WHO = {
    "authenticated": "signed-in users",
    "unauthenticated": "guests",
    "mapped": "users by a group or a rule",
    "trusted": "whoever its trust policy lets in",
    "configured": "users, as the configuration says",
    "unknown": "not known yet",
}
_VERBS = (
    ("read", ("s3:GetObject", "s3:GetObjectVersion")),
    ("write", ("s3:PutObject",)),
    ("delete", ("s3:DeleteObject", "s3:DeleteObjectVersion")),
    ("list", ("s3:ListBucket", "s3:ListBucketVersions")),
    ("call", ("execute-api:Invoke",)),
)
_USUAL = frozenset(
    {
        *(action for _, actions in _VERBS for action in actions),
        *("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:GetObjectAttributes"),
        *("s3:GetObjectVersionAttributes",),
    }
)
"""Actions that need no word of their own beside the verbs."""


@dataclass(frozen=True)
class Told:
    """A finding of a rule, and where it is.

    Attributes:
        level: `mandatory`, `advisory` or `exempt`.
        statement: the statement's index; None where it is about no statement.
        role: the role's URN; empty where it is not known.
        example: a request that shows it; None where none does.
        proven: whether a request shows it.
    """

    rule: str
    level: str
    text: str
    document: str = ""
    statement: int | None = None
    role: str = ""
    place: str = ""
    example: Example | None = None
    proven: bool = True


def summary(
    name: str, inventory: Inventory, roles: Sequence[VendedRole], told: Iterable[Told], scopes: Iterable[Scope]
) -> Stack:
    """What a report shows of one inventory.

    Args:
        roles: its vended roles.
        told: the findings.
        scopes: the roles as questions, each role in one of them at least.
    """
    told = list(told)
    pools = {pool.id: escaped_value(pool.label) for pool in inventory.pools.values() if pool.id}
    labels = {role.urn: escaped_value(role.label) for role in roles}
    access: dict[str, dict[tuple[object, ...], Access]] = {urn: {} for urn in labels}
    leaks = {(t.document, t.statement): t for t in told if t.rule == "s3-isolated-by-identity" and t.level != "exempt"}
    for scope in scopes:
        names = {principal.urn: _tags(principal, scope.tenants) for principal in scope.principals}
        for each in effective(scope):
            rows = access.setdefault(each.role, {})
            for row in _rows(each, _leak(each, leaks, scope), names.get(each.role, {})):
                rows[row.kind, row.words, row.place, row.source] = row
    for finding in told:
        if finding.rule == "vended-role-cannot-escalate" and finding.statement is not None:
            for role in roles:
                for row in _escalations(role, finding):
                    access[role.urn][row.kind, row.words, row.place, row.source] = row
    return Stack(
        escaped_value(name),
        tuple(_pools(inventory, roles, labels)),
        tuple(_role(role, tuple(access[role.urn].values()), pools) for role in roles),
        tuple(_report(finding, labels) for finding in told),
    )


def _report(told: Told, labels: dict[str, str]) -> Report:
    first, *rest = told.text.splitlines() or [""]
    at = next((number for number, line in enumerate(rest) if line.startswith("  Fix: ")), len(rest))
    rest, fix = rest[:at], " ".join(line.strip() for line in rest[at:]).removeprefix("Fix: ")
    source = _source(told.document, told.statement) if told.document and told.statement is not None else ""
    return Report(
        told.rule,
        told.level,
        first,
        tuple(line.strip() for line in rest),
        fix,
        labels.get(told.role, ""),
        told.place,
        source,
        _request(told.example) if told.example is not None else None,
        told.proven,
    )


def _request(example: Example) -> Request:
    """The request that shows a finding, in words, its IDs short."""
    tags = ", ".join(f"{escaped_value(key)} {_brief(value)}" for key, value in example.tags)
    who = f"identity {_brief(example.identity)}{f' ({tags})' if tags else ''}"
    who = who if example.identity else "anyone without credentials"
    place = _brief(_short(example.resource))
    if example.listing:
        if example.prefix is None:
            place += ", without a prefix"
        else:
            place += f"/{_brief(example.prefix)}*"
    return Request(who, example.action if example.exists else f"a new {example.action.partition(':')[0]} action", place)


def _brief(text: str) -> str:
    """A text whose identity IDs are cut after their first digits."""
    return _ID.sub(r"\1…", escaped_value(text))


def _source(document: str, index: int) -> str:
    return escaped_value(f"{unmarked(document)}, statement {index + 1}")


_TAG = re.compile(r"\$\{aws:PrincipalTag/([^},]+)\}", re.IGNORECASE)


def _tags(principal: Principal, tenants: frozenset[str]) -> dict[str, Kind]:
    """The tags whose values name a user's own folder, or one that the users of a tenant share, by their keys."""
    keys = {key for login in principal.logins or () for key in login.tags}
    own = {key: Kind.OWN for key in keys if own_tag(principal, [key]) is not None}
    return {**own, **dict.fromkeys(keys & tenants, Kind.SHARED)}


def _of_tags(place: str, tags: dict[str, Kind]) -> set[Kind]:
    """What the tags in a place make it."""
    return {tags[key] for key in map(str.lower, _TAG.findall(place)) if key in tags}


def _leak(each: Effective, leaks: dict[tuple[str, int | None], Told], scope: Scope) -> bool:
    """Whether other users' files are reached by what is granted: as the finding's example shows, or by it alone."""
    leak = leaks.get((unmarked(each.document), each.statement.index))
    if leak is None or each.subject not in (Subject.OBJECTS, Subject.NAMES):
        return False
    shown = leak.example
    listing = each.subject is Subject.NAMES
    if shown is None or (shown.entry in ("", each.resource) and shown.listing is listing):
        return True
    return bool(isolation(replace(scope, principals=(each.alone,), focus=None)))


def _rows(each: Effective, leaking: bool, tags: dict[str, Kind]) -> Iterator[Access]:
    for place in _places(each):
        if leaking:
            kind = Kind.LEAK
        elif each.subject is Subject.API:
            kind = Kind.API
        elif each.own or IDENTITY in place or Kind.OWN in _of_tags(place, tags):
            kind = Kind.OWN
        elif each.subject in (Subject.OBJECTS, Subject.NAMES):
            kind = Kind.SHARED
        else:
            kind = Kind.OTHER
        tests = [c for c in each.statement.conditions if each.subject is not Subject.NAMES or c.key != "s3:prefix"]
        limits = [_condition(test) for test in tests]
        if each.limited:
            limits.append("less what a Deny or the permissions boundary takes away")
        if kind is Kind.SHARED and Kind.SHARED in _of_tags(place, tags):
            limits.insert(0, "by the users of one tenant")
        words = _words(each)
        if not words:
            continue
        place = _TAG.sub(lambda match: f"⟨tag {match[1]}⟩" if match[1].lower() in tags else match[0], place)
        yield Access(kind, words, place, _source(each.document, each.statement.index), "; ".join(limits))


def _places(each: Effective) -> list[str]:
    """Where access goes, without what every ARN of a service begins with."""
    resource = each.resource or f"everything but {', '.join(each.statement.resources)}"
    place = _short(resource)
    if each.subject is not Subject.NAMES:
        return [place]
    prefixes = [
        value
        for test in each.statement.conditions
        if test.key == "s3:prefix" and "Not" not in test.operator
        for value in test.values
    ]
    if not prefixes:
        return [f"{place}/*"]
    return list(
        dict.fromkeys(f"{place}/{_variables(prefix)}{'*' if prefix.endswith('/') else ''}" for prefix in prefixes)
    )


_ID = re.compile(r"(:[0-9a-f]{4})[0-9a-f]{4}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VARIABLE = re.compile(r"\$\{([^}:]+):sub\}", re.IGNORECASE)
_ISSUERS = known_issuers({})


def _variables(text: str) -> str:
    shown = _VARIABLE.sub(lambda match: IDENTITY if match[1].lower() in _ISSUERS else match[0], text)
    return escaped_value(shown)


def _short(resource: str) -> str:
    if resource == "*":
        return EVERYTHING
    fields = resource.split(":", 5)
    if len(fields) < 6:
        return _variables(resource)
    if fields[2] == "s3" and not fields[3] and not fields[4]:
        return _variables(fields[5])
    return _variables(fields[5] if fields[2] == "execute-api" else f"{fields[2]}: {fields[5]}")


def _words(each: Effective) -> str:
    if each.subject is Subject.OTHER:
        return ", ".join(escaped_value(action) for action in each.actions if action == "*" or not escalating(action))
    verbs = [verb for verb, actions in _VERBS if any(action in each.actions for action in actions)]
    others = [action for action in each.actions if action not in _USUAL]
    if len(others) > 4:
        return ", ".join([*verbs, "and everything else"])
    return ", ".join([*verbs, *others]) or ", ".join(each.actions)


def _escalations(role: VendedRole, finding: Told) -> Iterator[Access]:
    policies = [(policy.name, policy.document) for policy in role.principal.resource]
    for name, document in (*role.principal.documents, *policies):
        if unmarked(name) != finding.document or (finding.role and finding.role != role.urn):
            continue
        for statement in document.statements:
            if statement.index == finding.statement:
                entries = [entry for entry in statement.actions if escalating(entry)]
                words = "every action but some" if statement.not_action else ", ".join(map(escaped_value, entries))
                for resource in statement.resources[:3]:
                    yield Access(Kind.ESCALATION, words, _short(resource), _source(name, statement.index))


def _condition(test: Condition) -> str:
    values = ", ".join(f"`{_variables(value)}`" for value in test.values[:4])
    more = f" and {len(test.values) - 4} more" if len(test.values) > 4 else ""
    return f"if `{escaped_value(test.key)}` {escaped_value(test.label)} {values}{more}"


def _role(role: VendedRole, access: tuple[Access, ...], pools: Mapping[str, str]) -> Role:
    kinds = [kind for kind in _WHO if kind in role.kinds]
    certain = [kind for kind in kinds if kind not in ("trusted", "configured")]
    who = ", ".join(_WHO[kind] for kind in certain or kinds)
    trust = tuple(_trusted(role.trust, pools)) if role.trust is not None else ()
    unread = [
        f"`{escaped_value(o.label)}`: {escaped_value(o.problem)}" for o in (role.trust_obstacle, *role.obstacles) if o
    ]
    return Role(escaped_value(role.label), who, access, trust, role.principal.boundary is not None, tuple(unread))


def _trusted(trust: Document, pools: Mapping[str, str]) -> Iterator[str]:
    """Each statement of a trust policy, as a sentence."""
    for statement in trust.statements:
        pool = _one_pool(statement, pools)
        if pool is not None:
            yield pool
            continue
        tests = " and ".join(_condition(test) for test in statement.conditions)
        yield (
            f"{'Allows' if statement.effect is Effect.ALLOW else 'Denies'} "
            f"{', '.join(f'`{escaped_value(action)}`' for action in statement.actions)} to {_principals(statement)}"
            f"{' ' + tests if tests else ''}."
        )


def _one_pool(statement: Statement, pools: Mapping[str, str]) -> str | None:
    """A statement of the form that AWS's documentation has, in words; None where it has another."""
    principals = statement.principals
    tests = {(test.key.rpartition(":")[2], test.label): test for test in statement.conditions}
    pool = tests.pop(("aud", "StringEquals"), None)
    amr = tests.pop(("amr", "ForAnyValue:StringLike"), None)
    if tests or pool is None or amr is None or statement.effect is not Effect.ALLOW or principals is None:
        return None
    issuers = [value for kind, value in principals.entries if kind == "Federated"]
    if principals.negated or len(issuers) != len(principals.entries) or not set(issuers) <= _ISSUERS:
        return None
    by_amr: dict[tuple[str, ...], str] = {("authenticated",): "Signed-in users", ("unauthenticated",): "Guests"}
    who = by_amr.get(amr.values)
    names = ", ".join(f"`{pools.get(value, escaped_value(value))}`" for value in pool.values)
    return f"{who} of the identity pool {names} assume it." if who else None


def _principals(statement: Statement) -> str:
    if statement.principals is None:
        return "nobody that it names"
    values = ", ".join(f"`{escaped_value(value)}`" for _, value in statement.principals.entries)
    return f"everybody but {values}" if statement.principals.negated else values


def _pools(inventory: Inventory, roles: Sequence[VendedRole], labels: dict[str, str]) -> Iterator[Pool]:
    known: set[str] = set()
    for pool in inventory.pools.values():
        mine = [
            role for role in roles if role.pools & {pool.urn, pool.id} or (not role.pools and "trusted" in role.kinds)
        ]
        known |= {pool.urn, pool.id or ""}
        yield _pool(pool, tuple(labels[role.urn] for role in mine))
    for id_ in sorted({id_ for role in roles for id_ in role.pools} - known):
        mine = [role for role in roles if id_ in role.pools]
        yield Pool(escaped_value(id_), escaped_value(id_), (), False, tuple(labels[role.urn] for role in mine))


def _pool(pool: PoolFact, roles: tuple[str, ...]) -> Pool:
    logins = tuple(map(escaped_value, pool.logins))
    return Pool(escaped_value(pool.label), escaped_value(pool.id or ""), logins, pool.guests is True, roles)


def scopes_of(
    roles: Sequence[VendedRole], issuers: tuple[tuple[str, str], ...], tenants: frozenset[str] = frozenset()
) -> Iterator[Scope]:
    """The roles of each pool as one question."""
    for group in by_pool(roles):
        regions = sorted({region for role in group for region in role.regions})
        certain = all(role.regions for role in group)
        principals = tuple(role.principal for role in group)
        yield Scope(principals, tuple(regions) if certain else (), issuers=issuers, tenants=tenants)
