"""Amazon Cognito identity pools, as far as an app and its stack use them.

moto's identity pools have no roles, ignore the classic-flow setting, accept any login, and issue the same credentials to
everybody; this service replaces them. It keeps pools and their roles, gives each login a permanent identity ID, and
issues credentials that are bound to that identity and to a role whose trust policy allows the pool.

Source: https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
import secrets
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from moto.iam.models import iam_backends

from . import json_requests, session_tags, tokens
from .errors import AwsError, misconfigured
from .http import HttpRequest, Response, json_response
from .regions import issuer_of, partition_of, region_of_identity_pool
from .role_mapping import role_of
from .service import PUBLIC, SIGNED, Operation, RequiredPermission, Service
from .sessions import SESSION_SECONDS, Session
from .tokens import FakeIdentityProvider, VerifiedToken

PUBLIC_OPERATIONS = frozenset({"GetId", "GetCredentialsForIdentity", "GetOpenIdToken", "UnlinkIdentity"})
"""Operations that a user's app calls without a signature."""

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
    """The attribute map of each provider, by its name: which claims become principal tags."""

    def providers(self) -> dict[str, list[dict[str, Any]]]:
        """The entries of each user pool, by the pool's provider name."""
        entries: dict[str, list[dict[str, Any]]] = {}
        for entry in self.config.get("CognitoIdentityProviders") or []:
            entries.setdefault(entry["ProviderName"], []).append(entry)
        return entries


@dataclass(frozen=True)
class Identity:
    """One identity of a pool.

    Attributes:
        logins: provider and subject; a guest has none.
        authenticated: whether it has ever had one; then it is nobody's as a guest.
    """

    id: str
    pool: str
    logins: frozenset[tuple[str, str]]
    authenticated: bool = False


AssumeRole = Callable[[str, Mapping[str, tuple[str, ...]], bool], str]
"""`Authorization.assume_role`: role ARN, context, tagged → role ID."""


