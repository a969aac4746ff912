"""Amazon Cognito identity pools, as far as an app and its stack use them.

moto's own has no roles, forgets the classic-flow setting, accepts any login, and vends the same constants to everyone;
so this service stands in its place. It keeps pools and their roles, gives each login a lasting identity id, and vends
credentials that are bound to that identity and to the role whose trust policy lets the pool in.

Source: https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
import re
import secrets
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.iam.models import iam_backends

from . import tokens
from .errors import AwsError
from .regions import issuer_of, partition_of
from .role_mapping import role_of
from .tokens import FakeIdentityProvider, VerifiedToken

SESSION_SECONDS = 3600
"""Credentials of the enhanced flow last an hour, whatever the role allows."""

PUBLIC_OPERATIONS = frozenset({"GetId", "GetCredentialsForIdentity", "GetOpenIdToken", "UnlinkIdentity"})
"""Operations that need no signature."""

Parameters = Mapping[str, Any]


@dataclass
class Pool:
    """An identity pool and its roles."""

    id: str
    region: str
    config: dict[str, Any]
    roles: dict[str, str] = field(default_factory=dict)
    role_mappings: dict[str, Any] = field(default_factory=dict)
    principal_tags: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By provider name: which claims become principal tags."""

    def providers(self) -> dict[str, list[dict[str, Any]]]:
        """User pool providers by name, each with its entries."""
        found: dict[str, list[dict[str, Any]]] = {}
        for entry in self.config.get("CognitoIdentityProviders") or []:
            found.setdefault(entry["ProviderName"], []).append(entry)
        return found


@dataclass(frozen=True)
class Identity:
    """One identity of a pool; a guest's has no logins."""

    id: str
    pool: str
    logins: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Session:
    """Vended credentials and whom they stand for."""

    access_key: str
    secret: str
    token: str
    expires: float
    identity: str
    pool: str
    issuer: str
    amr: tuple[str, ...]
    role_arn: str
    role_id: str
    provider: str
    tags: tuple[tuple[str, str], ...] = ()
    """Principal tags, from the token's claims."""

    @property
    def user_arn(self) -> str:
        """The session's ARN, as AWS names it in errors and to an API."""
        fields = self.role_arn.split(":")
        role = fields[5].rpartition("/")[2]
        return f"{fields[0]}:{fields[1]}:sts::{fields[4]}:assumed-role/{role}/CognitoIdentityCredentials"


Assume = Callable[[str, Mapping[str, tuple[str, ...]], bool], str]
"""Asks IAM whether a role's trust lets a web identity in: role ARN × context × tagged → role id; raises Fault if not."""


