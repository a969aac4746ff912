"""The rules: an inventory and a rule's configuration to findings.

A rule is one unit: its name, level, configuration, question and remedy are one value, and its page in the pack's README has
its name. A rule is asked about each resource before it is made, with what is known by then, and about the whole stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from ..findings import words
from ..findings.escaping import escaped_value
from ..findings.finding import Finding
from ..inventory.by_pool import by_pool
from ..inventory.facts import UNKNOWN, PoolFact, Unknown
from ..inventory.inventory import Inventory
from ..inventory.vended import Obstacle, VendedRole
from ..proof.api import unnamed_apis
from ..proof.dead_grants import dead_grants
from ..proof.escalation import escalations
from ..proof.isolation import isolation
from ..proof.other_access import other_access
from ..proof.own_folder import own_folder as outside_own_folder
from ..proof.results import NotProven, Result
from ..proof.scope import Scope
from ..proof.trust import trust_problems, trusted_pools, trusts_guests
from . import remedies
from .configuration import (
    ACCESS,
    APIS,
    EXEMPTIONS,
    FOLDERS,
    GUESTS,
    KNOWN,
    POOLS,
    SHARED,
    Config,
    Setting,
)


class Level(Enum):
    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    REMEDIATE = "remediate"
    DISABLED = "disabled"


class Severity(Enum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


Judge = Callable[[Inventory, Sequence[VendedRole], Config, "frozenset[str] | None"], Iterator[Finding]]
"""Findings about an estate's vended roles; with URNs, about those roles or resources only."""


@dataclass(frozen=True)
class Framework:
    """What a rule upholds in a published framework."""

    name: str
    version: str
    specification: str
    reference: str


def _well_architected(specification: str, page: str) -> Framework:
    reference = f"https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/{page}.html"
    return Framework("AWS Well-Architected Framework: Security Pillar", "2024-11-06", specification, reference)


LEAST_PRIVILEGE = _well_architected("SEC03-BP02 Grant least privilege access", "sec_permissions_least_privileges")
SHARED_ACCESS = _well_architected(
    "SEC03-BP07 Analyze public and cross-account access", "sec_permissions_analyze_cross_account"
)
IDENTITY_PROVIDER = _well_architected("SEC02-BP02 Use temporary credentials", "sec_identities_unique")


@dataclass(frozen=True)
class Rule:
    """A rule as people see it.

    Attributes:
        display_name: the name in prose.
        judge: the question.
        settings: its configuration.
        tags: words to find it by.
        advice: what to do, in a sentence.
        of_pools: whether it looks at identity pools instead of vended roles.
        remedy: the fix, where no judgement is needed.
    """

    name: str
    display_name: str
    description: str
    level: Level
    severity: Severity
    judge: Judge
    settings: tuple[Setting, ...]
    tags: tuple[str, ...]
    framework: Framework
    advice: str
    of_pools: bool = False
    remedy: remedies.Remedy | None = None


def _regions(roles: Sequence[VendedRole]) -> tuple[str, ...]:
    """The regions of the pools that vend the roles; none if one of them is not known."""
    if not all(role.regions for role in roles):
        return ()
    return tuple(sorted({region for role in roles for region in role.regions}))


def _scopes(roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None) -> Iterator[Scope]:
    """One question for each pool: an identity can get the roles of its own pool only."""
    for group in by_pool(roles, only):
        yield _scope(group, config, only)


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
            text = words.not_read(obstacle, what)
            # While resources are still to come, one of them may be what is missing.
            yield Finding(obstacle.urn, key, text, obstacle.pending or (obstacle.open and only is not None))