class IdentityPools(Service):
    """Identity pools of all regions."""

    admits = PUBLIC

    def __init__(
        self, account: str, assume_role: AssumeRole, is_revoked: Callable[[str], bool], now: Callable[[], float]
    ) -> None:
        self._account = account
        self._assume_role = assume_role
        self._is_revoked = is_revoked
        self._now = now
        self._lock = threading.RLock()
        self.pools: dict[str, Pool] = {}
        self.identities: dict[str, Identity] = {}
        self.sessions: dict[str, Session] = {}
        self.fake_provider = FakeIdentityProvider()
        """Every provider that is not a user pool."""

    def operation(self, request: HttpRequest, region: str) -> Operation:
        name = json_requests.named(request, "cognito-identity").name
        callers = PUBLIC if name in PUBLIC_OPERATIONS else SIGNED
        if not region and callers is not PUBLIC:
            raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token", 400)
        if name not in OPERATIONS:
            raise AwsError("UnknownOperationException", f"the sandbox has no cognito-identity {name}", 400)
        _, parameters = json_requests.read(request, "cognito-identity")
        named = region_of_identity_pool(str(parameters.get("IdentityPoolId", parameters.get("IdentityId", ""))))
        if region and named and region != named:
            raise AwsError("ResourceNotFoundException", f"there is nothing of {named[:40]} in {region}", 400)
        return Operation(name, region or named, callers, parameters, "cognito-identity")

    def required_permissions(self, operation: Operation) -> list[RequiredPermission]:
        if operation.name in PUBLIC_OPERATIONS:
            return []
        pool, region = operation.parameters.get("IdentityPoolId"), operation.region
        prefix = f"arn:{partition_of(region).name}:cognito-identity:{region}:{self._account}"
        resource = f"{prefix}:identitypool/{pool}" if isinstance(pool, str) else "*"
        return [RequiredPermission(f"cognito-identity:{operation.name}", resource)]

    def answer(self, operation: Operation, session: Session | None) -> Response:
        with self._lock:
            return json_response(OPERATIONS[operation.name](self, operation.parameters, operation.region))

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
        pools = [pool for pool in self.pools.values() if pool.region == region]
        items = [{"IdentityPoolId": pool.id, "IdentityPoolName": pool.config["IdentityPoolName"]} for pool in pools]
        return {"IdentityPools": items}

    def set_identity_pool_roles(self, parameters: Parameters, region: str) -> dict[str, Any]:
        pool = self._pool(parameters)
        roles = dict(parameters.get("Roles") or {})
        for role_type in roles:
            if role_type not in ("authenticated", "unauthenticated"):
                raise AwsError("InvalidParameterException", f"Invalid role type: {role_type}")
        pool.roles = roles
        pool.role_mappings = dict(parameters.get("RoleMappings") or {})
        return {}

    def get_identity_pool_roles(self, parameters: Parameters, region: str) -> dict[str, Any]:
        pool = self._pool(parameters)
        answer: dict[str, Any] = {"IdentityPoolId": pool.id, "Roles": pool.roles}
        if pool.role_mappings:
            answer["RoleMappings"] = pool.role_mappings
        return answer

    def set_principal_tag_attribute_map(self, parameters: Parameters, region: str) -> dict[str, Any]:
        pool, provider = self._pool(parameters), str(parameters.get("IdentityProviderName"))
        pool.principal_tags[provider] = {
            "UseDefaults": bool(parameters.get("UseDefaults")),
            "PrincipalTags": dict(parameters.get("PrincipalTags") or {}),
        }
        return self.get_principal_tag_attribute_map(parameters, region)

    def get_principal_tag_attribute_map(self, parameters: Parameters, region: str) -> dict[str, Any]:
        pool, provider = self._pool(parameters), str(parameters.get("IdentityProviderName"))
        attribute_map = pool.principal_tags.get(provider, {})
        return {"IdentityPoolId": pool.id, "IdentityProviderName": provider, **attribute_map}

    def get_id(self, parameters: Parameters, region: str) -> dict[str, Any]:
        pool = self._pool(parameters)
        logins = self._logins(pool, parameters.get("Logins") or {})
        if not logins:
            self._require_guest_access(pool)
            return {"IdentityId": self._new_identity(pool, frozenset()).id}
        owners = self._owners(pool, logins)
        if len(owners) > 1:
            raise _linked_elsewhere()
        identity = owners[0] if owners else self._new_identity(pool, frozenset())
        return {"IdentityId": self._linked(identity, logins).id}

    def get_credentials_for_identity(self, parameters: Parameters, region: str) -> dict[str, Any]:
        identity = self._existing(parameters)
        pool = self.pools[identity.pool]
        logins = self._logins(pool, parameters.get("Logins") or {})
        if not logins:
            self._require_guest_access(pool)
            if identity.authenticated:
                raise AwsError("NotAuthorizedException", f"Access to Identity '{identity.id}' is forbidden.")
        else:
            identity = self._signed_in(pool, identity, logins)
        session = self._vend(pool, identity, logins, parameters.get("CustomRoleArn"))
        return {
            "IdentityId": identity.id,
            "Credentials": {
                "AccessKeyId": session.access_key,
                "SecretKey": session.secret,
                "SessionToken": session.token,
                "Expiration": session.expires,
            },
        }

    def unlink_identity(self, parameters: Parameters, region: str) -> dict[str, Any]:
        identity = self._existing(parameters)
        pool = self.pools[identity.pool]
        logins = self._logins(pool, parameters["Logins"])
        if not _subjects(logins) & identity.logins:
            raise AwsError("NotAuthorizedException", f"Access to Identity '{identity.id}' is forbidden.")
        removed = {login.provider for login in logins if login.name in parameters["LoginsToRemove"]}
        rest = frozenset(login for login in identity.logins if login[0] not in removed)
        self.identities[identity.id] = replace(identity, logins=rest)
        return {}

    def _existing(self, parameters: Parameters) -> Identity:
        identity = self.identities.get(str(parameters.get("IdentityId")))
        if identity is None or identity.pool not in self.pools:
            raise AwsError("ResourceNotFoundException", f"Identity '{parameters.get('IdentityId')}' not found.")
        return identity

    def _signed_in(self, pool: Pool, identity: Identity, logins: list[VerifiedToken]) -> Identity:
        """The identity, if one of the logins is its own; the others become its own, unless they are another identity's.

        A guest's identity becomes that of the first login that has none.

        Source: https://docs.aws.amazon.com/cognito/latest/developerguide/switching-identities.html
        """
        owners = self._owners(pool, logins)
        if any(owner.id != identity.id for owner in owners):
            if identity not in owners:
                raise AwsError("NotAuthorizedException", f"Access to Identity '{identity.id}' is forbidden.")
            raise _linked_elsewhere()
        if not owners and identity.authenticated:
            raise AwsError(
                "NotAuthorizedException",
                "Logins don't match. Please include at least one valid login for this identity or identity pool.",
            )
        return self._linked(identity, logins)

    def _owners(self, pool: Pool, logins: list[VerifiedToken]) -> list[Identity]:
        """The identities to which one of the logins belongs."""
        subjects = _subjects(logins)
        return [found for found in self.identities.values() if found.pool == pool.id and found.logins & subjects]

    def _linked(self, identity: Identity, logins: list[VerifiedToken]) -> Identity:
        """The identity, with these logins linked to it: one of each provider.

        Raises:
            AwsError: ResourceConflictException.
        """
        linked = identity.logins | _subjects(logins)
        if len({provider for provider, _ in linked}) != len(linked):
            raise _linked_elsewhere()
        self.identities[identity.id] = replace(identity, logins=linked, authenticated=True)
        return self.identities[identity.id]

    def get_open_id_token_for_developer_identity(self, parameters: Parameters, region: str) -> dict[str, Any]:
        """The app's back end signs a user in: an identity, and a token that represents it."""
        pool = self._pool(parameters)
        name = pool.config.get("DeveloperProviderName")
        logins = dict(parameters.get("Logins") or {})
        if name is None or list(logins) != [name]:
            raise AwsError("InvalidParameterException", "Please provide a valid developer provider name.")
        subject = str(logins[name])
        if not subject or len(subject) > 255:
            raise AwsError("InvalidParameterException", "Please provide a valid developer user identifier.")
        login = VerifiedToken(name, subject, {}, name=name)
        owners = self._owners(pool, [login])
        if "IdentityId" in parameters:
            identity = self._existing(parameters)
            if identity.pool != pool.id or any(owner.id != identity.id for owner in owners):
                raise AwsError("DeveloperUserAlreadyRegisteredException", "The developer user is already registered.")
        else:
            identity = owners[0] if owners else self._new_identity(pool, frozenset())
        identity = self._linked(identity, [login])
        issuer, expires = str(issuer_of(pool.region)), self._now() + parameters.get("TokenDuration", 900)
        token = self.fake_provider.issue(
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

    def _require_guest_access(self, pool: Pool) -> None:
        if not pool.config.get("AllowUnauthenticatedIdentities"):
            raise AwsError(
                "NotAuthorizedException", "Unauthenticated access is not supported for this identity pool.", 400
            )

    def _logins(self, pool: Pool, logins: Mapping[str, str]) -> list[VerifiedToken]:
        return [replace(self._login(pool, name, token), name=name) for name, token in logins.items()]

    def _login(self, pool: Pool, name: str, token: str) -> VerifiedToken:
        """The user whose token was passed under a provider's name."""
        entries = pool.providers().get(name)
        if entries:
            clients = {entry["ClientId"]: bool(entry.get("ServerSideTokenCheck")) for entry in entries}
            return tokens.verify(self._account, name, token, clients, self._is_revoked, self._now())
        developer = pool.config.get("DeveloperProviderName")
        if name == issuer_of(pool.region) and developer:
            claims = self.fake_provider.verify(f"https://{name}", token, {pool.id}, self._now())
            identity = self.identities.get(claims["sub"])
            subjects = [login for login in identity.logins if login[0] == developer] if identity else []
            if identity is None or identity.pool != pool.id or len(subjects) != 1:
                raise AwsError("NotAuthorizedException", "Invalid login token. Unknown identity.")
            return VerifiedToken(developer, subjects[0][1], claims)
        provider, audiences = self.provider(pool, name)
        claims = self.fake_provider.verify(f"https://{name}", token, audiences, self._now())
        return VerifiedToken(provider, str(claims["sub"]), claims, str(claims["aud"]))

    def provider(self, pool: Pool, login: str) -> tuple[str, set[str]]:
        """A provider that is not a user pool, by its key in `logins`: its name in the pool, and the accepted audiences."""
        social = pool.config.get("SupportedLoginProviders") or {}
        if login in social:
            return login, {str(social[login]).partition(";")[0]}
        for arn in pool.config.get("OpenIdConnectProviderARNs") or []:
            if arn.partition(":oidc-provider/")[2] == login:
                provider = iam_backends[self._account][arn.split(":")[1]].open_id_providers.get(arn)
                return arn, set(provider.client_id_list) if provider is not None else set()
        if login in (pool.config.get("SamlProviderARNs") or []):
            return login, {"urn:amazon:webservices"}
        raise AwsError("NotAuthorizedException", "Token is not from a supported provider of this identity pool.", 400)

    def _new_identity(self, pool: Pool, logins: frozenset[tuple[str, str]]) -> Identity:
        identity = Identity(f"{pool.region}:{uuid.uuid4()}", pool.id, logins)
        self.identities[identity.id] = identity
        return identity

    def _vend(self, pool: Pool, identity: Identity, logins: list[VerifiedToken], custom: str | None) -> Session:
        role_arn = role_of(pool.roles, pool.role_mappings, logins, custom)
        issuer = issuer_of(pool.region)
        if role_arn is None or issuer is None:
            raise misconfigured()
        state = "authenticated" if logins else "unauthenticated"
        amr = (state, *(method for login in logins for method in login.amr()))
        context = {
            f"{issuer}:aud": (pool.id,),
            f"{issuer}:sub": (identity.id,),
            f"{issuer}:amr": amr,
        }
        tags = session_tags.of(pool.principal_tags, logins)
        context.update({f"aws:requesttag/{key.lower()}": (value,) for key, value in tags})
        if tags:
            context["aws:tagkeys"] = tuple(key for key, _ in tags)
        role_id = self._assume_role(role_arn, context, bool(tags))
        self.sessions = {
            key: found for key, found in self.sessions.items() if found.expires > self._now() - SESSION_SECONDS
        }
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


def _subjects(logins: list[VerifiedToken]) -> frozenset[tuple[str, str]]:
    return frozenset((login.provider, login.subject) for login in logins)


def _linked_elsewhere() -> AwsError:
    return AwsError("ResourceConflictException", "Login is already used by another account.", 400)


def _pool_config(parameters: Parameters) -> dict[str, Any]:
    name = parameters.get("IdentityPoolName")
    if not isinstance(name, str) or not re.fullmatch(r"[\w\s+=,.@-]{1,128}", name):
        raise AwsError("ValidationException", "Value at 'identityPoolName' failed to satisfy constraint", 400)
    if not isinstance(parameters.get("AllowUnauthenticatedIdentities"), bool):
        raise AwsError("ValidationException", "Value at 'allowUnauthenticatedIdentities' must not be null", 400)
    return {key: value for key, value in parameters.items() if key != "IdentityPoolId" and value is not None}


OPERATIONS: dict[str, Callable[[IdentityPools, Parameters, str], dict[str, Any]]] = {
    "CreateIdentityPool": IdentityPools.create_identity_pool,
    "UpdateIdentityPool": IdentityPools.update_identity_pool,
    "DescribeIdentityPool": IdentityPools.describe_identity_pool,
    "DeleteIdentityPool": IdentityPools.delete_identity_pool,
    "ListIdentityPools": IdentityPools.list_identity_pools,
    "SetIdentityPoolRoles": IdentityPools.set_identity_pool_roles,
    "GetIdentityPoolRoles": IdentityPools.get_identity_pool_roles,
    "SetPrincipalTagAttributeMap": IdentityPools.set_principal_tag_attribute_map,
    "GetPrincipalTagAttributeMap": IdentityPools.get_principal_tag_attribute_map,
    "GetId": IdentityPools.get_id,
    "GetCredentialsForIdentity": IdentityPools.get_credentials_for_identity,
    "UnlinkIdentity": IdentityPools.unlink_identity,
    "GetOpenIdToken": IdentityPools.get_open_id_token,
    "GetOpenIdTokenForDeveloperIdentity": IdentityPools.get_open_id_token_for_developer_identity,
}