class CognitoIdentity:
    """The service. One per sandbox; all regions."""

    def __init__(self, account: str, assume: Assume, now: Callable[[], float]) -> None:
        self._account = account
        self._assume = assume
        self._now = now
        self._lock = threading.RLock()
        self.pools: dict[str, Pool] = {}
        self.identities: dict[str, Identity] = {}
        self.sessions: dict[str, Session] = {}
        self.elsewhere = FakeIdentityProvider()
        """The providers that are not user pools."""

    def call(self, operation: str, parameters: Parameters, region: str) -> dict[str, Any]:
        """Perform an operation.

        Raises:
            Fault: AWS's refusal; `UnknownOperationException` for what the sandbox does not have.
        """
        perform = _OPERATIONS.get(operation)
        if perform is None:
            raise AwsError("UnknownOperationException", f"the sandbox has no cognito-identity {operation}", 400)
        with self._lock:
            return perform(self, parameters, region)

    def create_identity_pool(self, parameters: Parameters, region: str) -> dict[str, Any]:
        pool = Pool(f"{region}:{uuid.uuid4()}", region, _pool_config(parameters))
        self.pools[pool.id] = pool
        return self._described(pool)

    def update_identity_pool(self, parameters: Parameters, region: str) -> dict[str, Any]:
        pool = self._pool(parameters)
        pool.config = _pool_config(parameters)
        return self._described(pool)

    def describe_identity_pool(self, parameters: Parameters, region: str) -> dict[str, Any]:
        return self._described(self._pool(parameters))

    def delete_identity_pool(self, parameters: Parameters, region: str) -> dict[str, Any]:
        del self.pools[self._pool(parameters).id]
        return {}

    def list_identity_pools(self, parameters: Parameters, region: str) -> dict[str, Any]:
        found = [p for p in self.pools.values() if p.region == region]
        return {
            "IdentityPools": [{"IdentityPoolId": p.id, "IdentityPoolName": p.config["IdentityPoolName"]} for p in found]
        }

    def set_identity_pool_roles(self, parameters: Parameters, region: str) -> dict[str, Any]:
        pool = self._pool(parameters)
        roles = dict(parameters.get("Roles") or {})
        for kind in roles:
            if kind not in ("authenticated", "unauthenticated"):
                raise AwsError("InvalidParameterException", f"Invalid role type: {kind}")
        pool.roles = roles
        pool.role_mappings = dict(parameters.get("RoleMappings") or {})
        return {}

    def get_identity_pool_roles(self, parameters: Parameters, region: str) -> dict[str, Any]:
        pool = self._pool(parameters)
        found: dict[str, Any] = {"IdentityPoolId": pool.id, "Roles": pool.roles}
        if pool.role_mappings:
            found["RoleMappings"] = pool.role_mappings
        return found

    def set_principal_tag_attribute_map(self, parameters: Parameters, region: str) -> dict[str, Any]:
        pool, provider = self._pool(parameters), str(parameters.get("IdentityProviderName"))
        pool.principal_tags[provider] = {
            "UseDefaults": bool(parameters.get("UseDefaults")),
            "PrincipalTags": dict(parameters.get("PrincipalTags") or {}),
        }
        return self.get_principal_tag_attribute_map(parameters, region)

    def get_principal_tag_attribute_map(self, parameters: Parameters, region: str) -> dict[str, Any]:
        pool, provider = self._pool(parameters), str(parameters.get("IdentityProviderName"))
        found = pool.principal_tags.get(provider, {})
        return {"IdentityPoolId": pool.id, "IdentityProviderName": provider, **found}

    def get_id(self, parameters: Parameters, region: str) -> dict[str, Any]:
        pool = self._pool(parameters)
        logins = self._logins(pool, parameters.get("Logins") or {})
        if not logins:
            self._let_guests(pool)
        return {"IdentityId": self._identity(pool, logins).id}

    def get_credentials_for_identity(self, parameters: Parameters, region: str) -> dict[str, Any]:
        identity = self.identities.get(str(parameters.get("IdentityId")))
        if identity is None or identity.pool not in self.pools:
            raise AwsError("ResourceNotFoundException", f"Identity '{parameters.get('IdentityId')}' not found.")
        pool = self.pools[identity.pool]
        logins = self._logins(pool, parameters.get("Logins") or {})
        if not logins:
            self._let_guests(pool)
        given = frozenset((login.provider, login.subject) for login in logins)
        if given != identity.logins:
            raise AwsError("NotAuthorizedException", "Access to Identity '" + identity.id + "' is forbidden.")
        custom = parameters.get("CustomRoleArn")
        session = self._vend(pool, identity, logins, str(custom) if custom is not None else None)
        return {
            "IdentityId": identity.id,
            "Credentials": {
                "AccessKeyId": session.access_key,
                "SecretKey": session.secret,
                "SessionToken": session.token,
                "Expiration": session.expires,
            },
        }

    def get_open_id_token_for_developer_identity(self, parameters: Parameters, region: str) -> dict[str, Any]:
        """The app's back end vouches for a user: an identity, and a token that stands for it."""
        pool = self._pool(parameters)
        name = pool.config.get("DeveloperProviderName")
        given = dict(parameters.get("Logins") or {})
        if name is None or list(given) != [name]:
            raise AwsError("InvalidParameterException", "Please provide a valid developer provider name.")
        identity = self._identity(pool, [VerifiedToken(name, str(given[name]), {})])
        issuer, expires = str(issuer_of(pool.region)), self._now() + 900
        token = self.elsewhere.issue(
            f"https://{issuer}", identity.id, pool.id, expires, {"amr": ["authenticated", name]}
        )
        return {"IdentityId": identity.id, "Token": token}

    def get_open_id_token(self, parameters: Parameters, region: str) -> dict[str, Any]:
        """The first call of the classic flow; refused unless the pool turns that flow on."""
        identity = self.identities.get(str(parameters.get("IdentityId")))
        pool = self.pools.get(identity.pool) if identity else None
        if pool is None or not pool.config.get("AllowClassicFlow"):
            raise AwsError(
                "InvalidParameterException", "Basic (classic) flow is not enabled, please use enhanced flow."
            )
        raise AwsError("UnknownOperationException", "the sandbox does not have the classic flow")

    def session(self, access_key: str) -> Session | None:
        return self.sessions.get(access_key)

    def _pool(self, parameters: Parameters) -> Pool:
        pool = self.pools.get(str(parameters.get("IdentityPoolId")))
        if pool is None:
            raise AwsError("ResourceNotFoundException", f"IdentityPool '{parameters.get('IdentityPoolId')}' not found.")
        return pool

    def _described(self, pool: Pool) -> dict[str, Any]:
        return {"IdentityPoolId": pool.id, **pool.config}

    def _let_guests(self, pool: Pool) -> None:
        if not pool.config.get("AllowUnauthenticatedIdentities"):
            raise AwsError(
                "NotAuthorizedException", "Unauthenticated access is not supported for this identity pool.", 400
            )

    def _logins(self, pool: Pool, logins: Mapping[str, str]) -> list[VerifiedToken]:
        return [self._login(pool, str(name), str(token)) for name, token in logins.items()]

    def _login(self, pool: Pool, name: str, token: str) -> VerifiedToken:
        """Who hands over a token under a provider's name."""
        entries = pool.providers().get(name)
        if entries:
            clients = {entry["ClientId"] for entry in entries}
            check = any(entry.get("ServerSideTokenCheck") for entry in entries)
            return tokens.verify(self._account, name, token, clients, check, self._now())
        if name == issuer_of(pool.region) and pool.config.get("DeveloperProviderName"):
            claims = self.elsewhere.verify(f"https://{name}", token, {pool.id}, self._now())
            identity = self.identities.get(str(claims.get("sub")))
            provider, subject = next(iter(identity.logins)) if identity else ("", "")
            return VerifiedToken(provider, subject, claims)
        provider, audiences = self.provider(pool, name)
        claims = self.elsewhere.verify(f"https://{name}", token, audiences, self._now())
        return VerifiedToken(provider, str(claims["sub"]), claims, str(claims["aud"]))

    def provider(self, pool: Pool, login: str) -> tuple[str, set[str]]:
        """A provider elsewhere by its key in `logins`: its name in the pool, and the apps it may speak to."""
        social = pool.config.get("SupportedLoginProviders") or {}
        if login in social:
            return login, {str(social[login]).partition(";")[0]}
        for arn in pool.config.get("OpenIdConnectProviderARNs") or []:
            if arn.partition(":oidc-provider/")[2] == login:
                known = iam_backends[self._account][arn.split(":")[1]].open_id_providers.get(arn)
                return arn, set(known.client_id_list) if known is not None else set()
        if login in (pool.config.get("SamlProviderARNs") or []):
            return login, {"urn:amazon:webservices"}
        raise AwsError("NotAuthorizedException", "Token is not from a supported provider of this identity pool.", 400)

    def _identity(self, pool: Pool, logins: list[VerifiedToken]) -> Identity:
        """A login's identity; the same login always gets the same one, a guest always gets a new one."""
        given = frozenset((login.provider, login.subject) for login in logins)
        if given:
            for identity in self.identities.values():
                if identity.pool == pool.id and identity.logins == given:
                    return identity
        identity = Identity(f"{pool.region}:{uuid.uuid4()}", pool.id, given)
        self.identities[identity.id] = identity
        return identity

    def _vend(self, pool: Pool, identity: Identity, logins: list[VerifiedToken], custom: str | None) -> Session:
        kind = "authenticated" if logins else "unauthenticated"
        role_arn = role_of(pool.roles, pool.role_mappings, logins, custom)
        issuer = issuer_of(pool.region)
        if role_arn is None or issuer is None:
            raise _misconfigured()
        amr = (kind, *(each for login in logins for each in login.amr()))
        context = {
            f"{issuer}:aud": (pool.id,),
            f"{issuer}:sub": (identity.id,),
            f"{issuer}:amr": amr,
        }
        tags = tuple(tag for login in logins for tag in _tags(pool.principal_tags.get(login.provider), login))
        context.update({f"aws:requesttag/{key.lower()}": (value,) for key, value in tags})
        role_id = self._assume(role_arn, context, bool(tags))
        provider = ",".join(",".join(login.amr()) for login in logins)
        session = Session(
            access_key="ASIA" + secrets.token_hex(8).upper(),
            secret=secrets.token_urlsafe(30),
            token=secrets.token_urlsafe(96),
            expires=self._now() + SESSION_SECONDS,
            identity=identity.id,
            pool=pool.id,
            issuer=issuer,
            amr=amr,
            role_arn=role_arn,
            role_id=role_id,
            provider=provider,
            tags=tags,
        )
        self.sessions[session.access_key] = session
        return session


