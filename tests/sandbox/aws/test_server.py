"""The sandbox end to end, with real clients: what is allowed, and every way of being refused."""

from __future__ import annotations

import http.client
import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from joserfc import jwk, jwt

from sandbox.aws import tokens
from sandbox.aws.clients import ACCOUNT
from sandbox.scenario import account
from sandbox.scenario.access_checks import call_api
from sandbox.scenario.attempts import Person
from tests.conftest import Deployed, identity_client, refusal, s3_of, tried


@pytest.fixture(scope="module")
def alice(dev: Deployed) -> Person:
    return dev.access_checks().sign_in("alice-of-the-tests")


def test_every_row_of_the_table_is_as_it_should_be(dev: Deployed) -> None:
    assert len(tried(dev)) == 19


def test_a_denial_has_awss_own_words(dev: Deployed, alice: Person) -> None:
    with pytest.raises(ClientError) as error:
        s3_of(dev, alice).get_object(Bucket=dev.app.bucket, Key="us-east-1:someone/x")
    assert refusal(error.value) == "AccessDenied"
    message = error.value.response["Error"]["Message"]
    assert ":assumed-role/users-authenticated-" in message
    assert "is not authorized to perform: s3:GetObject on resource: " in message
    assert "because no identity-based policy allows the s3:GetObject action" in message


def test_deleting_many_asks_for_every_key(dev: Deployed, alice: Person) -> None:
    mine = f"{alice.identity}/x"
    s3_of(dev, alice).put_object(Bucket=dev.app.bucket, Key=mine, Body=b"x")
    with pytest.raises(ClientError) as error:
        s3_of(dev, alice).delete_objects(
            Bucket=dev.app.bucket, Delete={"Objects": [{"Key": mine}, {"Key": "us-east-1:someone/x"}]}
        )
    assert refusal(error.value) == "AccessDenied"
    assert s3_of(dev, alice).head_object(Bucket=dev.app.bucket, Key=mine)["ContentLength"] == 1


def test_keys_with_odd_characters_are_signed_and_scoped_alike(dev: Deployed, alice: Person) -> None:
    key = f"{alice.identity}/a b/ü+%2F&=?.txt"
    s3_of(dev, alice).put_object(Bucket=dev.app.bucket, Key=key, Body=b"x")
    assert s3_of(dev, alice).get_object(Bucket=dev.app.bucket, Key=key)["Body"].read() == b"x"


def test_the_same_login_keeps_its_identity(dev: Deployed) -> None:
    account.sign_up(dev.sandbox, *_first(dev), "carol")
    assert _sign_in_again(dev, "carol") == _sign_in_again(dev, "carol")


def _first(found: Deployed) -> tuple[str, str]:
    pool, clients = found.app.user_pools[0]
    return pool, clients[0]


def _sign_in_again(found: Deployed, name: str) -> str:
    token = account.id_token(found.sandbox, *_first(found), name)
    logins = {found.run.outputs["logins"][0]: token}
    client = identity_client(found)
    return str(client.get_id(IdentityPoolId=found.run.outputs["identityPoolId"], Logins=logins)["IdentityId"])


def test_an_identity_is_not_given_to_another_login(dev: Deployed, alice: Person) -> None:
    account.sign_up(dev.sandbox, *_first(dev), "dave")
    logins = {dev.run.outputs["logins"][0]: account.id_token(dev.sandbox, *_first(dev), "dave")}
    with pytest.raises(ClientError) as error:
        identity_client(dev).get_credentials_for_identity(IdentityId=alice.identity, Logins=logins)
    assert refusal(error.value) == "NotAuthorizedException"


def _claims(found: Deployed, **changes: Any) -> dict[str, Any]:
    pool_id, client = _first(found)
    now = int(found.sandbox.now())
    return {
        "iss": f"https://cognito-idp.{found.app.region}.amazonaws.com/{pool_id}",
        "sub": "9d4e3a1c-0000-4000-8000-000000000000",
        "aud": client,
        "token_use": "id",
        "exp": now + 600,
        "iat": now,
        **changes,
    }


