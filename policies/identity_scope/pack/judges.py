"""What each rule asks: an inventory and a rule's configuration to findings.

A rule is asked about each resource before it is made, with what is known by then, and about the whole stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from ..findings import words
from ..findings.advice import (
    context,
    missing_issuer,
    not_read,
    trust_fixes,
    undeclared_access,
    undeclared_guests,
)
from ..findings.example import example_of
from ..findings.finding import Finding, Kind
from ..findings.fix import EACH, Declaration, Fix
from ..findings.fix import Setting as Property
from ..findings.suggestions import Suggestions
from ..iam.claims import TAG_KEY
from ..iam.documents import Effect
from ..inventory.by_pool import by_pool
from ..inventory.facts import SECRET_PROBLEM, UNKNOWN, PoolFact, Unknown, Unreadable
from ..inventory.inventory import Inventory
from ..inventory.vended import Obstacle, VendedRole
from ..proof.api import unnamed_apis
from ..proof.dead_grants import dead_grants
from ..proof.escalation import escalations
from ..proof.isolation import isolation
from ..proof.other_access import other_access
from ..proof.own_folder import own_folder as outside_own_folder
from ..proof.results import DeadGrant, NotProven, Result
from ..proof.scope import Scope
from ..proof.trust import trust_problems, trusted_pools
from .configuration import Config
from .rules import RULES

Judge: TypeAlias = Callable[[Inventory, Sequence[VendedRole], Config, "frozenset[str] | None"], Iterator[Finding]]
"""Findings about an estate's vended roles; with URNs, about those roles or resources only."""

CLAIMS = {
    "s3-isolated-by-identity": "that identities cannot reach each other's files",
    "s3-own-folder": "that each identity stays in its own folder",
    "vended-role-cannot-escalate": "that a vended role cannot widen its own reach",
    "trust-bound-to-pool": "that the role trusts only its own pools",
}
"""What rules prove, as it stands behind "not proven"."""


def _regions(roles: Sequence[VendedRole]) -> tuple[str, ...]:
    """The regions of the pools that vend the roles; none if one of them is not known."""
    if not all(role.regions for role in roles):
        return ()
    return tuple(sorted({region for role in roles for region in role.regions}))


