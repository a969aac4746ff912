"""The `ScopedIdentityPool` component: identity pool → roles → documents → one role attachment.

This module makes the resources and does nothing else; what they hold is decided in `plan` and `documents`. It must not
postpone the evaluation of annotations: Pulumi reads them to make the schema for other languages.
"""

import re
import sys
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

if sys.version_info >= (3, 11):
    from typing import NotRequired, TypedDict
else:
    from typing_extensions import NotRequired, TypedDict

from . import settings as settings_
from .documents import Login
from .plan import Plan, plan
from .settings import Access, Profile, Settings, SettingsError

PACKAGE = "scoped-identity"


class UserPoolArgs(TypedDict):
    """A Cognito user pool whose users sign in."""

    id: pulumi.Input[str]
    """Id of the user pool, such as `eu-west-1_AbCdEf123`; its region is read from it."""
    clients: list[pulumi.Input[str]]
    """Ids of the app clients whose tokens are accepted."""
    server_side_token_check: NotRequired[bool]
    """Whether Cognito asks the user pool if a token's user still exists and is signed in. Default: true."""


class UploadsArgs(TypedDict):
    """The bucket in which each user has a folder."""

    bucket: pulumi.Input[str]
    """Name of the bucket."""
    prefix: NotRequired[str]
    """Folder above the users' folders, ending in `/`. Default: none."""
    access: NotRequired[str]
    """`read-only` or `read-write`. Default: `read-write`."""


class ApiArgs(TypedDict):
    """The API Gateway API that users call with their credentials."""

    id: pulumi.Input[str]
    """Id of the API, such as `a1b2c3d4e5`."""
    region: NotRequired[str]
    """Region of the API. Default: the pool's."""
    account: NotRequired[str]
    """Account of the API, twelve digits. Default: the account that is deployed to."""
    stage: NotRequired[str]
    """Stage that may be called. Default: `*`, every stage."""
    methods: NotRequired[list[str]]
    """HTTP methods that may be called. Default: all."""
    paths: NotRequired[list[str]]
    """Paths within the stage that may be called; `*` stands for any part. Default: all."""


class GuestsArgs(TypedDict):
    """Lets people in who have not signed in."""

    reason: str
    """Why the app needs guests, in a sentence."""


class RolesArgs(TypedDict):
    """What all roles of the pool have in common."""

    path: NotRequired[str]
    """IAM path, such as `/app-users/`. Default: `/`."""
    permissions_boundary: NotRequired[pulumi.Input[str]]
    """ARN of the managed policy that limits the roles. Default: none."""
    max_session_seconds: NotRequired[int]
    """Longest session, 3600 to 43200 seconds. Default: 3600."""


class ScopedIdentityPoolArgs(TypedDict):
    """Arguments of a scoped identity pool."""

    pool_name: pulumi.Input[str]
    """Name of the identity pool. Another name makes another pool, with new identity ids."""
    user_pools: list[UserPoolArgs]
    """User pools whose users sign in; at least one."""
    uploads: UploadsArgs
    """The bucket in which each user has a folder."""
    api: ApiArgs
    """The API that users call."""
    region: NotRequired[str]
    """Region of the identity pool. Default: the provider's."""
    guests: NotRequired[GuestsArgs]
    """Lets guests in. Default: they are kept out, and no guest role exists."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of the pool and its roles. Default: none."""
    roles: NotRequired[RolesArgs]
    """What all roles have in common. Default: path `/`, no boundary, sessions of one hour."""
    profile: NotRequired[str]
    """`least-privilege`, or `guide` for the documents of the published tutorial. Default: `least-privilege`."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete the pool: with the pool go all identity ids. Default: false."""