@pytest.fixture(scope="module")
def strangers_key() -> jwk.RSAKey:
    key: jwk.RSAKey = jwk.RSAKey.generate_key(2048)
    return key


BAD_TOKENS = [
    ("another key", {}, "verify signed token"),
    ("wrong issuer", {"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other0001"}, "Issuer"),
    ("wrong audience", {"aud": "someone-elses-client"}, "audience"),
    ("access token", {"token_use": "access"}, "Not an ID token"),
    ("expired", {"exp": 1}, "Token expired"),
    ("no expiry", {"exp": None}, "Token expired"),
    ("unknown user", {}, "disabled or does not exist"),
]


@pytest.mark.parametrize(("what", "changes", "message"), BAD_TOKENS, ids=[b[0] for b in BAD_TOKENS])
def test_each_kind_of_bad_token_is_refused(
    dev: Deployed, strangers_key: jwk.RSAKey, what: str, changes: dict[str, Any], message: str
) -> None:
    pool = tokens.user_pool(ACCOUNT, _first(dev)[0])
    assert pool is not None
    own_key = tokens.signing_key(pool)
    key = strangers_key if what == "another key" else own_key
    token = jwt.encode({"alg": "RS256", "kid": str(own_key.kid)}, _claims(dev, **changes), key)
    with pytest.raises(ClientError) as error:
        identity_client(dev).get_id(
            IdentityPoolId=dev.run.outputs["identityPoolId"], Logins={dev.run.outputs["logins"][0]: token}
        )
    assert refusal(error.value) == "NotAuthorizedException"
    assert message in error.value.response["Error"]["Message"]


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."], ids=["empty", "x", "abc", "alg none"])
def test_what_is_no_token_is_refused(dev: Deployed, token: str) -> None:
    with pytest.raises(ClientError) as error:
        identity_client(dev).get_id(
            IdentityPoolId=dev.run.outputs["identityPoolId"], Logins={dev.run.outputs["logins"][0]: token or " "}
        )
    assert refusal(error.value) == "NotAuthorizedException"


def test_a_disabled_user_gets_no_credentials(dev: Deployed) -> None:
    pool, _ = _first(dev)
    account.sign_up(dev.sandbox, *_first(dev), "erin")
    token = account.id_token(dev.sandbox, *_first(dev), "erin")
    dev.sandbox.client("cognito-idp", dev.app.region).admin_disable_user(UserPoolId=pool, Username="erin")
    with pytest.raises(ClientError) as error:
        identity_client(dev).get_id(
            IdentityPoolId=dev.run.outputs["identityPoolId"], Logins={dev.run.outputs["logins"][0]: token}
        )
    assert refusal(error.value) == "NotAuthorizedException"


def test_an_expired_session_is_refused(dev: Deployed) -> None:
    person = dev.access_checks().sign_in("frank")
    session = dev.sandbox.identity.session(person.credentials[0])
    assert session is not None
    expired = session.__class__(**{**session.__dict__, "expires": dev.sandbox.now() - 1})
    dev.sandbox.identity.sessions[session.access_key] = expired
    with pytest.raises(ClientError) as error:
        s3_of(dev, person).list_objects_v2(Bucket=dev.app.bucket, Prefix=f"{person.identity}/")
    assert refusal(error.value) == "ExpiredToken"


BAD_SIGNATURES = [
    ("unknown key", ("ASIAUNKNOWN000000000", "secret", "token"), "InvalidAccessKeyId"),
    ("wrong secret", (0, "secret", 2), "SignatureDoesNotMatch"),
    ("wrong token", (0, 1, "token"), "InvalidToken"),
    ("no token", (0, 1, None), "InvalidToken"),
]


@pytest.mark.parametrize(("what", "parts", "code"), BAD_SIGNATURES, ids=[b[0] for b in BAD_SIGNATURES])
def test_who_cannot_sign_is_refused(dev: Deployed, alice: Person, what: str, parts: Any, code: str) -> None:
    key, secret, token = (alice.credentials[p] if isinstance(p, int) else p for p in parts)
    client = boto3.Session().client(
        "s3",
        region_name=dev.app.region,
        endpoint_url=dev.sandbox.endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError) as error:
        client.list_objects_v2(Bucket=dev.app.bucket, Prefix=f"{alice.identity}/")
    assert refusal(error.value) == code


