"""The parts of a scoped identity pool, decided from the settings before any resource is created.

A plan contains the identity providers, the roles with their policies, and the role mappings: everything but the IDs that
AWS assigns. A plan of settings that are not all known yet has the shape of the final one, with placeholders.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from . import documents, tag_maps
from .aws import Environment, IdentityKind, issuer_of, partition_of
from .documents import MANAGED_LIMIT, MANAGED_POLICIES, TRUST_LIMIT, Statement
from .providers import Provider, ProviderKind, UserPool
from .reader import PENDING, Problem, SettingsError
from .roles import Ambiguous, By, Role, RoleMapping
from .settings import Profile, Settings
from .tag_maps import TagMap

SPARE = 200
"""Characters left free in a document for each value that is not known yet."""


@dataclass(frozen=True)
class PlannedRole:
    """A vended role: the pool can issue credentials for it.

    Attributes:
        key: its name in the outputs: `authenticated`, `unauthenticated`, `group:NAME` or `mapped:NAME`.
        name: the suffix of the names of its resources.
        path: its place in the settings, for messages.
        settings: the settings of the role.
        providers: names of the only providers whose users can assume it; empty for any provider.
        members: the users of the role, for its description.
        policies: its statements, by policy; a single policy becomes an inline policy.
    """

    key: str
    name: str
    path: str
    kind: IdentityKind
    settings: Role
    providers: tuple[str, ...]
    members: str
    policies: tuple[tuple[Statement, ...], ...]


@dataclass(frozen=True)
class Plan:
    """A scoped identity pool on paper."""

    settings: Settings
    env: Environment

    @cached_property
    def roles(self) -> tuple[PlannedRole, ...]:
        """All role roles: signed-in users', guests', groups', and those that rules give out.

        Of a pool that keeps its own roles, those that the settings name.
        """
        return tuple(role for role in self._roles() if self.settings.makes_roles or role.settings.arn is not None)

    def _roles(self) -> Iterator[PlannedRole]:
        settings = self.settings
        if settings.user_pools or settings.providers or settings.existing is not None:
            members = "signed-in users"
            yield self._role("authenticated", "authenticated", "authenticated", settings.authenticated, (), members)
        if settings.guests is not None:
            members = f"guests, because: {settings.guests.reason}"
            yield self._role("unauthenticated", "guest", "guests", settings.guests.role, (), members)
        for index, group in enumerate(settings.groups):
            pool = settings.pool_of(group)
            only: tuple[str, ...] = (pool.name,) if pool is not None else ()
            members = f"members of the group {group.name}"
            key, name = self.group_names()[index]
            yield self._role(key, name, f"groups[{index}]", group.role, only, members)
        for index, mapped in enumerate(settings.mapped):
            only = self._only(mapped.name)
            path, members = f"mappedRoles[{index}]", f"users with the mapped role {mapped.name}"
            yield self._role(f"mapped:{mapped.name}", f"mapped-{mapped.name}", path, mapped.role, only, members)

    def group_names(self) -> list[tuple[str, str]]:
        """Each group's key and the ending of its resources' names; groups of two user pools may have one name."""
        names: list[tuple[str, str]] = []
        seen: dict[str, int] = {}
        for group in self.settings.groups:
            name = "".join(c if c.isascii() and c.isalnum() else "-" for c in group.name)
            seen[name] = seen.get(name, 0) + 1
            again = f"-{seen[name]}" if seen[name] > 1 else ""
            names.append((f"group:{group.name}{again}", f"group-{name}{again}"))
        return names

    def _role(self, key: str, name: str, path: str, role: Role, only: tuple[str, ...], members: str) -> PlannedRole:
        kind = IdentityKind.GUEST if key == IdentityKind.GUEST.value else IdentityKind.AUTHENTICATED
        policies = () if role.arn is not None else self._policies(path, self._statements(role, kind))
        return PlannedRole(key, name, path, kind, role, only, members, policies)

    def _statements(self, role: Role, kind: IdentityKind) -> list[Statement]:
        statements: list[Statement] = []
        if kind is IdentityKind.AUTHENTICATED:
            if role.inherit:
                statements += self._base()
            if role.inherit and role is not self.settings.authenticated:
                statements += [s for g in self.settings.authenticated.grants for s in g.statements(self.env, kind)]
        return statements + [s for g in role.grants for s in g.statements(self.env, kind)]

    def _base(self) -> list[Statement]:
        """What every signed-in user may do."""
        uploads, api = self.settings.uploads, self.settings.api
        if self.settings.profile is Profile.GUIDE:
            return documents.guide(self.env, uploads.bucket, api.id, api.region)
        signed_in = IdentityKind.AUTHENTICATED
        return [*uploads.statements(self.env, signed_in), *api.statements(self.env, signed_in)]

    def _policies(self, path: str, statements: Sequence[Statement]) -> tuple[tuple[Statement, ...], ...]:
        if not statements:
            return ()
        open_values = json.dumps(statements).count(PENDING)
        parts = documents.split(statements, min(SPARE * open_values, MANAGED_LIMIT // 2))
        problem = ""
        if len(parts) > 1:
            over = next((part[0] for part in parts if documents.size(part) > MANAGED_LIMIT), None)
            if over is not None:
                problem = (
                    f"the statement `{over.get('Sid', '')}` has more than {MANAGED_LIMIT} characters, the IAM limit"
                )
            elif len(parts) > MANAGED_POLICIES:
                problem = f"the grants need {len(parts)} policies; IAM allows {MANAGED_POLICIES} for a role"
        if problem:
            raise SettingsError([Problem(path, f"{problem}; reduce the grants")])
        return tuple(tuple(part) for part in parts)

    def _only(self, name: str) -> tuple[str, ...]:
        """The providers whose rules give out a role, where all of them show in `amr` by their names."""
        names: list[str] = []
        for mapping in self.settings.mappings:
            if any(rule.role == name for rule in mapping.rules):
                provider = self._provider(mapping.provider)
                if isinstance(provider, Provider) and provider.kind is not ProviderKind.SOCIAL:
                    return ()
                if provider is not None:
                    names.append(provider.name)
        return tuple(names)

    def _provider(self, ref: str) -> UserPool | Provider | None:
        pools = (pool for pool in self.settings.user_pools if pool.id == ref)
        return next(pools, None) or next((p for p in self.settings.providers if p.ref == ref), None)

    def trust(self, identity_pool_id: str, role: PlannedRole) -> str:
        """The trust policy of a role, as JSON.

        Raises:
            SettingsError: it is over IAM's limit.
        """
        document = documents.trust(self.env.issuer, identity_pool_id, role.kind, role.providers)
        text = json.dumps(document)
        if len("".join(text.split())) > TRUST_LIMIT:
            raise SettingsError(
                [Problem(role.path, f"the trust policy has more than {TRUST_LIMIT} characters, the IAM limit")]
            )
        return text

    def user_pool_providers(self) -> list[dict[str, Any]]:
        """One entry for each app client of each user pool, as CreateIdentityPool takes them."""
        return [
            {
                "client_id": client,
                "provider_name": pool.name,
                "server_side_token_check": pool.server_side_token_check,
            }
            for pool in self.settings.user_pools
            for client in pool.clients
        ]

    def social_providers(self) -> dict[str, str]:
        return {p.name: p.app for p in self.settings.providers if p.app is not None}

    def named(self, kind: ProviderKind) -> list[str]:
        """Names of the providers of a kind, as AWS takes them."""
        return [p.name for p in self.settings.providers if p.kind is kind]

    @cached_property
    def tag_maps(self) -> tuple[TagMap, ...]:
        """The session tags of each provider."""
        return tuple(tag_maps.tag_maps(self.settings))

    @property
    def sends_tags(self) -> bool:
        return any(tag_map.claims or tag_map.defaults for tag_map in self.tag_maps)

    @property
    def uses_tags(self) -> bool:
        """Whether a permission depends on a session tag."""
        return "aws:principaltag/" in json.dumps([role.policies for role in self.roles]).lower()

    def mappings(self, arns: Mapping[str, str]) -> list[dict[str, Any]]:
        """How each provider's users get their role, as SetIdentityPoolRoles takes it.

        Args:
            arns: the role roles' ARNs, by key.
        """
        entries: list[dict[str, Any]] = []
        for mapping in (*self.settings.mappings, *self._implied()):
            provider = self._provider(mapping.provider)
            if provider is None:
                continue
            names = [provider.name]
            if isinstance(provider, UserPool):
                names = [f"{provider.name}:{client}" for client in provider.clients]
            entry: dict[str, Any] = {
                "type": "Rules" if mapping.by is By.RULES else "Token",
                "ambiguous_role_resolution": "Deny" if mapping.ambiguous is Ambiguous.DENY else "AuthenticatedRole",
            }
            if mapping.by is By.RULES:
                entry["mapping_rules"] = [
                    {
                        "claim": rule.claim,
                        "match_type": rule.match.value,
                        "value": rule.value,
                        "role_arn": _arn_of(rule.role, arns),
                    }
                    for rule in mapping.rules
                ]
            entries += [{"identity_provider": name, **entry} for name in names]
        return entries

    def _implied(self) -> Iterator[RoleMapping]:
        """The mappings by token of user pools with groups and no mapping of their own."""
        mapped = {mapping.provider for mapping in self.settings.mappings}
        pools = [self.settings.pool_of(group) for group in self.settings.groups]
        for pool_id in dict.fromkeys(pool.id for pool in pools if pool is not None):
            if pool_id not in mapped:
                yield RoleMapping(pool_id, By.TOKEN, Ambiguous.DENY)


def _arn_of(role: str, arns: Mapping[str, str]) -> str:
    if role.startswith("arn:"):
        return role
    return arns["authenticated" if role == "authenticated" else f"mapped:{role}"]


def plan(settings: Settings, region: str, account: str) -> Plan:
    """Decide everything that can be decided before AWS gives out ids.

    Args:
        settings: settings; with PENDING in them, the plan has the shape of the final one and no use beyond that.
        region: the pool's region.
        account: the account that is deployed to.

    Raises:
        SettingsError: the region has no identity issuer that is known, or what is granted does not fit into IAM.
    """
    issuer = issuer_of(region)
    if issuer is None:
        raise SettingsError(
            [
                Problem(
                    "region",
                    f"`{region}` is not supported: AWS does not document the issuer of identity pools in this region",
                )
            ]
        )
    uuid_subs = all(provider.kind is not ProviderKind.OIDC for provider in settings.providers)
    planned = Plan(settings, Environment(partition_of(region), issuer, region, account, uuid_subs))
    _ = planned.roles  # raises here, before any resource is created, if the grants do not fit into IAM
    return planned
