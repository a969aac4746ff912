"""Fixes that need no proof to be asked again, and what findings say of who gets a role."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..inventory.facts import PoolFact
from ..inventory.vended import Obstacle, Reason, VendedRole
from ..proof.results import NotProven, OtherAccess
from .finding import Kind
from .fix import Declaration, Fix, Placeholder, Setting
from .suggestions import REASON
from .tagging import claims, pool_logins
from .trusting import TrustFixes
from .words import Audience, Context

RulesWith = Callable[[str], "tuple[str, ...]"]
"""The rules whose configuration has a setting."""
ISSUER, DOCUMENT = "ISSUER", "DOCUMENT"
_NO_POOL = "which identity pool vends the role, and how its users sign in, is not known"


def context(
    role: VendedRole | None, own: str, issuers: Mapping[str, str], tenants: frozenset[str] = frozenset()
) -> Context:
    logins = pool_logins(role)
    reason = _NO_POOL if logins is None else logins.reason if logins.logins is None else ""
    constants = {
        key: each
        for login in (logins.logins or () if logins is not None else ())
        for key, each in login.tags.items()
        if isinstance(each, str)
    }
    return Context(audience(role), own, tuple(issuers.values()), claims(logins), reason, constants, tenants)


def audience(role: VendedRole | None) -> Audience:
    """Who gets a role: as it is vended, and as its trust policy says."""
    if role is None:
        return Audience()
    guests = "unauthenticated" in role.kinds
    signed_in = bool({"authenticated", "mapped"} & role.kinds)
    for statement in role.trust.statements if role.trust is not None else ():
        tests = [test for test in statement.conditions if test.key.endswith(":amr")]
        for value in (value.lower() for test in tests for value in test.values):
            guests = guests or value == "unauthenticated"
            signed_in = signed_in or value == "authenticated"
    return Audience(guests, signed_in)


def trust_fixes(
    role: VendedRole, pools: frozenset[str] | None, issuers: Mapping[str, str], rules_with: RulesWith
) -> TrustFixes:
    return TrustFixes(role, pools, issuers, rules_with("issuers"))


def undeclared_guests(pool: PoolFact) -> Fix:
    off = (Setting(pool.urn, ("allowUnauthenticatedIdentities",), False),)
    if not isinstance(pool.name, str):
        return Fix(settings=off)
    return Fix(
        settings=off, instead=Declaration(("guests-are-declared",), "guests", [{"pool": pool.name, "reason": REASON}])
    )


def undeclared_access(result: OtherAccess, tied: Fix) -> Fix:
    """The change that ties access to the identity, or the configuration that declares it; not that of everything."""
    if "*" in result.actions:
        return tied
    entry = {"actions": list(result.actions), "resources": list(result.resources), "reason": REASON}
    declared = Declaration(("other-access-is-declared",), "access", [entry])
    return replace(tied, instead=declared) if tied.edits else Fix(declare=declared)


def missing_issuer(result: NotProven, roles: Sequence[VendedRole], rules: Sequence[str]) -> Fix | None:
    """The configuration of an issuer that is not known, with the one that the trust policies name."""
    if not result.region:
        return None
    named = {
        value
        for role in roles
        if result.region in role.regions
        for statement in (role.trust.statements if role.trust is not None else ())
        for kind, value in (statement.principals.entries if statement.principals is not None else ())
        if kind == "Federated" and value.startswith("cognito-identity")
    }
    value = named.pop() if len(named) == 1 else ISSUER
    placeholder = (Placeholder(ISSUER, "the Federated principal of the pool's roles"),) if value == ISSUER else ()
    return Fix(declare=Declaration(tuple(rules), "issuers", {result.region: value}), placeholders=placeholder)


def not_read(obstacle: Obstacle, rules_with: RulesWith) -> tuple[Kind, Fix]:
    """What kind of obstacle it is, and what removes it."""
    if obstacle.reason is Reason.MALFORMED:
        return Kind.MALFORMED, Fix(advice="correct the document there; IAM would not accept it either")
    if obstacle.reason is Reason.NOT_KNOWN:
        return Kind.NO_DOCUMENT, Fix(
            advice="state its value in the file, or, if a parameter decides it, with --parameter NAME=VALUE"
        )
    if obstacle.reason is Reason.MANAGED_POLICY:
        declared = Declaration(rules_with("managedPolicies"), "managedPolicies", {obstacle.subject: DOCUMENT})
        return Kind.MANAGED_POLICY, Fix(
            declare=declared, placeholders=(Placeholder(DOCUMENT, "the policy's document"),)
        )
    if obstacle.reason is Reason.ROLE_ELSEWHERE:
        declared = Declaration(rules_with("rolesElsewhere"), "rolesElsewhere", [obstacle.subject])
        return Kind.ROLE_ELSEWHERE, Fix(declare=declared)
    if obstacle.reason is Reason.SECRET:
        return Kind.SECRET, Fix(
            advice="keep policy documents and names out of secrets: they are no secrets in AWS either"
        )
    return Kind.NO_DOCUMENT, Fix(advice="give it a policy document, or remove the resource")