def _raw(found: Deployed, method: str, path: str, headers: dict[str, str], body: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", found.sandbox.port, timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


@pytest.fixture(scope="module")
def presigned(dev: Deployed, alice: Person) -> str:
    s3 = boto3.Session().client(
        "s3",
        region_name=dev.app.region,
        endpoint_url=dev.sandbox.endpoint,
        aws_access_key_id=alice.credentials[0],
        aws_secret_access_key=alice.credentials[1],
        aws_session_token=alice.credentials[2],
        config=Config(signature_version="s3v4"),
    )
    s3.put_object(Bucket=dev.app.bucket, Key=f"{alice.identity}/p", Body=b"presigned")
    url = s3.generate_presigned_url(
        "get_object", Params={"Bucket": dev.app.bucket, "Key": f"{alice.identity}/p"}, ExpiresIn=60
    )
    return str(url.removeprefix(dev.sandbox.endpoint))


def test_a_presigned_url_works_until_it_expires(dev: Deployed, presigned: str) -> None:
    assert _raw(dev, "GET", presigned, {}) == (200, "presigned")
    dev.clock.ahead = 61
    try:
        status, body = _raw(dev, "GET", presigned, {})
    finally:
        dev.clock.ahead = 0
    assert status == 403
    assert "Request has expired" in body


def test_a_presigned_url_is_for_one_key(dev: Deployed, presigned: str) -> None:
    status, body = _raw(dev, "GET", presigned.replace("/p?", "/q?"), {})
    assert status == 403
    assert "SignatureDoesNotMatch" in body


def test_an_old_signature_is_refused(dev: Deployed, alice: Person) -> None:
    dev.clock.ahead = 16 * 60
    try:
        with pytest.raises(ClientError) as error:
            s3_of(dev, alice).list_objects_v2(Bucket=dev.app.bucket, Prefix=f"{alice.identity}/")
    finally:
        dev.clock.ahead = 0
    assert refusal(error.value) == "RequestTimeTooSkewed"


def test_unsigned_requests_are_refused_but_for_those_that_aws_takes(dev: Deployed) -> None:
    status, body = _raw(dev, "GET", f"/{dev.app.bucket}", {})
    assert (status, "AccessDenied" in body) == (403, True)
    target = {"X-Amz-Target": "AWSCognitoIdentityProviderService.ListUsers"}
    assert _raw(dev, "POST", "/", target, "{}")[0] == 403
    target = {"X-Amz-Target": "AWSCognitoIdentityService.SetIdentityPoolRoles"}
    assert _raw(dev, "POST", "/", target, "{}")[0] == 400
    assert _raw(dev, "POST", "/moto-api/reset", {})[0] == 403
    assert _raw(dev, "GET", f"/{_first(dev)[0]}/.well-known/jwks.json", {})[0] == 200


def test_other_host_names_are_refused(dev: Deployed) -> None:
    assert _raw(dev, "GET", "/", {"Host": "evil.example:80"})[0] == 403


def test_it_listens_on_loopback_only(dev: Deployed) -> None:
    assert dev.sandbox._listener.address[0] == "127.0.0.1"


def test_a_browser_may_ask_from_anywhere(dev: Deployed) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", dev.sandbox.port, timeout=10)
    connection.request("OPTIONS", "/", headers={"Origin": "http://localhost:3000"})
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_api_shows_the_caller_that_a_handler_would_see(dev: Deployed, alice: Person) -> None:
    url = f"{dev.sandbox.endpoint}/execute-api/{dev.app.api}/{dev.app.stage}/notes/1"
    seen = call_api(url, dev.app.region, alice.credentials)["requestContext"]["identity"]
    assert seen["cognitoIdentityId"] == alice.identity
    assert seen["cognitoIdentityPoolId"] == dev.run.outputs["identityPoolId"]
    assert seen["cognitoAuthenticationType"] == "authenticated"
    assert seen["cognitoAuthenticationProvider"].startswith(dev.run.outputs["logins"][0])


def test_the_api_refuses_an_unsigned_call(dev: Deployed) -> None:
    status, body = _raw(dev, "GET", f"/execute-api/{dev.app.api}/{dev.app.stage}/notes", {})
    assert (status, json.loads(body)["message"]) == (403, "Missing Authentication Token")


def test_a_vended_session_cannot_touch_the_pool(dev: Deployed, alice: Person) -> None:
    client = dev.sandbox.client("cognito-identity", dev.app.region, alice.credentials)
    with pytest.raises(ClientError) as error:
        client.set_identity_pool_roles(IdentityPoolId=dev.run.outputs["identityPoolId"], Roles={})
    assert refusal(error.value) == "AccessDenied"


def test_a_role_whose_trust_names_another_pool_is_not_vended(dev: Deployed) -> None:
    role = dev.run.outputs["roleArns"]["authenticated"].rpartition("/")[2]
    iam = dev.sandbox.client("iam", dev.app.region)
    before = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    other = json.loads(json.dumps(before).replace(dev.run.outputs["identityPoolId"], "us-east-1:another-pool"))
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(other))
    try:
        with pytest.raises(ClientError) as error:
            dev.access_checks().sign_in("grace")
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(before))
    assert refusal(error.value) == "InvalidIdentityPoolConfigurationException"


