"""Each kind of bad input has its message, all are told at once, and good input is read as it was meant."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from components.scoped_identity.documents import READ_WRITE
from components.scoped_identity.settings import Profile, Settings, SettingsError, parse

Raw = dict[str, Any]


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
    ("poolName", ..., "poolName: is missing"),
    ("poolName", 7, "poolName: `7` must be a string; put it in quotes"),
    ("poolName", "notes*", "poolName: `notes*` is not an identity pool's name"),
    ("region", "europe", "region: `europe` is not a region; a region looks like `eu-west-1`"),
    ("region", "cn-north-1", "region: `cn-north-1` is a region whose identity issuer is not in AWS's public material"),
    ("userPools", ..., "userPools: nobody can sign in; name a user pool"),
    ("userPools", [], "userPools: nobody can sign in; name a user pool"),
    ("userPools", "x", "userPools: `x` must be a list of {id: …, clients: […]}"),
    ("userPools.0", "x", "userPools[0]: `x` must be {id: …, clients: […]}"),
    ("userPools.0.id", "my users", "userPools[0].id: `my users` is not a user pool's id (is it the pool's name?)"),
    ("userPools.0.id", "mars-1_Abc", "userPools[0].id: `mars-1_Abc` does not begin with a region"),
    (
        "userPools.0.id",
        "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEf123",
        "is an ARN; write the pool's id alone: `eu-west-1_AbCdEf123`",
    ),
    (
        "userPools.0.id",
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
        "is a provider's name or URL; write the pool's id alone: `eu-west-1_AbCdEf123`",
    ),
    ("userPools.0.clients", ..., "userPools[0].clients: `nothing` must be a list of app client ids"),
    ("userPools.0.clients", [], "userPools[0].clients: `[]` must be a list of app client ids"),
    ("userPools.0.clients", ["https://x"], "userPools[0].clients[0]: `https://x` is a URL; write the app client's id"),
    ("userPools.0.clients", ["a b"], "userPools[0].clients[0]: `a b` is not an app client's id"),
    ("userPools.0.clients", ["c1", "c1"], "userPools[0].clients[1]: `c1` stands twice; write it once"),
    ("userPools.0.serverSideTokenCheck", "yes", "userPools[0].serverSideTokenCheck: `yes` must be true or false"),
    ("userPools.0.client", "c1", "userPools[0].client: unknown setting; known here: id, clients, serverSideTokenCheck"),
    ("uploads", ..., "uploads: is missing; write {bucket: NAME}"),
    ("uploads.bucket", ..., "uploads.bucket: is missing"),
    ("uploads.bucket", "arn:aws:s3:::notes/x", "uploads.bucket: `arn:aws:s3:::notes/x` is an ARN; write"),
    (
        "uploads.bucket",
        "s3://notes/x",
        "uploads.bucket: `s3://notes/x` is a URL; write the bucket's name alone: `notes`",
    ),
    ("uploads.bucket", "notes/users", "uploads.bucket: `notes/users` has a `/`; write the bucket's name here"),
    ("uploads.bucket", "Notes", "uploads.bucket: `Notes` is not a bucket's name: 3 to 63 lower-case letters"),
    ("uploads.prefix", "/users/", "uploads.prefix: `/users/` begins with `/`; S3 keys have no leading slash: `users/`"),
    ("uploads.prefix", "users", "uploads.prefix: `users` does not end with `/`; a folder does: `users/`"),
    ("uploads.prefix", "us*rs/", "uploads.prefix: `us*rs/` contains `*`, which IAM reads as a pattern"),
    ("uploads.prefix", "${x}/", "uploads.prefix: `${x}/` contains `$`, which IAM reads as a pattern"),
    ("uploads.access", "write", "uploads.access: `write` must be `read-only` or `read-write`"),
    ("uploads.buckt", "x", "uploads.buckt: unknown setting; known here: bucket, prefix, access"),
    ("api", "x", "api: `x` must be {id: API_ID}"),
    ("api.id", "Notes API", "api.id: `Notes API` is not an API's id (is it the API's name?)"),
    (
        "api.id",
        "https://a1b2.execute-api.eu-west-1.amazonaws.com/dev",
        "is an endpoint; write the API's id alone: `a1b2`",
    ),
    ("api.region", "moon", "api.region: `moon` is not a region"),
    ("api.region", "us-gov-west-1", "api.region: `us-gov-west-1` is not in the partition `aws` of eu-west-1"),
    ("api.account", "12", "api.account: `12` is not an account's id: twelve digits"),
    ("api.stage", "a/b", "api.stage: `a/b` is not a stage's name"),
    ("api.methods", ["get"], "api.methods[0]: `get` must be upper case: `GET`"),
    ("api.methods", ["FETCH"], "api.methods[0]: `FETCH` is not an HTTP method"),
    (
        "api.paths",
        ["notes"],
        "api.paths[0]: `notes` does not begin with `/`; write the path within the stage: `/notes`",
    ),
    ("api.paths", ["/a/${x}"], "api.paths[0]: `/a/${x}` has characters that IAM reads as a pattern"),
    ("guests", True, "guests: `true` does not turn guests on; say why guests are let in: {reason: …}"),
    ("guests", {"reason": "x"}, "guests.reason: a sentence is needed, not `x`"),
    (
        "guests",
        {"reason": "Visitors read notes.", "enabled": True},
        "guests.enabled: unknown setting; known here: reason",
    ),
    ("tags", ["a"], "tags: `['a']` is not a map of tags: {key: value}"),
    ("tags", {"n": 1}, "tags.n: `1` must be a string; put it in quotes"),
    ("tags", {"aws:x": "y"}, "tags.aws:x: `aws:` is reserved by AWS"),
    ("roles", {"path": "app"}, "roles.path: `app` is not a role's path; a path begins and ends with `/`"),
    (
        "roles",
        {"permissionsBoundary": "boundary"},
        "roles.permissionsBoundary: `boundary` is not a managed policy's ARN",
    ),
    ("roles", {"maxSessionSeconds": 60}, "roles.maxSessionSeconds: `60` must be a whole number from 3600 to 43200"),
    ("roles", {"maxSessionSeconds": True}, "roles.maxSessionSeconds: `true` must be a whole number"),
    ("profile", "unsafe", "profile: `unsafe` must be `least-privilege` or `guide`"),
    ("protect", "yes", "protect: `yes` must be true or false"),
    ("poolname", "x", "poolname: unknown setting; known here: existingPool, poolName, region, userPools"),
    ("existingPool", {"id": "notes"}, "existingPool.id: `notes` is not an identity pool's id (is it the pool's name?)"),
    ("providers", "google", "providers: `google` must be {google: {clientId: …}"),
    ("providers", {"github": {}}, "providers.github: unknown setting; known here: facebook, google, apple, amazon"),
    ("providers", {"google": {"clientId": "notes"}}, "providers.google.clientId: `notes` is not a Google client id"),
    ("providers", {"facebook": {"appId": "notes"}}, "providers.facebook.appId: `notes` is not a Facebook app's id"),
    ("providers", {"apple": {"servicesId": "notes"}}, "providers.apple.servicesId: `notes` is not a Services ID"),
    ("providers", {"amazon": {"appId": "notes"}}, "providers.amazon.appId: `notes` is not a Login with Amazon app's"),
    (
        "providers",
        {"twitter": {"consumerKey": "abcdefghijkl", "consumerSecret": "s!"}},
        "providers.twitter.consumerSecret: is not a consumer key or secret",
    ),
    (
        "providers",
        {"oidc": [{"arn": "https://login.example.com"}]},
        "providers.oidc[0].arn: `https://login.example.com` is the issuer's URL; write the ARN",
    ),
    ("providers", {"oidc": [{"arn": "arn:aws:iam::1:x"}]}, "is not an OIDC provider's ARN"),
    ("providers", {"saml": [{"arn": "staff"}]}, "providers.saml[0].arn: `staff` is not a SAML provider's ARN"),
    ("providers", {"developer": {"name": "a b"}}, "providers.developer.name: `a b` is not a developer provider's name"),
    (
        "userPools.0.principalTags",
        {"claims": {"dept": "custom:dept"}, "defaults": True},
        "userPools[0].principalTags: is either {claims: {TAG: CLAIM}} or {defaults: true}",
    ),
    ("userPools.0.principalTags", {"claims": []}, "userPools[0].principalTags.claims: `[]` must be a map of tags"),
    ("authenticated", {"grants": {"api": {}}}, "authenticated.grants: `{'api': {}}` must be a list of {KIND: {…}}"),
    ("authenticated", {"grants": [{"sqs": {}}]}, "authenticated.grants[0]: names no kind of grant; kinds: ownFolder"),
    (
        "authenticated",
        {"grants": [{"levels": {"bucket": "abc"}, "api": {"id": "a"}}]},
        "authenticated.grants[0]: has levels, api; write each as a grant of its own",
    ),
    (
        "authenticated",
        {"grants": [{"ownFolder": {"bucket": "abc", "access": ["red"]}}]},
        "authenticated.grants[0].ownFolder.access[0]: `red` must be one of: read, write, delete, list",
    ),
    (
        "authenticated",
        {"grants": [{"ownFolder": {"bucket": "abc", "access": "read"}}]},
        "authenticated.grants[0].ownFolder.access: `read` must be a list of some of: read, write, delete, list",
    ),
    (
        "authenticated",
        {"grants": [{"ownFolder": {"bucket": "abc", "kmsKey": "alias/x"}}]},
        "authenticated.grants[0].ownFolder.kmsKey: `alias/x` is not a KMS key's ARN",
    ),
    (
        "authenticated",
        {"grants": [{"shared": {"bucket": "abc", "prefix": "all/", "why": "x"}}]},
        "authenticated.grants[0].shared.why: a sentence is needed, not `x`",
    ),
    ("authenticated", {"grants": [{"graphql": {"id": "https://x"}}]}, "`https://x` is an endpoint; write the AppSync"),
    (
        "authenticated",
        {"grants": [{"graphql": {"id": "a" * 26, "fields": ["notes"]}}]},
        "authenticated.grants[0].graphql.fields[0]: `notes` is not a field; write TYPE.FIELD",
    ),
    ("authenticated", {"grants": [{"ownRows": {"table": "a"}}]}, "ownRows.table: `a` is not a table's or an index's"),
    ("authenticated", {"grants": [{"function": {"name": "arn:aws:lambda:x"}}]}, "`arn:aws:lambda:x` is an ARN; write"),
    (
        "authenticated",
        {"grants": [{"statement": {"Effect": "Maybe", "Action": "x:y", "Resource": "*"}}]},
        "authenticated.grants[0].statement.Effect: must be Allow or Deny",
    ),
    (
        "authenticated",
        {"grants": [{"statement": {"Effect": "Allow", "Action": "x:y"}}]},
        "authenticated.grants[0].statement: a statement has either Resource or NotResource",
    ),
    (
        "authenticated",
        {"grants": [{"statement": {"Effect": "Allow", "Action": "x:y", "Resource": "*", "Principal": "*"}}]},
        "authenticated.grants[0].statement.Principal: unknown setting",
    ),
    ("authenticated", {"role": "admins"}, "authenticated.role: `admins` is not a role's ARN"),
    (
        "authenticated",
        {"role": "arn:aws:iam::123456789012:role/r", "grants": [{"ownTopics": {}}]},
        "authenticated.grants: a role that was made elsewhere has its own grants",
    ),
    ("authenticated", {"trust": {"Statement": []}}, "authenticated.trust: is the trust policy of a `role` that was"),
    (
        "authenticated",
        {"role": "arn:aws:iam::123456789012:role/r", "trust": "yes"},
        "authenticated.trust: `yes` is not a trust policy",
    ),
    ("authenticated", {"inherit": False}, "authenticated.inherit: unknown setting"),
    ("guests", {"grants": [{"ownTopics": {}}]}, "guests.reason: a sentence is needed"),
    ("groups", [{"name": "a b"}], "groups[0].name: `a b` is not a group's name"),
    ("groups", [{"name": "a", "precedence": -1}], "groups[0].precedence: `-1` must be a whole number from 0"),
    ("groups", [{"name": "a", "userPool": "eu-west-1_Other"}], "groups[0].userPool: `eu-west-1_Other` is not one of"),
    ("groups", [{"name": "a"}, {"name": "a"}], "groups[1].name: `a` stands twice"),
    ("mappedRoles", [{"name": "a/b"}], "mappedRoles[0].name: `a/b` is not a name"),
    ("mappedRoles", [{"name": "vip"}], "mappedRoles[0].name: no rule gives `vip` to anybody"),
    ("mappings", [{"provider": "google", "rules": [1]}], "mappings[0].rules[0]: `1` must be {claim"),
    ("roles", {"namePrefix": "a b"}, "roles.namePrefix: `a b` is not a prefix of names"),
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
    ({"mappings": [{"provider": POOL, "by": "rules", "rules": []}]}, "mappings[0].rules: 0 rules; a mapping by rules"),
    (
        {"mappings": [{"provider": POOL, "rules": [RULE] * 26}]},
        "mappings[0].rules: 26 rules; a mapping by rules has 1 to 25",
    ),
    (
        {"mappings": [{"provider": POOL, "by": "token", "rules": [RULE]}]},
        "mappings[0].rules: a mapping by token has no",
    ),
    (
        {"mappings": [{"provider": POOL, "by": "token"}]},
        "mappings[0].by: a mapping by token needs `groups` of that user",
    ),
    (
        {"mappings": [{"provider": "google", "rules": [RULE]}]},
        "mappings[0].provider: `google` is not one of the providers; known here: eu-west-1_AbCdEf123",
    ),
    (
        {
            "providers": {"google": {"clientId": "1.apps.googleusercontent.com"}},
            "mappings": [{"provider": "google", "by": "token"}],
        },
        "mappings[0].by: only a user pool's tokens name roles; map `google` by `rules`",
    ),
    (
        {
            "providers": {"developer": {"name": "login.example.app"}},
            "mappings": [{"provider": "developer", "rules": [RULE]}],
        },
        "mappings[0].provider: AWS maps no roles for a developer provider",
    ),
    (
        {"mappings": [{"provider": POOL, "rules": [RULE]}, {"provider": POOL, "rules": [RULE]}]},
        "mappings[1].provider: `eu-west-1_AbCdEf123` has a mapping already",
    ),
    (
        {"mappings": [{"provider": POOL, "rules": [RULE | {"role": "vip"}]}]},
        "mappings[0].rules[0].role: `vip` is not a role; known here: authenticated",
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
        "groups[0].userPool: is missing; say which user pool the group is in",
    ),
    (
        {"providers": {"saml": [{"arn": "arn:aws:iam::123456789012:saml-provider/s"}] * 2}},
        "providers.saml[1].arn: `arn:aws:iam::123456789012:saml-provider/s` stands twice",
    ),
    (
        {
            "guests": {
                "reason": "Visitors look around.",
                "grants": [{"statement": {"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}}],
            }
        },
        "guests.grants[0]: guests never get to `bedrock`: the session policy that AWS puts on them leaves it out",
    ),
    (
        {"groups": [{"name": "editors"}], "mappings": [{"provider": POOL, "rules": [RULE]}]},
        "groups[0].name: `editors` gets its role from nobody: `eu-west-1_AbCdEf123` is mapped by rules",
    ),
    ({"existingPool": EXISTING}, "poolName: an existing pool has its name; leave it out"),
    (
        {"poolName": None, "existingPool": EXISTING, "region": "us-east-1"},
        "existingPool.id: `eu-west-1:12345678-1234-1234-1234-123456789012` is not in the region us-east-1",
    ),
    (
        {"poolName": None, "existingPool": EXISTING, "providers": {"developer": {"name": "d"}}},
        "providers: an existing pool has its providers",
    ),
    (
        {"poolName": None, "existingPool": EXISTING | {"roles": "keep"}, "groups": [{"name": "a"}]},
        "existingPool.roles: `keep` leaves the pool's roles alone",
    ),
    (
        {"guests": {"reason": "Visitors look around.", "role": "arn:aws-us-gov:iam::123456789012:role/r"}},
        "guests.role: `arn:aws-us-gov:iam::123456789012:role/r` is not in the partition `aws`",
    ),
    (
        {"profile": "guide", "uploads": {"bucket": "notes", "prefix": "users/"}},
        "uploads.prefix: the profile `guide` has no folder prefix",
    ),
    (
        {"profile": "guide", "uploads": {"bucket": "notes", "access": "read-only"}},
        "uploads.access: the profile `guide` grants every S3 action",
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
        "userPools[1].id: `eu-west-1_A` is userPools[0] already; put its clients together there",
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


def test_guests_are_let_in_by_a_reason() -> None:
    assert parse(good() | {"guests": {"reason": "Visitors read the public notes."}}).guests is not None
    assert parse(good() | {"guests": {}}).guests is None
    assert parse(good() | {"guests": False}).guests is None
