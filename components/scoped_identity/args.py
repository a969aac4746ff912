"""The arguments of the component, which Pulumi's schema describes to every language.

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
    """Attributes for access control: claims of a provider's tokens that become session tags. Set `claims` or `defaults`."""

    claims: NotRequired[Mapping[str, str]]
    """Map from session tag to claim, such as `department: custom:department`. Default: none."""
    defaults: NotRequired[bool]
    """Use the default mappings of AWS: `username` from `sub`, `client` from `aud`. Default: false."""


class UserPoolArgs(TypedDict):
    """A Cognito user pool whose users can sign in."""

    id: pulumi.Input[str]
    """ID of the user pool, such as `eu-west-1_AbCdEf123`. Its region is read from the ID. Required."""
    clients: list[pulumi.Input[str]]
    """IDs of the app clients whose tokens are accepted. Required."""
    server_side_token_check: NotRequired[bool]
    """Whether Cognito checks that the user has not been deleted or globally signed out. Default: true."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Attributes for access control. Default: none."""


class FacebookArgs(TypedDict):
    """Sign-in with Facebook."""

    app_id: pulumi.Input[str]
    """ID of the Facebook app, which is a number. Required."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Attributes for access control. Default: none."""


class GoogleArgs(TypedDict):
    """Sign-in with Google."""

    client_id: pulumi.Input[str]
    """OAuth client ID, which ends with `.apps.googleusercontent.com`. Required."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Attributes for access control. Default: none."""


class AppleArgs(TypedDict):
    """Sign in with Apple."""

    services_id: pulumi.Input[str]
    """Services ID, such as `com.example.app.web`. Required."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Attributes for access control. Default: none."""


class AmazonArgs(TypedDict):
    """Login with Amazon."""

    app_id: pulumi.Input[str]
    """ID of the app, which begins with `amzn1.application.`. Required."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Attributes for access control. Default: none."""


class TwitterArgs(TypedDict):
    """Sign-in with Twitter (X)."""

    consumer_key: pulumi.Input[str]
    """Consumer key of the app. Required."""
    consumer_secret: pulumi.Input[str]
    """Consumer secret of the app. Pulumi stores it as a secret. Required."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Attributes for access control. Default: none."""


class ProviderArnArgs(TypedDict):
    """An OpenID Connect (OIDC) or SAML provider of IAM."""

    arn: pulumi.Input[str]
    """ARN of the IAM OIDC or SAML provider. Required."""
    principal_tags: NotRequired[PrincipalTagsArgs]
    """Attributes for access control. Default: none."""


class DeveloperArgs(TypedDict):
    """Developer-authenticated identities: your own back end signs users in."""

    name: str
    """Developer provider name, such as `login.example.app`. A new name replaces the identity pool. Required."""


class ProvidersArgs(TypedDict):
    """Identity providers other than user pools."""

    facebook: NotRequired[FacebookArgs]
    """Sign-in with Facebook. Default: disabled."""
    google: NotRequired[GoogleArgs]
    """Sign-in with Google. Default: disabled."""
    apple: NotRequired[AppleArgs]
    """Sign in with Apple. Default: disabled."""
    amazon: NotRequired[AmazonArgs]
    """Login with Amazon. Default: disabled."""
    twitter: NotRequired[TwitterArgs]
    """Sign-in with Twitter (X). Default: disabled."""
    oidc: NotRequired[list[ProviderArnArgs]]
    """OpenID Connect providers. Default: none."""
    saml: NotRequired[list[ProviderArnArgs]]
    """SAML providers. Default: none."""
    developer: NotRequired[DeveloperArgs]
    """Developer-authenticated identities. Default: disabled."""


