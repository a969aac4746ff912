"""The documents, as exact JSON."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from components.scoped_identity import documents
from components.scoped_identity.aws import AWS, GOVCLOUD, Environment, IdentityKind
from components.scoped_identity.documents import READ_ONLY, READ_WRITE
from components.scoped_identity.plan import Plan, PlannedRole, plan
from components.scoped_identity.settings import SettingsError
from tests.components.test_settings import Raw, good, parse

ISSUER = "cognito-identity.amazonaws.com"
ME = "${cognito-identity.amazonaws.com:sub}"
HERE = Environment(AWS, ISSUER, "eu-west-1", "123456789012")


def permissions(made: Plan, key: str = "authenticated") -> documents.Document:
    """A role's only permission document."""
    (vended,) = (each for each in made.roles if each.key == key)
    (statements,) = vended.policies
    return documents.document(statements)


def test_trust_names_the_issuer_this_pool_and_the_kind_of_login() -> None:
    assert documents.trust(ISSUER, "eu-west-1:0a", IdentityKind.AUTHENTICATED) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": "cognito-identity.amazonaws.com"},
                "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
                "Condition": {
                    "StringEquals": {"cognito-identity.amazonaws.com:aud": "eu-west-1:0a"},
                    "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
                },
            }
        ],
    }


def test_own_folder_grants_the_folder_and_its_listing() -> None:
    assert documents.own_folder(HERE, "notes", "users/", READ_WRITE) == [
        {
            "Sid": "OwnFolder",
            "Effect": "Allow",
            "Action": [
                "s3:GetObject",
                "s3:PutObject",
                "s3:DeleteObject",
                "s3:AbortMultipartUpload",
                "s3:ListMultipartUploadParts",
            ],
            "Resource": f"arn:aws:s3:::notes/users/{ME}/*",
        },
        {
            "Sid": "ListOwnFolder",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::notes",
            "Condition": {"StringLike": {"s3:prefix": f"users/{ME}/*"}},
        },
    ]


def test_read_only_grants_nothing_that_writes() -> None:
    statement = documents.own_folder(HERE, "notes", "", READ_ONLY)[0]
    assert statement["Action"] == ["s3:GetObject"]


def test_the_whole_api_is_one_arn() -> None:
    (statement,) = documents.invoke_api(HERE, "a1b2")
    assert statement["Resource"] == "arn:aws:execute-api:eu-west-1:123456789012:a1b2/*"


def test_stage_methods_and_paths_narrow_the_api() -> None:
    methods, paths = ("GET", "POST"), ("/notes", "/notes/*")
    (statement,) = documents.invoke_api(HERE, "a1b2", "v1", methods, paths, "us-east-1", "210987654321")
    assert statement["Resource"] == [
        "arn:aws:execute-api:us-east-1:210987654321:a1b2/v1/GET/notes",
        "arn:aws:execute-api:us-east-1:210987654321:a1b2/v1/GET/notes/*",
        "arn:aws:execute-api:us-east-1:210987654321:a1b2/v1/POST/notes",
        "arn:aws:execute-api:us-east-1:210987654321:a1b2/v1/POST/notes/*",
    ]


def test_a_stage_alone_grants_all_of_it() -> None:
    (statement,) = documents.invoke_api(HERE, "a1b2", "v1")
    assert statement["Resource"] == "arn:aws:execute-api:eu-west-1:123456789012:a1b2/v1/*"


def test_guide_is_the_published_tutorials_three_statements() -> None:
    assert documents.guide(HERE, "notes", "a1b2", "us-east-1") == [
        {
            "Effect": "Allow",
            "Action": ["mobileanalytics:PutEvents", "cognito-sync:*", "cognito-identity:*"],
            "Resource": ["*"],
        },
        {"Effect": "Allow", "Action": ["s3:*"], "Resource": [f"arn:aws:s3:::notes/{ME}*"]},
        {"Effect": "Allow", "Action": ["execute-api:Invoke"], "Resource": ["arn:aws:execute-api:us-east-1:*:a1b2/*"]},
    ]


def _gov() -> Raw:
    pool = {"id": "us-gov-west-1_AbCdEf123", "clients": ["c1"]}
    guests = {"reason": "Visitors look around."}
    return good() | {"region": "us-gov-west-1", "userPools": [pool], "guests": guests}


