"""The tag map of each identity provider: which claims of its tokens become session tags.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/attributes-for-access-control.html
        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .grants import Grant, Levels, OwnFolder, OwnRows, OwnTopics
from .owners import TAGS, Owner
from .providers import Provider, ProviderKind, UserPool
from .reader import PENDING, Problem, shown

if TYPE_CHECKING:
    from .settings import Settings

MAX_TAGS = 50
"""Session tags of one session. Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_Tag.html"""

_SETTINGS: dict[type, str] = {
    OwnFolder: "own_folder",
    Levels: "levels",
    OwnRows: "own_rows",
    OwnTopics: "own_topics",
}
"""Grants that have an owner."""


@dataclass(frozen=True)
class TagMap:
    """The map of one provider, as SetPrincipalTagAttributeMap takes it; without claims and defaults, it sends no tags."""

    provider: str
    claims: Mapping[str, str]
    defaults: bool


@dataclass(frozen=True)
class WriteAccess:
    """The attributes that an app client lets its users change; none: those that are writable by default.

    Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
    """

    path: str
    client: str
    attributes: tuple[str, ...]


def tag_maps(settings: Settings) -> list[TagMap]:
    """The map of each provider with tokens, user pools first.

    A provider without tags has an empty map: what is removed from the settings is then removed from the pool, and a map
    that somebody changes by hand is drift. An existing pool keeps its maps.
    """
    if settings.existing is not None:
        return []
    added = _claims(settings)
    maps: list[TagMap] = []
    for _, provider in _providers(settings):
        tags = provider.tags
        own = dict(tags.claims) if tags is not None else {}
        keys = {key.lower() for key in own}
        claims = {**own, **{key: claim for key, claim in added.items() if key.lower() not in keys}}
        maps.append(TagMap(provider.name, claims, tags is not None and tags.defaults))
    return maps


def references(settings: Settings) -> list[str]:
    """How the settings call the provider of each map, for the names of resources."""
    pools = [f"pool-{i}" if p.id == PENDING else p.id for i, p in enumerate(settings.user_pools)]
    refs = [*pools, *(p.ref for p in settings.providers if p.kind is not ProviderKind.DEVELOPER)]
    return refs if settings.existing is None else []


def owners(settings: Settings) -> Iterator[tuple[str, Owner]]:
    """The owner of each folder, row or topic that signed-in users are granted, with the path of its setting."""
    yield "uploads.by", settings.uploads.by
    yield from _owners("authenticated", settings.authenticated.grants)
    for index, group in enumerate(settings.groups):
        yield from _owners(f"groups[{index}]", group.role.grants)
    for index, mapped in enumerate(settings.mapped):
        yield from _owners(f"mappedRoles[{index}]", mapped.role.grants)


def problems(settings: Settings) -> Iterator[Problem]:
    """What prevents the owners' tags: providers that cannot send them, and settings that contradict them."""
    used = list(owners(settings))
    needed = {owner for _, owner in used}
    for path, owner in used:
        problem = None if owner is Owner.IDENTITY else _unsupported(settings, owner)
        if problem is not None:
            yield Problem(path, problem)
    for path, owner in _owners("guests", settings.guests.role.grants if settings.guests else ()):
        if owner is not Owner.IDENTITY:
            yield Problem(path, f"guests have no token with a claim; use `{Owner.IDENTITY.value}`")
    if settings.tenant is not None:
        if Owner.TENANT not in needed:
            yield Problem(
                "tenant", "nothing is the tenant's; set `by: tenant` in `uploads` or in a grant, or remove it"
            )
        if settings.tenant.claim in ("sub", "cognito:username"):
            yield Problem(
                "tenant.claim",
                f"`{settings.tenant.claim}` is different for each user; use `by: sub` for a user's folder",
            )
        if settings.tenant.claim in ("cognito:groups", "cognito:roles"):
            yield Problem("tenant.claim", f"`{settings.tenant.claim}` is a list, which a session tag cannot contain")
    yield from _conflicts(settings)


def changeable_tenants(settings: Settings, clients: Sequence[WriteAccess]) -> Iterator[Problem]:
    """App clients with which users can change the claim that names their tenant."""
    claim = settings.tenant.claim if settings.tenant is not None else None
    for client in clients:
        if claim is not None and not client.attributes:
            yield Problem(
                client.path,
                f"the app client `{client.client}` has no list of write attributes, so that users may be able to change "
                f"`{claim}`; list the attributes that they can change, without it",
            )
        elif claim in client.attributes:
            yield Problem(
                client.path,
                f"users can change `{claim}`, which names their tenant, with the app client `{client.client}`; "
                "remove it from the write attributes of the client",
            )


