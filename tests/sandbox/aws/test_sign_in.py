"""Signing in: passwords are proven, codes and tokens verified, and what a token says comes from the user pool."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from joserfc import jwk, jwt
from moto.utilities.utils import load_resource

from sandbox.aws import srp
from sandbox.aws.server import Sandbox
from sandbox.aws.sign_in import totp
from tests.conftest import Clock, refusal

REGION = "us-east-1"
PASSWORD = "Correct-horse-1"
ROLE = "arn:aws:iam::123456789012:role/{}"


class Pool:
    """A user pool with an app client, and an identity pool that accepts it."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self.sandbox, self.clock = sandbox, clock
        self.admin = sandbox.client("cognito-idp", REGION)
        self.id = self.admin.create_user_pool(PoolName="users")["UserPool"]["Id"]
        self.client = self.new_client()
        self.provider = f"cognito-idp.{REGION}.amazonaws.com/{self.id}"
        config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
        self.app, self.identity = (
            boto3.client(name, region_name=REGION, endpoint_url=sandbox.endpoint, config=config)
            for name in ("cognito-idp", "cognito-identity")
        )
        self.identity_pool = sandbox.client("cognito-identity", REGION).create_identity_pool(
            IdentityPoolName="pool",
            AllowUnauthenticatedIdentities=True,
            CognitoIdentityProviders=[
                {"ProviderName": self.provider, "ClientId": self.client, "ServerSideTokenCheck": True}
            ],
            SupportedLoginProviders={"accounts.google.com": "google-app"},
        )["IdentityPoolId"]

    def new_client(self, **settings: Any) -> str:
        flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        settings = {"ExplicitAuthFlows": flows, **settings}
        answer = self.admin.create_user_pool_client(UserPoolId=self.id, ClientName="app", **settings)
        return str(answer["UserPoolClient"]["ClientId"])

    def sign_up(self, name: str, **attributes: str) -> None:
        pairs = [{"Name": key, "Value": value} for key, value in attributes.items()]
        self.app.sign_up(ClientId=self.client, Username=name, Password=PASSWORD, UserAttributes=pairs)
        self.app.confirm_sign_up(ClientId=self.client, Username=name, ConfirmationCode=self.code())

    def code(self) -> str:
        return self.sandbox.user_pools.messages[-1][1]

    def tokens(self, name: str, password: str = PASSWORD, client: str | None = None) -> dict[str, str]:
        parameters = {"USERNAME": name, "PASSWORD": password}
        answer = self.app.initiate_auth(
            ClientId=client or self.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
        )
        tokens: dict[str, str] = answer["AuthenticationResult"]
        return tokens

    def get_id(self, token: str) -> str:
        answer = self.identity.get_id(IdentityPoolId=self.identity_pool, Logins={self.provider: token})
        return str(answer["IdentityId"])

    def google(self, subject: str) -> dict[str, str]:
        expires = self.sandbox.now() + 600
        provider = self.sandbox.identity.fake_provider
        return {
            "accounts.google.com": provider.issue("https://accounts.google.com", subject, "google-app", expires, {})
        }


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    clock = Clock()
    with Sandbox(now=clock).running() as sandbox:
        found = Pool(sandbox, clock)
        found.sign_up("ann", email="ann@example.com")
        yield found


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return found


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    return refusal(error.value)


