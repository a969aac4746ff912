"""The roles of signed-in users, guests, groups and mapping rules.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from . import formats, grants
from .grants import Grant
from .reader import PENDING, Section, show

MAX_RULES = 25
"""Rules of one provider. Source: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html"""

SESSION_SECONDS = (3600, 43200)
"""Bounds of a role's longest session. Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"""


@dataclass(frozen=True)
class RoleDefaults:
    """Properties of all new roles."""

    path: str = "/"
    permissions_boundary: str | None = None
    max_session_seconds: int = SESSION_SECONDS[0]
    name_prefix: str | None = None


@dataclass(frozen=True)
class Role:
    """One role.

    Attributes:
        grants: its permissions, in addition to the inherited ones.
        inherit: whether it has all permissions of signed-in users.
        arn: the ARN of an existing role, or None for a new one.
        trust: the trust policy of an existing role, as JSON, or None if it is not known.
    """

    grants: tuple[Grant, ...] = ()
    inherit: bool = True
    arn: str | None = None
    trust: str | None = None


@dataclass(frozen=True)
class Guests:
    reason: str
    role: Role


@dataclass(frozen=True)
class Group:
    """A group of a user pool, with its role. `user_pool` is None for the only user pool."""

    name: str
    user_pool: str | None
    precedence: int | None
    role: Role


@dataclass(frozen=True)
class MappedRole:
    """A role that mapping rules can select."""

    name: str
    role: Role


class Match(str, Enum):
    EQUALS = "Equals"
    NOT_EQUAL = "NotEqual"
    STARTS_WITH = "StartsWith"
    CONTAINS = "Contains"


class Ambiguous(str, Enum):
    """What happens if no rule matches or the token names several roles."""

    DENY = "deny"
    AUTHENTICATED = "authenticated"


class By(str, Enum):
    RULES = "rules"
    TOKEN = "token"


@dataclass(frozen=True)
class Rule:
    """`role` is the name of a mapped role or a group, `authenticated`, or an ARN."""

    claim: str
    match: Match
    value: str
    role: str


@dataclass(frozen=True)
class RoleMapping:
    """How the pool selects a role for the users of one provider: a user pool by ID, another provider by `ref`."""

    provider: str
    by: By
    ambiguous: Ambiguous
    rules: tuple[Rule, ...] = ()


def every(top: Section) -> RoleDefaults:
    section = top.section("roles", "{path: /app/}", required=False)
    low, high = SESSION_SECONDS
    defaults = RoleDefaults(
        section.optional_text("path", formats.role_path) or "/",
        section.optional_text("permissions_boundary", formats.policy_arn),
        section.whole("max_session_seconds", low, high, low),
        section.optional_text("name_prefix", formats.name_prefix),
    )
    section.close()
    return defaults


def authenticated(top: Section) -> Role:
    section = top.optional_section("authenticated", "{grants: […]}")
    if section is None:
        return Role()
    role = _role(section, inherits=False)
    section.close()
    return role


def guests(top: Section) -> Guests | None:
    value = top.take("guests")
    how = "to enable guest access, give the reason: {reason: …}; to disable it, remove the setting"
    if value is None or value is False or value == {}:
        return None
    if not isinstance(value, Mapping):
        top.reader.report("guests", f"`{show(value)}` must be an object; {how}")
        return None
    section = Section(top.reader, "guests", value)
    reason = section.take("reason")
    role = _role(section, inherits=False)
    section.close()
    if not isinstance(reason, str) or len(reason.strip()) < 10:
        problem = "is required:" if reason is None else f"`{show(reason)}` must be"
        top.reader.report("guests.reason", f"{problem} a sentence of 10 characters or more; {how}")
        return None
    return Guests(reason.strip(), role)


def groups(top: Section) -> tuple[Group, ...]:
    groups: list[Group] = []
    for item in top.sections("groups", "{name: …}"):
        name = item.text("name", formats.group)
        pool = item.optional_text("user_pool", formats.user_pool_id)
        precedence = item.whole("precedence", 0, 2**31 - 1, -1) if item.has("precedence") else None
        item.take("precedence")
        groups.append(Group(name, pool, precedence, _role(item, inherits=True)))
        item.close()
    return tuple(groups)


def mapped(top: Section) -> tuple[MappedRole, ...]:
    roles: list[MappedRole] = []
    for item in top.sections("mapped_roles", "{name: …}"):
        roles.append(MappedRole(item.text("name", formats.name), _role(item, inherits=True)))
        item.close()
    return tuple(roles)


def mappings(top: Section) -> tuple[RoleMapping, ...]:
    mappings: list[RoleMapping] = []
    for item in top.sections("mappings", "{provider: …, by: rules, rules: […]}"):
        provider = item.text("provider", formats.anything)
        by = item.choice("by", By, By.RULES if item.has("rules") else By.TOKEN)
        ambiguous = item.choice("ambiguous", Ambiguous, Ambiguous.DENY)
        rules = tuple(_rule(rule) for rule in item.sections("rules", "{claim: …, match: …, value: …, role: …}"))
        if by is By.RULES and not 1 <= len(rules) <= MAX_RULES and not item.reader.failed(item.at("rules")):
            item.reader.report(
                item.at("rules"), f"has {len(rules)} rules; a mapping by rules must have 1 to {MAX_RULES}"
            )
        if by is By.TOKEN and rules:
            item.reader.report(item.at("rules"), "a mapping by token has no rules; remove them, or set `by` to `rules`")
        item.close()
        mappings.append(RoleMapping(provider, by, ambiguous, rules))
    return tuple(mappings)


def _rule(section: Section) -> Rule:
    rule = Rule(
        section.text("claim", formats.claim),
        section.choice("match", Match, Match.EQUALS),
        section.text("value", formats.anything),
        section.text("role", formats.role_arn_or_name),
    )
    section.close()
    return rule


def _role(section: Section, inherits: bool) -> Role:
    role = Role(
        grants.read(section, "grants"),
        section.flag("inherit", True) if inherits else True,
        section.optional_text("role", formats.role_arn),
        _trust(section),
    )
    if role.arn is not None and role.grants:
        section.reader.report(section.at("grants"), "an existing role keeps its own permissions; remove the grants")
    if role.arn is None and role.trust is not None:
        section.reader.report(section.at("trust"), "is only used with an existing role; set `role` to its ARN")
    return role


def _trust(section: Section) -> str | None:
    """A trust policy, as JSON text or as an object."""
    value: Any = section.plain("trust")
    if value is None or value == PENDING:
        return PENDING if value else None
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict) or "Statement" not in parsed:
        section.reader.report(section.at("trust"), f"`{show(value)}` must be a trust policy in JSON, with a Statement")
        return None
    return json.dumps(parsed)
