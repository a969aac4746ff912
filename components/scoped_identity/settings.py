"""The settings of a scoped identity pool: from plain values to one validated object.

Validates each value and the values together, and reports every problem at once. Nothing here depends on Pulumi: a
predicate of the caller recognises a value that is not known yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from . import formats, grants, owners, providers, roles, tag_maps
from .aws import AWS, Environment, IdentityKind, denied_to_guests, issuer_of, partition_of
from .documents import READ_WRITE
from .grants import Api, OwnFolder
from .owners import Owner, Tenant
from .providers import Provider, ProviderKind, UserPool
from .reader import PENDING, Problem, Reader, Section, SettingsError, show
from .roles import Ambiguous, By, Group, Guests, MappedRole, Role, RoleDefaults, RoleMapping

MAX_TAGS = 50


class Profile(str, Enum):
    """The permissions of the roles: least privilege, or those of a widely copied tutorial."""

    LEAST_PRIVILEGE = "least-privilege"
    GUIDE = "guide"


class ExistingRoles(str, Enum):
    """Whether an existing pool gets new roles or keeps its own."""

    MAKE = "make"
    KEEP = "keep"


@dataclass(frozen=True)
class ExistingPool:
    """An existing identity pool, which this stack does not manage."""

    id: str
    roles: ExistingRoles = ExistingRoles.MAKE


@dataclass(frozen=True)
class Settings:
    pool_name: str | None
    """None for an existing pool."""
    user_pools: tuple[UserPool, ...]
    uploads: OwnFolder
    api: Api
    region: str | None = None
    providers: tuple[Provider, ...] = ()
    existing: ExistingPool | None = None
    authenticated: Role = field(default_factory=Role)
    guests: Guests | None = None
    groups: tuple[Group, ...] = ()
    mapped: tuple[MappedRole, ...] = ()
    mappings: tuple[RoleMapping, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    roles: RoleDefaults = field(default_factory=RoleDefaults)
    tenant: Tenant | None = None
    profile: Profile = Profile.LEAST_PRIVILEGE
    protect: bool = True

    @property
    def makes_roles(self) -> bool:
        return self.existing is None or self.existing.roles is ExistingRoles.MAKE

    def pool_of(self, group: Group) -> UserPool | None:
        """The user pool of a group: the one that it names, or the only one."""
        if group.user_pool is None:
            return self.user_pools[0] if len(self.user_pools) == 1 else None
        return next((pool for pool in self.user_pools if pool.id == group.user_pool), None)


def _never(_: object) -> bool:
    return False


def parse(raw: Mapping[str, object], pending: Callable[[object], bool] = _never) -> Settings:
    """Read settings.

    Args:
        raw: the component's arguments, by Python's names (`pool_name`, …), as plain values.
        pending: whether a value is not known yet; its format is checked when it is known.

    Raises:
        SettingsError: with every problem, in the order of the settings.
    """
    reader = Reader(pending)
    top = Section(reader, "", raw)
    existing = _existing(top)
    name = top.optional_text("pool_name", formats.pool_name)
    if existing is None and name is None:
        reader.report("poolName", "is required")
    if existing is not None and name is not None and not reader.failed("existingPool"):
        reader.report("poolName", "is not supported with an existing pool, which keeps its name; remove it")
    region = top.optional_text("region", formats.region)
    settings = Settings(
        pool_name=name,
        region=region,
        user_pools=providers.user_pools(top),
        providers=providers.others(top),
        existing=existing,
        uploads=_uploads(top.section("uploads", "{bucket: NAME}")),
        api=_api(top.section("api", "{id: API_ID}")),
        authenticated=roles.authenticated(top),
        guests=roles.guests(top),
        groups=roles.groups(top),
        mapped=roles.mapped(top),
        mappings=roles.mappings(top),
        tags=_tags(top),
        roles=roles.every(top),
        tenant=owners.tenant(top),
        profile=top.choice("profile", Profile, Profile.LEAST_PRIVILEGE),
        protect=top.flag("protect", True),
    )
    top.close()
    if not reader.problems:
        for problem in _contradictions(settings):
            reader.report(problem.path, problem.text)
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def _existing(top: Section) -> ExistingPool | None:
    section = top.optional_section("existing_pool", "{id: REGION:UUID}")
    if section is None:
        return None
    pool = ExistingPool(
        section.text("id", formats.identity_pool_id), section.choice("roles", ExistingRoles, ExistingRoles.MAKE)
    )
    section.close()
    return pool


def _uploads(section: Section) -> OwnFolder:
    folder = grants.own_folder(section)
    section.close()
    return folder


def _api(section: Section) -> Api:
    api = grants.api(section)
    section.close()
    return api


def _tags(top: Section) -> tuple[tuple[str, str], ...]:
    value = top.take("tags")
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        top.reader.report("tags", f"`{show(value)}` must be a map of tags: {{KEY: VALUE}}")
        return ()
    if len(value) > MAX_TAGS:
        top.reader.report("tags", f"has {len(value)} tags; AWS allows at most {MAX_TAGS}")
    for key, text in value.items():
        if key.lower().startswith("aws:"):
            top.reader.report(f"tags.{key}", "the prefix `aws:` is reserved by AWS; use another key")
        elif not 1 <= len(key) <= 128:
            top.reader.report(f"tags.{key[:20]}", "a tag key must have 1 to 128 characters")
        elif not isinstance(text, str) and not top.reader.pending(text):
            top.reader.report(f"tags.{key}", f"`{show(text)}` must be a string; put it in quotes")
        elif isinstance(text, str) and len(text) > 256:
            top.reader.report(f"tags.{key}", "a tag value must have at most 256 characters")
    return tuple((key, text if isinstance(text, str) else PENDING) for key, text in value.items())


def _contradictions(settings: Settings) -> Iterator[Problem]:
    """Problems of the settings with each other."""
    yield from _providers(settings)
    yield from _groups_and_mappings(settings)
    if settings.guests is not None:
        yield from _guest_grants(settings.guests)
    if settings.existing is not None:
        yield from _existing_pool(settings, settings.existing)
    yield from _partitions(settings)
    yield from tag_maps.problems(settings)
    if settings.profile is Profile.GUIDE:
        if settings.uploads.prefix:
            yield Problem(
                "uploads.prefix", "is not supported by the profile `guide`; remove it, or use `least-privilege`"
            )
        if settings.uploads.access != READ_WRITE:
            yield Problem(
                "uploads.access",
                "is not supported by the profile `guide`, which grants all of S3; remove it, or use `least-privilege`",
            )
        if settings.uploads.by is not Owner.IDENTITY:
            yield Problem("uploads.by", "is not supported by the profile `guide`; remove it, or use `least-privilege`")


def _providers(settings: Settings) -> Iterator[Problem]:
    if not settings.user_pools and not settings.providers and settings.guests is None and settings.existing is None:
        yield Problem(
            "userPools",
            "no user can get credentials; add a user pool, {id: eu-west-1_AbCdEf123, clients: [CLIENT_ID]}, "
            "one of `providers`, or `guests`",
        )
    seen: dict[str, int] = {}
    for index, pool in enumerate(settings.user_pools):
        if pool.id != PENDING and pool.id in seen:
            where = f"userPools[{seen[pool.id]}]"
            yield Problem(
                f"userPools[{index}].id", f"`{pool.id}` is a duplicate of {where}; list all its clients there"
            )
        seen.setdefault(pool.id, index)
        for position, client in enumerate(pool.clients):
            if client != PENDING and client in pool.clients[:position]:
                yield Problem(
                    f"userPools[{index}].clients[{position}]", f"`{client}` is listed twice; remove the duplicate"
                )
    for kind in (ProviderKind.OIDC, ProviderKind.SAML):
        arns = [p.name for p in settings.providers if p.kind is kind]
        for index, arn in enumerate(arns):
            if arn != PENDING and arn in arns[:index]:
                yield Problem(f"providers.{kind.value}[{index}].arn", f"`{arn}` is listed twice; remove the duplicate")


def _groups_and_mappings(settings: Settings) -> Iterator[Problem]:
    names = [mapped.name for mapped in settings.mapped]
    for index, name in enumerate(names):
        if name in names[:index] or name in ("authenticated", "guest"):
            yield Problem(f"mappedRoles[{index}].name", f"`{name}` is the name of another role; use a different name")
    keys = [(group.user_pool, group.name) for group in settings.groups]
    for index, group in enumerate(settings.groups):
        if keys[index] in keys[:index]:
            yield Problem(f"groups[{index}].name", f"`{group.name}` is listed twice; remove the duplicate")
        if settings.pool_of(group) is None and not _open(settings, group.user_pool):
            problem = f"`{group.user_pool}` is not one of `userPools`" if group.user_pool else "is required"
            yield Problem(f"groups[{index}].userPool", f"{problem}; set it to the ID of the user pool of the group")
    refs = {**{p.id: "pool" for p in settings.user_pools}, **{p.ref: p.kind.value for p in settings.providers}}
    providers_ = [mapping.provider for mapping in settings.mappings]
    for index, mapping in enumerate(settings.mappings):
        path = f"mappings[{index}]"
        provider = mapping.provider
        if provider in providers_[:index]:
            yield Problem(f"{path}.provider", f"`{provider}` already has a mapping; put all its rules there")
        if provider not in refs and not _open(settings, provider):
            known = ", ".join(ref for ref in refs if ref != PENDING) or "none"
            yield Problem(f"{path}.provider", f"`{provider}` is not one of the providers: {known}")
        elif refs.get(provider) == ProviderKind.DEVELOPER.value:
            yield Problem(f"{path}.provider", "AWS does not support role mappings for a developer provider")
        elif mapping.by is By.TOKEN:
            if refs.get(provider, "pool") != "pool":
                yield Problem(
                    f"{path}.by", f"only the tokens of a user pool contain roles; use `rules` for `{provider}`"
                )
            elif not _has_groups(settings, provider):
                yield Problem(
                    f"{path}.by",
                    "a mapping by token requires `groups` of that user pool, whose roles the tokens contain",
                )
        for position, rule in enumerate(mapping.rules):
            if not rule.role.startswith("arn:") and rule.role not in (*names, "authenticated", PENDING):
                known = ", ".join(["authenticated", *names])
                yield Problem(
                    f"{path}.rules[{position}].role", f"`{rule.role}` is not a role; expected an ARN or one of: {known}"
                )
    by_rules = {mapping.provider for mapping in settings.mappings if mapping.by is By.RULES}
    for index, group in enumerate(settings.groups):
        pool = settings.pool_of(group)
        if pool is not None and pool.id in by_rules and pool.id != PENDING:
            yield Problem(
                f"groups[{index}].name",
                f"the role of `{group.name}` is never used, because `{pool.id}` is mapped by rules; map it by token, "
                "or remove the group",
            )
    used = {rule.role for mapping in settings.mappings for rule in mapping.rules}
    for index, name in enumerate(names):
        if name not in used:
            yield Problem(
                f"mappedRoles[{index}].name", f"no rule uses `{name}`; add one to `mappings`, or remove the role"
            )


def _open(settings: Settings, user_pool: str | None) -> bool:
    """Whether it is not known yet if a user pool is one of the settings'."""
    return user_pool == PENDING or (user_pool is not None and any(p.id == PENDING for p in settings.user_pools))