class SrpClient:
    """The client's side of SRP, as Amplify's JavaScript computes it: with hexadecimal text."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._private = secrets.randbits(1024)
        self.public = pow(2, self._private, srp.N)

    def begin(self, name: str, public: str | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = self._pool.app.initiate_auth(
            ClientId=self._pool.client,
            AuthFlow="USER_SRP_AUTH",
            AuthParameters={"USERNAME": name, "SRP_A": f"{self.public:x}" if public is None else public},
        )
        return answer

    def answer(self, challenge: dict[str, Any], password: str, **changes: str) -> dict[str, Any]:
        shown = challenge["ChallengeParameters"]
        stamp = time.strftime("%a %b %-d %H:%M:%S UTC %Y", time.gmtime())
        user, block = shown["USER_ID_FOR_SRP"], base64.b64decode(shown["SECRET_BLOCK"])
        message = f"{self._pool.id.partition('_')[2]}{user}".encode() + block + stamp.encode()
        key = self._key(shown, user, password)
        responses = {
            "USERNAME": user,
            "TIMESTAMP": stamp,
            "PASSWORD_CLAIM_SECRET_BLOCK": shown["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(hmac.digest(key, message, "sha256")).decode(),
            **changes,
        }
        result: dict[str, Any] = self._pool.app.respond_to_auth_challenge(
            ClientId=self._pool.client,
            ChallengeName="PASSWORD_VERIFIER",
            Session=challenge["Session"],
            ChallengeResponses=responses,
        )
        return result

    def _key(self, shown: dict[str, str], user: str, password: str) -> bytes:
        theirs = int(shown["SRP_B"], 16)
        scrambler = int(_sha(_padded(self.public) + _padded(theirs)), 16)
        identity = hashlib.sha256(f"{self._pool.id.partition('_')[2]}{user}:{password}".encode()).hexdigest()
        secret = int(_sha(_padded(int(shown["SALT"], 16)) + identity), 16)
        multiplier = int(_sha("00" + f"{srp.N:x}" + "02"), 16)
        base = (theirs - multiplier * pow(2, secret, srp.N)) % srp.N
        shared = pow(base, self._private + scrambler * secret, srp.N)
        extracted = hmac.digest(bytes.fromhex(_padded(scrambler)), bytes.fromhex(_padded(shared)), "sha256")
        return hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]


def _sha(hexadecimal: str) -> str:
    return hashlib.sha256(bytes.fromhex(hexadecimal)).hexdigest()


def _padded(number: int) -> str:
    text = f"{number:x}"
    text = text if len(text) % 2 == 0 else f"0{text}"
    return f"00{text}" if text[0] in "89abcdef" else text


def test_srp_signs_in_with_the_password(pool: Pool) -> None:
    for _ in range(5):
        client = SrpClient(pool)
        result = client.answer(client.begin("ann"), PASSWORD)["AuthenticationResult"]
        assert pool.get_id(result["IdToken"]).startswith(f"{REGION}:")


def test_srp_with_another_password_is_refused(pool: Pool) -> None:
    client = SrpClient(pool)
    assert refused(client.answer, challenge=client.begin("ann"), password="Wrong-horse-1") == "NotAuthorizedException"


@pytest.mark.parametrize("public", ["0", "", f"{srp.N:x}", f"{2 * srp.N:x}", "-1", "xyz", "0x1", "1" * 2000])
def test_srp_needs_a_number_that_the_protocol_allows(pool: Pool, public: str) -> None:
    assert refused(SrpClient(pool).begin, name="ann", public=public) == "InvalidParameterException"


def test_a_challenge_is_answered_once_and_in_time(pool: Pool) -> None:
    client = SrpClient(pool)
    challenge = client.begin("ann")
    client.answer(challenge, PASSWORD)
    assert refused(client.answer, challenge=challenge, password=PASSWORD) == "NotAuthorizedException"
    challenge = client.begin("ann")
    pool.clock.ahead += 181
    assert refused(client.answer, challenge=challenge, password=PASSWORD) == "NotAuthorizedException"


def test_a_challenge_is_its_users_own(pool: Pool) -> None:
    pool.sign_up("mallory")
    client = SrpClient(pool)
    challenge = client.begin("mallory")
    code = refused(client.answer, challenge=challenge, password=PASSWORD, USERNAME="ann")
    assert code == "NotAuthorizedException"
    challenge = client.begin("ann")
    challenge["ChallengeParameters"]["SECRET_BLOCK"] = base64.b64encode(b"x" * 64).decode()
    assert refused(client.answer, challenge=challenge, password=PASSWORD) == "NotAuthorizedException"


@pytest.mark.parametrize("flow", ["CUSTOM_AUTH", "USER_AUTH", "ADMIN_USER_PASSWORD_AUTH", "x"])
def test_a_flow_that_is_not_there_is_refused_by_name(pool: Pool, flow: str) -> None:
    with pytest.raises(ClientError, match=f"does not have the flow {flow}"):
        pool.app.initiate_auth(ClientId=pool.client, AuthFlow=flow, AuthParameters={"USERNAME": "ann"})


def test_a_code_is_checked(pool: Pool) -> None:
    pool.app.sign_up(ClientId=pool.client, Username="carl", Password=PASSWORD)
    code = pool.code()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    confirm = pool.app.confirm_sign_up
    assert refused(confirm, ClientId=pool.client, Username="carl", ConfirmationCode=wrong) == "CodeMismatchException"
    assert refused(pool.tokens, name="carl") == "UserNotConfirmedException"
    confirm(ClientId=pool.client, Username="carl", ConfirmationCode=code)
    assert pool.tokens("carl")["IdToken"]


def test_a_code_cannot_be_guessed(pool: Pool) -> None:
    pool.app.forgot_password(ClientId=pool.client, Username="ann")
    code = pool.code()
    parameters = {"ClientId": pool.client, "Username": "ann", "Password": "Another-horse-1"}
    codes = [
        refused(pool.app.confirm_forgot_password, ConfirmationCode=f"{(int(code) + n) % 1_000_000:06}", **parameters)
        for n in range(1, 6)
    ]
    assert set(codes) == {"CodeMismatchException"}
    assert refused(pool.app.confirm_forgot_password, ConfirmationCode=code, **parameters) == "ExpiredCodeException"


@pytest.mark.parametrize("code", ["moto-confirmation-code:123456", "123456", ""])
def test_no_code_of_motos_own_resets_a_password(pool: Pool, code: str) -> None:
    call = pool.app.confirm_forgot_password
    parameters = {
        "ClientId": pool.client,
        "Username": "ann",
        "Password": "Another-horse-1",
        "ConfirmationCode": code or "0",
    }
    assert refused(call, **parameters) == "ExpiredCodeException"


def test_a_forgotten_password_is_reset_with_the_code(pool: Pool) -> None:
    pool.sign_up("dora")
    pool.app.forgot_password(ClientId=pool.client, Username="dora")
    pool.app.confirm_forgot_password(
        ClientId=pool.client, Username="dora", Password="Another-horse-1", ConfirmationCode=pool.code()
    )
    assert pool.tokens("dora", "Another-horse-1")["IdToken"]
    assert refused(pool.tokens, name="dora") == "NotAuthorizedException"


def test_the_key_that_moto_publishes_forges_no_token(pool: Pool) -> None:
    published: Any = jwk.RSAKey.import_key(load_resource("cognitoidp/resources/jwks-private.json"))
    honest = claims(pool.tokens("ann")["IdToken"])
    for kid in ("dummy", str(_key_id(pool))):
        token = jwt.encode({"alg": "RS256", "kid": kid}, honest, published)
        assert refused(pool.get_id, token=token) == "NotAuthorizedException"


def _key_id(pool: Pool) -> str:
    header = pool.tokens("ann")["IdToken"].split(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=="))["kid"])


def test_each_pool_has_a_key_of_its_own(pool: Pool) -> None:
    other = Pool(pool.sandbox, pool.clock)
    other.sign_up("ann")
    token = other.tokens("ann")["IdToken"]
    assert refused(pool.get_id, token=token) == "NotAuthorizedException"
    assert _key_id(other) != _key_id(pool)


def test_global_sign_out_ends_tokens_where_the_pool_is_asked(pool: Pool) -> None:
    pool.sign_up("erin")
    tokens = pool.tokens("erin")
    assert pool.app.get_user(AccessToken=tokens["AccessToken"])["Username"] == "erin"
    pool.get_id(tokens["IdToken"])
    pool.app.global_sign_out(AccessToken=tokens["AccessToken"])
    assert refused(pool.get_id, token=tokens["IdToken"]) == "NotAuthorizedException"
    assert refused(pool.app.get_user, AccessToken=tokens["AccessToken"]) == "NotAuthorizedException"
    refresh = {"REFRESH_TOKEN": tokens["RefreshToken"]}
    code = refused(pool.app.initiate_auth, ClientId=pool.client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=refresh)
    assert code == "NotAuthorizedException"
    assert pool.get_id(pool.tokens("erin")["IdToken"])


def test_an_id_token_is_no_access_token(pool: Pool) -> None:
    tokens = pool.tokens("ann")
    assert refused(pool.app.get_user, AccessToken=tokens["IdToken"]) == "NotAuthorizedException"
    assert refused(pool.get_id, token=tokens["AccessToken"]) == "NotAuthorizedException"


def test_a_refresh_token_is_its_apps_own(pool: Pool) -> None:
    refresh = {"REFRESH_TOKEN": pool.tokens("ann")["RefreshToken"]}
    call = {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": refresh}
    result = pool.app.initiate_auth(ClientId=pool.client, **call)["AuthenticationResult"]
    assert pool.get_id(result["IdToken"])
    assert refused(pool.app.initiate_auth, ClientId=pool.new_client(), **call) == "NotAuthorizedException"


def test_groups_and_their_roles_are_in_the_token(pool: Pool) -> None:
    pool.sign_up("fay")
    for name, precedence in (("editors", 2), ("admins", 1), ("owners", 1)):
        arn = ROLE.format(name)
        pool.admin.create_group(UserPoolId=pool.id, GroupName=name, Precedence=precedence, RoleArn=arn)
    for name in ("editors", "admins"):
        pool.admin.admin_add_user_to_group(UserPoolId=pool.id, GroupName=name, Username="fay")
    found = claims(pool.tokens("fay")["IdToken"])
    assert found["cognito:groups"] == ["admins", "editors"]
    assert found["cognito:roles"] == [ROLE.format("admins"), ROLE.format("editors")]
    assert found["cognito:preferred_role"] == ROLE.format("admins")
    pool.admin.admin_add_user_to_group(UserPoolId=pool.id, GroupName="owners", Username="fay")
    assert "cognito:preferred_role" not in claims(pool.tokens("fay")["IdToken"])


@pytest.mark.parametrize(
    "name", ["cognito:roles", "cognito:preferred_role", "sub", "aud", "iss", "exp", "custom:unknown", "email_verified"]
)
def test_no_attribute_passes_for_a_claim(pool: Pool, name: str) -> None:
    attributes = [{"Name": name, "Value": ROLE.format("admins")}]
    code = refused(
        pool.app.sign_up, ClientId=pool.client, Username=f"x-{name}", Password=PASSWORD, UserAttributes=attributes
    )
    assert code == "NotAuthorizedException"
    token = pool.tokens("ann")["AccessToken"]
    assert refused(pool.app.update_user_attributes, AccessToken=token, UserAttributes=attributes)


def test_an_authenticator_app_is_asked_for_its_code(pool: Pool) -> None:
    pool.sign_up("gus")
    token = pool.tokens("gus")["AccessToken"]
    secret = pool.app.associate_software_token(AccessToken=token)["SecretCode"]
    step = int(pool.sandbox.now()) // 30
    code = totp(secret, step)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    assert refused(pool.app.verify_software_token, AccessToken=token, UserCode=wrong) == "CodeMismatchException"
    pool.app.verify_software_token(AccessToken=token, UserCode=code)
    pool.app.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True})
    parameters = {"USERNAME": "gus", "PASSWORD": PASSWORD}
    asked = pool.app.initiate_auth(ClientId=pool.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    answer = {"USERNAME": "gus", "SOFTWARE_TOKEN_MFA_CODE": totp(secret, step)}
    result = pool.app.respond_to_auth_challenge(
        ClientId=pool.client, ChallengeName="SOFTWARE_TOKEN_MFA", Session=asked["Session"], ChallengeResponses=answer
    )
    assert result["AuthenticationResult"]["IdToken"]


def test_a_client_with_a_secret_proves_it(pool: Pool) -> None:
    client = pool.new_client(GenerateSecret=True)
    assert refused(pool.tokens, name="ann", client=client) == "NotAuthorizedException"


def test_the_metadata_verifies_a_token(pool: Pool) -> None:
    with urllib.request.urlopen(f"{pool.sandbox.endpoint}/{pool.id}/.well-known/jwks.json") as response:
        keys = jwk.KeySet.import_key_set(json.load(response))
    assert all("d" not in key.as_dict(private=None) for key in keys.keys)
    assert jwt.decode(pool.tokens("ann")["IdToken"], keys).claims["iss"] == f"https://{pool.provider}"


# Linked logins


def test_two_logins_can_be_one_identity(pool: Pool) -> None:
    pool.sign_up("hal")
    mine = {pool.provider: pool.tokens("hal")["IdToken"]}
    identity = pool.get_id(mine[pool.provider])
    both = {**mine, **pool.google("hal")}
    assert pool.identity.get_id(IdentityPoolId=pool.identity_pool, Logins=both)["IdentityId"] == identity
    answer = pool.identity.get_id(IdentityPoolId=pool.identity_pool, Logins=pool.google("hal"))
    assert answer["IdentityId"] == identity


def test_the_login_of_another_identity_is_not_linked(pool: Pool) -> None:
    pool.sign_up("ida")
    pool.identity.get_id(IdentityPoolId=pool.identity_pool, Logins=pool.google("jim"))
    mine = {pool.provider: pool.tokens("ida")["IdToken"]}
    identity = pool.get_id(mine[pool.provider])
    both = {**mine, **pool.google("jim")}
    call = pool.identity.get_id
    assert refused(call, IdentityPoolId=pool.identity_pool, Logins=both) == "ResourceConflictException"
    vend = pool.identity.get_credentials_for_identity
    assert refused(vend, IdentityId=identity, Logins=both) == "ResourceConflictException"
    assert refused(vend, IdentityId=identity, Logins=pool.google("jim")) == "NotAuthorizedException"
    assert refused(vend, IdentityId=identity, Logins=pool.google("nobody")) == "NotAuthorizedException"
    assert refused(vend, IdentityId=identity) == "NotAuthorizedException"


def test_an_identity_has_one_login_of_each_provider(pool: Pool) -> None:
    pool.sign_up("kim")
    identity = pool.get_id(pool.tokens("kim")["IdToken"])
    pool.sign_up("leo")
    vend = pool.identity.get_credentials_for_identity
    logins = {pool.provider: pool.tokens("leo")["IdToken"]}
    assert refused(vend, IdentityId=identity, Logins=logins) == "NotAuthorizedException"


def test_a_token_of_a_developer_names_an_identity_that_exists(pool: Pool) -> None:
    admin = pool.sandbox.client("cognito-identity", REGION)
    created = admin.create_identity_pool(
        IdentityPoolName="dev", AllowUnauthenticatedIdentities=False, DeveloperProviderName="login.app"
    )["IdentityPoolId"]
    issuer = "cognito-identity.amazonaws.com"
    forged = pool.sandbox.identity.fake_provider.issue(
        f"https://{issuer}", "us-east-1:unknown", created, pool.sandbox.now() + 60, {}
    )
    call = pool.identity.get_id
    assert refused(call, IdentityPoolId=created, Logins={issuer: forged}) == "NotAuthorizedException"
    answer = admin.get_open_id_token_for_developer_identity(IdentityPoolId=created, Logins={"login.app": "ann"})
    same = pool.identity.get_id(IdentityPoolId=created, Logins={issuer: answer["Token"]})
    assert same["IdentityId"] == answer["IdentityId"]


@pytest.mark.parametrize(
    "changes",
    [
        *(
            {"exp": "1e12"},
            {"exp": True},
            {"exp": None},
            {"nbf": 9e9},
            {"iat": 9e9},
            {"nbf": "now"},
            {"aud": ["google-app"]},
        ),
        *(
            {"aud": None},
            {"sub": None},
            {"sub": 1},
            {"sub": ""},
            {"iss": None},
            {"iss": ["https://accounts.google.com"]},
        ),
    ],
)
def test_a_claim_of_another_type_or_time_is_refused(pool: Pool, changes: dict[str, Any]) -> None:
    provider = pool.sandbox.identity.fake_provider
    token = provider.issue("https://accounts.google.com", "ann", "google-app", pool.sandbox.now() + 600, changes)
    logins = {"accounts.google.com": token}
    assert refused(pool.identity.get_id, IdentityPoolId=pool.identity_pool, Logins=logins) == "NotAuthorizedException"


def test_an_attribute_that_does_not_change_stays(pool: Pool) -> None:
    """A user who could change `custom:tenant` would choose their own tags and roles."""
    schema = [{"Name": "tenant", "AttributeDataType": "String", "Mutable": False}]
    pool.admin.add_custom_attributes(UserPoolId=pool.id, CustomAttributes=schema)
    pool.sign_up("fixed", **{"custom:tenant": "one"})
    token = pool.tokens("fixed")["AccessToken"]
    attributes = [{"Name": "custom:tenant", "Value": "two"}]
    call = pool.app.update_user_attributes
    assert refused(call, AccessToken=token, UserAttributes=attributes) == "InvalidParameterException"
    assert claims(pool.tokens("fixed")["IdToken"])["custom:tenant"] == "one"


def test_no_user_takes_the_name_of_another(pool: Pool) -> None:
    by_email = pool.admin.create_user_pool(PoolName="by-email", UsernameAttributes=["email"])["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    made = pool.admin.create_user_pool_client(UserPoolId=by_email, ClientName="app", ExplicitAuthFlows=flows)
    client = made["UserPoolClient"]["ClientId"]
    for name in ("one@example.com", "two@example.com"):
        pool.app.sign_up(ClientId=client, Username=name, Password=PASSWORD)
        pool.app.confirm_sign_up(ClientId=client, Username=name, ConfirmationCode=pool.code())
    token = pool.tokens("two@example.com", client=client)["AccessToken"]
    attributes = [{"Name": "email", "Value": "one@example.com"}]
    call = pool.app.update_user_attributes
    assert refused(call, AccessToken=token, UserAttributes=attributes) == "AliasExistsException"


def test_an_authenticator_app_is_set_up_in_the_sign_in_itself(pool: Pool) -> None:
    """A token that was verified before, and whose secret has been replaced since, signs nobody in."""
    pool.sign_up("mfa-setup")
    access = pool.tokens("mfa-setup")["AccessToken"]
    secret = pool.app.associate_software_token(AccessToken=access)["SecretCode"]
    code = totp(secret, int(pool.sandbox.now()) // 30)
    pool.app.verify_software_token(AccessToken=access, UserCode=code)
    mfa = {"UserPoolId": pool.id, "SoftwareTokenMfaConfiguration": {"Enabled": True}}
    pool.admin.set_user_pool_mfa_config(**mfa, MfaConfiguration="ON")
    try:
        parameters = {"USERNAME": "mfa-setup", "PASSWORD": PASSWORD}
        begin = {"ClientId": pool.client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}
        session = pool.app.initiate_auth(**begin)["Session"]
        answer: dict[str, Any] = {"ClientId": pool.client, "ChallengeName": "MFA_SETUP"}
        answer["ChallengeResponses"] = {"USERNAME": "mfa-setup"}
        call = pool.app.respond_to_auth_challenge
        assert refused(call, Session=session, **answer) == "InvalidParameterException"
        session = pool.app.initiate_auth(**begin)["Session"]
        begun = pool.app.associate_software_token(Session=session)
        code = totp(begun["SecretCode"], int(pool.sandbox.now()) // 30)
        session = pool.app.verify_software_token(Session=begun["Session"], UserCode=code)["Session"]
        assert "IdToken" in call(Session=session, **answer)["AuthenticationResult"]
    finally:
        pool.admin.set_user_pool_mfa_config(**mfa, MfaConfiguration="OFF")


def test_tokens_from_a_refresh_token_need_the_clients_secret(pool: Pool) -> None:
    made = pool.admin.create_user_pool_client(
        UserPoolId=pool.id, ClientName="app", GenerateSecret=True, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]
    client, secret = made["ClientId"], made["ClientSecret"]
    proof = base64.b64encode(hmac.digest(secret.encode(), f"ann{client}".encode(), "sha256")).decode()
    parameters = {"USERNAME": "ann", "PASSWORD": PASSWORD, "SECRET_HASH": proof}
    token = pool.app.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)[
        "AuthenticationResult"
    ]["RefreshToken"]
    call = pool.app.get_tokens_from_refresh_token
    assert refused(call, ClientId=client, RefreshToken=token) == "NotAuthorizedException"
    assert refused(call, ClientId=client, RefreshToken=token, ClientSecret="other" * 6) == "NotAuthorizedException"
    assert "IdToken" in call(ClientId=client, RefreshToken=token, ClientSecret=secret)["AuthenticationResult"]


def test_a_guest_chooses_no_role(pool: Pool) -> None:
    identity = pool.identity.get_id(IdentityPoolId=pool.identity_pool)["IdentityId"]
    call = pool.identity.get_credentials_for_identity
    assert refused(call, IdentityId=identity, CustomRoleArn=ROLE.format("admin")) == "NotAuthorizedException"


def test_a_role_of_no_partition_is_a_configuration_error(pool: Pool) -> None:
    admin = pool.sandbox.client("cognito-identity", REGION)
    admin.set_identity_pool_roles(
        IdentityPoolId=pool.identity_pool, Roles={"unauthenticated": "arn:nope:iam::123456789012:role/users"}
    )
    identity = pool.identity.get_id(IdentityPoolId=pool.identity_pool)["IdentityId"]
    call = pool.identity.get_credentials_for_identity
    assert refused(call, IdentityId=identity) == "InvalidIdentityPoolConfigurationException"
