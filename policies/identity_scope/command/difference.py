"""`diff`: what the roles of one version may do that those of another may not, and what they may no longer do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..findings.escaping import escaped, escaped_value
from ..iam.documents import Document, DocumentKind, Statement
from ..inventory.facts import NOT_KNOWN, PoolFact, VendingFact
from ..inventory.principal import Principal
from ..inventory.vended import Obstacle, PoolLogins, Reason, VendedRole
from ..pack.settings import Settings
from ..proof.difference import NewAccess, new_access
from ..proof.results import NotProven
from ..proof.scope import Scope
from ..sources.files import Place
from .load import Loaded
from .terminal import Style
from .text import counted

JSON_VERSION = 1
_ANYONE = "AWS *"
_ENTRY = "arn:::::"
"""What a principal begins with where it stands for a resource."""
_BY_NAME = (Reason.MANAGED_POLICY, Reason.ROLE_ELSEWHERE)
"""What is not read, but the same in both versions if its name is."""
_RULE = "s3-isolated-by-identity"
"""The rule whose declarations say which roles are vended and which managed policies there are."""


@dataclass(frozen=True)
class Change:
    """One thing that is new, or lost.

    Attributes:
        text: what it is, in words.
        access: the request that shows it; None where none does.
        proven: whether it is certain; what is not may be new access.
    """

    text: str
    place: Place
    access: NewAccess | None = None
    proven: bool = True


@dataclass(frozen=True)
class RoleChange:
    """What changes for one role, or one pool."""

    name: str
    status: str
    """`added`, `removed` or `kept`."""
    gained: tuple[Change, ...] = ()
    lost: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Difference:
    """What changes between two versions."""

    old: str
    new: str
    roles: tuple[RoleChange, ...]

    @property
    def gains(self) -> bool:
        """Whether there is new access, or may be."""
        return any(role.gained for role in self.roles)


def difference(old: Loaded, new: Loaded, settings: Settings, progress: Callable[[str], None]) -> Difference:
    """Compare two versions, each as its conditions may turn out."""
    found: dict[str, RoleChange] = {}
    for one, other in _worlds(old, new):
        for change in _compare(one, other, settings, progress):
            found[change.name] = _merged(found[change.name], change) if change.name in found else change
    return Difference(old.name, new.name, tuple(found.values()))


def _worlds(old: Loaded, new: Loaded) -> Iterator[tuple[Loaded, Loaded]]:
    """The versions to compare: those of the same conditions, or, where they have others, each with each."""
    olds, news = [old, *old.alternatives], [new, *new.alternatives]
    by_condition = {each.condition: each for each in olds}
    if {each.condition for each in news} == set(by_condition):
        yield from ((by_condition[each.condition], each) for each in news)
    else:
        yield from ((one, other) for other in news for one in olds)


def _merged(one: RoleChange, other: RoleChange) -> RoleChange:
    def both(first: Sequence[Change], second: Sequence[Change]) -> tuple[Change, ...]:
        places = {(change.place, change.proven) for change in first}
        return (*first, *(change for change in second if (change.place, change.proven) not in places))

    return replace(one, gained=both(one.gained, other.gained), lost=both(one.lost, other.lost))


def _compare(old: Loaded, new: Loaded, settings: Settings, progress: Callable[[str], None]) -> Iterator[RoleChange]:
    olds, news = _roles(old, settings), _roles(new, settings)
    for before, after in _matched(olds, news, _role_keys):
        role = after or before
        assert role is not None
        progress(f"comparing {role.label}")
        yield _role_change(role.label, before, after, old, new, settings)
    yield from _mapping_changes(old, new)
    pools = [list(loaded.inventory.pools.values()) for loaded in (old, new)]
    for one, other in _matched(pools[0], pools[1], _pool_keys):
        pool = other or one
        assert pool is not None
        gained = tuple(_pool_changes(one, other, new)) if other is not None else ()
        lost = tuple(_pool_changes(other, one, old)) if one is not None else ()
        if gained or lost:
            yield RoleChange(pool.label, _status(one, other), gained, lost)


def _status(one: object | None, other: object | None) -> str:
    return "added" if one is None else "removed" if other is None else "kept"


def _roles(loaded: Loaded, settings: Settings) -> list[VendedRole]:
    known = settings.rules[_RULE].config.known
    return loaded.inventory.vended(replace(known, vended=(*known.vended, *loaded.vended)))


def _matched(
    olds: Sequence[Any], news: Sequence[Any], keys: Callable[[Any], Iterable[str]]
) -> Iterator[tuple[Any | None, Any | None]]:
    """The same thing in both versions: by its URN, then its name, then its label; and what only one of them has."""
    left = list(olds)
    pairs: dict[int, Any] = {}
    for level in range(3):
        index = {key: each for each in reversed(left) for key in list(keys(each))[level : level + 1] if key}
        for number, each in enumerate(news):
            key = next(iter(list(keys(each))[level : level + 1]), "")
            if number not in pairs and key in index and any(index[key] is other for other in left):
                pairs[number] = index[key]
                left = [other for other in left if other is not index[key]]
    alone = [number for number in range(len(news)) if number not in pairs]
    if len(alone) == len(left) == 1:
        pairs[alone[0]] = left.pop()  # one role that has another name now
    for number, each in enumerate(news):
        yield pairs.get(number), each
    yield from ((each, None) for each in left)


def _role_keys(role: VendedRole) -> list[str]:
    names = [arn.rpartition("/")[2] for arn in role.principal.arns]
    return [_without_file(role.urn), names[0] if names else "", role.label.rpartition(":")[2]]


def _pool_keys(pool: PoolFact) -> list[str]:
    return [_without_file(pool.urn), str(pool.name), pool.label]


def _without_file(urn: str) -> str:
    """A URN without the stack or the file, which differ between two versions."""
    head, _, rest = urn.partition("::")
    return rest.partition("::")[2] if head.startswith("urn:pulumi:") else rest


def _role_change(
    name: str,
    before: VendedRole | None,
    after: VendedRole | None,
    old: Loaded,
    new: Loaded,
    settings: Settings,
) -> RoleChange:
    def changes(one: VendedRole | None, other: VendedRole | None, loaded: Loaded) -> tuple[Change, ...]:
        found = [*_obstacles(one, other, loaded)]
        if other is not None:
            found += _of_documents(one, other, loaded, settings)
            found += _of_trust(one, other, loaded, settings)
            found += _of_vending(one, other, loaded)
            found += _of_tags(one, other, loaded)
        return tuple(found)

    return RoleChange(name, _status(before, after), changes(before, after, new), changes(after, before, old))


def _obstacles(one: VendedRole | None, other: VendedRole | None, loaded: Loaded) -> Iterator[Change]:
    """What of a version could not be read, unless the other version has the same."""

    def obstacles(role: VendedRole | None) -> list[Obstacle]:
        if role is None:
            return []
        return [*role.obstacles, *((role.trust_obstacle,) if role.trust_obstacle is not None else ())]

    same = {(each.label, each.problem) for each in obstacles(one)}
    for each in obstacles(other):
        # A document that is not known is not the same as another one that is not.
        fixed = each.reason in _BY_NAME and not each.pending
        if (each.label, each.problem) not in same or not fixed:
            yield Change(f"not proven: `{each.label}`: {each.problem}", loaded.place(each.urn), None, False)


def _scope(one: Principal | None, other: Principal, role: VendedRole, settings: Settings) -> Scope:
    principals = tuple(each for each in (one, other) if each is not None)
    issuers = settings.rules[_RULE].config.known.issuers
    return Scope(principals, role.regions, issuers=tuple(issuers.items()))


def _of_documents(one: VendedRole | None, other: VendedRole, loaded: Loaded, settings: Settings) -> Iterator[Change]:
    before = one.principal if one is not None else None
    for result in new_access(before, other.principal, _scope(before, other.principal, other, settings)):
        document = result.document
        statement = result.statement.index if result.statement is not None else None
        place = loaded.place(other.sources.get(document, other.urn), document, statement)
        if isinstance(result, NotProven):
            yield Change(f"not proven: {_where(result.document, result.statement)}{result.reason}", place, None, False)
        else:
            yield Change(_request(result), place, result)


def _of_trust(one: VendedRole | None, other: VendedRole, loaded: Loaded, settings: Settings) -> Iterator[Change]:
    """Who may assume a role that may not in the other version."""
    principals = [_as_principal(role) if role is not None else None for role in (one, other)]
    if principals[1] is None:
        return
    place = loaded.place(other.urn)
    for result in new_access(principals[0], principals[1], _scope(principals[0], principals[1], other, settings)):
        if isinstance(result, NotProven):
            yield Change(f"not proven, who may assume the role: {result.reason}", place, None, False)
            continue
        anyone = f"{_ENTRY}{_ANYONE}" in result.statement.resources and not result.statement.not_resource
        who = "anyone" if anyone else result.resource.removeprefix(_ENTRY)
        label = f"{other.label}, trust policy"
        place = loaded.place(other.urn, label, result.statement.index)
        yield Change(f"`{who}` may assume the role{_conditions(result)}", place, result)


_WHO = {
    "unauthenticated": "guests get the role",
    "authenticated": "signed-in users get the role",
    "mapped": "users get the role by a group or a rule",
    "unknown": "not proven: who gets the role is not known",
}


def _of_vending(one: VendedRole | None, other: VendedRole, loaded: Loaded) -> Iterator[Change]:
    """Who gets a role that does not in the other version, and what no longer limits it."""
    if one is None:
        return
    place = loaded.place(other.urn)
    for kind, words in _WHO.items():
        if kind in other.kinds and kind not in one.kinds:
            yield Change(words, place, proven=kind != "unknown")
    if one.unread_boundary and one.unread_boundary != other.unread_boundary:
        names = ", ".join(f"`{name}`" for name in one.unread_boundary)
        yield Change(
            f"not proven: the text of the other version's permissions boundary {names} is not known", place, None, False
        )


def _of_tags(one: VendedRole | None, other: VendedRole, loaded: Loaded) -> Iterator[Change]:
    """Other principal tags: the documents that speak of them are compared as if each were the same in both versions."""
    if one is None or not any(each.asked for each in (*one.logins.values(), *other.logins.values())):
        return
    before, after = ([each for pool in role.logins.values() for each in _tags_of(pool)] for role in (one, other))
    if not all(each in before for each in after):
        yield Change(
            "not proven: the principal tags of the sessions come from other claims",
            loaded.place(other.urn),
            None,
            False,
        )


def _tags_of(pool: PoolLogins) -> list[object]:
    """What is known of the tags of a pool's sessions; of tags that are not known, what the tag maps state."""
    if pool.logins is not None:
        return list(pool.logins)
    return [pool.reason, *((each.provider.value, each.tags, each.defaults) for each in pool.maps)]