_DEFAULT_TAGS = {"username": "sub", "client": "aud"}
"""Source: https://docs.aws.amazon.com/cognito/latest/developerguide/attributes-for-access-control.html"""


def _tags(mapped: Mapping[str, Any] | None, login: VerifiedToken) -> list[tuple[str, str]]:
    """A login's principal tags: the claims that its provider's map names."""
    if not mapped:
        return []
    names = _DEFAULT_TAGS if mapped["UseDefaults"] else mapped["PrincipalTags"]
    return [(tag, str(login.claims[claim])) for tag, claim in names.items() if claim in login.claims]


def _misconfigured() -> AwsError:
    return AwsError(
        "InvalidIdentityPoolConfigurationException",
        "Invalid identity pool configuration. Check assigned IAM roles for this pool.",
    )


def _pool_config(parameters: Parameters) -> dict[str, Any]:
    name = parameters.get("IdentityPoolName")
    if not isinstance(name, str) or not re.fullmatch(r"[\w\s+=,.@-]{1,128}", name):
        raise AwsError("ValidationException", "Value at 'identityPoolName' failed to satisfy constraint", 400)
    if not isinstance(parameters.get("AllowUnauthenticatedIdentities"), bool):
        raise AwsError("ValidationException", "Value at 'allowUnauthenticatedIdentities' must not be null", 400)
    return {key: value for key, value in parameters.items() if key != "IdentityPoolId" and value is not None}


