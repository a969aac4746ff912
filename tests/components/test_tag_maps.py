"""Folders, rows and topics that are named by a claim: the tags of each provider, and settings that contradict them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.scoped_identity import outputs
from components.scoped_identity.documents import document
from components.scoped_identity.plan import Plan, plan
from components.scoped_identity.settings import SettingsError
from components.scoped_identity.tag_maps import TagMap, WriteAccess, changeable_tenants
from policies.identity_scope.iam.documents import parse as parse_document
from policies.identity_scope.iam.evaluator import Applicable, Request, decide
from tests.components.test_settings import Raw, good, parse

POOL = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123"
STAFF = {"id": "us-east-1_Staff0001", "clients": ["c1"]}
OIDC = "arn:aws:iam::123456789012:oidc-provider/login.example.com"
SAML = "arn:aws:iam::123456789012:saml-provider/staff"
TENANT = {"claim": "custom:tenant", "why": "Colleagues share their files."}
ANN, BOB = "11111111-2222-4333-8444-555555555555", "66666666-7777-4888-8999-aaaaaaaaaaaa"


def by_sub(**changes: Any) -> Raw:
    return good() | {"uploads": {"bucket": "notes", "prefix": "users/", "by": "sub"}} | changes


def by_tenant(**changes: Any) -> Raw:
    return good() | {"uploads": {"bucket": "notes", "prefix": "tenants/", "by": "tenant"}, "tenant": TENANT} | changes


def planned(raw: Raw) -> Plan:
    return plan(parse(raw), "eu-west-1", "123456789012")


def refusal(raw: Raw) -> str:
    with pytest.raises(SettingsError) as error:
        planned(raw)
    return str(error.value)


def allowed(raw: Raw, action: str, resource: str, tags: dict[str, str], **context: str) -> bool:
    """Whether a signed-in user with these session tags may do something."""
    policies = next(role.policies for role in planned(raw).roles if role.key == "authenticated")
    documents = tuple((str(i), parse_document(json.dumps(document(policy)))) for i, policy in enumerate(policies))
    keys = {f"aws:principaltag/{key.lower()}": (value,) for key, value in tags.items()}
    keys |= {"cognito-identity.amazonaws.com:sub": ("eu-west-1:0a",)}
    keys |= {name.replace("_", ":"): (value,) for name, value in context.items()}
    return decide(Request(action, resource, keys), Applicable(documents)).allowed


def test_every_provider_has_a_map_and_it_is_empty_where_nothing_is_named_by_a_claim() -> None:
    raw = good() | {"providers": {"google": {"clientId": "x.apps.googleusercontent.com"}, "developer": {"name": "d"}}}
    assert planned(raw).tag_maps == (TagMap(POOL, {}, False), TagMap("accounts.google.com", {}, False))
    assert not planned(raw).uses_tags


def test_by_sub_every_user_pool_sends_the_users_sub() -> None:
    made = planned(by_sub(userPools=[*good()["userPools"], STAFF]))
    assert [dict(each.claims) for each in made.tag_maps] == [{"userSub": "sub"}] * 2
    assert made.uses_tags
    assert outputs.folder(made) == "notes/users/${aws:PrincipalTag/userSub}/"
    assert outputs.claimed_folder(made) == {"bucket": "notes", "prefix": "users/", "by": "sub", "claim": "sub"}


def test_the_users_own_tags_stay_and_one_that_is_the_same_is_kept_as_it_is_written() -> None:
    raw = by_sub()
    raw["userPools"][0]["principalTags"] = {"claims": {"team": "custom:team", "USERSUB": "sub"}}
    assert dict(planned(raw).tag_maps[0].claims) == {"team": "custom:team", "USERSUB": "sub"}


def test_by_sub_a_user_reaches_the_folder_of_the_tag_and_no_other() -> None:
    raw = by_sub()
    tags = {"userSub": ANN}
    assert allowed(raw, "s3:GetObject", f"arn:aws:s3:::notes/users/{ANN}/a", tags)
    assert not allowed(raw, "s3:GetObject", f"arn:aws:s3:::notes/users/{BOB}/a", tags)
    assert not allowed(raw, "s3:GetObject", "arn:aws:s3:::notes/users/eu-west-1:0a/a", tags)
    assert not allowed(raw, "s3:GetObject", f"arn:aws:s3:::notes/users/{ANN}/a", {}), "a session without the tag"
    assert allowed(raw, "s3:ListBucket", "arn:aws:s3:::notes", tags, s3_prefix=f"users/{ANN}/")
    assert not allowed(raw, "s3:ListBucket", "arn:aws:s3:::notes", tags, s3_prefix="users/")


@pytest.mark.parametrize("raw", [by_tenant(), by_sub(userPools=[], providers={"oidc": [{"arn": OIDC}]})])
def test_a_value_with_a_slash_reaches_nothing_because_it_would_lie_in_anothers_folder(raw: Raw) -> None:
    (key,) = planned(raw).tag_maps[0].claims
    prefix = raw["uploads"]["prefix"]
    for name, is_one_segment in (("ann", True), ("ann/x", False), ("/", False)):
        tags = {key: name}
        key_arn = f"arn:aws:s3:::notes/{prefix}{name}/a"
        assert allowed(raw, "s3:GetObject", key_arn, tags) is is_one_segment, name
        listed = {"s3_prefix": f"{prefix}{name}/"}
        assert allowed(raw, "s3:ListBucket", "arn:aws:s3:::notes", tags, **listed) is is_one_segment, name
    assert not allowed(raw, "s3:GetObject", f"arn:aws:s3:::notes/{prefix}ann/x/a", {key: "ann/x"})


GRANTS: dict[str, tuple[dict[str, Any], str, str, dict[str, str]]] = {
    "ownFolder": ({"bucket": "albums"}, "s3:PutObject", "arn:aws:s3:::albums/{}/a", {}),
    "levels": ({"bucket": "media"}, "s3:PutObject", "arn:aws:s3:::media/private/{}/a", {}),
    "ownRows": (
        {"table": "notes"},
        "dynamodb:PutItem",
        "arn:aws:dynamodb:eu-west-1:123456789012:table/notes",
        {"dynamodb_leadingkeys": "{}"},
    ),
    "ownTopics": ({}, "iot:Publish", "arn:aws:iot:eu-west-1:123456789012:topic/{}/new", {}),
}


@pytest.mark.parametrize("kind", list(GRANTS))
@pytest.mark.parametrize("owner", ["identity", "sub", "tenant"])
def test_each_grant_is_its_owners(kind: str, owner: str) -> None:
    settings, action, resource, context = GRANTS[kind]
    raw = good() | {"authenticated": {"grants": [{kind: {**settings, "by": owner}}]}}
    raw |= {"tenant": TENANT} if owner == "tenant" else {}
    tags = {"userSub": ANN, "tenant": "acme"}
    mine = {"identity": "eu-west-1:0a", "sub": ANN, "tenant": "acme"}
    for name, value in {**mine, "another": BOB}.items():
        asked = {key: text.format(value) for key, text in context.items()}
        assert allowed(raw, action, resource.format(value), tags, **asked) is (name == owner), name
    assert planned(raw).uses_tags is (owner != "identity")


def test_a_tenants_folder_is_declared_to_the_pack_and_computed_from_its_claim() -> None:
    made = planned(by_tenant())
    assert [dict(each.claims) for each in made.tag_maps] == [{"tenant": "custom:tenant"}]
    config = outputs.pack_config(made)
    for rule in ("s3-isolated-by-identity", "s3-own-folder"):
        assert config[rule]["tenants"] == [{"tag": "tenant", "why": TENANT["why"]}]
        assert [fixed["claim"] for fixed in config[rule]["fixedClaims"]] == ["custom:tenant"]
    assert outputs.claimed_folder(made)["claim"] == "custom:tenant"


@pytest.mark.parametrize(("owner", "declared"), [("identity", False), ("sub", False), ("tenant", True)])
def test_items_that_a_tenant_shares_are_declared_to_the_pack(owner: str, declared: bool) -> None:
    config = outputs.pack_config(
        planned(by_tenant(authenticated={"grants": [{"ownRows": {"table": "t1t", "by": owner}}]}))
    )
    assert ("other-access-is-declared" in config) is declared


GOOGLE = {"google": {"clientId": "x.apps.googleusercontent.com"}}
GUESTS = {"reason": "Visitors look around.", "grants": [{"ownFolder": {"bucket": "albums", "by": "sub"}}]}
BAD: list[tuple[str, Raw, str]] = [
    (
        "an unknown owner",
        by_sub(uploads={"bucket": "notes", "by": "email"}),
        "uploads.by: `email` must be `identity` or",
    ),
    ("a social provider", by_sub(providers=GOOGLE), "uploads.by: `sub` requires that every provider is a user pool"),
    ("a SAML provider", by_sub(providers={"saml": [{"arn": SAML}]}), f"`{SAML}` is neither"),
    ("a developer provider", by_sub(providers={"developer": {"name": "d"}}), "`developer` is neither"),
    ("two kinds of sub", by_sub(providers={"oidc": [{"arn": OIDC}]}), "give the same `sub` to different users"),
    (
        "two issuers",
        by_sub(userPools=[], providers={"oidc": [{"arn": OIDC}, {"arn": f"{OIDC}2"}]}),
        "give the same `sub` to different users",
    ),
    (
        "an existing pool",
        by_sub(poolName="", existingPool={"id": "eu-west-1:0a1b2c3d-1111-4222-8333-444455556666"}),
        "uploads.by: `sub` is not supported with an existing pool",
    ),
    ("no provider", by_sub(userPools=[], guests={"reason": "Visitors look around."}), "`sub` requires a user pool or"),
    ("guests", by_sub(guests=GUESTS), "guests.grants[0].ownFolder.by: guests have no token with a claim"),
    (
        "the guide",
        good() | {"profile": "guide", "uploads": {"bucket": "notes", "by": "sub"}},
        "uploads.by: is not supported",
    ),
    ("a tag of the roles", by_sub(tags={"usersub": "x"}), "tags.usersub: is reserved by `by`"),
    (
        "no tenant",
        good() | {"uploads": {"bucket": "notes", "by": "tenant"}},
        "uploads.by: requires the setting `tenant`",
    ),
    ("a tenant of nothing", good() | {"tenant": TENANT}, "tenant: nothing is the tenant's; set `by: tenant`"),
    ("no reason", by_tenant(tenant={"claim": "custom:tenant"}), "tenant.why: is required"),
    ("no claim", by_tenant(tenant={"why": TENANT["why"]}), "tenant.claim: is required"),
    ("a tenant of one", by_tenant(tenant=TENANT | {"claim": "sub"}), "tenant.claim: `sub` is different for each user"),
    ("a list", by_tenant(tenant=TENANT | {"claim": "cognito:groups"}), "tenant.claim: `cognito:groups` is a list"),
    ("no claim of a tenant", by_tenant(providers=GOOGLE), "the tokens of `google` have no claim for a tenant"),
]
TAGS: list[tuple[dict[str, Any], str]] = [
    ({"defaults": True}, "userPools[0].principalTags.defaults: the default mappings allow no other tag"),
    ({"defaults": False}, "userPools[0].principalTags.defaults: `false` sends no tags, but `by` requires `userSub`"),
    ({"claims": {"UserSub": "email"}}, "userPools[0].principalTags.claims.UserSub: `email` must be `sub`"),
    ({"claims": {"a": "b", "A": "c"}}, "userPools[0].principalTags.claims.A: is listed twice"),
    ({"claims": {f"t{i}": "c" for i in range(50)}}, "userPools[0].principalTags.claims: has 51 entries with those of"),
]


@pytest.mark.parametrize(("raw", "message"), [each[1:] for each in BAD], ids=[each[0] for each in BAD])
def test_what_contradicts_the_owner_is_an_error(raw: Raw, message: str) -> None:
    assert message in refusal(raw)


@pytest.mark.parametrize(("tags", "message"), TAGS, ids=[message for _, message in TAGS])
def test_tags_that_contradict_those_of_the_owner_are_an_error(tags: dict[str, Any], message: str) -> None:
    raw = by_sub()
    raw["userPools"][0]["principalTags"] = tags
    assert message in refusal(raw)


def test_the_owner_of_each_grant_of_each_role_counts() -> None:
    grant = [{"ownRows": {"table": "notes", "by": "sub"}}]
    for extra, path in (
        ({"authenticated": {"grants": grant}}, "authenticated"),
        ({"groups": [{"name": "editors", "grants": grant}]}, "groups[0]"),
        (
            {
                "mappedRoles": [{"name": "m", "grants": grant}],
                "mappings": [{"provider": "google", "rules": [{"claim": "c", "value": "v", "role": "m"}]}],
            },
            "mappedRoles[0]",
        ),
    ):
        assert f"{path}.grants[0].ownRows.by: `sub` requires" in refusal(good() | {"providers": GOOGLE} | extra)


def test_a_tenant_that_its_users_can_change_is_an_error() -> None:
    settings = parse(by_tenant())

    def problems(*attributes: str) -> list[str]:
        return [
            str(each)
            for each in changeable_tenants(settings, [WriteAccess("userPools[0].clients[0]", "c1", attributes)])
        ]

    assert problems("email", "name") == []
    assert "users can change `custom:tenant`" in problems("email", "custom:tenant")[0]
    assert "has no list of write attributes" in problems()[0]
    assert problems()[0].startswith("userPools[0].clients[0]: ")