def _mappings(loaded: Loaded) -> dict[tuple[str, str], tuple[str, str]]:
    """By which groups and rules users get roles, each with the resource that says so."""
    facts = [(each.urn, fact) for each in loaded.resources.values() for fact in each.facts]
    return {
        (_without_file(urn), fact.mapping): (urn, fact.label)
        for urn, fact in facts
        if isinstance(fact, VendingFact) and fact.mapping
    }


def _mapping_changes(old: Loaded, new: Loaded) -> Iterator[RoleChange]:
    """Groups and rules that only one version has: whom they are about is not compared."""
    before, after = _mappings(old), _mappings(new)
    text = "not proven: the groups or rules by which users get roles are others"

    def changes(
        one: dict[Any, tuple[str, str]], other: dict[Any, tuple[str, str]], loaded: Loaded
    ) -> dict[str, Change]:
        return {
            label: Change(text, loaded.place(urn), None, False)
            for (name, mapping), (urn, label) in other.items()
            if (name, mapping) not in one or NOT_KNOWN in mapping
        }

    gained, lost = changes(before, after, new), changes(after, before, old)
    for label in dict.fromkeys((*gained, *lost)):
        some, other = gained.get(label), lost.get(label)
        yield RoleChange(label, "kept", (some,) if some else (), (other,) if other else ())


