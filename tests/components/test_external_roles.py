"""Roles that were made elsewhere: their trust policy, where it is known."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from components.scoped_identity import documents
from components.scoped_identity.aws import IdentityKind
from components.scoped_identity.external_roles import trust_problems
from policies.identity_scope.iam.documents import DocumentKind, parse
from policies.identity_scope.proof.trust import trust_problems as proven_trust_problems

ISSUER = "cognito-identity.amazonaws.com"
POOL = "us-east-1:0a1b2c3d-1111-4222-8333-444455556666"


def good() -> dict[str, Any]:
    return documents.trust(ISSUER, POOL, IdentityKind.AUTHENTICATED)


def found(trust: dict[str, Any], tagged: bool = False) -> list[str]:
    return list(trust_problems(trust, ISSUER, POOL, IdentityKind.AUTHENTICATED, tagged))


def test_what_the_component_itself_writes_is_fine() -> None:
    assert found(good()) == []
    assert found(documents.trust(ISSUER, POOL, IdentityKind.AUTHENTICATED), tagged=True) == []


def _condition(operator: str, key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(trust: dict[str, Any]) -> None:
        trust["Statement"][0]["Condition"][operator] = {f"{ISSUER}:{key}": value} if value is not None else {}

    return change


LOOSE: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (lambda t: t["Statement"][0].update(Principal={"AWS": "*"}), f"must trust `{ISSUER}`"),
    (lambda t: t["Statement"][0].update(Principal="*"), f"must trust `{ISSUER}`"),
    (lambda t: t["Statement"][0].pop("Condition"), f"must require the identity pool `{POOL}`"),
    (_condition("StringEquals", "aud", "us-east-1:another"), f"must require the identity pool `{POOL}`"),
    (_condition("ForAnyValue:StringLike", "amr", "unauthenticated"), "must require `authenticated`"),
    (_condition("ForAnyValue:StringLike", "amr", "*"), "must require `authenticated`"),
    (_condition("ForAnyValue:StringLike", "amr", None), "must require `authenticated`"),
]


@pytest.mark.parametrize(("change", "message"), LOOSE, ids=[m for _, m in LOOSE])
def test_a_loose_end_is_told_and_the_pack_finds_it_too(change: Callable[[dict[str, Any]], None], message: str) -> None:
    trust = copy.deepcopy(good())
    change(trust)
    assert any(message in text for text in found(trust))
    shut = trust["Statement"][0].get("Condition", {}).get("ForAnyValue:StringLike", {}).get(f"{ISSUER}:amr")
    if "must trust" not in message and shut != "unauthenticated":  # these two let nobody in, which proves nothing wrong
        assert list(proven_trust_problems(parse(trust, DocumentKind.TRUST), frozenset({POOL}), {}))


def test_tags_need_the_right_to_tag_the_session() -> None:
    untagged = good()
    untagged["Statement"][0]["Action"] = "sts:AssumeRoleWithWebIdentity"
    assert found(untagged) == []
    assert any("sts:TagSession" in text for text in found(untagged, tagged=True))
