"""Each kind of bad input has its message, all are told at once, and good input is read as it was meant."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from components.scoped_identity.config import python_names
from components.scoped_identity.documents import READ_ONLY, READ_WRITE
from components.scoped_identity.grants import OwnFolder
from components.scoped_identity.settings import Profile, Settings, SettingsError
from components.scoped_identity.settings import parse as settings_parse

Raw = dict[str, Any]


def parse(raw: Raw, pending: Callable[[object], bool] = lambda _: False) -> Settings:
    """Settings as stack config spells them."""
    return settings_parse(python_names(raw), pending)


def good() -> Raw:
    return {
        "poolName": "notes",
        "region": "eu-west-1",
        "userPools": [{"id": "eu-west-1_AbCdEf123", "clients": ["1h57kf5cpq17m0eml12EXAMPLE"]}],
        "uploads": {"bucket": "notes-uploads"},
        "api": {"id": "a1b2c3d4e5"},
    }


def test_the_least_that_is_needed_gets_the_defaults() -> None:
    settings = parse(good())
    assert settings.uploads.access == READ_WRITE
    assert settings.uploads.prefix == ""
    assert settings.api.methods == ("*",)
    assert settings.api.paths == ("*",)
    assert settings.guests is None
    assert settings.profile is Profile.LEAST_PRIVILEGE
    assert settings.protect is True
    assert settings.roles.max_session_seconds == 3600
    assert settings.user_pools[0].server_side_token_check is True


def test_a_user_pools_provider_has_its_own_region_and_no_scheme() -> None:
    raw = good()
    raw["userPools"].append({"id": "us-east-1_Staff0001", "clients": ["c1"]})
    names = [pool.name for pool in parse(raw).user_pools]
    assert names == [
        "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
        "cognito-idp.us-east-1.amazonaws.com/us-east-1_Staff0001",
    ]


def _set(path: str, value: Any) -> Callable[[Raw], None]:
    def change(raw: Raw) -> None:
        target: Any = raw
        *parents, last = [int(p) if p.isdecimal() else p for p in path.split(".")]
        for step in parents:
            target = target[step]
        if value is ...:
            del target[last]
        else:
            target[last] = value

    return change


BAD: list[tuple[str, Any, str]] = [
    ("poolName", ..., "poolName: is required"),
    ("poolName", 7, "poolName: `7` must be a string; put it in quotes"),
    (
        "poolName",
        "notes*",
        "poolName: `notes*` is not a valid identity pool name: 1 to 128 letters, digits, spaces and `_+=,.@-`",
    ),
    ("region", "europe", "region: `europe` is not a region; a region looks like `eu-west-1`"),
    (
        "region",
        "cn-north-1",
        "region: `cn-north-1` is not supported: AWS does not document the issuer of identity pools in this",
    ),
    ("userPools", ..., "userPools: no user can get credentials"),
    ("userPools", [], "userPools: no user can get credentials"),
    ("userPools", "x", "userPools: `x` must be a list of {id: …, clients: […]}"),
    ("userPools.0", "x", "userPools[0]: `x` must be {id: …, clients: […]}"),
    ("userPools.0.id", "my users", "userPools[0].id: `my users` is not a user pool ID (is it the name?)"),
    ("userPools.0.id", "mars-1_Abc", "userPools[0].id: `mars-1_Abc` does not begin with a region"),
    (
        "userPools.0.id",
        "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEf123",
        "userPools[0].id: `arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-we…` is an ARN",
    ),
    (
        "userPools.0.id",
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
        "userPools[0].id: `https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC…` is a provider name or URL",
    ),
    ("userPools.0.clients", ..., "userPools[0].clients: is required: a list of app client IDs"),
    ("userPools.0.clients", [], "userPools[0].clients: `[]` must be a list of app client IDs"),
    ("userPools.0.clients", ["https://x"], "userPools[0].clients[0]: `https://x` is a URL"),
    ("userPools.0.clients", ["a b"], "userPools[0].clients[0]: `a b` is not an app client ID"),
    ("userPools.0.clients", ["c1", "c1"], "userPools[0].clients[1]: `c1` is listed twice"),
    ("userPools.0.serverSideTokenCheck", "yes", "userPools[0].serverSideTokenCheck: `yes` must be true or false"),
    ("userPools.0.client", "c1", "userPools[0].client: unknown setting"),
    ("uploads", ..., "uploads: is required: {bucket: NAME}"),
    ("uploads.bucket", ..., "uploads.bucket: is required"),
    ("uploads.bucket", "arn:aws:s3:::notes/x", "uploads.bucket: `arn:aws:s3:::notes/x` is an ARN"),
    (
        "uploads.bucket",
        "s3://notes/x",
        "uploads.bucket: `s3://notes/x` is a URL",
    ),
    ("uploads.bucket", "notes/users", "uploads.bucket: `notes/users` contains `/`"),
    (
        "uploads.bucket",
        "Notes",
        "uploads.bucket: `Notes` is not a bucket name: 3 to 63 lowercase letters, digits, `-` and `.`",
    ),
    ("uploads.prefix", "/users/", "uploads.prefix: `/users/` begins with `/`; S3 keys have no leading slash: `users/`"),
    ("uploads.prefix", "users", "uploads.prefix: `users` must end with `/`: `users/`"),
    ("uploads.prefix", "us*rs/", "uploads.prefix: `us*rs/` contains `*`, which is special in IAM policies"),
    ("uploads.prefix", "${x}/", "uploads.prefix: `${x}/` contains `$`, which is special in IAM policies"),
    ("uploads.access", "write", "uploads.access: `write` must be a list of any of: read, write, delete, list"),
    ("uploads.buckt", "x", "uploads.buckt: unknown setting"),
    ("api", "x", "api: `x` must be {id: API_ID}"),
    ("api.id", "Notes API", "api.id: `Notes API` is not an API ID (is it the name?)"),
    (
        "api.id",
        "https://a1b2.execute-api.eu-west-1.amazonaws.com/dev",
        "api.id: `https://a1b2.execute-api.eu-west-1.amazonaws.com/dev` is an endpoint",
    ),
    ("api.region", "moon", "api.region: `moon` is not a region"),
    ("api.region", "us-gov-west-1", "api.region: `us-gov-west-1` is not in the partition `aws` of eu-west-1"),
    ("api.account", "12", "api.account: `12` is not an account ID: 12 digits"),
    ("api.stage", "a/b", "api.stage: `a/b` is not a valid stage name"),
    ("api.methods", ["get"], "api.methods[0]: `get` must be uppercase: `GET`"),
    ("api.methods", ["FETCH"], "api.methods[0]: `FETCH` is not an HTTP method"),
    (
        "api.paths",
        ["notes"],
        "api.paths[0]: `notes` must begin with `/`: `/notes`",
    ),
    ("api.paths", ["/a/${x}"], "api.paths[0]: `/a/${x}` contains characters that are special in IAM policies"),
    ("guests", True, "guests: `true` must be an object"),
    ("guests", {"reason": "x"}, "guests.reason: `x` must be a sentence of 10 characters or more"),
    (
        "guests",
        {"reason": "Visitors read notes.", "enabled": True},
        "guests.enabled: unknown setting",
    ),
    ("tags", ["a"], 'tags: `["a"]` must be a map of tags: {KEY: VALUE}'),
    ("tags", {"n": 1}, "tags.n: `1` must be a string; put it in quotes"),
    ("tags", {"aws:x": "y"}, "tags.aws:x: the prefix `aws:` is reserved by AWS"),
    ("roles", {"path": "app"}, "roles.path: `app` is not a role path"),
    (
        "roles",
        {"permissionsBoundary": "boundary"},
        "roles.permissionsBoundary: `boundary` is not the ARN of a managed policy, such as",
    ),
    ("roles", {"maxSessionSeconds": 60}, "roles.maxSessionSeconds: `60` must be an integer from 3600 to 43200"),
    ("roles", {"maxSessionSeconds": True}, "roles.maxSessionSeconds: `true` must be an integer from 3600 to 43200"),
    ("profile", "unsafe", "profile: `unsafe` must be `least-privilege` or `guide`"),
    ("protect", "yes", "protect: `yes` must be true or false"),
    ("poolname", "x", "poolname: unknown setting"),
    ("existingPool", {"id": "notes"}, "existingPool.id: `notes` is not an identity pool ID (is it the name?)"),
    ("providers", "google", "providers: `google` must be {google: {clientId: …}"),
    ("providers", {"github": {}}, "providers.github: unknown setting"),
    ("providers", {"google": {"clientId": "notes"}}, "providers.google.clientId: `notes` is not a Google client ID"),
    (
        "providers",
        {"facebook": {"appId": "notes"}},
        "providers.facebook.appId: `notes` is not a Facebook app ID, which is a number",
    ),
    ("providers", {"apple": {"servicesId": "notes"}}, "providers.apple.servicesId: `notes` is not a Services ID"),
    ("providers", {"amazon": {"appId": "notes"}}, "providers.amazon.appId: `notes` is not a Login with Amazon app ID"),
    (
        "providers",
        {"twitter": {"consumerKey": "abcdefghijkl", "consumerSecret": "s!"}},
        "providers.twitter.consumerSecret: is not a consumer key or secret",
    ),
    (
        "providers",
        {"oidc": [{"arn": "https://login.example.com"}]},
        "providers.oidc[0].arn: `https://login.example.com` is the issuer URL",
    ),
    (
        "providers",
        {"oidc": [{"arn": "arn:aws:iam::1:x"}]},
        "providers.oidc[0].arn: `arn:aws:iam::1:x` is not the ARN of an IAM OIDC provider, such as",
    ),
    (
        "providers",
        {"saml": [{"arn": "staff"}]},
        "providers.saml[0].arn: `staff` is not the ARN of an IAM SAML provider, such as",
    ),
    (
        "providers",
        {"developer": {"name": "a b"}},
        "providers.developer.name: `a b` is not a developer provider name: 1 to 100 letters, digits and",
    ),
    (
        "userPools.0.principalTags",
        {"claims": {"dept": "custom:dept"}, "defaults": True},
        "userPools[0].principalTags: must be either {claims: {TAG: CLAIM}} or {defaults: true}",
    ),
    (
        "userPools.0.principalTags",
        {"claims": []},
        "userPools[0].principalTags.claims: `[]` must be a map from tag to claim",
    ),
    ("authenticated", {"grants": {"api": {}}}, 'authenticated.grants: `{"api": {}}` must be a list of {GRANT: {…}}'),
    ("authenticated", {"grants": [{"sqs": {}}]}, "authenticated.grants[0]: is not a grant"),
    (
        "authenticated",
        {"grants": [{"levels": {"bucket": "abc"}, "api": {"id": "a"}}]},
        "authenticated.grants[0]: has levels, api",
    ),
    (
        "authenticated",
        {"grants": [{"ownFolder": {"bucket": "abc", "access": ["red"]}}]},
        "authenticated.grants[0].ownFolder.access[0]: `red` must be one of: read, write, delete, list",
    ),
    (
        "authenticated",
        {"grants": [{"ownFolder": {"bucket": "abc", "access": "read"}}]},
        "authenticated.grants[0].ownFolder.access: `read` must be a list of any of: read, write, delete, list",
    ),
    (
        "authenticated",
        {"grants": [{"ownFolder": {"bucket": "abc", "kmsKey": "alias/x"}}]},
        "authenticated.grants[0].ownFolder.kmsKey: `alias/x` is not a KMS key ARN, such as",
    ),
    (
        "authenticated",
        {"grants": [{"shared": {"bucket": "abc", "prefix": "all/", "why": "x"}}]},
        "authenticated.grants[0].shared.why: `x` must be a sentence of 10 characters or more",
    ),
    (
        "authenticated",
        {"grants": [{"graphql": {"id": "https://x"}}]},
        "authenticated.grants[0].graphql.id: `https://x` is an endpoint",
    ),
    (
        "authenticated",
        {"grants": [{"graphql": {"id": "a" * 26, "fields": ["notes"]}}]},
        "authenticated.grants[0].graphql.fields[0]: `notes` is not a field",
    ),
    (
        "authenticated",
        {"grants": [{"ownRows": {"table": "a"}}]},
        "authenticated.grants[0].ownRows.table: `a` is not a valid table or index name: 3 to 255 letters,",
    ),
    (
        "authenticated",
        {"grants": [{"function": {"name": "arn:aws:lambda:x"}}]},
        "authenticated.grants[0].function.name: `arn:aws:lambda:x` is an ARN",
    ),
    (
        "authenticated",
        {"grants": [{"statement": {"Effect": "Maybe", "Action": "x:y", "Resource": "*"}}]},
        "authenticated.grants[0].statement.Effect: must be Allow or Deny",
    ),
    (
        "authenticated",
        {"grants": [{"statement": {"Effect": "Allow", "Action": "x:y"}}]},
        "authenticated.grants[0].statement: a statement must have either Resource or NotResource",
    ),
    (
        "authenticated",
        {"grants": [{"statement": {"Effect": "Allow", "Action": "x:y", "Resource": "*", "Principal": "*"}}]},
        "authenticated.grants[0].statement.Principal: unknown setting",
    ),
    (
        "authenticated",
        {"role": "admins"},
        "authenticated.role: `admins` is not a role ARN, such as `arn:aws:iam::123456789012:role/app-users`",
    ),
    (
        "authenticated",
        {"role": "arn:aws:iam::123456789012:role/r", "grants": [{"ownTopics": {}}]},
        "authenticated.grants: an existing role keeps its own permissions",
    ),
    ("authenticated", {"trust": {"Statement": []}}, "authenticated.trust: is only used with an existing role"),
    (
        "authenticated",
        {"role": "arn:aws:iam::123456789012:role/r", "trust": "yes"},
        "authenticated.trust: `yes` must be a trust policy in JSON, with a Statement",
    ),
    ("authenticated", {"inherit": False}, "authenticated.inherit: unknown setting"),
    ("guests", {"grants": [{"ownTopics": {}}]}, "guests.reason: is required: a sentence of 10 characters or more"),
    (
        "groups",
        [{"name": "a b"}],
        "groups[0].name: `a b` is not a valid group name: 1 to 128 characters without spaces",
    ),
    ("groups", [{"name": "a", "precedence": -1}], "groups[0].precedence: `-1` must be an integer from 0 to 2147483647"),
    ("groups", [{"name": "a", "userPool": "eu-west-1_Other"}], "groups[0].userPool: `eu-west-1_Other` is not one of"),
    ("groups", [{"name": "a"}, {"name": "a"}], "groups[1].name: `a` is listed twice"),
    (
        "mappedRoles",
        [{"name": "a/b"}],
        "mappedRoles[0].name: `a/b` is not a valid name: 1 to 32 letters, digits and `-`, such as `editors`",
    ),
    ("mappedRoles", [{"name": "vip"}], "mappedRoles[0].name: no rule uses `vip`"),
    ("mappings", [{"provider": "google", "rules": [1]}], "mappings[0].rules[0]: `1` must be {claim"),
    (
        "roles",
        {"namePrefix": "a b"},
        "roles.namePrefix: `a b` is not a valid name prefix: 1 to 20 letters, digits and `_+=,.@-`, such as",
    ),
]


@pytest.mark.parametrize(("path", "value", "message"), BAD, ids=[f"{p}={v}"[:50] for p, v, _ in BAD])
def test_bad_input_has_its_message(path: str, value: Any, message: str) -> None:
    raw = good()
    _set(path, value)(raw)
    with pytest.raises(SettingsError) as error:
        parse(raw)
    assert message in str(error.value)
    assert len(error.value.problems) == 1


def test_all_problems_are_told_at_once_and_in_order() -> None:
    raw = good()
    raw |= {"poolName": "", "uploads": {"bucket": "B"}, "api": {"id": "!"}, "colour": "red"}
    with pytest.raises(SettingsError) as error:
        parse(raw)
    assert [p.path for p in error.value.problems] == ["poolName", "uploads.bucket", "api.id", "colour"]


POOL = "eu-west-1_AbCdEf123"
RULE = {"claim": "custom:plan", "value": "pro", "role": "authenticated"}
ROLE = "arn:aws:iam::123456789012:role/r"
EXISTING = {"id": "eu-west-1:12345678-1234-1234-1234-123456789012"}
CONTRADICTIONS: list[tuple[Raw, str]] = [
    ({"mappings": [{"provider": POOL, "by": "rules", "rules": []}]}, "mappings[0].rules: has 0 rules"),
    (
        {"mappings": [{"provider": POOL, "rules": [RULE] * 26}]},
        "mappings[0].rules: has 26 rules",
    ),
    (
        {"mappings": [{"provider": POOL, "by": "token", "rules": [RULE]}]},
        "mappings[0].rules: a mapping by token has no",
    ),
    (
        {"mappings": [{"provider": POOL, "by": "token"}]},
        "mappings[0].by: a mapping by token requires `groups` of that user pool, whose roles the tokens contain",
    ),
    (
        {"mappings": [{"provider": "google", "rules": [RULE]}]},
        "mappings[0].provider: `google` is not one of the providers: eu-west-1_AbCdEf123",
    ),
    (
        {
            "providers": {"google": {"clientId": "1.apps.googleusercontent.com"}},
            "mappings": [{"provider": "google", "by": "token"}],
        },
        "mappings[0].by: only the tokens of a user pool contain roles",
    ),
    (
        {
            "providers": {"developer": {"name": "login.example.app"}},
            "mappings": [{"provider": "developer", "rules": [RULE]}],
        },
        "mappings[0].provider: AWS does not support role mappings for a developer provider",
    ),
    (
        {"mappings": [{"provider": POOL, "rules": [RULE]}, {"provider": POOL, "rules": [RULE]}]},
        "mappings[1].provider: `eu-west-1_AbCdEf123` already has a mapping",
    ),
    (
        {"mappings": [{"provider": POOL, "rules": [RULE | {"role": "vip"}]}]},
        "mappings[0].rules[0].role: `vip` is not a role",
    ),
    (
        {"mappings": [{"provider": POOL, "rules": [RULE | {"match": "Like"}]}]},
        "mappings[0].rules[0].match: `Like` must be `Equals` or `NotEqual`",
    ),
    (
        {"mappedRoles": [{"name": "guest"}], "mappings": [{"provider": POOL, "rules": [RULE | {"role": "guest"}]}]},
        "mappedRoles[0].name: `guest` is the name of another role",
    ),
    (
        {
            "userPools": [{"id": POOL, "clients": ["a"]}, {"id": "us-east-1_B", "clients": ["b"]}],
            "groups": [{"name": "a"}],
        },
        "groups[0].userPool: is required",
    ),
    (
        {"providers": {"saml": [{"arn": "arn:aws:iam::123456789012:saml-provider/s"}] * 2}},
        "providers.saml[1].arn: `arn:aws:iam::123456789012:saml-provider/s` is listed twice",
    ),
    (
        {
            "guests": {
                "reason": "Visitors look around.",
                "grants": [{"statement": {"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}}],
            }
        },
        "guests.grants[0]: guests cannot use `bedrock`: the session policy that AWS applies to guests excludes it",
    ),
    (
        {"groups": [{"name": "editors"}], "mappings": [{"provider": POOL, "rules": [RULE]}]},
        "groups[0].name: the role of `editors` is never used, because `eu-west-1_AbCdEf123` is mapped by rules",
    ),
    ({"existingPool": EXISTING}, "poolName: is not supported with an existing pool, which keeps its name"),
    (
        {"poolName": None, "existingPool": EXISTING, "region": "us-east-1"},
        "existingPool.id: `eu-west-1:12345678-1234-1234-1234-123456789012` is not in the region us-east-1",
    ),
    (
        {"poolName": None, "existingPool": EXISTING, "providers": {"developer": {"name": "d"}}},
        "providers: is not supported with an existing pool, which keeps its providers",
    ),
    (
        {"poolName": None, "existingPool": EXISTING | {"roles": "keep"}, "groups": [{"name": "a"}]},
        "existingPool.roles: `keep` does not change the roles of the pool",
    ),
    (
        {"guests": {"reason": "Visitors look around.", "role": "arn:aws-us-gov:iam::123456789012:role/r"}},
        "guests.role: `arn:aws-us-gov:iam::123456789012:role/r` is not in the partition `aws`",
    ),
    (
        {"profile": "guide", "uploads": {"bucket": "notes", "prefix": "users/"}},
        "uploads.prefix: is not supported by the profile `guide`",
    ),
    (
        {"profile": "guide", "uploads": {"bucket": "notes", "access": "read-only"}},
        "uploads.access: is not supported by the profile `guide`, which grants all of S3",
    ),
    (
        {"region": "us-gov-west-1"},
        "userPools[0].id: `eu-west-1_AbCdEf123` is not in the partition `aws-us-gov` of us-gov-west-1",
    ),
    (
        {"roles": {"permissionsBoundary": "arn:aws-us-gov:iam::123456789012:policy/b"}},
        "roles.permissionsBoundary: `arn:aws-us-gov:iam::123456789012:policy/b` is not in the partition `aws`",
    ),
    (
        {"userPools": [{"id": "eu-west-1_A", "clients": ["a"]}, {"id": "eu-west-1_A", "clients": ["b"]}]},
        "userPools[1].id: `eu-west-1_A` is a duplicate of userPools[0]",
    ),
]


@pytest.mark.parametrize(("change", "message"), CONTRADICTIONS, ids=[m[:40] for _, m in CONTRADICTIONS])
def test_settings_that_contradict_each_other_are_refused(change: Raw, message: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse(copy.deepcopy(good()) | change)
    assert message in str(error.value)


def test_a_pending_value_is_left_for_later() -> None:
    pending = object()
    raw = good()
    raw["uploads"]["bucket"] = pending
    raw["userPools"][0]["id"] = pending
    settings = parse(raw, lambda value: value is pending)
    assert isinstance(settings, Settings)
    assert settings.user_pools[0].clients == ("1h57kf5cpq17m0eml12EXAMPLE",)


def test_access_is_a_list_or_the_name_of_a_usual_set() -> None:
    for value, access in (("read-only", READ_ONLY), (["list", "read"], READ_ONLY), ("read-write", READ_WRITE)):
        raw = good() | {"authenticated": {"grants": [{"ownFolder": {"bucket": "notes", "access": value}}]}}
        raw["uploads"]["access"] = value
        folder = parse(raw).authenticated.grants[0]
        assert isinstance(folder, OwnFolder)
        assert parse(raw).uploads.access == folder.access == access


def test_a_setting_is_spelled_as_its_language_spells_it() -> None:
    with pytest.raises(SettingsError, match=r"^uploads\.kmsKey: in Python this setting is `kms_key`$"):
        settings_parse(python_names(good()) | {"uploads": {"bucket": "notes", "kmsKey": "k"}})


def test_what_a_user_wrote_is_shown_without_control_characters_and_cut_short() -> None:
    raw = good() | {"poolName": "a\x1b[31m*", "tags": {"k\n": 7}}
    raw["uploads"]["bucket"] = "B" * 5000
    with pytest.raises(SettingsError) as error:
        parse(raw)
    assert str(error.value).isprintable() is False  # three lines
    assert [line.isprintable() and len(line) < 200 for line in str(error.value).split("\n")] == [True] * 3


def test_guests_are_let_in_by_a_reason() -> None:
    assert parse(good() | {"guests": {"reason": "Visitors read the public notes."}}).guests is not None
    assert parse(good() | {"guests": {}}).guests is None
    assert parse(good() | {"guests": False}).guests is None