def test_a_bucket_policys_deny_wins(dev: Deployed, alice: Person) -> None:
    s3 = dev.sandbox.client("s3", dev.app.region)
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{dev.app.bucket}/*",
            }
        ],
    }
    s3.put_bucket_policy(Bucket=dev.app.bucket, Policy=json.dumps(policy))
    try:
        with pytest.raises(ClientError) as error:
            s3_of(dev, alice).put_object(Bucket=dev.app.bucket, Key=f"{alice.identity}/n", Body=b"")
    finally:
        s3.delete_bucket_policy(Bucket=dev.app.bucket)
    assert refusal(error.value) == "AccessDenied"


def test_principal_tags_come_from_the_token_and_need_tag_session(dev: Deployed) -> None:
    pool = dev.run.outputs["identityPoolId"]
    client = identity_client(dev)
    client.set_principal_tag_attribute_map(
        IdentityPoolId=pool, IdentityProviderName=dev.run.outputs["logins"][0], PrincipalTags={"who": "sub"}
    )
    role = dev.run.outputs["roleArns"]["authenticated"].rpartition("/")[2]
    iam = dev.sandbox.client("iam", dev.app.region)
    before = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    untagged = json.loads(json.dumps(before))
    untagged["Statement"][0]["Action"] = "sts:AssumeRoleWithWebIdentity"
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(untagged))
    try:
        with pytest.raises(ClientError) as error:
            dev.access_checks().sign_in("heidi")
        assert refusal(error.value) == "InvalidIdentityPoolConfigurationException"
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(before))
        person = dev.access_checks().sign_in("ivan")
        session = dev.sandbox.identity.session(person.credentials[0])
        assert session is not None
        assert [key for key, _ in session.tags] == ["who"]
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(before))
        client.set_principal_tag_attribute_map(
            IdentityPoolId=pool, IdentityProviderName=dev.run.outputs["logins"][0], PrincipalTags={}
        )


def test_a_trust_policy_is_evaluated_with_its_principal(dev: Deployed) -> None:
    """INVARIANT (bound trust): another federated principal does not open the role."""
    role = dev.run.outputs["roleArns"]["authenticated"].rpartition("/")[2]
    iam = dev.sandbox.client("iam", dev.app.region)
    before = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    other = json.loads(json.dumps(before))
    other["Statement"][0]["Principal"]["Federated"] = "accounts.google.com"
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(other))
    try:
        with pytest.raises(ClientError) as error:
            dev.access_checks().sign_in("judy")
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(before))
    assert refusal(error.value) == "InvalidIdentityPoolConfigurationException"