def _has_groups(settings: Settings, provider: str) -> bool:
    pools = [settings.pool_of(group) for group in settings.groups]
    return any(pool is None or pool.id in (provider, PENDING) for pool in pools)


def _guest_grants(guests: Guests) -> Iterator[Problem]:
    """Grants without effect, because the session policy for guests denies them."""
    env = Environment(AWS, "cognito-identity.amazonaws.com", "us-east-1", "123456789012")
    for index, grant in enumerate(guests.role.grants):
        services = {s for statement in grant.statements(env, IdentityKind.GUEST) for s in denied_to_guests(statement)}
        if services:
            yield Problem(
                f"guests.grants[{index}]",
                f"guests cannot use `{'`, `'.join(sorted(services))}`: the session policy that AWS applies to guests "
                "excludes it; remove it, or grant it to signed-in users",
            )


def _existing_pool(settings: Settings, existing: ExistingPool) -> Iterator[Problem]:
    if existing.id != PENDING and settings.region not in (None, existing.id.partition(":")[0]):
        yield Problem("existingPool.id", f"`{existing.id}` is not in the region {settings.region}")
    if settings.providers or any(pool.tags is not None for pool in settings.user_pools):
        yield Problem(
            "providers",
            "is not supported with an existing pool, which keeps its providers; remove it "
            "(`userPools` may stay, for the outputs)",
        )
    if existing.roles is ExistingRoles.KEEP and (settings.groups or settings.mapped or settings.mappings):
        yield Problem(
            "existingPool.roles", "`keep` does not change the roles of the pool; groups and mappings require `make`"
        )


