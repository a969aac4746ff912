"""The outputs: the configuration of a front end, and the existing roles."""

from __future__ import annotations

from components.scoped_identity import documents, outputs
from components.scoped_identity.aws import IdentityKind
from components.scoped_identity.plan import plan
from tests.components.test_settings import good, parse

ISSUER = "cognito-identity.amazonaws.com"


def test_the_front_end_configuration_has_amplifys_shape() -> None:
    raw = good() | {"api": {"id": "a1b2", "stage": "v1"}}
    assert outputs.amplify(plan(parse(raw), "eu-west-1", "123456789012"), "eu-west-1:0a") == {
        "Auth": {
            "Cognito": {
                "userPoolId": "eu-west-1_AbCdEf123",
                "userPoolClientId": "1h57kf5cpq17m0eml12EXAMPLE",
                "identityPoolId": "eu-west-1:0a",
                "allowGuestAccess": False,
            }
        },
        "Storage": {"S3": {"bucket": "notes-uploads", "region": "eu-west-1"}},
        "API": {
            "REST": {
                "a1b2": {
                    "endpoint": "https://a1b2.execute-api.eu-west-1.amazonaws.com/v1",
                    "region": "eu-west-1",
                }
            }
        },
        "custom": {"folder": {"bucket": "notes-uploads", "prefix": "", "by": "identity"}},
    }


def test_existing_roles_are_listed_and_so_are_those_whose_trust_was_not_validated() -> None:
    trust = documents.trust(ISSUER, "eu-west-1:0a", IdentityKind.GUEST)
    guests = {"reason": "Visitors look around.", "role": "arn:aws:iam::123456789012:role/g", "trust": trust}
    raw = good() | {"guests": guests, "authenticated": {"role": "arn:aws:iam::123456789012:role/a"}}
    made = plan(parse(raw), "eu-west-1", "123456789012")
    assert outputs.external_roles(made) == (
        ["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/g"],
        ["arn:aws:iam::123456789012:role/a"],
    )
