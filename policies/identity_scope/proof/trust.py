"""Whether a vended role trusts its own pools and nobody else.

INVARIANT (bound trust): the Federated principal is the partition's Cognito issuer, `StringEquals ISSUER:aud` is one or more
literal pool ids, and `ForAnyValue:StringLike ISSUER:amr` says `authenticated` or `unauthenticated` without a wildcard that
lets the one match the other.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..automata.globs import matches
from ..iam.documents import Condition, Document, Effect, Statement
from ..iam.issuers import NAMED, issuer_of, known_issuers
from ..iam.variables import Missing, concretise, template


def trust_problems(
    trust: Document, pools: frozenset[str], issuers: Mapping[str, str]
) -> Iterator[tuple[Statement, str]]:
    """What is too open in a vended role's trust policy: each with its statement.

    Args:
        pools: ids of the pools that vend the role, where they are known; empty where not.
        issuers: issuers by region, beside the known ones.
    """
    for statement in trust.statements:
        if statement.effect is Effect.ALLOW:
            for problem in _problems(statement, pools, dict(issuers)):
                yield statement, problem


def _problems(statement: Statement, pools: frozenset[str], issuers: dict[str, str]) -> Iterator[str]:
    principals = statement.principals
    if principals is None or principals.negated:
        yield "it trusts everyone but those it names; name the identity service as Principal"
        return
    known = known_issuers(issuers)
    for kind, value in principals.entries:
        if kind != "Federated" or value not in known:
            yield (
                f"it also trusts `{kind}: {value}`; whoever that is gets every user's grants without being a user. "
                "Give others a role of their own"
            )
    trusted = [value for kind, value in principals.entries if kind == "Federated" and value in known]
    for issuer in trusted:
        yield from _audience(statement, issuer, pools, issuers)
        yield from _login(statement, issuer)


def _audience(statement: Statement, issuer: str, pools: frozenset[str], issuers: dict[str, str]) -> Iterator[str]:
    key = f"{issuer}:aud"
    tests = [c for c in statement.conditions if c.key == key]
    exact = [c for c in tests if c.operator == "StringEquals" and not c.if_exists and c.qualifier != "ForAllValues"]
    if not exact:
        why = f"tests it by {tests[0].label}, which does not bind it" if tests else "has no test of it"
        yield (
            f"any identity pool of any account can vend it: `{key}` must be a pool's id, and the statement {why}. "
            f'Add "StringEquals": {{"{key}": "POOL_ID"}}'
        )
        return
    values = _values(exact)
    for value in values:
        if not NAMED.fullmatch(value):
            yield f"`{value}` is not an identity pool's id; `{key}` must be literal pool ids, REGION:UUID"
        elif pools and value not in pools:
            yield f"it trusts the pool `{value}`, which does not vend it; trust only {', '.join(sorted(pools))}"
        elif issuer_of(value.partition(":")[0], issuers) not in (issuer, None):
            right = issuer_of(value.partition(":")[0], issuers)
            yield f"`{issuer}` is not the issuer of pools in {value.partition(':')[0]}; that is `{right}`"
        elif issuer_of(value.partition(":")[0], issuers) is None:
            yield f"not proven: the issuer of {value.partition(':')[0]} is not known; put it into `issuers`"


def _login(statement: Statement, issuer: str) -> Iterator[str]:
    key = f"{issuer}:amr"
    tests = [c for c in statement.conditions if c.key == key]
    positive = [
        c
        for c in tests
        if c.operator in ("StringLike", "StringEquals") and c.qualifier == "ForAnyValue" and not c.if_exists
    ]
    if not positive:
        why = f"tests it by {tests[0].label}, which guests pass too" if tests else "has no test of it"
        yield (
            f"guests and signed-in users alike can have it: `{key}` must say which, and the statement {why}. "
            f'Add "ForAnyValue:StringLike": {{"{key}": "authenticated"}}'
        )
        return
    if all(_lets_both(test) for test in positive):
        values = " or ".join(f"`{v}`" for v in positive[0].values)
        yield (
            f"`{key}` is {values}, which guests and signed-in users both match; "
            "make it exactly `authenticated`, or `unauthenticated` for a guest role"
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