class UploadsArgs(TypedDict):
    """The S3 bucket in which each user has a folder."""

    bucket: pulumi.Input[str]
    """Name of the bucket. Required."""
    prefix: NotRequired[str]
    """Folder that contains the users' folders, ending with `/`. Default: none, the root of the bucket."""
    access: NotRequired[list[str]]
    """Any of `read`, `write`, `delete`, `list`. Default: all of them."""
    kms_key: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that encrypts the bucket. Default: none, no KMS permissions are granted."""
    by: NotRequired[str]
    """What names the folder: `identity` (the identity ID), `sub` (the claim) or `tenant`. Default: `identity`."""


class ApiArgs(TypedDict):
    """A REST or HTTP API of Amazon API Gateway with IAM authorization."""

    id: pulumi.Input[str]
    """ID of the API, such as `a1b2c3d4e5`. Required."""
    region: NotRequired[str]
    """Region of the API. Default: the region of the identity pool."""
    account: NotRequired[str]
    """ID of the account that owns the API. Default: the account of the stack."""
    stage: NotRequired[str]
    """Stage that users can invoke. Default: `*`, every stage."""
    methods: NotRequired[list[str]]
    """HTTP methods that users can invoke. Default: all methods."""
    paths: NotRequired[list[str]]
    """Paths within the stage, such as `/notes/*`; `*` is a wildcard. Default: all paths."""


class OwnFolderArgs(TypedDict):
    """The user's own folder in another bucket or under another prefix."""

    bucket: pulumi.Input[str]
    """Name of the bucket. Required."""
    prefix: NotRequired[str]
    """Folder that contains the users' folders, ending with `/`. Default: none, the root of the bucket."""
    access: NotRequired[list[str]]
    """Any of `read`, `write`, `delete`, `list`. Default: all of them."""
    kms_key: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that encrypts the bucket. Default: none, no KMS permissions are granted."""
    by: NotRequired[str]
    """What names the folder: `identity` (the identity ID), `sub` (the claim) or `tenant`. Default: `identity`."""


class LevelsArgs(TypedDict):
    """Amplify's file access levels: `public/`, `protected/OWNER/` and `private/OWNER/`."""

    bucket: pulumi.Input[str]
    """Name of the bucket. Required."""
    kms_key: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that encrypts the bucket. Default: none, no KMS permissions are granted."""
    by: NotRequired[str]
    """What names the folder: `identity` (the identity ID), `sub` (the claim) or `tenant`. Default: `identity`."""


class SharedArgs(TypedDict):
    """A folder that every user with the role shares."""

    bucket: pulumi.Input[str]
    """Name of the bucket. Required."""
    prefix: str
    """The shared folder, ending with `/`. Required."""
    why: str
    """The reason for sharing it, as a sentence; it becomes part of `packConfig`. Required."""
    access: NotRequired[list[str]]
    """Any of `read`, `write`, `delete`, `list`. Default: `read` and `list`."""
    kms_key: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that encrypts the bucket. Default: none, no KMS permissions are granted."""


class GraphqlArgs(TypedDict):
    """Fields of an AWS AppSync GraphQL API with IAM authorization."""

    id: pulumi.Input[str]
    """ID of the API. Required."""
    fields: NotRequired[list[str]]
    """Fields as TYPE.FIELD, such as `Query.listNotes` or `Mutation.*`. Default: all fields."""
    region: NotRequired[str]
    """Region of the API. Default: the region of the identity pool."""
    account: NotRequired[str]
    """ID of the account that owns the API. Default: the account of the stack."""


class OwnRowsArgs(TypedDict):
    """The user's own items of a DynamoDB table, by their partition key."""

    table: pulumi.Input[str]
    """Name of the table. Required."""
    access: NotRequired[list[str]]
    """Any of `read`, `write`, `delete`, `list`; `list` is Query. Default: all of them."""
    indexes: NotRequired[list[pulumi.Input[str]]]
    """Names of indexes that users can query. Their partition key must be that of the table. Default: none."""
    region: NotRequired[str]
    """Region of the table. Default: the region of the identity pool."""
    account: NotRequired[str]
    """ID of the account that owns the table. Default: the account of the stack."""
    by: NotRequired[str]
    """What the partition key is: `identity` (the identity ID), `sub` (the claim) or `tenant`. Default: `identity`."""


class OwnTopicsArgs(TypedDict):
    """The user's own AWS IoT topics."""

    prefix: NotRequired[str]
    """Topic levels above the user's own, ending with `/`. Default: none."""
    region: NotRequired[str]
    """Region of AWS IoT. Default: the region of the identity pool."""
    account: NotRequired[str]
    """ID of the account of AWS IoT. Default: the account of the stack."""
    by: NotRequired[str]
    """What names the topics: `identity` (the identity ID), `sub` (the claim) or `tenant`. Default: `identity`."""


