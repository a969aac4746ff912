"""Who gets which role: signed-in users, guests, members of groups, and those whose claims fit a rule.

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
    """What all roles have in common."""

    path: str = "/"
    permissions_boundary: str | None = None
    max_session_seconds: int = SESSION_SECONDS[0]
    name_prefix: str | None = None


@dataclass(frozen=True)
class Role:
    """One role.

    Attributes:
        grants: what it may do, beside what it inherits.
        inherit: whether it may do what every signed-in user may.
        arn: the ARN of a role that was made elsewhere; None: it is made here.
        trust: the trust policy of such a role, as JSON; None where it is not known.
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
    """A group of a user pool, whose members get its role. `user_pool` is None where there is only one."""

    name: str
    user_pool: str | None
    precedence: int | None
    role: Role


@dataclass(frozen=True)
class MappedRole:
    """A role that rules give out."""

    name: str
    role: Role


class Match(str, Enum):
    EQUALS = "Equals"
    NOT_EQUAL = "NotEqual"
    STARTS_WITH = "StartsWith"
    CONTAINS = "Contains"


class Ambiguous(str, Enum):
    """What somebody gets whom no rule, or no one role of the token, fits."""

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
    """How one provider's users get their role. `provider` is a user pool's id, or a provider's `ref`."""

    provider: str
    by: By
    ambiguous: Ambiguous
    rules: tuple[Rule, ...] = ()


def every(top: Section) -> RoleDefaults:
    section = top.section("roles", "{path: /app/}", required=False)
    low, high = SESSION_SECONDS
    defaults = RoleDefaults(
        section.optional_text("path", formats.role_path) or "/",
        section.optional_text("permissionsBoundary", formats.policy_arn),
        section.whole("maxSessionSeconds", low, high, low),
        section.optional_text("namePrefix", formats.name_prefix),
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
    how = "say why guests are let in: {reason: …}; leave it out to keep them out"
    if value is None or value is False or value == {}:
        return None
    if not isinstance(value, Mapping):
        top.reader.report("guests", f"`{show(value)}` does not turn guests on; {how}")
        return None
    section = Section(top.reader, "guests", value)
    reason = section.take("reason")
    role = _role(section, inherits=False)
    section.close()
    if not isinstance(reason, str) or len(reason.strip()) < 10:
        top.reader.report("guests.reason", f"a sentence is needed, not `{show(reason)}`; {how}")
        return None
    return Guests(reason.strip(), role)


def groups(top: Section) -> tuple[Group, ...]:
    groups: list[Group] = []
    for item in top.sections("groups", "{name: …}"):
        name = item.text("name", formats.group)
        pool = item.optional_text("userPool", formats.user_pool_id)
        precedence = item.whole("precedence", 0, 2**31 - 1, -1) if item.has("precedence") else None
        item.take("precedence")
        groups.append(Group(name, pool, precedence, _role(item, inherits=True)))
        item.close()
    return tuple(groups)


def mapped(top: Section) -> tuple[MappedRole, ...]:
    roles: list[MappedRole] = []
    for item in top.sections("mappedRoles", "{name: …}"):
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
            item.reader.report(item.at("rules"), f"{len(rules)} rules; a mapping by rules has 1 to {MAX_RULES}")
        if by is By.TOKEN and rules:
            item.reader.report(item.at("rules"), "a mapping by token has no rules; leave them out, or map by `rules`")
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
        section.reader.report(
            section.at("grants"), "a role that was made elsewhere has its own grants; leave these out"
        )
    if role.arn is None and role.trust is not None:
        section.reader.report(section.at("trust"), "is the trust policy of a `role` that was made elsewhere; name it")
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
        section.reader.report(
            section.at("trust"), f"`{show(value)}` is not a trust policy, which is JSON with a Statement"
        )
        return None
    return json.dumps(parsed)
