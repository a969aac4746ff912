"""Outputs of the component: the configuration of a front end and of the policy pack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .aws import IdentityKind
from .documents import Statement, owner_variable
from .grants import Grant, own_folders, shared_access, shared_spaces
from .owners import TAGS, Owner
from .plan import Plan, PlannedRole
from .providers import ProviderKind


def folder(plan: Plan) -> str:
    """Location of a user's files, `BUCKET/PREFIX${VARIABLE}/`."""
    uploads = plan.settings.uploads
    return f"{uploads.bucket}/{uploads.prefix}{owner_variable(plan.env, uploads.by)}/"


def claimed_folder(plan: Plan) -> dict[str, str]:
    """How a client computes the folder of its user: `prefix`, the value of `claim` in the ID token, and `/`.

    Without `claim`, the value is the identity ID.
    """
    uploads, tenant = plan.settings.uploads, plan.settings.tenant
    folder = {"bucket": uploads.bucket, "prefix": uploads.prefix, "by": uploads.by.value}
    if uploads.by is Owner.SUB:
        return {**folder, "claim": "sub"}
    return {**folder, "claim": tenant.claim} if uploads.by is Owner.TENANT and tenant is not None else folder


def logins(plan: Plan) -> list[str]:
    """Keys of the `Logins` map in which a client passes its token, one for each provider."""
    own = [plan.env.issuer for p in plan.settings.providers if p.kind is ProviderKind.DEVELOPER]
    others = [p.login for p in plan.settings.providers if p.kind is not ProviderKind.DEVELOPER]
    return [*(pool.name for pool in plan.settings.user_pools), *others, *own]


def external_roles(plan: Plan) -> tuple[list[str], list[str]]:
    """ARNs of the existing roles: all of them, and those whose trust policy has not been validated."""
    settings = plan.settings
    roles = [settings.authenticated, *([settings.guests.role] if settings.guests else [])]
    roles += [group.role for group in settings.groups] + [mapped.role for mapped in settings.mapped]
    named = [(role.arn, role.trust) for role in roles if role.arn is not None]
    named += [(rule.role, None) for m in settings.mappings for rule in m.rules if rule.role.startswith("arn:")]
    arns = list(dict.fromkeys(arn for arn, _ in named))
    checked = {arn for arn, trust in named if trust is not None}
    return arns, [arn for arn in arns if arn not in checked]


def pack_config(plan: Plan) -> dict[str, Any]:
    """Configuration of the policy pack for what the pool shares on purpose, and for guest access."""
    granted = [(grant, role.kind) for role in plan.roles for grant in _grants(plan, role)]
    spaces: dict[tuple[str, str], tuple[str, ...]] = {}
    for space in (space for grant, kind in granted for space in shared_spaces(grant, kind)):
        actions = spaces.get((space.pattern, space.why), ())
        spaces[space.pattern, space.why] = tuple(dict.fromkeys((*actions, *space.actions)))
    shared = [{"pattern": p, "actions": list(actions), "why": why} for (p, why), actions in spaces.items()]
    folders = list(dict.fromkeys(folder for grant, _ in granted for folder in own_folders(grant)))
    arns, _ = external_roles(plan)
    isolated: dict[str, Any] = {}
    own: dict[str, Any] = {}
    if shared:
        isolated["shared"] = own["shared"] = shared
    if folders:
        own["folders"] = list(dict.fromkeys((*own_folders(plan.settings.uploads), *folders)))
    tenant = plan.settings.tenant
    if tenant is not None:
        fixed = {
            "claim": tenant.claim,
            "why": "No app client of the user pools lets users write it, which was checked.",
        }
        for rule in (isolated, own):
            rule["tenants"] = [{"tag": TAGS[Owner.TENANT], "why": tenant.why}]
            rule["fixedClaims"] = [fixed]
    roles = {"rolesElsewhere": arns} if arns else {}
    rules: dict[str, Any] = {
        "s3-isolated-by-identity": {**isolated, **roles},
        "s3-own-folder": {**own, **roles},
        "vended-role-cannot-escalate": roles,
    }
    access = {
        (actions, resources): {"actions": list(actions), "resources": list(resources), "reason": reason}
        for grant, kind in granted
        if (reason := shared_access(grant, tenant)) is not None
        for actions, resources in map(_actions_and_resources, grant.statements(plan.env, kind))
    }
    if access:
        rules["other-access-is-declared"] = {"access": list(access.values())}
    guests, name = plan.settings.guests, plan.settings.pool_name
    if guests is not None and name is not None:
        rules["guests-are-declared"] = {"guests": [{"pool": name, "reason": guests.reason}]}
    return {rule: config for rule, config in rules.items() if config}


def _actions_and_resources(statement: Statement) -> tuple[tuple[str, ...], tuple[str, ...]]:
    actions, resources = (
        (value,) if isinstance(value, str) else tuple(value) for value in (statement["Action"], statement["Resource"])
    )
    return actions, resources


def _grants(plan: Plan, role: PlannedRole) -> Iterator[Grant]:
    """The grants of a role, its own and those it inherits, in addition to `uploads` and `api`."""
    if role.kind is IdentityKind.AUTHENTICATED and role.settings.inherit:
        yield from plan.settings.authenticated.grants
    yield from role.settings.grants


def amplify(plan: Plan, identity_pool_id: str) -> dict[str, Any]:
    """The argument of `Amplify.configure`, and in `custom`, which Amplify ignores, the folder of the user.

    Source: https://docs.amplify.aws/react/start/connect-to-aws-resources/
    """
    api, uploads = plan.settings.api, plan.settings.uploads
    api_region = api.region or plan.env.region
    stage = "" if api.stage in ("*", "$default") else f"/{api.stage}"
    cognito: dict[str, Any] = {
        "identityPoolId": identity_pool_id,
        "allowGuestAccess": plan.settings.guests is not None,
    }
    if plan.settings.user_pools:
        user_pool = plan.settings.user_pools[0]
        cognito = {"userPoolId": user_pool.id, "userPoolClientId": user_pool.clients[0], **cognito}
    return {
        "Auth": {"Cognito": cognito},
        "Storage": {"S3": {"bucket": uploads.bucket, "region": plan.env.region}},
        "API": {
            "REST": {
                api.id: {
                    "endpoint": f"https://{api.id}.execute-api.{api_region}.{plan.env.partition.dns_suffix}{stage}",
                    "region": api_region,
                }
            }
        },
        "custom": {"folder": claimed_folder(plan)},
    }
