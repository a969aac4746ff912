"""Validates the trust policy of an existing role: whether the role trusts the identity pool, and only it.

INVARIANT (bound trust): the Federated principal is the issuer of the pool, `StringEquals ISSUER:aud` is the pool's ID, and
`ForAnyValue:StringLike ISSUER:amr` is the kind of identity. Only this form is accepted; the policy pack accepts others.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .aws import IdentityKind


def trust_problems(
    trust: Mapping[str, Any], issuer: str, identity_pool_id: str, kind: IdentityKind, tagged: bool
) -> Iterator[str]:
    """The conditions that the trust policy lacks."""
    statements = trust["Statement"] if isinstance(trust["Statement"], list) else [trust["Statement"]]
    ours = [s for s in statements if isinstance(s, Mapping) and s.get("Effect") == "Allow" and _federated(s)]
    if not any(issuer in _federated(s) for s in ours):
        yield f"must trust `{issuer}` as the Federated principal"
    for statement in ours:
        if issuer not in _federated(statement):
            continue
        conditions = statement.get("Condition")
        conditions = conditions if isinstance(conditions, Mapping) else {}
        pools = _values(conditions, "StringEquals", f"{issuer}:aud")
        if identity_pool_id not in pools:
            yield f"must require the identity pool `{identity_pool_id}`: StringEquals `{issuer}:aud`"
        kinds = _values(conditions, "ForAnyValue:StringLike", f"{issuer}:amr") or _values(
            conditions, "ForAnyValue:StringEquals", f"{issuer}:amr"
        )
        if kind.value not in kinds:
            yield f"must require `{kind.value}`: ForAnyValue:StringLike `{issuer}:amr`"
        if (
            tagged
            and kind is IdentityKind.AUTHENTICATED
            and "sts:tagsession" not in [a.lower() for a in _list(statement.get("Action"))]
        ):
            yield "must allow sts:TagSession, which AWS requires for principal tags"


def _federated(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal")
    return _list(principal.get("Federated")) if isinstance(principal, Mapping) else []


def _values(conditions: Mapping[str, Any], operator: str, key: str) -> list[str]:
    block = conditions.get(operator)
    if not isinstance(block, Mapping):
        return []
    return [value for name, values in block.items() if name.lower() == key.lower() for value in _list(values)]


def _list(value: object) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