def _partitions(settings: Settings) -> Iterator[Problem]:
    if settings.region is None:
        return
    if issuer_of(settings.region) is None:
        yield Problem(
            "region",
            f"`{settings.region}` is not supported: AWS does not document the issuer of identity pools in this region, "
            "so that no trust policy can be written for it",
        )
        return
    partition = partition_of(settings.region).name
    if settings.api.region is not None and partition_of(settings.api.region).name != partition:
        yield Problem(
            "api.region", f"`{settings.api.region}` is not in the partition `{partition}` of {settings.region}"
        )
    arns = {
        "roles.permissionsBoundary": settings.roles.permissions_boundary,
        "uploads.kmsKey": settings.uploads.kms_key,
        "authenticated.role": settings.authenticated.arn,
        "guests.role": settings.guests.role.arn if settings.guests else None,
        **{f"groups[{i}].role": group.role.arn for i, group in enumerate(settings.groups)},
        **{f"mappedRoles[{i}].role": role.role.arn for i, role in enumerate(settings.mapped)},
        **{
            f"providers: {p.name}": p.name
            for p in settings.providers
            if p.kind in (ProviderKind.OIDC, ProviderKind.SAML)
        },
    }
    for path, arn in arns.items():
        if arn is not None and arn != PENDING and arn.split(":")[1] != partition:
            yield Problem(path, f"`{arn}` is not in the partition `{partition}` of {settings.region}")
    for index, pool in enumerate(settings.user_pools):
        if pool.region != PENDING and partition_of(pool.region).name != partition:
            yield Problem(
                f"userPools[{index}].id",
                f"`{pool.id}` is not in the partition `{partition}` of {settings.region}; "
                "a user pool must be in the same partition",
            )


__all__ = ["PENDING", "Ambiguous", "Profile", "Settings", "SettingsError", "parse"]
