"""The roles that one identity can get: those of one pool.

Isolation is a question about two identities of one pool, so roles of different pools are different questions. A role whose
pools are not known is a part of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .named_buckets import concerning, named_buckets
from .principal import BucketPolicy
from .vended import VendedRole


def by_pool(roles: Sequence[VendedRole], only: frozenset[str] | None = None) -> list[tuple[VendedRole, ...]]:
    """The roles of each pool, with the policies of those buckets that concern one of them.

    Args:
        roles: vended roles.
        only: URNs of roles; pools without any of them are left out.
    """
    pools = sorted({pool for role in roles for pool in role.pools})
    members: dict[str, list[VendedRole]] = {pool: [] for pool in pools}
    for role in roles:
        for pool in role.pools or pools:
            members[pool].append(_of_pool(role, pool))
    groups = list(members.values()) or [list(roles)]
    distinct = {tuple((role.urn, role.principal.logins) for role in group): group for group in groups if group}
    return [_narrowed(group) for key, group in distinct.items() if only is None or any(urn in only for urn, _ in key)]


def _of_pool(role: VendedRole, pool: str) -> VendedRole:
    """A role with the logins of one pool."""
    logins = role.logins.get(pool)
    if logins is None:
        return role
    return replace(role, principal=replace(role.principal, logins=logins.logins), logins={pool: logins})


def _narrowed(roles: Sequence[VendedRole]) -> tuple[VendedRole, ...]:
    """The roles without the policies of buckets that concern none of them.

    A policy that concerns one of the roles stays with all of them: whoever gets one role can get the others.
    """
    buckets = named_buckets(role.principal for role in roles)
    narrowed: list[VendedRole] = []
    policies: tuple[BucketPolicy, ...] | None = None
    kept: tuple[BucketPolicy, ...] = ()
    for role in roles:
        if role.principal.resource is not policies:  # most often all roles have the same ones
            policies = role.principal.resource
            kept = concerning(policies, buckets)
        narrowed.append(replace(role, principal=replace(role.principal, resource=kept)))
    return tuple(narrowed)