def _scopes(
    roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[tuple[Scope, Mapping[str, VendedRole]]]:
    """One question for each pool, with its roles: an identity can get the roles of its own pool only."""
    for group in by_pool(roles, only):
        yield _scope(group, config, only), {role.urn: role for role in group}


def _scope(roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None) -> Scope:
    return Scope(
        tuple(role.principal for role in roles),
        _regions(roles),
        config.shared,
        tuple(config.known.issuers.items()),
        config.folders,
        focus=only,
        tenants=config.tenants,
    )


def _where(roles: Sequence[VendedRole], result: Result) -> str:
    """The resource that holds the statement that a result is about."""
    role = next(r for r in roles if r.urn == result.role)
    return role.sources.get(result.document, role.urn)


def _allowing(roles: Sequence[VendedRole]) -> list[str]:
    """The resources that hold what a question is about: those that allow roles something, else the roles."""
    found: dict[str, None] = {}
    for role in roles:
        policies = [(policy.name, policy.document) for policy in role.principal.resource]
        for label, document in (*role.principal.documents, *policies):
            if any(statement.effect is Effect.ALLOW for statement in document.statements):
                found[role.sources.get(label, role.urn)] = None
    return list(found) or [role.urn for role in roles]


def _shown(roles: Sequence[VendedRole], result: Result, kind: Kind, text: str, fix: Fix) -> Finding:
    return Finding(_where(roles, result), result.cause, text, kind=kind, fix=fix, example=example_of(result))


def _obstacles(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None, what: str
) -> Iterator[Finding]:
    """What could not be read is not proven."""
    found: list[Obstacle] = [o for role in roles if only is None or role.urn in only for o in role.obstacles]
    found += estate.unresolved(config.known, only)
    seen: set[tuple[str, ...]] = set()
    for obstacle in found:
        key = ("obstacle", obstacle.urn, obstacle.problem)
        if key not in seen:
            seen.add(key)
            pending = obstacle.pending or estate.may_come(obstacle)
            yield _not_read(obstacle, key, what, pending)


def _not_read(obstacle: Obstacle, key: tuple[str, ...], what: str, pending: bool) -> Finding:
    kind, fix = not_read(obstacle, _rules_with)
    return Finding(obstacle.urn, key, words.not_read(obstacle, what, fix), pending, kind, fix)


def _rules_with(setting: str) -> tuple[str, ...]:
    """The rules whose configuration has a setting."""
    return tuple(rule.name for rule in RULES if any(each.name == setting for each in rule.settings))


def _unproven(
    result: NotProven, vended: Mapping[str, VendedRole], what: str, advice: Suggestions, estate: Inventory
) -> Finding:
    roles = list(vended.values())
    fix = missing_issuer(result, roles, _rules_with("issuers")) or advice.fix(result)
    kind, text = words.unproven(result, what, fix)
    pending = result.pending or (result.open and estate.previewed)
    if result.role:
        return Finding(_where(roles, result), result.cause, text, pending, kind, fix)
    about = _allowing(roles)
    return Finding(about[0], result.cause, text, pending, kind, fix, about=frozenset(about))


def isolated(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    what = CLAIMS["s3-isolated-by-identity"]
    yield from _obstacles(estate, roles, config, only, what)
    for scope, vended in _scopes(roles, config, only):
        results = isolation(scope)
        advice = Suggestions(scope, list(vended.values()), isolation, results)
        for result in results:
            if isinstance(result, NotProven):
                yield _unproven(result, vended, what, advice, estate)
                continue
            role = vended.get(result.role)
            fix = replace(advice.fix(result), instead=advice.declared(result))
            about = context(role, advice.names(result).own, config.known.issuers, config.tenants)
            kind, text = words.isolation(result, role.principal if role else None, about, fix)
            yield _shown(roles, result, kind, text, fix)


def own_folder(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    for scope, vended in _scopes(roles, config, only):
        outside = outside_own_folder(scope)
        advice = Suggestions(scope, list(vended.values()), outside_own_folder, outside)
        for result in outside:
            if isinstance(result, NotProven):
                yield _unproven(result, vended, CLAIMS["s3-own-folder"], advice, estate)
                continue
            fix = replace(advice.fix(result), instead=advice.declared(result))
            about = context(vended.get(result.role), advice.names(result).own, config.known.issuers)
            kind, text = words.own_folder(result, about, fix)
            yield _shown(roles, result, kind, text, fix)
        dead = dead_grants(scope)
        # A grant that comes to life must not reach what it should not.
        advice = Suggestions(scope, list(vended.values()), _dead_or_loose, _dead_or_loose(scope) if dead else ())
        for grant in dead:
            if only is not None and _is_tagged(grant):
                continue  # the tag map may be still to come
            about = context(vended.get(grant.role), advice.names(grant).own, config.known.issuers)
            fix = advice.fix(grant)
            kind, text = words.dead(grant, about, fix)
            yield Finding(_where(roles, grant), grant.cause, text, kind=kind, fix=fix)


def _is_tagged(grant: DeadGrant) -> bool:
    """Whether a grant is dead for want of a principal tag."""
    key = grant.variable if grant.condition is None else grant.condition.key
    return key.startswith(TAG_KEY)


def _dead_or_loose(scope: Scope) -> list[Result]:
    return [*dead_grants(scope), *isolation(scope), *outside_own_folder(scope)]


def cannot_escalate(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    what = CLAIMS["vended-role-cannot-escalate"]
    yield from _obstacles(estate, roles, config, only, what)
    for scope, vended in _scopes(roles, config, only):
        results = escalations(scope)
        advice = Suggestions(scope, list(vended.values()), escalations, results)
        for result in results:
            if isinstance(result, NotProven):
                yield _unproven(result, vended, what, advice, estate)
                continue
            fix = advice.fix(result)
            about = context(vended.get(result.role), advice.names(result).own, config.known.issuers)
            kind, text = words.escalation(result, about, fix)
            yield _shown(roles, result, kind, text, fix)


def bound_trust(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    what = CLAIMS["trust-bound-to-pool"]
    stack = estate.stack_pools()
    known = stack.ids.union(config.known.pools)
    # Where neither the stack nor the configuration says anything about pools, a role's trust policy alone names its pool.
    strict = bool(known or stack.pending or stack.created)
    # A pool whose ID is not known yet may be the one that a trust policy names, but not the one that two name differently.
    waiting = frozenset(pool for role in roles if role.trust is not None for pool in trusted_pools(role.trust)) - known
    undecided = stack.may_be(waiting)
    for role in roles:
        if only is not None and role.urn not in only:
            continue
        if role.trust_obstacle is not None:
            obstacle = role.trust_obstacle
            yield _not_read(obstacle, ("trust", role.urn, obstacle.problem), what, obstacle.pending)
        if role.trust is None:
            continue
        named = trusted_pools(role.trust)
        unknown = sorted(named - known)
        if "mapped" in role.kinds and not strict:
            # A user pool's group vends its role through whichever identity pool the role trusts.
            for pool in sorted(role.pools):
                problem = (
                    f"not proven {what}: a group or a rule vends it, and neither the stack nor the configuration knows the "
                    f"pool `{pool}`"
                )
                fix = Fix(declare=Declaration(("trust-bound-to-pool",), "pools", [pool]))
                text = words.setting(role.label, problem, fix)
                cause = ("trust", role.urn, "pool", pool)
                yield Finding(role.urn, cause, text, only is not None, Kind.POOL_NOT_KNOWN, fix)
        alone = bool(stack.pending) and stack.may_be(unknown)
        allowed = (known | named if alone else known) if strict else None
        fixes = trust_fixes(role, allowed, config.known.issuers, _rules_with)
        loose = list(trust_problems(role.trust, allowed, config.known.issuers))
        if "trusted" not in role.kinds and not loose:
            problem = "the pool vends the role, but its trust policy lets no pool assume it"
            fix = fixes.admitting()
            text = words.trust(role.label, "", problem, fix)
            yield Finding(role.urn, ("trust", role.urn, "nobody"), text, kind=Kind.NOBODY, fix=fix)
        refused = list(dict.fromkeys(name for logins in role.logins.values() for name in logins.refused))
        if refused and named:
            users = words.listed(refused)
            problem = (
                f"users who sign in with {users} get no credentials: the pool passes principal tags to their sessions, "
                "which needs `sts:TagSession`"
            )
            fix = fixes.tagging()
            text = words.trust(role.label, "", problem, fix)
            yield Finding(role.urn, ("trust", role.urn, "tags"), text, kind=Kind.TAGS_REFUSED, fix=fix)
        for each in loose:
            fix = fixes.fix(each)
            text = words.trust(role.label, f" {each.statement.label}", fixes.text(each), fix, fixes.more(each))
            key = ("trust", role.urn, str(each.statement.index), each.looseness.name, each.value)
            yield Finding(role.urn, key, text, kind=fixes.kind(each), fix=fix)
        if unknown and alone and undecided:
            text = f"`{role.label}, trust policy`: whether `{unknown[0]}` is a pool of this stack"
            yield Finding(role.urn, ("trust", role.urn, "pools"), text, pending=True)
        elif unknown and alone:
            problem = (
                f"not proven {what}: roles of this stack trust {', '.join(f'`{pool}`' for pool in sorted(waiting))}, more "
                "pools than it creates"
            )
            fix = Fix(declare=Declaration(("trust-bound-to-pool",), "pools", sorted(waiting)))
            text = words.setting(role.label, problem, fix)
            # While resources are still to come, one of them may be the pool, or attach roles to it.
            yield Finding(role.urn, ("trust", role.urn, "pools"), text, only is not None, Kind.OTHER_POOL, fix)


def guests_declared(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    declared = {pool for pool, _ in config.guests}
    for pool in estate.pools.values():
        if only is not None and pool.urn not in only:
            continue
        if isinstance(pool.guests, Unreadable):
            yield _unreadable(pool, "that guest access is off", "allowUnauthenticatedIdentities", pool.guests)
        elif pool.guests is UNKNOWN:
            yield _pending(pool, "whether guest access is enabled")
        elif pool.guests is True and pool.name is UNKNOWN:
            yield _pending(pool, "whether the guest access of a pool of its name is declared")
        elif pool.guests is True and pool.name not in declared:
            fix = undeclared_guests(pool)
            problem = "guest access is enabled, so that anyone gets credentials without signing in"
            text = words.setting(
                pool.label,
                problem,
                fix,
                "Or, if guests are meant to have access, declare it in the configuration of the pack",
            )
            yield Finding(pool.urn, ("guests", pool.urn), text, kind=Kind.GUESTS, fix=fix)


def classic_off(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    for pool in estate.pools.values():
        if (only is not None and pool.urn not in only) or pool.classic is False:
            continue
        if isinstance(pool.classic, Unreadable):
            yield _unreadable(pool, "that the classic flow is off", "allowClassicFlow", pool.classic)
            continue
        if pool.classic is UNKNOWN:
            yield _pending(pool, "whether the classic flow is on")
            continue
        state = "is on" if pool.classic is True else "is not set, which keeps it on where it is on"
        problem = (
            f"the classic flow {state}. It issues tokens for any role that trusts the pool, without the limits of the "
            "enhanced flow"
        )
        fix = Fix(settings=(Property(pool.urn, ("allowClassicFlow",), False),))
        text = words.setting(pool.label, problem, fix)
        yield Finding(pool.urn, ("classic", pool.urn), text, kind=Kind.CLASSIC, fix=fix)


def tokens_checked(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    for pool in estate.pools.values():
        if only is not None and pool.urn not in only:
            continue
        if isinstance(pool.unchecked, Unreadable):
            what = "that tokens are checked with the user pool"
            yield _unreadable(pool, what, "serverSideTokenCheck", pool.unchecked)
        elif isinstance(pool.unchecked, Unknown):
            yield _pending(pool, "whether tokens are checked with the user pool")
        elif pool.unchecked:
            problem = f"tokens of {', '.join(pool.unchecked)} stay valid after their user is signed out or deleted"
            fix = Fix(settings=(Property(pool.urn, ("cognitoIdentityProviders", EACH, "serverSideTokenCheck"), True),))
            text = words.setting(pool.label, problem, fix)
            yield Finding(pool.urn, ("tokens", pool.urn), text, kind=Kind.TOKENS, fix=fix)


def _unreadable(pool: PoolFact, what: str, name: str, value: Unreadable) -> Finding:
    secret = value.reason == SECRET_PROBLEM
    fix = Fix(advice="keep it out of secrets: it is no secret in AWS either" if secret else "set it to true or false")
    text = words.setting(pool.label, f"not proven {what}: `{name}` is {value.reason}", fix)
    return Finding(pool.urn, ("unreadable", pool.urn), text, kind=Kind.SECRET if secret else Kind.MALFORMED, fix=fix)


def _pending(pool: PoolFact, what: str) -> Finding:
    return Finding(pool.urn, ("pending", what), f"`{pool.label}`: {what}", pending=True)


def api_scoped(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    for scope, vended in _scopes(roles, config, only):
        results = unnamed_apis(scope, config.apis)
        advice = Suggestions(
            scope, list(vended.values()), lambda changed: unnamed_apis(changed, config.apis), results, config.apis
        )
        for result in results:
            if isinstance(result, NotProven):
                yield _unproven(result, vended, "that users call only the APIs that they should", advice, estate)
                continue
            fix = advice.fix(result)
            about = context(vended.get(result.role), advice.names(result).own, config.known.issuers)
            kind, text = words.api(result, config.apis, about, fix)
            yield _shown(roles, result, kind, text, fix)


def other_access_declared(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    if not roles:
        return
    # A tag tells the users of each pool apart that sends it.
    scope = _scope([_of_all_pools(role) for role in roles], config, only)
    vended = {role.urn: role for role in roles}
    results = list(other_access(scope, config.access))
    advice = Suggestions(
        scope, list(vended.values()), lambda changed: list(other_access(changed, config.access)), results
    )
    for result in results:
        fix = undeclared_access(result, advice.fix(result))
        about = context(vended.get(result.role), advice.names(result).own, config.known.issuers)
        kind, text = words.other_access(result, about, fix)
        yield _shown(roles, result, kind, text, fix)


def _of_all_pools(role: VendedRole) -> VendedRole:
    """A role with the logins of all its pools, where all of them are known."""
    every = [role.logins[pool].logins if pool in role.logins else None for pool in role.pools]
    logins = tuple(login for each in every for login in each or ())
    known = bool(every) and None not in every
    return replace(role, principal=replace(role.principal, logins=logins)) if known else role


JUDGES: Mapping[str, Judge] = {
    "s3-isolated-by-identity": isolated,
    "vended-role-cannot-escalate": cannot_escalate,
    "trust-bound-to-pool": bound_trust,
    "guests-are-declared": guests_declared,
    "s3-own-folder": own_folder,
    "classic-flow-off": classic_off,
    "server-side-token-check": tokens_checked,
    "api-invoke-scoped": api_scoped,
    "other-access-is-declared": other_access_declared,
}
"""The question of each rule, by the rule's name."""