def isolated(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    yield from _obstacles(estate, roles, config, only, "that identities cannot reach each other's files")
    vended = {role.urn: role for role in roles}
    for result in (result for scope in _scopes(roles, config, only) for result in isolation(scope)):
        role = vended.get(result.role)
        text = words.isolation(result, role.principal if role else None, role is not None and _of_guests(role))
        pending = isinstance(result, NotProven) and (result.pending or (result.open and estate.previewed))
        yield Finding(_where(roles, result), result.cause, text, pending)


def _of_guests(role: VendedRole) -> bool:
    """Whether guests assume a role, who are anybody and not signed in."""
    return "unauthenticated" in role.kinds or (role.trust is not None and trusts_guests(role.trust))


def own_folder(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    for scope in _scopes(roles, config, only):
        for result in outside_own_folder(scope):
            yield Finding(_where(roles, result), result.cause, words.own_folder(result))
        for grant in dead_grants(scope):
            yield Finding(_where(roles, grant), grant.cause, words.dead(grant))


def cannot_escalate(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    yield from _obstacles(estate, roles, config, only, "that a vended role cannot widen its own reach")
    for result in (result for scope in _scopes(roles, config, only) for result in escalations(scope)):
        yield Finding(_where(roles, result), result.cause, words.escalation(result))


def bound_trust(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
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
            text = words.not_read(obstacle, "that the role trusts only its own pools")
            yield Finding(role.urn, ("trust", role.urn, obstacle.problem), text, obstacle.pending)
        if role.trust is None:
            continue
        named = trusted_pools(role.trust)
        unknown = sorted(named - known)
        if "mapped" in role.kinds and not strict:
            # A user pool's group vends its role through whichever identity pool the role trusts.
            for pool in sorted(role.pools):
                problem = (
                    f"a group or a rule vends it, and neither the stack nor the configuration knows the pool `{pool}`. "
                    "Fix: add the pool to `pools`."
                )
                obstacle = Obstacle(role.urn, role.label, problem)
                text = words.not_read(obstacle, "that the role trusts only its own pools")
                yield Finding(role.urn, ("trust", role.urn, problem), text, pending=only is not None)
        alone = bool(stack.pending) and stack.may_be(unknown)
        allowed = known | named if alone else known
        loose = list(trust_problems(role.trust, allowed if strict else None, config.known.issuers))
        if "trusted" not in role.kinds and not loose:
            text = f"`{role.label}` is vended by an identity pool, but its trust policy lets no pool assume it"
            yield Finding(role.urn, ("trust", role.urn, "nobody"), text)
        for statement, problem in loose:
            text = f"`{role.label}`, trust policy {statement.label}: {problem}."
            yield Finding(role.urn, ("trust", role.urn, str(statement.index), problem), text)
        if unknown and alone and undecided:
            text = f"`{role.label}, trust policy`: whether `{unknown[0]}` is a pool of this stack"
            yield Finding(role.urn, ("trust", role.urn, "pools"), text, pending=True)
        elif unknown and alone:
            problem = (
                f"roles of this stack trust {', '.join(f'`{pool}`' for pool in sorted(waiting))}, more pools than it "
                "creates. Fix: add those of other stacks to `pools`."
            )
            text = words.not_read(Obstacle(role.urn, role.label, problem), "that the role trusts only its own pools")
            # While resources are still to come, one of them may be the pool, or attach roles to it.
            yield Finding(role.urn, ("trust", role.urn, "pools"), text, pending=only is not None)


def guests_declared(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    declared = {pool for pool, _ in config.guests}
    for pool in estate.pools.values():
        if only is not None and pool.urn not in only:
            continue
        if pool.guests is UNKNOWN:
            yield _pending(pool, "whether guest access is enabled")
        elif pool.guests is True and pool.name is UNKNOWN:
            yield _pending(pool, "whether the guest access of a pool of its name is declared")
        elif pool.guests is True and pool.name not in declared:
            text = (
                f"`{pool.label}`: guest access is enabled, so that anyone gets credentials without signing in. Fix: turn "
                f"allowUnauthenticatedIdentities off, or declare it: "
                f'"guests": [{{"pool": "{escaped_value(str(pool.name))}", "reason": "…"}}].'
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
        state = "is on" if pool.classic is True else "is not set, which keeps it on where it is on"
        text = (
            f"`{pool.label}`: the classic flow {state}. It issues tokens for any role that trusts the pool, without the "
            "limits of the enhanced flow. Fix: set allowClassicFlow to false."
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
                f"`{pool.label}`: tokens of {', '.join(pool.unchecked)} stay valid after their user is signed out or "
                "deleted. Fix: set serverSideTokenCheck to true."
            )
            yield Finding(pool.urn, ("tokens", pool.urn), text)


def _pending(pool: PoolFact, what: str) -> Finding:
    return Finding(pool.urn, ("pending", what), f"`{pool.label}`: {what}", pending=True)


def api_scoped(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    labels = {role.urn: role.label for role in roles}
    for scope in _scopes(roles, config, only):
        for result in unnamed_apis(scope, config.apis):
            text = words.api(result, labels.get(result.role, ""), config.apis)
            yield Finding(_where(roles, result), result.cause, text)


def other_access_declared(
    estate: Inventory, roles: Sequence[VendedRole], config: Config, only: frozenset[str] | None
) -> Iterator[Finding]:
    for result in other_access(_scope(roles, config, only), config.access) if roles else ():
        yield Finding(_where(roles, result), result.cause, words.other_access(result))


RULES: tuple[Rule, ...] = (
    Rule(
        name="s3-isolated-by-identity",
        display_name="Identities are isolated in S3",
        description="No identity of an identity pool can reach another identity's files in S3.",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        judge=isolated,
        settings=(SHARED, *KNOWN, EXEMPTIONS),
        tags=("cognito", "iam", "s3", "isolation"),
        framework=LEAST_PRIVILEGE,
        advice="Scope every S3 grant of a vended role to ${cognito-identity.amazonaws.com:sub}.",
    ),
    Rule(
        name="vended-role-cannot-escalate",
        display_name="Vended roles allow no privilege escalation",
        description="No role that an identity pool vends can widen its own reach.",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        judge=cannot_escalate,
        settings=(*KNOWN, EXEMPTIONS),
        tags=("cognito", "iam", "s3", "privilege-escalation"),
        framework=LEAST_PRIVILEGE,
        advice="Remove the action from the vended role's policies.",
    ),
    Rule(
        name="trust-bound-to-pool",
        display_name="Vended roles trust only their own pools",
        description="A role that an identity pool vends trusts its own pools and nothing else.",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        judge=bound_trust,
        settings=(*KNOWN, POOLS, EXEMPTIONS),
        tags=("cognito", "iam", "trust"),
        framework=SHARED_ACCESS,
        advice="Test the identity pool's ID by :aud and the kind of identity by :amr in the trust policy.",
    ),
    Rule(
        name="guests-are-declared",
        display_name="Guest access is declared",
        description="Guest access to an identity pool is enabled only where that is declared with a reason.",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        judge=guests_declared,
        settings=(GUESTS, EXEMPTIONS),
        tags=("cognito", "guests"),
        framework=SHARED_ACCESS,
        advice="Disable guest access, or declare the pool in the rule's configuration.",
        of_pools=True,
    ),
    Rule(
        name="s3-own-folder",
        display_name="Each identity stays in its own folder",
        description="Everything that an identity reaches in S3 lies in one folder that ends with its ID.",
        level=Level.ADVISORY,
        severity=Severity.MEDIUM,
        judge=own_folder,
        settings=(FOLDERS, SHARED, *KNOWN, EXEMPTIONS),
        tags=("cognito", "iam", "s3"),
        framework=LEAST_PRIVILEGE,
        advice="Grant BUCKET/PREFIX${cognito-identity.amazonaws.com:sub}/* and list exactly that prefix.",
    ),
    Rule(
        name="classic-flow-off",
        display_name="The classic flow is off",
        description="The classic flow of an identity pool is off.",
        level=Level.ADVISORY,
        severity=Severity.MEDIUM,
        judge=classic_off,
        settings=(EXEMPTIONS,),
        tags=("cognito",),
        framework=IDENTITY_PROVIDER,
        advice="Set allowClassicFlow to false.",
        of_pools=True,
        remedy=remedies.turn_classic_flow_off,
    ),
    Rule(
        name="server-side-token-check",
        display_name="Tokens are checked with the user pool",
        description="An identity pool checks tokens with the user pool that issued them.",
        level=Level.ADVISORY,
        severity=Severity.LOW,
        judge=tokens_checked,
        settings=(EXEMPTIONS,),
        tags=("cognito",),
        framework=IDENTITY_PROVIDER,
        advice="Set serverSideTokenCheck to true for every user pool.",
        of_pools=True,
        remedy=remedies.turn_token_check_on,
    ),
    Rule(
        name="api-invoke-scoped",
        display_name="Users call only named APIs",
        description="Vended roles call only APIs that are named by a literal ID.",
        level=Level.ADVISORY,
        severity=Severity.MEDIUM,
        judge=api_scoped,
        settings=(APIS, *KNOWN, EXEMPTIONS),
        tags=("cognito", "iam", "api-gateway"),
        framework=LEAST_PRIVILEGE,
        advice="Name the API in the statement's resource.",
    ),
    Rule(
        name="other-access-is-declared",
        display_name="Access beyond S3 and API calls is declared",
        description="What vended roles may do beyond S3 and API calls is tied to the identity, or declared with a reason.",
        level=Level.ADVISORY,
        severity=Severity.LOW,
        judge=other_access_declared,
        settings=(ACCESS, *KNOWN, EXEMPTIONS),
        tags=("cognito", "iam"),
        framework=LEAST_PRIVILEGE,
        advice="Tie the grant to the identity, or declare it in the rule's configuration.",
    ),
)
"""All rules. Their names are fixed."""

__all__ = ["RULES", "Finding", "Framework", "Level", "Rule", "Severity"]
