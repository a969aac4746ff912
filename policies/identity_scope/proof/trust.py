"""INVARIANT (bound trust): a vended role trusts its own pools and nothing else.

The Federated principal is the partition's Cognito issuer, `StringEquals ISSUER:aud` is one or more literal pool IDs, each
of a pool that the stack or the configuration knows, and `ForAnyValue:StringLike ISSUER:amr` is `authenticated` or
`unauthenticated`, without a wildcard that lets one match the other.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..automata.globs import matches
from ..iam.documents import Condition, Document, Effect, Statement
from ..iam.evaluator import action_matches
from ..iam.issuers import NAMED, issuer_of, known_issuers
from ..iam.variables import Missing, concretise, template


def trust_problems(
    trust: Document, pools: frozenset[str] | None, issuers: Mapping[str, str]
) -> Iterator[tuple[Statement, str]]:
    """What is too open in a vended role's trust policy: each problem with its statement.

    Args:
        pools: IDs of the pools that the role may trust; None where they are not known.
        issuers: issuers by region, in addition to the known ones.
    """
    for statement in trust.statements:
        if statement.effect is Effect.ALLOW and lets_in(statement):
            for problem in _problems(statement, pools, dict(issuers)):
                yield statement, problem


ENTRIES = ("sts:AssumeRoleWithWebIdentity", "sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoot")
"""Actions by which somebody assumes a role; `sts:TagSession` and the like only go with one of them."""


def lets_in(statement: Statement) -> bool:
    """Whether a statement of a trust policy lets anybody assume the role."""
    return any(action_matches(statement, action) for action in ENTRIES)


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


def trusts_guests(trust: Document) -> bool:
    """Whether a trust policy lets guests assume the role by name."""
    return any(
        condition.key.endswith(":amr") and "unauthenticated" in condition.values
        for statement in trust.statements
        for condition in statement.conditions
    )


def _problems(statement: Statement, pools: frozenset[str] | None, issuers: dict[str, str]) -> Iterator[str]:
    principals = statement.principals
    if principals is None or principals.negated:
        yield "it trusts every principal that it does not name. Fix: name the Cognito issuer as Federated principal"
        return
    known = known_issuers(issuers)
    for kind, value in principals.entries:
        if kind != "Federated" or value not in known:
            yield (
                f"it also trusts `{kind}: {value}`, which gets what every user of the role may do. "
                "Fix: give it a separate role"
            )
    trusted = [value for kind, value in principals.entries if kind == "Federated" and value in known]
    for issuer in trusted:
        yield from _audience(statement, issuer, pools, issuers)
        yield from _login(statement, issuer)


def _audience(
    statement: Statement, issuer: str, pools: frozenset[str] | None, issuers: dict[str, str]
) -> Iterator[str]:
    key = f"{issuer}:aud"
    tests = [c for c in statement.conditions if c.key == key]
    exact = [c for c in tests if c.operator == "StringEquals" and not c.if_exists and c.qualifier != "ForAllValues"]
    if not exact:
        why = f"tests it by {tests[0].label}, which is not enough" if tests else "does not test it"
        yield (
            f"any identity pool of any account can vend the role: `{key}` must be a pool's ID, and the statement {why}. "
            f'Fix: add "StringEquals": {{"{key}": "POOL_ID"}}'
        )
        return
    values = _values(exact)
    for value in values:
        if not NAMED.fullmatch(value):
            yield f"`{value}` is not the ID of an identity pool; `{key}` must be literal pool IDs, REGION:UUID"
        elif pools is not None and value not in pools:
            known = ", ".join(f"`{pool}`" for pool in sorted(pools)) or "the stack's own pools"
            yield (
                f"it trusts the pool `{value}`, which this stack neither creates nor attaches roles to. "
                f"Fix: trust only {known}, or add the pool to `pools`"
            )
        elif issuer_of(value.partition(":")[0], issuers) not in (issuer, None):
            right = issuer_of(value.partition(":")[0], issuers)
            yield f"`{issuer}` is not the issuer of pools in {value.partition(':')[0]}; that is `{right}`"
        elif issuer_of(value.partition(":")[0], issuers) is None:
            yield f"not proven: the issuer of {value.partition(':')[0]} is not known. Fix: add it to `issuers`"


def _login(statement: Statement, issuer: str) -> Iterator[str]:
    key = f"{issuer}:amr"
    tests = [c for c in statement.conditions if c.key == key]
    positive = [
        c
        for c in tests
        if c.operator in ("StringLike", "StringEquals") and c.qualifier == "ForAnyValue" and not c.if_exists
    ]
    if not positive:
        why = f"tests it by {tests[0].label}, which guests also pass" if tests else "does not test it"
        yield (
            f"guests and signed-in users can both assume the role: `{key}` must tell them apart, and the statement {why}. "
            f'Fix: add "ForAnyValue:StringLike": {{"{key}": "authenticated"}}'
        )
        return
    if all(_lets_both(test) for test in positive):
        values = " or ".join(f"`{v}`" for v in positive[0].values)
        yield (
            f"`{key}` is {values}, which guests and signed-in users both match. "
            "Fix: make it exactly `authenticated`, or `unauthenticated` for a guest role"
        )


def _lets_both(test: Condition) -> bool:
    guests = [value for value in test.values if _may_be(test, value, "unauthenticated")]
    return any(value not in guests or _may_be(test, value, "authenticated") for value in test.values) and bool(guests)


def _may_be(test: Condition, value: str, login: str) -> bool:
    # Values of a multivalued key take no variables that would be known here; whatever they hold may match.
    pattern = concretise(template(value, True, test.operator == "StringLike"), lambda _: Missing.UNKNOWN, True).pattern
    return pattern is not None and matches(pattern, login)


def _values(tests: list[Condition]) -> list[str]:
    return [value for test in tests for value in test.values]
