"""What the component takes, as Pulumi's schema describes it to every language.

This module must not postpone the evaluation of annotations: Pulumi reads them to make the schema.
"""

import sys
from collections.abc import Mapping
from typing import Any

import pulumi

if sys.version_info >= (3, 11):
    from typing import NotRequired, TypedDict
else:
    from typing_extensions import NotRequired, TypedDict


class PrincipalTagsArgs(TypedDict):
    """Claims of a provider's tokens that become tags of the session."""

    claims: NotRequired[Mapping[str, str]]
    """Tag to claim, such as `department: custom:department`. Default: none."""
    defaults: NotRequired[bool]
    """Whether to take AWS's tags instead: `username` from `sub`, `client` from `aud`. Default: false."""


class UserPoolArgs(TypedDict):
    """A Cognito user pool whose users sign in."""

    id: pulumi.Input[str]
    """Id of the user pool, such as `eu-west-1_AbCdEf123`; its region is read from it."""
    clients: list[pulumi.Input[str]]
    """Ids of the app clients whose tokens are accepted."""
    server_side_token_check: NotRequired[bool]
    """Whether Cognito asks the user pool if a token's user still exists and is signed in. Default: true."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Claims that become tags of the session. Default: none."""


class FacebookArgs(TypedDict):
    """Facebook."""

    app_id: pulumi.Input[str]
    """Id of the Facebook app, a number."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Claims that become tags of the session. Default: none."""


class GoogleArgs(TypedDict):
    """Google."""

    client_id: pulumi.Input[str]
    """OAuth client id, ending in `.apps.googleusercontent.com`."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Claims that become tags of the session. Default: none."""


class AppleArgs(TypedDict):
    """Sign in with Apple."""

    services_id: pulumi.Input[str]
    """Services ID, such as `com.example.app.web`."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Claims that become tags of the session. Default: none."""


class AmazonArgs(TypedDict):
    """Login with Amazon."""

    app_id: pulumi.Input[str]
    """Id of the app, beginning with `amzn1.application.`."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Claims that become tags of the session. Default: none."""


class TwitterArgs(TypedDict):
    """Twitter."""

    consumer_key: pulumi.Input[str]
    """Consumer key of the app."""
    consumer_secret: pulumi.Input[str]
    """Consumer secret of the app; kept as a secret in Pulumi's state."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Claims that become tags of the session. Default: none."""


class ProviderArnArgs(TypedDict):
    """A provider that IAM knows: OpenID Connect or SAML."""

    arn: pulumi.Input[str]
    """ARN of the IAM OIDC or SAML provider."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Claims that become tags of the session. Default: none."""


class DeveloperArgs(TypedDict):
    """The app's own sign-in: a back end of the app's vouches for its users."""

    name: str
    """Name under which the back end does so. Another name makes another pool, with new identity ids."""


class ProvidersArgs(TypedDict):
    """Identity providers that are not user pools."""

    facebook: NotRequired[FacebookArgs]
    """Facebook. Default: not accepted."""
    google: NotRequired[GoogleArgs]
    """Google. Default: not accepted."""
    apple: NotRequired[AppleArgs]
    """Sign in with Apple. Default: not accepted."""
    amazon: NotRequired[AmazonArgs]
    """Login with Amazon. Default: not accepted."""
    twitter: NotRequired[TwitterArgs]
    """Twitter. Default: not accepted."""
    oidc: NotRequired[list[ProviderArnArgs]]
    """OpenID Connect providers. Default: none."""
    saml: NotRequired[list[ProviderArnArgs]]
    """SAML providers. Default: none."""
    developer: NotRequired[DeveloperArgs]
    """The app's own sign-in. Default: none."""


class UploadsArgs(TypedDict):
    """The bucket in which each user has a folder."""

    bucket: pulumi.Input[str]
    """Name of the bucket."""
    prefix: NotRequired[str]
    """Folder above the users' folders, ending in `/`. Default: none."""
    access: NotRequired[str]
    """`read-only` or `read-write`. Default: `read-write`."""
    kms_key: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that the bucket is encrypted with. Default: none is needed."""


class ApiArgs(TypedDict):
    """An API of API Gateway, REST or HTTP, that users call with their credentials."""

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


class OwnFolderArgs(TypedDict):
    """The files under the own identity id, in one more bucket or folder."""

    bucket: pulumi.Input[str]
    """Name of the bucket."""
    prefix: NotRequired[str]
    """Folder above the users' folders, ending in `/`. Default: none."""
    access: NotRequired[list[str]]
    """Some of `read`, `write`, `delete`, `list`. Default: all."""
    kms_key: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that the bucket is encrypted with. Default: none is needed."""


class LevelsArgs(TypedDict):
    """Amplify's levels of storage: `public/`, `protected/ID/` and `private/ID/`."""

    bucket: pulumi.Input[str]
    """Name of the bucket."""
    kms_key: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that the bucket is encrypted with. Default: none is needed."""


class SharedArgs(TypedDict):
    """Files that everybody with the role reaches."""

    bucket: pulumi.Input[str]
    """Name of the bucket."""
    prefix: str
    """The shared folder, ending in `/`."""
    why: str
    """Why it is shared, in a sentence; the policy pack asks for it."""
    access: NotRequired[list[str]]
    """Some of `read`, `write`, `delete`, `list`. Default: `read` and `list`."""
    kms_key: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that the bucket is encrypted with. Default: none is needed."""


