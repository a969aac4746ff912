"""The rules: an estate and a rule's configuration to findings.

Each rule is a name, a sentence, a level, and a function; a rule that needs to see several resources together has a resource
half, which looks at what is known so far, and a stack half, which looks at everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from ..findings import words
from ..inventory.facts import UNKNOWN, PoolFact, Unknown
from ..inventory.inventory import Inventory
from ..inventory.vended import Obstacle, VendedRole
from ..proof.api import unnamed_apis
from ..proof.escalation import escalations
from ..proof.isolation import isolation
from ..proof.own_folder import dead_grants
from ..proof.own_folder import own_folder as outside_own_folder
from ..proof.results import Result
from ..proof.scope import Scope
from ..proof.trust import trust_problems
from .configuration import Config


class Level(Enum):
    ADVISORY = "advisory"
    MANDATORY = "mandatory"


class Severity(Enum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `key` is its cause, by which it is told apart from all others of the rule."""

    urn: str
    key: tuple[str, ...]
    text: str
    pending: bool = False
    """Not decided: it will be at update."""


Judge = Callable[[Inventory, Sequence[VendedRole], Config, "frozenset[str] | None"], Iterator[Finding]]
"""Findings about an estate's vended roles; with URNs, about those roles or resources only."""


@dataclass(frozen=True)
class Rule:
    """A rule as people see it.

    Attributes:
        halves: whether it has a stack half.
        tags: words to find it by.
        remedy: what to do, in a sentence.
    """

    name: str
    description: str
    level: Level
    severity: Severity
    judge: Judge
    halves: bool
    tags: tuple[str, ...]
    remedy: str


def _regions(roles: Sequence[VendedRole]) -> tuple[str, ...]:
    """The regions of the pools that vend the roles; none if one of them is not known."""
    if not all(role.regions for role in roles):
        return ()
    return tuple(sorted({region for role in roles for region in role.regions}))


def _scope(roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None) -> Scope:
    return Scope(
        tuple(role.principal for role in roles),
        _regions(roles),
        config.shared,
        tuple(config.known.issuers.items()),
        config.folders,
        focus=only,
    )


def _where(roles: Sequence[VendedRole], result: Result) -> str:
    """The resource that holds the statement that a result is about."""
    role = next((r for r in roles if r.urn == result.role), roles[0])
    return role.sources.get(result.document, role.urn)


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
            text = words.not_read(obstacle.label, obstacle.problem, what)
            # While resources are still to come, one of them may be what is missing.
            yield Finding(obstacle.urn, key, text, obstacle.pending or (obstacle.open and only is not None))