def _owners(path: str, grants: tuple[Grant, ...]) -> Iterator[tuple[str, Owner]]:
    for index, grant in enumerate(grants):
        if isinstance(grant, OwnFolder | Levels | OwnRows | OwnTopics):
            yield f"{path}.grants[{index}].{shown(_SETTINGS[type(grant)])}.by", grant.by


def _claims(settings: Settings) -> dict[str, str]:
    """The claim of each tag that the owners need."""
    needed = {owner for _, owner in owners(settings)}
    claims = {TAGS[Owner.SUB]: "sub"} if Owner.SUB in needed else {}
    if Owner.TENANT in needed and settings.tenant is not None:
        claims[TAGS[Owner.TENANT]] = settings.tenant.claim
    return claims


def _providers(settings: Settings) -> Iterator[tuple[str, UserPool | Provider]]:
    """The providers with tokens, each with its path in the settings."""
    for index, pool in enumerate(settings.user_pools):
        yield f"userPools[{index}]", pool
    seen: dict[ProviderKind, int] = {}
    for provider in settings.providers:
        index = seen.setdefault(provider.kind, 0)
        seen[provider.kind] += 1
        if provider.kind is ProviderKind.SOCIAL:
            yield f"providers.{provider.ref}", provider
        elif provider.kind is not ProviderKind.DEVELOPER:
            yield f"providers.{provider.kind.value}[{index}]", provider


def _unsupported(settings: Settings, owner: Owner) -> str | None:
    """Why not every user would have the owner's tag, or two users might have the same."""
    if settings.existing is not None:
        return (
            f"`{owner.value}` is not supported with an existing pool, which keeps its tag maps; "
            f"use `{Owner.IDENTITY.value}`"
        )
    if owner is Owner.TENANT:
        if settings.tenant is None:
            return "requires the setting `tenant`: {claim: custom:tenant, why: …}"
        without = [p.ref for p in settings.providers if p.kind in (ProviderKind.SOCIAL, ProviderKind.DEVELOPER)]
        if without:
            return f"the tokens of `{'`, `'.join(without)}` have no claim for a tenant; remove the provider"
        return None
    oidc = [p for p in settings.providers if p.kind is ProviderKind.OIDC]
    others = [p.ref for p in settings.providers if p.kind is not ProviderKind.OIDC]
    if others:
        return (
            "`sub` requires that every provider is a user pool, or that the only one is an OpenID Connect provider; "
            f"`{'`, `'.join(others)}` is neither; use `{Owner.IDENTITY.value}`"
        )
    if not settings.user_pools and not oidc:
        return "`sub` requires a user pool or an OpenID Connect provider"
    if len(oidc) > 1 or (oidc and settings.user_pools):
        return (
            "`sub` is not supported for an OpenID Connect provider together with another provider, because both could "
            f"give the same `sub` to different users; use `{Owner.IDENTITY.value}`"
        )
    return None


def _conflicts(settings: Settings) -> Iterator[Problem]:
    """Tags of the settings that collide with each other, or with the owners' tags."""
    added = _claims(settings)
    reserved = {key.lower(): key for key in added}
    for path, provider in _providers(settings):
        tags = provider.tags
        if tags is None:
            continue
        at = f"{path}.principalTags"
        if added and tags.defaults:
            claims = ", ".join(f"{key}: {claim}" for key, claim in {"username": "sub", "client": "aud"}.items())
            yield Problem(f"{at}.defaults", f"the default mappings allow no other tag; use {{claims: {{{claims}}}}}")
        elif added and not tags.claims:
            names = "`, `".join(added)
            yield Problem(f"{at}.defaults", f"`false` sends no tags, but `by` requires `{names}`; remove it")
        seen: set[str] = set()
        for key, claim in tags.claims:
            if key.lower() in seen:
                yield Problem(
                    f"{at}.claims.{key}", "is listed twice; upper and lower case make no difference in a tag key"
                )
            seen.add(key.lower())
            expected = added.get(reserved.get(key.lower(), ""))
            if expected is not None and claim not in (expected, PENDING):
                yield Problem(
                    f"{at}.claims.{key}",
                    f"`{claim}` must be `{expected}`, by which folders are named; use another tag key",
                )
        count = len({*seen, *reserved})
        if count > MAX_TAGS:
            yield Problem(f"{at}.claims", f"has {count} entries with those of `by`; AWS allows at most {MAX_TAGS}")
    for key, _ in settings.tags:
        if key.lower() in reserved:
            yield Problem(
                f"tags.{key}",
                f"is reserved by `by`: a tag of the role would apply to sessions without `{key}`; use another key",
            )