def _as_principal(role: VendedRole) -> Principal | None:
    """A trust policy as if its principals were resources."""
    if role.trust is None:
        return None
    statements = []
    for statement in role.trust.statements:
        principals = statement.principals
        if principals is not None:
            entries = tuple(f"{_ENTRY}{kind} {value}" for kind, value in principals.entries)
            statements.append(
                replace(
                    statement,
                    principals=None,
                    resources=entries,
                    not_resource=principals.negated,
                    expands=statement.expands,
                )
            )
    document = Document(role.trust.version, tuple(statements), DocumentKind.IDENTITY)
    return Principal(role.label, ((f"{role.label}, trust policy", document),), urn=role.urn)


def _pool_changes(one: PoolFact | None, other: PoolFact | None, loaded: Loaded) -> Iterator[Change]:
    """What a pool lets happen that it does not in the other version."""
    if other is None:
        return
    place = loaded.place(other.urn)
    if other.guests is not False and other.guests is not None and (one is None or one.guests != other.guests):
        known = other.guests is True
        yield Change(
            "guest access is enabled" if known else "not proven: guest access may be enabled", place, None, known
        )
    if other.classic is not False and (one is not None and one.classic is False):
        yield Change("the classic flow is not off", place)
    before = one.logins if one is not None else other.logins
    for login in (each for each in other.logins if each not in before):
        yield Change(f"users of `{login}` get credentials", place)
    if isinstance(other.unchecked, tuple) and one is not None and isinstance(one.unchecked, tuple):
        for provider in other.unchecked:
            if provider not in one.unchecked:
                yield Change(f"tokens of {provider} are not checked with the user pool", place)


