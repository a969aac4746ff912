"""The `ScopedIdentityPool` component: identity pool → roles → policies → one role attachment.

This module creates the resources and does nothing else; `plan` and `documents` decide what is in them. It must not postpone
the evaluation of annotations: Pulumi reads them to make the schema for other languages.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import pulumi
import pulumi_aws as aws

from . import documents, external_roles, outputs, tag_maps
from . import settings as settings_
from .args import ScopedIdentityPoolArgs
from .formats import region_of_user_pool
from .plan import Plan, PlannedRole, plan
from .providers import TWITTER, ProviderKind
from .reader import PENDING, Problem, SettingsError
from .settings import Settings

PACKAGE = "scoped-identity"

_SHAPE_REGION, _SHAPE_ACCOUNT = "ap-southeast-1", "000000000000"
"""Placeholders for a region and an account that are not known yet, of the greatest length."""

_Value = TypeVar("_Value")


class ScopedIdentityPool(pulumi.ComponentResource):
    """An Amazon Cognito identity pool whose users can access their own files and the app's API, and nothing else."""

    identity_pool_id: pulumi.Output[str]
    """ID of the identity pool, `REGION:UUID`."""
    identity_pool_arn: pulumi.Output[str]
    """ARN of the identity pool."""
    role_arns: pulumi.Output[dict[str, str]]
    """ARNs of the roles of the pool, by `authenticated`, `unauthenticated` (guests), `group:NAME` and `mapped:NAME`."""
    unchecked_roles: pulumi.Output[list[str]]
    """ARNs of the existing roles whose trust policy has not been validated."""
    region: pulumi.Output[str]
    """Region of the identity pool."""
    logins: pulumi.Output[list[str]]
    """Keys of the `Logins` map in which a client passes its token, one for each provider, user pools first."""
    folder: pulumi.Output[str]
    """Location of a user's files: `BUCKET/PREFIX${VARIABLE}/`. A client computes it from `amplify.custom.folder`."""
    pack_config: pulumi.Output[dict[str, Any]]
    """Configuration of the policy pack for what this pool shares on purpose: the content of `--policy-pack-config`."""
    amplify: pulumi.Output[dict[str, Any]]
    """Front-end configuration for `Amplify.configure`."""

    def __init__(self, name: str, args: ScopedIdentityPoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Create the pool.

        Args:
            name: logical name of the component. The names of its resources derive from it, in every version alike.
            args: see ScopedIdentityPoolArgs. Errors are reported together, before any resource is created.
            opts: Pulumi resource options.

        Raises:
            pulumi.RunError: the arguments are invalid; one line for each problem.
        """
        shape = _shape(args)
        super().__init__(f"{PACKAGE}:index:ScopedIdentityPool", name, None, opts)
        self._name = name
        self._shape = shape
        self._chosen = self._plan(args)
        self._dependencies: list[pulumi.Resource] = []  # roles and their policies
        self._assignments: list[pulumi.Resource] = []  # which user gets which role

        self._pool_id, self.identity_pool_arn = self._pool()
        made = {i: self._role(i, p) for i, p in enumerate(shape.roles) if p.settings.arn is None}
        maps = self._tag_maps(list(made.values())) if shape.uses_tags else []
        for index, role in made.items():
            self._permissions(index, role, maps)
        if not shape.uses_tags:
            self._tag_maps(self._dependencies)
        roles = {p.key: made[i].arn if i in made else self._existing_role(i) for i, p in enumerate(shape.roles)}
        self._groups(roles)
        self._attachment(roles)
        self._guard()

        self.identity_pool_id = self._pool_id
        self.role_arns = _by_key(roles)
        self.unchecked_roles = self._of(lambda p: outputs.external_roles(p)[1])
        self.region = self._of(lambda p: p.env.region)
        self.logins = self._of(outputs.logins)
        self.folder = self._of(outputs.folder)
        self.pack_config = self._of(outputs.pack_config)
        self.amplify = pulumi.Output.all(self._chosen, self._pool_id).apply(lambda v: outputs.amplify(v[0], v[1]))
        self.register_outputs(
            {
                "identityPoolId": self.identity_pool_id,
                "identityPoolArn": self.identity_pool_arn,
                "roleArns": self.role_arns,
                "uncheckedRoles": self.unchecked_roles,
                "region": self.region,
                "logins": self.logins,
                "folder": self.folder,
                "packConfig": self.pack_config,
                "amplify": self.amplify,
            }
        )

    def _plan(self, args: ScopedIdentityPoolArgs) -> pulumi.Output[Plan]:
        """The plan, known as soon as the arguments are: at preview if they are plain values."""
        settings = self._shape.settings
        invoke = pulumi.InvokeOptions(parent=self)
        region: pulumi.Input[str] = settings.region or aws.get_region_output(opts=invoke).region
        if settings.existing is not None and settings.existing.id != PENDING:
            region = settings.existing.id.partition(":")[0]
        account: pulumi.Input[str] = aws.get_caller_identity_output(opts=invoke).account_id
        writable = self._writable(args) if settings.tenant is not None else []
        resolved = pulumi.Output.all(pulumi.Output.from_input(dict(args)), region, account, *writable)
        return resolved.apply(lambda v: _planned(v[0], v[1], v[2], v[3:]))

    def _writable(self, args: Mapping[str, Any]) -> list[pulumi.Output[tag_maps.WriteAccess]]:
        """What users can change themselves with each app client: with it, they could change their tenant."""
        invoke = pulumi.InvokeOptions(parent=self)
        clients: list[pulumi.Output[tag_maps.WriteAccess]] = []
        for index, pool in enumerate(args.get("user_pools") or []):
            for position, client in enumerate(pool["clients"]):
                answer = aws.cognito.get_user_pool_client_output(
                    client_id=client,
                    user_pool_id=pool["id"],
                    region=pulumi.Output.from_input(pool["id"]).apply(region_of_user_pool),
                    opts=invoke,
                )
                path = f"userPools[{index}].clients[{position}]"
                access = pulumi.Output.all(client, answer.write_attributes)
                clients.append(access.apply(lambda v, path=path: tag_maps.WriteAccess(path, v[0], tuple(v[1] or ()))))  # type: ignore[misc]
        return clients

    def _of(self, pick: Callable[[Plan], _Value]) -> pulumi.Output[_Value]:
        return self._chosen.apply(pick)

    def _pool(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """The pool's id and ARN."""
        settings = self._shape.settings
        if settings.existing is not None:
            pool_id = self._of(lambda p: p.settings.existing.id if p.settings.existing else "")
            arn = pulumi.Output.all(self._chosen, pool_id).apply(
                lambda v: v[0].env.arn("cognito-identity", f"identitypool/{v[1]}")
            )
            return pool_id, arn
        kinds = {provider.kind for provider in settings.providers}
        social = self._of(lambda p: p.social_providers())
        pool = aws.cognito.IdentityPool(
            self._name,
            identity_pool_name=self._of(lambda p: p.settings.pool_name or ""),
            allow_unauthenticated_identities=settings.guests is not None,
            # Sent although off is the default of AWS: leaving it out would not disable it where it has been enabled.
            allow_classic_flow=False,
            cognito_identity_providers=self._of(_user_pools) if settings.user_pools else None,
            supported_login_providers=_secret(settings, social) if ProviderKind.SOCIAL in kinds else None,
            openid_connect_provider_arns=self._of(lambda p: p.named(ProviderKind.OIDC))
            if ProviderKind.OIDC in kinds
            else None,
            saml_provider_arns=self._of(lambda p: p.named(ProviderKind.SAML)) if ProviderKind.SAML in kinds else None,
            developer_provider_name=self._of(lambda p: p.named(ProviderKind.DEVELOPER)[0])
            if ProviderKind.DEVELOPER in kinds
            else None,
            region=self._of(lambda p: p.env.region),
            tags=self._tags(),
            # Deleting the pool loses all identity IDs, and a new pool name or developer provider name replaces it.
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protect),
        )
        return pool.id, pool.arn

    def _existing_role(self, index: int) -> pulumi.Output[str]:
        """The ARN of an existing role."""
        return pulumi.Output.all(self._chosen, self._pool_id).apply(lambda v: _checked(v[0], v[1], index))

    def _role(self, index: int, planned: PlannedRole) -> aws.iam.Role:
        """A planned role, without its permissions."""
        name = f"{self._name}-{planned.name}"
        defaults = self._shape.settings.roles
        trust = pulumi.Output.all(self._chosen, self._pool_id).apply(lambda v: _trust(v[0], v[1], index))
        role = aws.iam.Role(
            name,
            assume_role_policy=trust,
            description=self._of(lambda p: _description(p, p.roles[index].members)),
            path=defaults.path,
            permissions_boundary=self._of(lambda p: p.settings.roles.permissions_boundary),
            max_session_duration=defaults.max_session_seconds,
            name_prefix=_name_prefix(self._shape.settings, planned),
            tags=self._tags(),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._dependencies.append(role)
        return role

    def _permissions(self, index: int, role: aws.iam.Role, after: Sequence[pulumi.Resource]) -> None:
        """The policies of a role.

        Args:
            after: tag maps that the policies depend on: before a session has the tags, they grant less.
        """
        planned = self._shape.roles[index]
        name = f"{self._name}-{planned.name}"
        opts = pulumi.ResourceOptions(parent=role, depends_on=after)
        inline: list[aws.iam.RolePolicy] = []
        attached: list[aws.iam.RolePolicyAttachment] = []
        if len(planned.policies) == 1:
            inline.append(aws.iam.RolePolicy(name, role=role.name, policy=self._document(index, 0), opts=opts))
        else:
            attached += [self._managed(name, role, index, part, opts) for part in range(len(planned.policies))]
        self._dependencies += [*inline, *attached, *self._nothing_else(name, role, inline, attached)]

    def _nothing_else(
        self,
        name: str,
        role: aws.iam.Role,
        inline: Sequence[aws.iam.RolePolicy],
        attached: Sequence[aws.iam.RolePolicyAttachment],
    ) -> list[pulumi.Resource]:
        """Let the role have these policies only: one that is added by hand is drift, and the next update removes it.

        The lists depend on every policy, so that what they remove has been replaced before.
        """
        opts = pulumi.ResourceOptions(parent=role, depends_on=[*inline, *attached])
        return [
            aws.iam.RolePoliciesExclusive(
                name, role_name=role.name, policy_names=[policy.name for policy in inline], opts=opts
            ),
            aws.iam.RolePolicyAttachmentsExclusive(
                name, role_name=role.name, policy_arns=[attachment.policy_arn for attachment in attached], opts=opts
            ),
        ]

    def _managed(
        self, name: str, role: aws.iam.Role, index: int, part: int, opts: pulumi.ResourceOptions
    ) -> aws.iam.RolePolicyAttachment:
        """One of the managed policies that a role needs for long grants."""
        policy = aws.iam.Policy(
            f"{name}-{part + 1}",
            policy=self._document(index, part),
            path=self._shape.settings.roles.path,
            name_prefix=_name_prefix(self._shape.settings, self._shape.roles[index]),
            description=self._of(lambda p: _description(p, f"{p.roles[index].members}, part {part + 1}")),
            tags=self._tags(),
            opts=opts,
        )
        return aws.iam.RolePolicyAttachment(f"{name}-{part + 1}", role=role.name, policy_arn=policy.arn, opts=opts)

    def _document(self, index: int, part: int) -> pulumi.Output[str]:
        return self._of(lambda p: _policy(p, self._shape, index, part))

    def _guard(self) -> None:
        """Protect the users' access together with the pool.

        A destroy deletes in reverse order and fails at a protected resource; the pool comes last. The guard depends on all
        access, so that it comes first and nothing is deleted. Roles and policies are not protected themselves: they can
        still be replaced and removed.
        """
        pulumi.ComponentResource(
            f"{PACKAGE}:index:Guard",
            self._name,
            None,
            pulumi.ResourceOptions(
                parent=self, protect=self._shape.settings.protect, depends_on=[*self._dependencies, *self._assignments]
            ),
        )

    def _groups(self, roles: Mapping[str, pulumi.Output[str]]) -> None:
        settings = self._shape.settings
        if not settings.makes_roles:
            return
        for index, (key, name) in enumerate(self._shape.group_names()):
            group = aws.cognito.UserGroup(
                f"{self._name}-{name}",
                name=settings.groups[index].name,
                user_pool_id=self._of(lambda p, i=index: _user_pool_of(p, i)[0]),  # type: ignore[misc]
                precedence=settings.groups[index].precedence,
                role_arn=roles[key],
                region=self._of(lambda p, i=index: _user_pool_of(p, i)[1]),  # type: ignore[misc]
                opts=pulumi.ResourceOptions(parent=self),
            )
            self._assignments.append(group)

    def _attachment(self, roles: Mapping[str, pulumi.Output[str]]) -> None:
        """The roles of the pool. A pool has one attachment, created after all policies."""
        settings = self._shape.settings
        if not settings.makes_roles:
            return
        mappings = pulumi.Output.all(self._chosen, _by_key(roles)).apply(lambda v: _mappings(v[0], v[1]))
        attachment = aws.cognito.IdentityPoolRoleAttachment(
            self._name,
            identity_pool_id=self._pool_id,
            roles={kind: roles[kind] for kind in ("authenticated", "unauthenticated") if kind in roles},
            role_mappings=mappings if settings.groups or settings.mappings else None,
            region=self._of(lambda p: p.env.region),
            # A change of roles replaces the attachment, and deleting the old one would remove all roles. AWS keeps one set
            # of roles for a pool, so that the new attachment overwrites the old one, which Pulumi then only forgets.
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._dependencies, retain_on_delete=True),
        )
        self._assignments.append(attachment)

    def _tag_maps(self, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """The session tags of each provider.

        Policies that use tags are updated after the maps, and the others before: then users have the permissions of the old
        policies or of the new ones at each moment of an update, whether it adds tags or removes them.
        """
        maps: list[pulumi.Resource] = []
        for index, ref in enumerate(tag_maps.references(self._shape.settings)):
            shape = self._shape.tag_maps[index]
            maps.append(
                aws.cognito.IdentityPoolProviderPrincipalTag(
                    f"{self._name}-{re.sub(r'[^A-Za-z0-9]+', '-', ref)}",
                    identity_pool_id=self._pool_id,
                    identity_provider_name=self._of(lambda p, i=index: p.tag_maps[i].provider),  # type: ignore[misc]
                    principal_tags=self._of(lambda p, i=index: dict(p.tag_maps[i].claims)) if shape.claims else None,  # type: ignore[misc]
                    use_defaults=shape.defaults,
                    region=self._of(lambda p: p.env.region),
                    # The provider's delete does not switch tags off: it switches the default mappings of AWS on.
                    opts=pulumi.ResourceOptions(parent=self, depends_on=after, retain_on_delete=True),
                )
            )
        self._assignments += maps
        return maps

    def _tags(self) -> pulumi.Output[Mapping[str, str]]:
        return self._of(lambda p: dict(p.settings.tags))


def _by_key(values: Mapping[str, pulumi.Output[str]]) -> pulumi.Output[dict[str, str]]:
    """The values by key. Of no values, `Output.all` would make a list."""
    return pulumi.Output.all(**values) if values else pulumi.Output.from_input({})


def _secret(settings: Settings, value: pulumi.Output[dict[str, str]]) -> pulumi.Output[dict[str, str]]:
    """The value, as a secret where it contains the consumer secret of Twitter."""
    return pulumi.Output.secret(value) if any(p.name == TWITTER for p in settings.providers) else value


def _user_pools(chosen: Plan) -> list[aws.cognito.IdentityPoolCognitoIdentityProviderArgs]:
    entries = chosen.user_pool_providers()
    return [aws.cognito.IdentityPoolCognitoIdentityProviderArgs(**entry) for entry in entries]


def _mappings(chosen: Plan, arns: Mapping[str, str]) -> list[aws.cognito.IdentityPoolRoleAttachmentRoleMappingArgs]:
    return [
        aws.cognito.IdentityPoolRoleAttachmentRoleMappingArgs(
            **{key: value for key, value in entry.items() if key != "mapping_rules"},
            mapping_rules=[
                aws.cognito.IdentityPoolRoleAttachmentRoleMappingMappingRuleArgs(**rule)
                for rule in entry["mapping_rules"]
            ]
            if "mapping_rules" in entry
            else None,
        )
        for entry in chosen.mappings(arns)
    ]


def _user_pool_of(chosen: Plan, index: int) -> tuple[str, str]:
    pool = chosen.settings.pool_of(chosen.settings.groups[index])
    if pool is None:
        raise pulumi.RunError(f"groups[{index}].userPool: is not one of `userPools`")
    return pool.id, pool.region


def _name_prefix(settings: Settings, planned: PlannedRole) -> str | None:
    return f"{settings.roles.name_prefix}{planned.name}-"[:38] if settings.roles.name_prefix else None


def _description(chosen: Plan, members: str) -> str:
    pool = chosen.settings.pool_name or (chosen.settings.existing.id if chosen.settings.existing else "")
    return _ascii(f"Vended by the identity pool {pool} to {members}")[:1000]


def _trust(chosen: Plan, identity_pool_id: str, index: int) -> str:
    try:
        return chosen.trust(identity_pool_id, chosen.roles[index])
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def _checked(chosen: Plan, identity_pool_id: str, index: int) -> str:
    """The ARN of an existing role, after its trust policy, if known, has been validated."""
    planned = chosen.roles[index]
    if planned.settings.trust is not None:
        trust = json.loads(planned.settings.trust)
        loose = external_roles.trust_problems(
            trust, chosen.env.issuer, identity_pool_id, planned.kind, chosen.sends_tags
        )
        problems = [str(Problem(f"{planned.path}.trust", text)) for text in loose]
        if problems:
            raise pulumi.RunError("\n".join(problems))
    return planned.settings.arn or ""


def _policy(chosen: Plan, shape: Plan, index: int, part: int) -> str:
    foreseen = len(shape.roles[index].policies)
    parts = [list(policy) for policy in chosen.roles[index].policies]
    if foreseen > 1:
        parts = documents.managed([statement for policy in parts for statement in policy])
    if len(parts) > foreseen:
        path = chosen.roles[index].path
        raise pulumi.RunError(
            f"{path}: the grants need more policies than at preview; use literal IDs, or reduce the grants"
        )
    # Fewer than at preview: the last one is repeated, which grants nothing more.
    return json.dumps(documents.document(parts[min(part, len(parts) - 1)]))


def _planned(args: Mapping[str, Any], region: str, account: str, writable: Sequence[tag_maps.WriteAccess] = ()) -> Plan:
    try:
        settings = _settings(args)
        problems = list(tag_maps.changeable_tenants(settings, writable))
        if problems:
            raise SettingsError(problems)
        return plan(settings, region, account)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def _shape(args: Mapping[str, Any]) -> Plan:
    """The plan as far as it is known before outputs resolve: the number of resources and their names."""
    try:
        settings = _settings(args, lambda v: isinstance(v, pulumi.Output))
        return plan(settings, settings.region or _SHAPE_REGION, _SHAPE_ACCOUNT)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def _settings(args: Mapping[str, Any], pending: Callable[[object], bool] = lambda _: False) -> Settings:
    return settings_.parse(args, pending)


def _ascii(text: str) -> str:
    """IAM allows few characters beyond ASCII in a description."""
    return text.encode("ascii", "replace").decode()
