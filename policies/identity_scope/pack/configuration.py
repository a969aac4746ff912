"""The rules' configuration: what an organisation declares, read strictly.

Wrong configuration is refused with its key and what would be right; a rule with wrong configuration decides nothing, which
counts as a violation of it.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ..iam.documents import DocumentError, parse
from ..inventory.vended import Declared
from ..proof.reach import Shared

Schema = dict[str, dict[str, Any]]
"""Property name to JSON schema."""


class ConfigError(ValueError):
    """Configuration that is refused, with every problem, a line each."""


@dataclass(frozen=True)
class Exemption:
    """A resource that a rule leaves alone, why, and until when."""

    urn: str
    reason: str
    expires: date

    def covers(self, urn: str, today: date) -> bool:
        return today <= self.expires and fnmatch.fnmatchcase(urn, self.urn)


@dataclass(frozen=True)
class Config:
    """One rule's configuration; everything is optional."""

    shared: tuple[Shared, ...] = ()
    folders: tuple[str, ...] = ()
    guests: tuple[tuple[str, str], ...] = ()
    """(pool name, reason) of pools that may let guests in."""
    apis: tuple[str, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    known: Declared = field(default_factory=Declared)

    def exempt(self, urn: str, today: date) -> bool:
        return any(exemption.covers(urn, today) for exemption in self.exemptions)


_EXEMPTIONS: Schema = {
    "exemptions": {
        "type": "array",
        "description": "Resources that the rule leaves alone until a date, each with a reason.",
        "items": {
            "type": "object",
            "properties": {
                "urn": {"type": "string", "description": "URN of the resource; `*` stands for any text."},
                "reason": {"type": "string", "description": "Why, in a sentence."},
                "expires": {"type": "string", "description": "Last day, YYYY-MM-DD."},
            },
            "required": ["urn", "reason", "expires"],
            "additionalProperties": False,
        },
        "default": [],
    }
}
_KNOWN: Schema = {
    "managedPolicies": {
        "type": "object",
        "description": "Texts of managed policies that are not in the stack, by ARN.",
        "default": {},
    },
    "vendedRoles": {
        "type": "array",
        "description": "Names or ARNs of roles that identity pools of other stacks vend.",
        "items": {"type": "string"},
        "default": [],
    },
    "rolesElsewhere": {
        "type": "array",
        "description": "ARNs of roles that this stack's pools vend and another stack makes and proves.",
        "items": {"type": "string"},
        "default": [],
    },
    "issuers": {
        "type": "object",
        "description": "Issuers of identity pools, by region, beside the known ones.",
        "additionalProperties": {"type": "string"},
        "default": {},
    },
}
_SHARED: Schema = {
    "shared": {
        "type": "array",
        "description": "Spaces that users share on purpose.",
        "items": {
            "type": "object",
            "properties": {
                "pattern": {"type": "string", "description": "BUCKET/KEY, with `*` and `?` as in IAM."},
                "actions": {"type": "array", "items": {"type": "string"}, "description": "Actions that are shared."},
                "why": {"type": "string", "description": "Why it is shared, in a sentence."},
            },
            "required": ["pattern", "actions", "why"],
            "additionalProperties": False,
        },
        "default": [],
    }
}
_FOLDERS: Schema = {
    "folders": {
        "type": "array",
        "description": "The only places for users' folders, each `BUCKET/` or `BUCKET/PREFIX/`. Empty: any one folder.",
        "items": {"type": "string"},
        "default": [],
    }
}
_GUESTS: Schema = {
    "guests": {
        "type": "array",
        "description": "Pools that may let guests in.",
        "items": {
            "type": "object",
            "properties": {
                "pool": {"type": "string", "description": "The identity pool's name."},
                "reason": {"type": "string", "description": "Why, in a sentence."},
            },
            "required": ["pool", "reason"],
            "additionalProperties": False,
        },
        "default": [],
    }
}
_APIS: Schema = {
    "apis": {
        "type": "array",
        "description": "Ids of the only APIs that users may call. Empty: any, named literally.",
        "items": {"type": "string"},
        "default": [],
    }
}

SCHEMAS: dict[str, Schema] = {
    "s3-isolated-by-identity": {**_SHARED, **_KNOWN, **_EXEMPTIONS},
    "s3-own-folder": {**_FOLDERS, **_SHARED, **_KNOWN, **_EXEMPTIONS},
    "vended-role-cannot-escalate": {**_KNOWN, **_EXEMPTIONS},
    "trust-bound-to-pool": {**_KNOWN, **_EXEMPTIONS},
    "guests-are-declared": {**_GUESTS, **_EXEMPTIONS},
    "classic-flow-off": {**_EXEMPTIONS},
    "server-side-token-check": {**_EXEMPTIONS},
    "api-invoke-scoped": {**_APIS, **_KNOWN, **_EXEMPTIONS},
}
"""What each rule may be given."""


def read(rule: str, raw: Mapping[str, Any]) -> Config:
    """Read a rule's configuration.

    Raises:
        ConfigError: with every problem, `KEY: what would be right` a line.
    """
    schema = SCHEMAS[rule]
    unknown = [key for key in raw if key not in schema and key != "enforcementLevel"]
    problems = [f"{key}: unknown; known here: {', '.join(schema)}" for key in unknown]
    config = Config(
        shared=tuple(_shared(raw.get("shared"), problems)),
        folders=tuple(_folders(raw.get("folders"), problems)),
        guests=tuple(
            (str(g["pool"]), str(g["reason"]))
            for g in _objects(raw.get("guests"), "guests", ("pool", "reason"), problems)
        ),
        apis=_strings(raw.get("apis"), "apis", problems),
        exemptions=tuple(_exemptions(raw.get("exemptions"), problems)),
        known=Declared(
            _managed(raw.get("managedPolicies"), problems),
            _strings(raw.get("vendedRoles"), "vendedRoles", problems),
            _strings(raw.get("rolesElsewhere"), "rolesElsewhere", problems),
            _issuers(raw.get("issuers"), problems),
        ),
    )
    if problems:
        raise ConfigError("\n".join(problems))
    return config


def _objects(value: object, key: str, fields: tuple[str, ...], problems: list[str]) -> list[Mapping[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str):
        problems.append(f"{key}: must be a list of {{{', '.join(fields)}}}")
        return []
    found: list[Mapping[str, Any]] = []
    for index, item in enumerate(value):
        at = f"{key}[{index}]"
        if not isinstance(item, Mapping):
            problems.append(f"{at}: must be {{{', '.join(fields)}}}")
            continue
        missing = [f for f in fields if not item.get(f)]
        unknown = [f for f in item if f not in fields]
        problems.extend(f"{at}.{name}: is missing" for name in missing)
        problems.extend(f"{at}.{name}: unknown; known here: {', '.join(fields)}" for name in unknown)
        if not missing and not unknown:
            found.append(item)
    return found


def _strings(value: object, key: str, problems: list[str]) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(v, str) for v in value):
        problems.append(f"{key}: must be a list of strings")
        return ()
    return tuple(value)


def _shared(value: object, problems: list[str]) -> list[Shared]:
    found: list[Shared] = []
    for index, item in enumerate(_objects(value, "shared", ("pattern", "actions", "why"), problems)):
        actions = _strings(item["actions"], f"shared[{index}].actions", problems)
        pattern = str(item["pattern"])
        if ":" in pattern.partition("/")[0] or "/" not in pattern:
            problems.append(f"shared[{index}].pattern: `{pattern}` must be BUCKET/KEY, such as `notes/public/*`")
        found.append(Shared(pattern, actions, str(item["why"])))
    return found


def _folders(value: object, problems: list[str]) -> list[str]:
    found = _strings(value, "folders", problems)
    for index, folder in enumerate(found):
        if not folder.endswith("/") or any(c in folder for c in "*?$:"):
            problems.append(f"folders[{index}]: `{folder}` must be `BUCKET/` or `BUCKET/PREFIX/`, without wildcards")
    return list(found)


def _exemptions(value: object, problems: list[str]) -> list[Exemption]:
    found: list[Exemption] = []
    for index, item in enumerate(_objects(value, "exemptions", ("urn", "reason", "expires"), problems)):
        try:
            expires = date.fromisoformat(str(item["expires"]))
        except ValueError:
            problems.append(f"exemptions[{index}].expires: `{item['expires']}` must be a day, YYYY-MM-DD")
            continue
        if len(str(item["reason"]).strip()) < 10:
            problems.append(f"exemptions[{index}].reason: a sentence is needed, not `{item['reason']}`")
        if not str(item["urn"]).startswith("urn:pulumi:"):
            problems.append(f"exemptions[{index}].urn: `{item['urn']}` must begin with `urn:pulumi:`")
        found.append(Exemption(str(item["urn"]), str(item["reason"]), expires))
    return found


def _managed(value: object, problems: list[str]) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        problems.append("managedPolicies: must be a map of ARNs to documents")
        return {}
    for arn, document in value.items():
        if ":policy/" not in arn:
            problems.append(f"managedPolicies.{arn}: is not a managed policy's ARN")
        try:
            parse(document)
        except DocumentError as error:
            problems.append(f"managedPolicies.{arn}: {error}")
    return dict(value)


def _issuers(value: object, problems: list[str]) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        problems.append("issuers: must be a map of regions to issuers")
        return {}
    return {str(region): str(issuer).lower() for region, issuer in value.items()}