class GraphqlArgs(TypedDict):
    """Fields of an AppSync API."""

    id: pulumi.Input[str]
    """Id of the API."""
    fields: NotRequired[list[str]]
    """Fields as TYPE.FIELD, such as `Query.listNotes` or `Mutation.*`. Default: all."""
    region: NotRequired[str]
    """Region of the API. Default: the pool's."""
    account: NotRequired[str]
    """Account of the API. Default: the account that is deployed to."""


class OwnRowsArgs(TypedDict):
    """The rows of a DynamoDB table whose partition key is the own identity id."""

    table: pulumi.Input[str]
    """Name of the table."""
    access: NotRequired[list[str]]
    """Some of `read`, `write`, `delete`, `list`; `list` is Query. Default: all."""
    indexes: NotRequired[list[pulumi.Input[str]]]
    """Indexes that may be queried; their partition key must be the identity id, too. Default: none."""
    region: NotRequired[str]
    """Region of the table. Default: the pool's."""
    account: NotRequired[str]
    """Account of the table. Default: the account that is deployed to."""


class OwnTopicsArgs(TypedDict):
    """AWS IoT topics under the own identity id."""

    prefix: NotRequired[str]
    """Levels above the users' topics, ending in `/`. Default: none."""
    region: NotRequired[str]
    """Region of AWS IoT. Default: the pool's."""
    account: NotRequired[str]
    """Account of AWS IoT. Default: the account that is deployed to."""


class FunctionArgs(TypedDict):
    """A Lambda function."""

    name: pulumi.Input[str]
    """Name of the function."""
    qualifier: NotRequired[str]
    """Version or alias that may be called. Default: none, the function itself."""
    region: NotRequired[str]
    """Region of the function. Default: the pool's."""
    account: NotRequired[str]
    """Account of the function. Default: the account that is deployed to."""


class GrantArgs(TypedDict):
    """One thing that a role may do; exactly one of these."""

    own_folder: NotRequired[OwnFolderArgs]
    """Files under the own id in one more place. Default: none."""
    levels: NotRequired[LevelsArgs]
    """Amplify's levels of storage. Default: none."""
    shared: NotRequired[SharedArgs]
    """Files that all share. Default: none."""
    api: NotRequired[ApiArgs]
    """One more API. Default: none."""
    graphql: NotRequired[GraphqlArgs]
    """Fields of an AppSync API. Default: none."""
    own_rows: NotRequired[OwnRowsArgs]
    """Own rows of a DynamoDB table. Default: none."""
    own_topics: NotRequired[OwnTopicsArgs]
    """Own AWS IoT topics. Default: none."""
    function: NotRequired[FunctionArgs]
    """A Lambda function. Default: none."""
    statement: NotRequired[Mapping[str, Any]]
    """A statement of IAM's as it is, for what no other grant says. Default: none."""


class AuthenticatedArgs(TypedDict):
    """What signed-in users may do beside the files and the API."""

    grants: NotRequired[list[GrantArgs]]
    """Grants. Default: none."""
    role: NotRequired[pulumi.Input[str]]
    """ARN of a role that was made elsewhere. Default: it is made here."""
    trust: NotRequired[pulumi.Input[str]]
    """Trust policy of that role, as JSON, to be checked. Default: unknown, and named in `uncheckedRoles`."""


class GuestsArgs(TypedDict):
    """Lets people in who have not signed in."""

    reason: str
    """Why the app needs guests, in a sentence."""
    grants: NotRequired[list[GrantArgs]]
    """What they may do. Default: nothing."""
    role: NotRequired[pulumi.Input[str]]
    """ARN of a role that was made elsewhere. Default: it is made here."""
    trust: NotRequired[pulumi.Input[str]]
    """Trust policy of that role, as JSON, to be checked. Default: unknown, and named in `uncheckedRoles`."""