def test_govcloud_has_its_own_partition_and_issuer() -> None:
    made = plan(parse(_gov()), "us-gov-west-1", "123456789012")
    assert made.env.partition == GOVCLOUD
    document = permissions(made)
    assert document["Statement"][0]["Resource"] == (
        "arn:aws-us-gov:s3:::notes-uploads/${cognito-identity-us-gov.amazonaws.com:sub}/*"
    )
    assert document["Statement"][2]["Resource"].startswith("arn:aws-us-gov:execute-api:us-gov-west-1:")
    trust = json.loads(made.trust("us-gov-west-1:0a", made.roles[1]))["Statement"][0]
    assert trust["Principal"] == {"Federated": "cognito-identity-us-gov.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"cognito-identity-us-gov.amazonaws.com:aud": "us-gov-west-1:0a"}
    assert trust["Condition"]["ForAnyValue:StringLike"] == {
        "cognito-identity-us-gov.amazonaws.com:amr": "unauthenticated"
    }


def test_every_document_says_the_version_that_expands_variables() -> None:
    for raw in (good(), _gov(), good() | {"profile": "guide"}):
        settings = parse(raw)
        document = permissions(plan(settings, settings.region or "", "123456789012"))
        assert document["Version"] == "2012-10-17"


def _vended(raw: Raw, key: str) -> PlannedRole:
    settings = parse(raw)
    (vended,) = (each for each in plan(settings, "eu-west-1", "123456789012").roles if each.key == key)
    return vended


LONG = [f"/a-long-resource-name-{n:04}" for n in range(1000)]


def _paths(count: int) -> dict[str, Any]:
    return {"api": {"id": "a1b2c3", "paths": LONG[:count]}}


def test_a_short_document_is_one_inline_policy_and_a_long_one_is_cut_into_managed_ones() -> None:
    assert len(_vended(good(), "authenticated").policies) == 1
    policies = _vended(good() | {"authenticated": {"grants": [_paths(150)]}}, "authenticated").policies
    assert len(policies) > 1
    assert all(documents.size(policy) <= documents.MANAGED_LIMIT for policy in policies)
    resources = [r for policy in policies for s in policy for r in s["Resource"] if "a1b2c3" in r]
    assert resources == [f"arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/*/*/{path[1:]}" for path in LONG[:150]]


@pytest.mark.parametrize("spare", [0, 500])
def test_a_document_is_inline_as_long_as_it_fits(spare: int) -> None:
    """To the last character: INLINE_LIMIT less what is to be left free."""
    statement = _padded(documents.INLINE_LIMIT - spare)
    assert documents.split([statement], spare) == [[statement]]
    longer = _padded(documents.INLINE_LIMIT - spare + 1)
    assert len(documents.split([longer], spare)) == 2


@pytest.mark.parametrize("spare", [0, 500])
def test_managed_policies_are_filled_to_the_last_character(spare: int) -> None:
    limit = documents.MANAGED_LIMIT - spare
    small = {"Sid": "Small", "Effect": "Allow", "Action": "a:B", "Resource": "*"}
    beside = documents.size([small, _padded(1000)]) - 1000
    assert len(documents.managed([small, _padded(limit - beside)], spare)) == 1
    assert len(documents.managed([small, _padded(limit - beside + 1)], spare)) == 2


@pytest.mark.parametrize("spare", [0, 500])
def test_a_statement_is_cut_only_where_it_must_be_and_in_halves(spare: int) -> None:
    limit = documents.MANAGED_LIMIT - spare
    whole = _padded(limit)
    assert documents.managed([whole], spare) == [[whole]]
    longer = _padded(limit + 1)
    one, other = documents.managed([longer], spare)
    assert [one[0]["Resource"], other[0]["Resource"]] == longer["Resource"]
    many = {**longer, "Resource": [f"arn:aws:x:::{n:04}" for n in range(400)]}
    parts = documents.managed([many], spare)
    assert [r for (part,) in parts for r in part["Resource"]] == many["Resource"]
    assert {len(part["Resource"]) for (part,) in parts} == {200}


def _padded(characters: int) -> dict[str, Any]:
    """A statement of two resources whose document has so many characters."""
    made = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["a", "b"]}
    made["Resource"] = ["a", "b" * (1 + characters - documents.size([made]))]
    assert documents.size([made]) == characters
    return made