class FunctionArgs(TypedDict):
    """An AWS Lambda function that users can invoke."""

    name: pulumi.Input[str]
    """Name of the function. Required."""
    qualifier: NotRequired[str]
    """Version or alias that users can invoke. Default: none, the unqualified function."""
    region: NotRequired[str]
    """Region of the function. Default: the region of the identity pool."""
    account: NotRequired[str]
    """ID of the account that owns the function. Default: the account of the stack."""


class GrantArgs(TypedDict):
    """A permission of a role. Set exactly one property."""

    own_folder: NotRequired[OwnFolderArgs]
    """The user's own folder in another bucket or under another prefix. Default: none."""
    levels: NotRequired[LevelsArgs]
    """Amplify's file access levels. Default: none."""
    shared: NotRequired[SharedArgs]
    """A shared folder. Default: none."""
    api: NotRequired[ApiArgs]
    """Another API of Amazon API Gateway. Default: none."""
    graphql: NotRequired[GraphqlArgs]
    """Fields of an AWS AppSync API. Default: none."""
    own_rows: NotRequired[OwnRowsArgs]
    """The user's own items of a DynamoDB table. Default: none."""
    own_topics: NotRequired[OwnTopicsArgs]
    """The user's own AWS IoT topics. Default: none."""
    function: NotRequired[FunctionArgs]
    """An AWS Lambda function. Default: none."""
    statement: NotRequired[Mapping[str, Any]]
    """An IAM policy statement, for permissions that no other grant covers. Default: none."""


class AuthenticatedArgs(TypedDict):
    """The role of signed-in users."""

    grants: NotRequired[list[GrantArgs]]
    """Permissions in addition to `uploads` and `api`. Default: none."""
    role: NotRequired[pulumi.Input[str]]
    """ARN of an existing role to use. Default: a new role."""
    trust: NotRequired[pulumi.Input[str]]
    """Trust policy of the existing role, as JSON, to validate. Default: none; `uncheckedRoles` lists the role."""


class GuestsArgs(TypedDict):
    """Guest access: credentials for users who have not signed in (unauthenticated identities)."""

    reason: str
    """The reason for guest access, as a sentence; it becomes part of `packConfig`. Required."""
    grants: NotRequired[list[GrantArgs]]
    """Permissions of guests. Default: none."""
    role: NotRequired[pulumi.Input[str]]
    """ARN of an existing role to use. Default: a new role."""
    trust: NotRequired[pulumi.Input[str]]
    """Trust policy of the existing role, as JSON, to validate. Default: none; `uncheckedRoles` lists the role."""


class GroupArgs(TypedDict):
    """A group to create in a user pool, with a role of its own."""

    name: str
    """Name of the group. Required."""
    user_pool: NotRequired[pulumi.Input[str]]
    """ID of the user pool. Default: the user pool in `userPools`; required if there are several."""
    precedence: NotRequired[int]
    """Precedence of the group for users in several groups; the lowest number wins. Default: none."""
    inherit: NotRequired[bool]
    """Whether the role has all permissions of signed-in users. Default: true."""
    grants: NotRequired[list[GrantArgs]]
    """Permissions in addition to the inherited ones. Default: none."""
    role: NotRequired[pulumi.Input[str]]
    """ARN of an existing role to use. Default: a new role."""
    trust: NotRequired[pulumi.Input[str]]
    """Trust policy of the existing role, as JSON, to validate. Default: none; `uncheckedRoles` lists the role."""


class MappedRoleArgs(TypedDict):
    """A role that mapping rules can select."""

    name: str
    """Name of the role in rules, 1 to 32 letters, digits and `-`. Required."""
    inherit: NotRequired[bool]
    """Whether the role has all permissions of signed-in users. Default: true."""
    grants: NotRequired[list[GrantArgs]]
    """Permissions in addition to the inherited ones. Default: none."""
    role: NotRequired[pulumi.Input[str]]
    """ARN of an existing role to use. Default: a new role."""
    trust: NotRequired[pulumi.Input[str]]
    """Trust policy of the existing role, as JSON, to validate. Default: none; `uncheckedRoles` lists the role."""