def isolated(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    yield from _obstacles(estate, roles, config, only, "that identities cannot reach each other's files")
    if not roles:
        return
    principals = {role.urn: role.principal for role in roles}
    for result in isolation(_scope(roles, config, only)):
        yield Finding(_where(roles, result), result.cause, words.isolation(result, principals.get(result.role)))


def own_folder(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    if not roles:
        return
    scope = _scope(roles, config, only)
    for result in outside_own_folder(scope):
        yield Finding(_where(roles, result), result.cause, words.own_folder(result))
    for grant in dead_grants(scope):
        yield Finding(_where(roles, grant), grant.cause, words.dead(grant))


def cannot_escalate(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    yield from _obstacles(estate, roles, config, only, "that a vended role cannot widen its own reach")
    if not roles:
        return
    for result in escalations(_scope(roles, config, only)):
        yield Finding(_where(roles, result), result.cause, words.escalation(result))


def bound_trust(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    stack = estate.stack_pools()
    # A pool whose ID is not known yet may be the one that a trust policy names.
    pools = frozenset() if stack.pending else stack.ids.union(config.known.pools)
    for role in roles:
        if only is not None and role.urn not in only:
            continue
        if role.trust_obstacle is not None:
            obstacle = role.trust_obstacle
            text = words.not_read(obstacle.label, obstacle.problem, "that the role trusts its own pools only")
            yield Finding(role.urn, ("trust", role.urn, obstacle.problem), text, obstacle.pending)
        if role.trust is None:
            continue
        loose = list(trust_problems(role.trust, pools, config.known.issuers))
        if "trusted" not in role.kinds and not loose:
            text = f"`{role.label}` is vended by an identity pool, but its trust policy lets no pool in"
            yield Finding(role.urn, ("trust", role.urn, "nobody"), text)
        for statement, problem in loose:
            text = f"`{role.label}`, trust policy {statement.label}: {problem}."
            yield Finding(role.urn, ("trust", role.urn, str(statement.index), problem), text)


def guests_declared(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    declared = {pool for pool, _ in config.guests}
    for pool in estate.pools.values():
        if only is not None and pool.urn not in only:
            continue
        if pool.guests is UNKNOWN:
            yield _pending(pool, "whether guests are let in")
        elif pool.guests is True and pool.name is UNKNOWN:
            yield _pending(pool, "whether the guests of a pool of its name are declared")
        elif pool.guests is True and pool.name not in declared:
            text = (
                f"`{pool.label}` lets guests in: anybody gets credentials without signing in. Leave "
                f"allowUnauthenticatedIdentities off, or declare it: guests: [{{pool: {pool.name}, reason: …}}]."
            )
            yield Finding(pool.urn, ("guests", pool.urn), text)


def classic_off(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    for pool in estate.pools.values():
        if (only is not None and pool.urn not in only) or pool.classic is False:
            continue
        if pool.classic is UNKNOWN:
            yield _pending(pool, "whether the classic flow is on")
            continue
        said = "is on" if pool.classic is True else "is not set, which does not turn off what was turned on before"
        text = (
            f"`{pool.label}`: the classic flow {said}. It gives out tokens for any role that trusts the pool, without "
            "the limits of the enhanced flow. Set allowClassicFlow to false."
        )
        yield Finding(pool.urn, ("classic", pool.urn), text)


def tokens_checked(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    for pool in estate.pools.values():
        if only is not None and pool.urn not in only:
            continue
        if isinstance(pool.unchecked, Unknown):
            yield _pending(pool, "whether tokens are checked with the user pool")
        elif pool.unchecked:
            text = (
                f"`{pool.label}`: tokens of {', '.join(pool.unchecked)} are good after their user has been "
                "signed out or deleted. Set serverSideTokenCheck to true."
            )
            yield Finding(pool.urn, ("tokens", pool.urn), text)


def _pending(pool: PoolFact, what: str) -> Finding:
    text = f"`{pool.label}`: {what} is not known at preview; decided at update"
    return Finding(pool.urn, ("pending", what), text, pending=True)


def api_scoped(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    labels = {role.urn: role.label for role in roles}
    for result in unnamed_apis(_scope(roles, config, only), config.apis) if roles else ():
        text = words.api(result, labels.get(result.role, ""), config.apis)
        yield Finding(_where(roles, result), result.cause, text)


RULES: tuple[Rule, ...] = (
    Rule(
        "s3-isolated-by-identity",
        "No identity of an identity pool can reach another's files in S3.",
        Level.MANDATORY,
        Severity.CRITICAL,
        isolated,
        True,
        ("cognito", "iam", "s3", "isolation"),
        "Scope every S3 grant of a vended role to ${cognito-identity.amazonaws.com:sub}.",
    ),
    Rule(
        "vended-role-cannot-escalate",
        "No role that an identity pool vends can widen its own reach.",
        Level.MANDATORY,
        Severity.CRITICAL,
        cannot_escalate,
        True,
        ("cognito", "iam", "s3", "privilege-escalation"),
        "Take the action out of the vended role's documents.",
    ),
    Rule(
        "trust-bound-to-pool",
        "A role that an identity pool vends trusts its own pools and nobody else.",
        Level.MANDATORY,
        Severity.CRITICAL,
        bound_trust,
        True,
        ("cognito", "iam", "trust"),
        "Bind the trust policy to the pool's id by :aud and to the kind of login by :amr.",
    ),
    Rule(
        "guests-are-declared",
        "An identity pool lets guests in only where that is declared with a reason.",
        Level.MANDATORY,
        Severity.HIGH,
        guests_declared,
        False,
        ("cognito", "guests"),
        "Turn unauthenticated identities off, or declare the pool in the rule's configuration.",
    ),
    Rule(
        "s3-own-folder",
        "Everything an identity reaches in S3 lies in one folder that ends in its id.",
        Level.ADVISORY,
        Severity.MEDIUM,
        own_folder,
        True,
        ("cognito", "iam", "s3"),
        "Grant BUCKET/PREFIX${cognito-identity.amazonaws.com:sub}/* and list exactly that prefix.",
    ),
    Rule(
        "classic-flow-off",
        "The classic flow of an identity pool is off.",
        Level.ADVISORY,
        Severity.MEDIUM,
        classic_off,
        False,
        ("cognito",),
        "Set allowClassicFlow to false.",
    ),
    Rule(
        "server-side-token-check",
        "An identity pool checks tokens with the user pool that gave them out.",
        Level.ADVISORY,
        Severity.LOW,
        tokens_checked,
        False,
        ("cognito",),
        "Set serverSideTokenCheck to true for every user pool.",
    ),
    Rule(
        "api-invoke-scoped",
        "Vended roles call only APIs that are named by a literal id.",
        Level.ADVISORY,
        Severity.MEDIUM,
        api_scoped,
        True,
        ("cognito", "iam", "api-gateway"),
        "Name the API in the statement's resource.",
    ),
)
"""All rules. Fixed names; the stack half of a rule ends in `-in-stack`."""

__all__ = ["RULES", "Finding", "Level", "Rule", "Severity"]