class GroupArgs(TypedDict):
    """A group of a user pool, whose members get a role of their own."""

    name: str
    """Name of the group, which is made."""
    user_pool: NotRequired[pulumi.Input[str]]
    """Id of the user pool. Default: the only one."""
    precedence: NotRequired[int]
    """Which group's role somebody in several prefers; the lowest wins. Default: none."""
    inherit: NotRequired[bool]
    """Whether members may do what every signed-in user may. Default: true."""
    grants: NotRequired[list[GrantArgs]]
    """What they may do beside. Default: nothing."""
    role: NotRequired[pulumi.Input[str]]
    """ARN of a role that was made elsewhere. Default: it is made here."""
    trust: NotRequired[pulumi.Input[str]]
    """Trust policy of that role, as JSON, to be checked. Default: unknown, and named in `uncheckedRoles`."""


class MappedRoleArgs(TypedDict):
    """A role that rules give out."""

    name: str
    """Name by which rules call it."""
    inherit: NotRequired[bool]
    """Whether it may do what every signed-in user may. Default: true."""
    grants: NotRequired[list[GrantArgs]]
    """What it may do beside. Default: nothing."""
    role: NotRequired[pulumi.Input[str]]
    """ARN of a role that was made elsewhere. Default: it is made here."""
    trust: NotRequired[pulumi.Input[str]]
    """Trust policy of that role, as JSON, to be checked. Default: unknown, and named in `uncheckedRoles`."""


class RuleArgs(TypedDict):
    """A rule: whose claim has such a value gets the role."""

    claim: str
    """Name of the claim, such as `custom:plan`."""
    value: str
    """Value to compare with."""
    role: pulumi.Input[str]
    """Name of a mapped role, `authenticated`, or the ARN of a role that was made elsewhere."""
    match: NotRequired[str]
    """`Equals`, `NotEqual`, `StartsWith` or `Contains`. Default: `Equals`."""


class MappingArgs(TypedDict):
    """How the users of one provider get their role."""

    provider: pulumi.Input[str]
    """Id of a user pool, `facebook`, `google`, `apple`, `amazon`, `twitter`, or an ARN."""
    by: NotRequired[str]
    """`rules`, or `token` for the roles of a user pool's groups. Default: `rules` where there are some."""
    rules: NotRequired[list[RuleArgs]]
    """Rules in order, 25 at most; the first that fits counts. Default: none."""
    ambiguous: NotRequired[str]
    """Whom no rule or no one role fits: `deny`, or `authenticated` for that role. Default: `deny`."""


class RolesArgs(TypedDict):
    """What all roles of the pool have in common."""

    path: NotRequired[str]
    """IAM path, such as `/app-users/`. Default: `/`."""
    permissions_boundary: NotRequired[pulumi.Input[str]]
    """ARN of the managed policy that limits the roles. Default: none."""
    max_session_seconds: NotRequired[int]
    """Longest session, 3600 to 43200 seconds. Default: 3600."""
    name_prefix: NotRequired[str]
    """How the names of roles and their policies begin. Default: the component's name."""


class ExistingPoolArgs(TypedDict):
    """An identity pool that was made elsewhere."""

    id: pulumi.Input[str]
    """Id of the pool, `REGION:UUID`."""
    roles: NotRequired[str]
    """`make` gives it roles of ours, `keep` leaves it those that it has. Default: `make`."""


class ScopedIdentityPoolArgs(TypedDict):
    """Arguments of a scoped identity pool."""

    uploads: UploadsArgs
    """The bucket in which each user has a folder."""
    api: ApiArgs
    """The API that users call."""
    pool_name: NotRequired[pulumi.Input[str]]
    """Name of the identity pool; another name makes another pool. Default: none, which only an existing pool may have."""
    existing_pool: NotRequired[ExistingPoolArgs]
    """A pool that was made elsewhere, in the place of a new one. Default: a new one."""
    user_pools: NotRequired[list[UserPoolArgs]]
    """User pools whose users sign in. Default: none; then there are other providers, or guests."""
    providers: NotRequired[ProvidersArgs]
    """Other identity providers. Default: none."""
    region: NotRequired[str]
    """Region of the identity pool. Default: the provider's."""
    authenticated: NotRequired[AuthenticatedArgs]
    """What signed-in users may do beside the files and the API. Default: nothing."""
    guests: NotRequired[GuestsArgs]
    """Lets guests in. Default: they are kept out, and no guest role exists."""
    groups: NotRequired[list[GroupArgs]]
    """Groups of user pools with roles of their own. Default: none."""
    mapped_roles: NotRequired[list[MappedRoleArgs]]
    """Roles that rules give out. Default: none."""
    mappings: NotRequired[list[MappingArgs]]
    """How providers' users get a role. Default: by token for user pools with groups, else all the same one."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of the pool and its roles. Default: none."""
    roles: NotRequired[RolesArgs]
    """What all roles have in common. Default: path `/`, no boundary, sessions of one hour."""
    profile: NotRequired[str]
    """`least-privilege`, or `guide` for the documents of the published tutorial. Default: `least-privilege`."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace (by another name) the pool and lose all identity ids. Default: true."""