class RuleArgs(TypedDict):
    """A rule that selects a role by the value of a claim."""

    claim: str
    """Name of the claim, such as `custom:plan`. Required."""
    value: str
    """Value to compare the claim with. Required."""
    role: pulumi.Input[str]
    """Name of a mapped role, `authenticated`, or the ARN of an existing role. Required."""
    match: NotRequired[str]
    """`Equals`, `NotEqual`, `StartsWith` or `Contains`. Default: `Equals`."""


class MappingArgs(TypedDict):
    """How the identity pool selects a role for the users of one provider."""

    provider: pulumi.Input[str]
    """User pool ID, ARN of an OIDC or SAML provider, `facebook`, `google`, `apple`, `amazon` or `twitter`. Required."""
    by: NotRequired[str]
    """`rules`, or `token` for the group roles in a user pool's token. Default: `rules` if there are rules, else `token`."""
    rules: NotRequired[list[RuleArgs]]
    """1 to 25 rules, in order; the first rule that matches applies. Default: none, for a mapping by `token`."""
    ambiguous: NotRequired[str]
    """If no rule matches or the token contains several roles: `deny`, or the role of `authenticated`. Default: `deny`."""


class RolesArgs(TypedDict):
    """Properties of all new roles."""

    path: NotRequired[str]
    """IAM path, such as `/app-users/`. Default: `/`."""
    permissions_boundary: NotRequired[pulumi.Input[str]]
    """ARN of the managed policy to use as the permissions boundary. Default: none."""
    max_session_seconds: NotRequired[int]
    """Maximum session duration in seconds, 3600 to 43200. Default: 3600."""
    name_prefix: NotRequired[str]
    """Prefix of the names of roles and managed policies, at most 20 characters. Default: the name of the component."""


class TenantArgs(TypedDict):
    """What users of one tenant share: each folder, item or topic that is granted `by: tenant`."""

    claim: str
    """Claim that names the tenant, such as `custom:tenant`. Users must not be able to change it. Required."""
    why: str
    """The reason for sharing within a tenant, as a sentence; it becomes part of `packConfig`. Required."""


class ExistingPoolArgs(TypedDict):
    """An existing identity pool to use instead of a new one."""

    id: pulumi.Input[str]
    """ID of the identity pool, `REGION:UUID`. Required."""
    roles: NotRequired[str]
    """`make` creates roles and replaces those of the pool; `keep` does not change the roles. Default: `make`."""


class ScopedIdentityPoolArgs(TypedDict):
    """Arguments of a scoped identity pool."""

    uploads: UploadsArgs
    """The S3 bucket in which each user has a folder."""
    api: ApiArgs
    """The API that users can invoke."""
    pool_name: NotRequired[pulumi.Input[str]]
    """Name of the identity pool. A new name replaces the pool. Default: none; required unless `existingPool` is set."""
    existing_pool: NotRequired[ExistingPoolArgs]
    """An existing identity pool. Default: a new pool."""
    user_pools: NotRequired[list[UserPoolArgs]]
    """User pools whose users can sign in. Default: none."""
    providers: NotRequired[ProvidersArgs]
    """Identity providers other than user pools. Default: none."""
    region: NotRequired[str]
    """Region of the identity pool. Default: the region of the AWS provider."""
    authenticated: NotRequired[AuthenticatedArgs]
    """The role of signed-in users. Default: a new role with the permissions of `uploads` and `api`."""
    guests: NotRequired[GuestsArgs]
    """Guest access. Default: disabled, and no guest role exists."""
    groups: NotRequired[list[GroupArgs]]
    """User pool groups to create, each with a role. Default: none."""
    mapped_roles: NotRequired[list[MappedRoleArgs]]
    """Roles that mapping rules can select. Default: none."""
    mappings: NotRequired[list[MappingArgs]]
    """Role mappings. Default: by `token` for user pools with groups, none for the other providers."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of the identity pool, the roles and the managed policies. Default: none."""
    roles: NotRequired[RolesArgs]
    """Properties of all new roles. Default: path `/`, no permissions boundary, sessions of one hour."""
    tenant: NotRequired[TenantArgs]
    """The tenants of a multi-tenant app. Default: none."""
    profile: NotRequired[str]
    """`least-privilege`, or `guide` for the broad policy of a widely copied tutorial. Default: `least-privilege`."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the pool, which would lose all identity IDs. Default: true."""