class ScopedIdentityPool(pulumi.ComponentResource):
    """An identity pool whose users reach their own files and the app's API, and nothing else."""

    identity_pool_id: pulumi.Output[str]
    """Id of the identity pool, `REGION:UUID`."""
    identity_pool_arn: pulumi.Output[str]
    """ARN of the identity pool."""
    role_arns: pulumi.Output[dict[str, str]]
    """ARNs of the roles the pool vends: `authenticated`, and `unauthenticated` where guests are let in."""
    region: pulumi.Output[str]
    """Region of the identity pool."""
    logins: pulumi.Output[list[str]]
    """Keys under which a client hands its ID token over, one for each user pool."""
    folder: pulumi.Output[str]
    """Where a user's files are: `BUCKET/PREFIX${…:sub}/`."""
    amplify: pulumi.Output[dict[str, Any]]
    """Configuration of a front end, in the shape that Amplify's `configure` takes."""

    def __init__(self, name: str, args: ScopedIdentityPoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the pool.

        Args:
            name: logical name; the children's names derive from it and stay the same from version to version.
            args: see ScopedIdentityPoolArgs; wrong arguments are all reported at once, before anything is made.
            opts: Pulumi's resource options.

        Raises:
            pulumi.RunError: the arguments make no sense; one line for each problem.
        """
        known = _settings(args, pending=True)
        super().__init__(f"{PACKAGE}:index:ScopedIdentityPool", name, None, opts)
        chosen = self._plan(args, known)

        self._pool = aws.cognito.IdentityPool(
            name,
            identity_pool_name=chosen.apply(lambda p: p.settings.pool_name),
            allow_unauthenticated_identities=known.guests is not None,
            # Sent although off is AWS's default: leaving it out does not turn off what somebody turned on.
            allow_classic_flow=False,
            cognito_identity_providers=chosen.apply(_providers),
            region=chosen.apply(lambda p: p.region),
            tags=_tags(chosen),
            opts=pulumi.ResourceOptions(parent=self, protect=known.protect),
        )
        authenticated = self._role(name, "authenticated", Login.AUTHENTICATED, chosen, known)
        access = aws.iam.RolePolicy(
            f"{name}-authenticated",
            role=authenticated.name,
            policy=chosen.apply(lambda p: p.permissions),
            opts=pulumi.ResourceOptions(parent=authenticated),
        )
        roles = {Login.AUTHENTICATED.value: authenticated.arn}
        if known.guests is not None:
            roles[Login.GUEST.value] = self._role(name, "guest", Login.GUEST, chosen, known).arn
        aws.cognito.IdentityPoolRoleAttachment(
            name,
            identity_pool_id=self._pool.id,
            roles=roles,
            region=chosen.apply(lambda p: p.region),
            # A pool has one attachment, and deleting it takes the roles away: the old one must go first.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[access], delete_before_replace=True),
        )

        self.identity_pool_id = self._pool.id
        self.identity_pool_arn = self._pool.arn
        self.role_arns = pulumi.Output.all(**roles)
        self.region = chosen.apply(lambda p: p.region)
        self.logins = chosen.apply(lambda p: p.logins())
        self.folder = chosen.apply(lambda p: p.folder)
        self.amplify = pulumi.Output.all(chosen, self._pool.id).apply(lambda v: v[0].amplify(v[1]))
        self.register_outputs(
            {
                "identityPoolId": self.identity_pool_id,
                "identityPoolArn": self.identity_pool_arn,
                "roleArns": self.role_arns,
                "region": self.region,
                "logins": self.logins,
                "folder": self.folder,
                "amplify": self.amplify,
            }
        )

    def _plan(self, args: ScopedIdentityPoolArgs, known: Settings) -> pulumi.Output[Plan]:
        """The plan, known as soon as the arguments are: at preview where they are plain values."""
        invoke = pulumi.InvokeOptions(parent=self)
        region: pulumi.Input[str] = known.region or aws.get_region_output(opts=invoke).region
        account: pulumi.Input[str] = known.api.account or aws.get_caller_identity_output(opts=invoke).account_id
        resolved = pulumi.Output.all(pulumi.Output.from_input(dict(args)), region, account)
        return resolved.apply(lambda v: _planned(v[0], v[1], v[2]))

    def _role(self, name: str, kind: str, login: Login, chosen: pulumi.Output[Plan], known: Settings) -> aws.iam.Role:
        trust = pulumi.Output.all(chosen, self._pool.id).apply(lambda v: v[0].trust(v[1], login))
        whom = "signed-in users" if login is Login.AUTHENTICATED else f"guests, because: {_ascii(known.guests or '')}"
        return aws.iam.Role(
            f"{name}-{kind}",
            assume_role_policy=trust,
            description=chosen.apply(lambda p: f"Vended by the identity pool {p.settings.pool_name} to {whom}"[:1000]),
            path=known.roles.path,
            permissions_boundary=chosen.apply(lambda p: p.settings.roles.permissions_boundary),
            max_session_duration=known.roles.max_session_seconds,
            tags=_tags(chosen),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _providers(chosen: Plan) -> list[aws.cognito.IdentityPoolCognitoIdentityProviderArgs]:
    return [aws.cognito.IdentityPoolCognitoIdentityProviderArgs(**entry) for entry in chosen.providers()]


def _tags(chosen: pulumi.Output[Plan]) -> pulumi.Output[Mapping[str, str]]:
    return chosen.apply(lambda p: dict(p.settings.tags))


def _planned(args: Mapping[str, Any], region: str, account: str) -> Plan:
    try:
        return plan(_settings(args), region, account)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def _settings(args: Mapping[str, Any], pending: bool = False) -> Settings:
    """Settings of the arguments; with `pending`, values that are outputs are left for later."""
    try:
        return settings_.parse(_camel(args), lambda v: isinstance(v, pulumi.Output) if pending else False)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def _camel(value: Any, names: bool = True) -> Any:
    """Arguments with the names that config and other languages use; a map of tags keeps its own keys."""
    if isinstance(value, Mapping):
        return {_camel_name(k) if names else k: _camel(v, names and k != "tags") for k, v in value.items()}
    if isinstance(value, list):
        return [_camel(item, names) for item in value]
    return value.value if isinstance(value, Access | Profile) else value


def _camel_name(name: str) -> str:
    return re.sub(r"_([a-z])", lambda m: m.group(1).upper(), name)


def _ascii(text: str) -> str:
    """IAM takes few letters beyond ASCII in a description."""
    return text.encode("ascii", "replace").decode()