def test_managed_policies_are_filled_before_another_is_begun() -> None:
    grants = [{"function": {"name": f"a-function-with-a-long-name-{n:03}"}} for n in range(80)]
    policies = _vended(good() | {"authenticated": {"grants": grants}}, "authenticated").policies
    sizes = [documents.size(policy) for policy in policies]
    assert len(sizes) > 1
    assert all(one + other > documents.MANAGED_LIMIT for one, other in pairwise(sizes)), sizes


def test_what_does_not_fit_into_iam_is_said_before_anything_is_made() -> None:
    with pytest.raises(SettingsError, match=r"authenticated: the grants need \d+ policies; IAM allows 10 for a role"):
        _vended(good() | {"authenticated": {"grants": [_paths(1000)]}}, "authenticated")
    actions = [f"translate:Action{n:05}" for n in range(500)]
    statement = {"statement": {"Sid": "Huge", "Effect": "Allow", "Action": actions, "Resource": "*"}}
    with pytest.raises(SettingsError, match="authenticated: the statement `Huge` has more than 6144 characters"):
        _vended(good() | {"authenticated": {"grants": [statement]}}, "authenticated")


def test_statements_of_one_document_have_names_of_their_own() -> None:
    folders = [{"ownFolder": {"bucket": name}} for name in ("abc", "def")]
    (policy,) = _vended(good() | {"authenticated": {"grants": folders}}, "authenticated").policies
    sids = [statement["Sid"] for statement in policy]
    assert sids[:2] == ["OwnFolder", "ListOwnFolder"]
    assert len(set(sids)) == len(sids) == 7


GROUPED = {
    "groups": [{"name": "editors", "grants": [_paths(1)]}, {"name": "robots", "inherit": False, "grants": [_paths(2)]}],
    "authenticated": {"grants": [{"ownTopics": {}}]},
}


def test_a_group_inherits_what_signed_in_users_may_unless_told_not_to() -> None:
    raw = good() | GROUPED
    base = json.dumps(_vended(raw, "authenticated").policies[0][:4])
    assert json.dumps(_vended(raw, "group:editors").policies[0][:4]) == base
    (robots,) = _vended(raw, "group:robots").policies
    assert [statement["Sid"] for statement in robots] == ["InvokeApi"]


def test_a_groups_role_is_only_for_those_who_sign_in_with_its_user_pool() -> None:
    settings = parse(good() | GROUPED)
    made = plan(settings, "eu-west-1", "123456789012")
    vended = next(each for each in made.roles if each.key == "group:editors")
    condition = json.loads(made.trust("eu-west-1:0a", vended))["Statement"][0]["Condition"]
    assert condition["ForAnyValue:StringEquals"] == {
        f"{ISSUER}:amr": "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123"
    }
    assert condition["ForAnyValue:StringLike"] == {f"{ISSUER}:amr": "authenticated"}


def test_user_pools_with_groups_are_mapped_by_token_and_ambiguous_is_denied() -> None:
    made = plan(parse(good() | GROUPED), "eu-west-1", "123456789012")
    assert made.mappings({}) == [
        {
            "identity_provider": "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123:1h57kf5cpq17m0eml12EXAMPLE",
            "type": "Token",
            "ambiguous_role_resolution": "Deny",
        }
    ]


def test_the_trust_of_signed_in_users_always_allows_tags_and_that_of_guests_never() -> None:
    """So that there is no moment without credentials when a provider's tags come or go."""
    made = plan(parse(good() | GROUPED | {"guests": {"reason": "Visitors look around."}}), "eu-west-1", "123456789012")
    assert len(made.roles) > 2
    for vended in made.roles:
        action = json.loads(made.trust("eu-west-1:0a", vended))["Statement"][0]["Action"]
        allowed = action == ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]
        assert allowed is (vended.kind is IdentityKind.AUTHENTICATED), vended.key


def test_a_pool_that_only_guests_use_has_no_role_for_others() -> None:
    raw = good() | {"userPools": [], "guests": {"reason": "Visitors look around."}}
    assert [each.key for each in plan(parse(raw), "eu-west-1", "123456789012").roles] == ["unauthenticated"]
