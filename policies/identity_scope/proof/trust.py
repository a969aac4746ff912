"""INVARIANT (bound trust): a vended role trusts its own pools and nothing else.

The Federated principal is the partition's Cognito issuer, `StringEquals ISSUER:aud` is one or more literal pool IDs, each
of a pool that the stack or the configuration knows, and `ForAnyValue:StringLike ISSUER:amr` is `authenticated` or
`unauthenticated`, without a wildcard that lets one match the other.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from ..automata.globs import matches
from ..iam.documents import Condition, Document, Effect, Statement
from ..iam.issuers import NAMED, issuer_of, known_issuers
from ..iam.trusts import lets_in
from ..iam.variables import Missing, concretise, template


class Looseness(Enum):
    """In which way a trust policy is too open."""

    ANY_PRINCIPAL = "it trusts every principal that it does not name"
    OTHER_PRINCIPAL = "it trusts somebody else as well"
    ANY_POOL = "no condition names the pool"
    NO_POOL = "what it names is not the ID of a pool"
    OTHER_POOL = "it trusts a pool that nothing knows"
    OTHER_ISSUER = "its issuer is not that of the pool"
    UNKNOWN_ISSUER = "the issuer of the pool's region is not known"
    ANY_LOGIN = "no condition tells guests from signed-in users"
    BOTH_LOGINS = "guests and signed-in users both meet its condition"


@dataclass(frozen=True)
class TrustProblem:
    """One way in which a statement of a trust policy is too open.

    Attributes:
        issuer: the issuer in question, or the one that is right for the pool.
        value: the principal, pool or region in question.
        test: the condition that is not enough; None where there is none.
    """

    statement: Statement
    looseness: Looseness
    issuer: str = ""
    value: str = ""
    test: Condition | None = None


def trust_problems(trust: Document, pools: frozenset[str] | None, issuers: Mapping[str, str]) -> Iterator[TrustProblem]:
    """What is too open in a vended role's trust policy.

    Args:
        pools: IDs of the pools that the role may trust; None where they are not known.
        issuers: issuers by region, in addition to the known ones.
    """
    for statement in trust.statements:
        if statement.effect is Effect.ALLOW and lets_in(statement):
            yield from _problems(statement, pools, dict(issuers))


def trusted_pools(trust: Document) -> frozenset[str]:
    """The pool IDs that a trust policy names."""
    return frozenset(
        value
        for statement in trust.statements
        if statement.effect is Effect.ALLOW and lets_in(statement)
        for condition in statement.conditions
        if condition.key.endswith(":aud") and condition.operator == "StringEquals"
        for value in condition.values
        if NAMED.fullmatch(value)
    )


def _problems(statement: Statement, pools: frozenset[str] | None, issuers: dict[str, str]) -> Iterator[TrustProblem]:
    principals = statement.principals
    if principals is None or principals.negated:
        yield TrustProblem(statement, Looseness.ANY_PRINCIPAL)
        return
    known = known_issuers(issuers)
    for kind, value in principals.entries:
        if kind == "Federated" and value in known:
            continue
        regions = _regions_of(statement, value) if kind == "Federated" else set()
        if regions and all(issuer_of(region, issuers) is None for region in regions):
            yield from (TrustProblem(statement, Looseness.UNKNOWN_ISSUER, value, each) for each in sorted(regions))
        else:
            yield TrustProblem(statement, Looseness.OTHER_PRINCIPAL, value=f"{kind}: {value}")
    trusted = [value for kind, value in principals.entries if kind == "Federated" and value in known]
    for issuer in trusted:
        yield from _audience(statement, issuer, pools, issuers)
        yield from _login(statement, issuer)


def _regions_of(statement: Statement, issuer: str) -> set[str]:
    """The regions of the pools that a statement names by what may be their issuer."""
    tests = [c for c in statement.conditions if c.key == f"{issuer.lower()}:aud"]
    named = issuer.lower().startswith("cognito-identity")
    return {value.partition(":")[0] for value in _values(tests) if NAMED.fullmatch(value)} if named else set()


def _audience(
    statement: Statement, issuer: str, pools: frozenset[str] | None, issuers: dict[str, str]
) -> Iterator[TrustProblem]:
    tests = [c for c in statement.conditions if c.key == f"{issuer}:aud"]
    exact = [c for c in tests if c.operator == "StringEquals" and not c.if_exists and c.qualifier != "ForAllValues"]
    if not exact:
        yield TrustProblem(statement, Looseness.ANY_POOL, issuer, test=tests[0] if tests else None)
        return
    for value in _values(exact):
        region = value.partition(":")[0]
        right = issuer_of(region, issuers)
        if not NAMED.fullmatch(value):
            yield TrustProblem(statement, Looseness.NO_POOL, issuer, value)
        elif pools is not None and value not in pools:
            yield TrustProblem(statement, Looseness.OTHER_POOL, issuer, value)
        elif right is None:
            yield TrustProblem(statement, Looseness.UNKNOWN_ISSUER, issuer, region)
        elif right != issuer:
            yield TrustProblem(statement, Looseness.OTHER_ISSUER, right, issuer)


def _login(statement: Statement, issuer: str) -> Iterator[TrustProblem]:
    tests = [c for c in statement.conditions if c.key == f"{issuer}:amr"]
    positive = [
        c
        for c in tests
        if c.operator in ("StringLike", "StringEquals") and c.qualifier == "ForAnyValue" and not c.if_exists
    ]
    if not positive:
        yield TrustProblem(statement, Looseness.ANY_LOGIN, issuer, test=tests[0] if tests else None)
    elif all(_lets_both(test) for test in positive):
        yield TrustProblem(statement, Looseness.BOTH_LOGINS, issuer, test=positive[0])


def _lets_both(test: Condition) -> bool:
    guests = [value for value in test.values if _may_be(test, value, "unauthenticated")]
    return any(value not in guests or _may_be(test, value, "authenticated") for value in test.values) and bool(guests)


def _may_be(test: Condition, value: str, login: str) -> bool:
    # Values of a multivalued key take no variables that would be known here; whatever they hold may match.
    pattern = concretise(template(value, True, test.operator == "StringLike"), lambda _: Missing.UNKNOWN, True).pattern
    return pattern is not None and matches(pattern, login)


def _values(tests: list[Condition]) -> list[str]:
    return [value for test in tests for value in test.values]
