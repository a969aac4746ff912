"""Stacks for the kinds of findings that no case of the pack has: what is given, by why."""

from __future__ import annotations

from typing import Any

from policies.identity_scope.inventory.facts import SECRET
from tests.policies.pack.engine import ISSUER, ME, POOL, ROLE_ARN, allow, document, trust_of

ATTACHMENT = "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment"
ROLE = "aws:iam/role:Role"


def role(trust: Any, **props: Any) -> dict[str, Any]:
    return {
        "type": ROLE,
        "name": "role",
        "props": {"name": "role", "arn": ROLE_ARN, "assumeRolePolicy": trust, **props},
    }


def attachment(kind: str = "authenticated") -> dict[str, Any]:
    return {
        "type": ATTACHMENT,
        "name": "attachment",
        "props": {"identityPoolId": POOL, "roles": {kind: ROLE_ARN}},
    }


def stack(trust: Any, kind: str = "authenticated", **props: Any) -> dict[str, Any]:
    return {"resources": [role(trust, **props), attachment(kind)]}


def conditions(issuer: str = ISSUER) -> dict[str, Any]:
    return {"StringEquals": {f"{issuer}:aud": POOL}, "ForAnyValue:StringLike": {f"{issuer}:amr": "authenticated"}}


NOBODY = document([{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:TagSession"}])
MISSPELT = "cognito-identity.amazon.com"

STARS, OTHER_STARS = (f"arn:aws:s3:::bkt/{stars * 60}{ME}{'*a?b??' * 60}/x" for stars in ("*a?b??", "*b?a??"))
"""Patterns of too many stars to be told apart within the budget."""

STACKS: dict[str, dict[str, Any]] = {
    "a trust policy that lets nobody in": stack(NOBODY),
    "a misspelt issuer in a trust policy": stack(trust_of({"Federated": MISSPELT}, conditions(MISSPELT))),
    "a secret policy": {
        "resources": [
            role(trust_of({"Federated": ISSUER}, conditions())),
            {"type": "aws:iam/rolePolicy:RolePolicy", "name": "access", "props": {"role": "role", "policy": SECRET}},
        ]
    },
    "a policy without a document": {
        "resources": [
            role(trust_of({"Federated": ISSUER}, conditions())),
            {"type": "aws:iam/rolePolicy:RolePolicy", "name": "access", "props": {"role": "role"}},
        ]
    },
    "a guest role without an amr": stack(
        trust_of({"Federated": ISSUER}, {"StringEquals": {f"{ISSUER}:aud": POOL}}), "unauthenticated"
    ),
    "a guest role that lists everything": {
        **stack(
            trust_of(
                {"Federated": ISSUER},
                {
                    "StringEquals": {f"{ISSUER}:aud": POOL},
                    "ForAnyValue:StringLike": {f"{ISSUER}:amr": "unauthenticated"},
                },
            ),
            "unauthenticated",
            inlinePolicies=[
                {
                    "name": "access",
                    "policy": document([allow("*", ["s3:ListBucket", "s3:GetObject", "s3:GetBucketLocation"])]),
                }
            ],
        )
    },
    "patterns of too many stars": {
        "statements": [allow(STARS), {"Effect": "Deny", "Action": "s3:*", "NotResource": OTHER_STARS}]
    },
}
