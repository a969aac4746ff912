"""The commonest mistakes in policies of identity pools' roles, and a role without any, for each language to write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.policies.pack.engine import ISSUER, ME, POOL, allow, document, trust, trust_of

SUB = f"${{{ISSUER}:sub}}"


@dataclass(frozen=True)
class Setup:
    """A pool with one role: its policy, its trust policy, and the pool's settings.

    Attributes:
        rules: the rules that report it, among others.
    """

    policy: dict[str, Any]
    rules: frozenset[str] = frozenset()
    trust: dict[str, Any] = field(default_factory=trust)
    guests: bool = False
    classic: bool | None = False
    login: str = "authenticated"


def _listing(*prefixes: str, operator: str = "StringLike") -> dict[str, Any]:
    condition = {"Condition": {operator: {"s3:prefix": list(prefixes)}}} if prefixes else {}
    return allow("arn:aws:s3:::notes", "s3:ListBucket", **condition)


def _policy(*statements: dict[str, Any], version: str | None = "2012-10-17") -> dict[str, Any]:
    return document(statements, version)


ISOLATED, OWN, ESCALATE, TRUST = (
    frozenset({rule})
    for rule in ("s3-isolated-by-identity", "s3-own-folder", "vended-role-cannot-escalate", "trust-bound-to-pool")
)
RIGHT = _policy(
    allow(f"arn:aws:s3:::notes/private/{ME}/*", ["s3:GetObject", "s3:PutObject"]), _listing(f"private/{ME}/*")
)
GUESTS = trust(amr="unauthenticated")

SETUPS: dict[str, Setup] = {
    "nothing is wrong": Setup(RIGHT),
    "cognito-identity:*": Setup(_policy(allow("*", "cognito-identity:*")), ESCALATE),
    "a listing of everything": Setup(_policy(_listing()), ISOLATED),
    "a listing of every folder": Setup(_policy(_listing("", "private/*")), ISOLATED),
    "a shared folder without the ID": Setup(_policy(allow("arn:aws:s3:::notes/public/*")), ISOLATED),
    "the whole bucket": Setup(_policy(allow("arn:aws:s3:::notes/*", "s3:*")), ISOLATED),
    "every bucket": Setup(_policy(allow("*", "s3:*")), ISOLATED | ESCALATE),
    "guests with a shared folder": Setup(
        _policy(allow("arn:aws:s3:::notes/public/*")),
        ISOLATED | {"guests-are-declared"},
        GUESTS,
        guests=True,
        login="unauthenticated",
    ),
    "the ID without a slash": Setup(_policy(allow(f"arn:aws:s3:::notes/private/{ME}*")), OWN),
    "a star before the ID": Setup(_policy(allow(f"arn:aws:s3:::notes/*/{ME}/*")), ISOLATED),
    "a variable of the user pool": Setup(
        _policy(allow(f"arn:aws:s3:::notes/{'${cognito-idp.amazonaws.com:sub}'}/*")), ISOLATED
    ),
    "a misspelt variable": Setup(
        _policy(allow(f"arn:aws:s3:::notes/{'${cognito-identity.amazon.com:sub}'}/*")), ISOLATED
    ),
    "a dead grant": Setup(
        _policy(
            allow(f"arn:aws:s3:::notes/{ME}/*", "s3:PutObject", Condition={"StringLike": {"s3:prefix": f"{ME}/*"}})
        ),
        OWN,
    ),
    "no version": Setup(_policy(allow(f"arn:aws:s3:::notes/{ME}/*"), version=None), ISOLATED),
    "a NotAction": Setup(_policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), ISOLATED | ESCALATE),
    "any pool is trusted": Setup(
        RIGHT, TRUST, trust_of({"Federated": ISSUER}, {"ForAnyValue:StringLike": {f"{ISSUER}:amr": "authenticated"}})
    ),
    "guests and users in one role": Setup(
        RIGHT, TRUST, trust_of({"Federated": ISSUER}, {"StringEquals": {f"{ISSUER}:aud": POOL}})
    ),
    "any API": Setup(_policy(allow("*", "execute-api:Invoke")), frozenset({"api-invoke-scoped"})),
    "a whole table": Setup(
        _policy(allow("arn:aws:dynamodb:us-east-1:123456789012:table/notes", "dynamodb:Scan")),
        frozenset({"other-access-is-declared"}),
    ),
    "the classic flow is not off": Setup(RIGHT, frozenset({"classic-flow-off"}), classic=None),
}
"""Source: 106 policy sets of identity pools' roles in public repositories and documentation."""