def pool_arn(account: str, pool_id: str, region: str) -> str:
    return f"arn:{partition_of(region).name}:cognito-identity:{region}:{account}:identitypool/{pool_id}"


def read_parameters(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        raise AwsError("SerializationException", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise AwsError("SerializationException", "the body is not a JSON object")
    return value


_OPERATIONS: dict[str, Callable[[CognitoIdentity, Parameters, str], dict[str, Any]]] = {
    "CreateIdentityPool": CognitoIdentity.create_identity_pool,
    "UpdateIdentityPool": CognitoIdentity.update_identity_pool,
    "DescribeIdentityPool": CognitoIdentity.describe_identity_pool,
    "DeleteIdentityPool": CognitoIdentity.delete_identity_pool,
    "ListIdentityPools": CognitoIdentity.list_identity_pools,
    "SetIdentityPoolRoles": CognitoIdentity.set_identity_pool_roles,
    "GetIdentityPoolRoles": CognitoIdentity.get_identity_pool_roles,
    "SetPrincipalTagAttributeMap": CognitoIdentity.set_principal_tag_attribute_map,
    "GetPrincipalTagAttributeMap": CognitoIdentity.get_principal_tag_attribute_map,
    "GetId": CognitoIdentity.get_id,
    "GetCredentialsForIdentity": CognitoIdentity.get_credentials_for_identity,
    "GetOpenIdToken": CognitoIdentity.get_open_id_token,
    "GetOpenIdTokenForDeveloperIdentity": CognitoIdentity.get_open_id_token_for_developer_identity,
}