# --- words


def _where(document: str, statement: Statement | None) -> str:
    return f"`{document}` {statement.label}: " if statement is not None else ""


def _request(access: NewAccess) -> str:
    prefix = ""
    if access.prefix is not None:
        prefix = f" with the prefix `{access.prefix}`" if access.prefix else " with the empty prefix"
    who = "anyone without credentials" if access.anonymous else f"identity `{access.identity}`"
    return f"{who} may `{access.action}` `{access.resource}`{prefix}{_conditions(access)}"


def _conditions(access: NewAccess) -> str:
    if not access.assumed:
        return ""
    tests = (f"`{c.label}` `{c.written or c.key}` ({', '.join(c.values[:3])})" for c in access.assumed)
    return f" if {' and '.join(tests)} holds" if len(access.assumed) == 1 else f" if {' and '.join(tests)} hold"


def diff_text(difference: Difference, style: Style) -> str:
    """What `diff` prints."""
    lines: list[str] = []
    for role in difference.roles:
        if not role.gained and not role.lost:
            continue
        status = "" if role.status == "kept" else f" ({role.status})"
        lines.append(style.paint(f"{escaped_value(role.name)}{status}", "bold"))
        for sign, colour, changes in (("+", "red", role.gained), ("-", "green", role.lost)):
            for change in changes:
                where = f"{_statement_of(change)} {change.place}"
                text = f"{sign} {escaped(change.text)}"
                lines.append(style.paint(style.wrapped(text, "  "), colour))
                lines.append(style.paint(f"      {escaped_value(where.strip())}", "dim"))
    return "\n".join([*lines, summary(difference)]) + "\n"


def _statement_of(change: Change) -> str:
    access = change.access
    return f"`{access.document}` {access.statement.label}," if access is not None else ""


def summary(difference: Difference) -> str:
    """The difference in one line."""
    judged = counted(len(difference.roles), "comparison")
    gained = [change for role in difference.roles for change in role.gained]
    lost = sum(len(role.lost) for role in difference.roles)
    certain = sum(change.proven for change in gained)
    parts = []
    if certain:
        parts.append(f"new access by {counted(certain, 'statement')}")
    if len(gained) > certain:
        parts.append(f"{len(gained) - certain} not proven")
    if not gained:
        parts.append("no new access, which is proven")
    parts.append(f"access lost by {lost}" if lost else "none is lost")
    return f"{', '.join(parts)} ({judged})"


def diff_json(difference: Difference) -> str:
    """The difference as JSON; its schema is `command/diff.schema.json`."""
    value = {
        "version": JSON_VERSION,
        "old": escaped(difference.old),
        "new": escaped(difference.new),
        "newAccess": difference.gains,
        "roles": [
            {
                "name": escaped(role.name),
                "status": role.status,
                "gained": [_json(change) for change in role.gained],
                "lost": [_json(change) for change in role.lost],
            }
            for role in difference.roles
        ],
    }
    return json.dumps(value, indent=2) + "\n"


def _json(change: Change) -> dict[str, Any]:
    place: dict[str, Any] = {"file": escaped(change.place.file)}
    if change.place.line:
        place |= {"line": change.place.line, "column": change.place.column}
    found: dict[str, Any] = {"text": escaped(change.text), "proven": change.proven, "place": place}
    if (access := change.access) is not None:
        found |= {
            "identity": None if access.anonymous else access.identity,
            "action": escaped(access.action),
            "resource": escaped(access.resource),
            "document": escaped(access.document),
            "statement": access.statement.index + 1,
            "conditions": [escaped(f"{c.label} {c.written or c.key} {', '.join(c.values)}") for c in access.assumed],
        }
        if access.prefix is not None:
            found["prefix"] = escaped(access.prefix)
    return found
