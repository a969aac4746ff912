"""The rules' configuration: what an organization declares, read strictly.

A setting is one unit: its name, its schema for the engine, and its reader. A wrong value is reported with its key and what
is expected; a rule whose configuration is wrong proves nothing, which counts as a violation of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ..iam.documents import DocumentError, parse
from ..iam.issuers import NAMED
from ..inventory.declared import DeclaredAccess, Shared
from ..inventory.vended import Declared

Schema = dict[str, Any]
"""A JSON schema."""
Problems = list[str]
"""What is wrong, `KEY: what is expected` each."""


@dataclass(frozen=True)
class Setting:
    """One setting of a rule.

    Attributes:
        read: the value to what the rule uses; reports what is wrong with it.
    """

    name: str
    schema: Schema
    read: Callable[[object, Problems], Any]


@dataclass(frozen=True)
class Exemption:
    """A resource whose findings a rule does not report, why, and until when."""

    urn: str
    reason: str
    expires: date

    def covers(self, urn: str, today: date) -> bool:
        """Whether a resource is exempt today. `*` stands for any text; every other character for itself."""
        return today <= self.expires and _glob(self.urn).fullmatch(urn) is not None


def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


@dataclass(frozen=True)
class Config:
    """One rule's configuration; everything is optional."""

    shared: tuple[Shared, ...] = ()
    folders: tuple[str, ...] = ()
    guests: tuple[tuple[str, str], ...] = ()
    """(pool name, reason) of pools in which guest access may be enabled."""
    apis: tuple[str, ...] = ()
    access: tuple[DeclaredAccess, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    tenants: frozenset[str] = frozenset()
    """The tags, in lower case, by whose values users of one tenant share folders."""
    known: Declared = field(default_factory=Declared)

    def exemption(self, urn: str, today: date) -> Exemption | None:
        """The exemption that lasts longest of those that cover a resource."""
        covering = [exemption for exemption in self.exemptions if exemption.covers(urn, today)]
        return max(covering, key=lambda exemption: exemption.expires, default=None)


def read(settings: Iterable[Setting], raw: Mapping[str, Any], problems: Problems) -> Config:
    """A rule's configuration; adds every problem with it."""
    known = {setting.name: setting for setting in settings}
    names = ", ".join(known)
    problems += [f"{key}: is not a setting of this rule; its settings are {names}" for key in raw if key not in known]
    values = {name: setting.read(raw[name], problems) for name, setting in known.items() if raw.get(name) is not None}
    return Config(
        shared=tuple(values.get("shared", ())),
        folders=tuple(values.get("folders", ())),
        guests=tuple(values.get("guests", ())),
        apis=tuple(values.get("apis", ())),
        access=tuple(values.get("access", ())),
        exemptions=tuple(values.get("exemptions", ())),
        tenants=frozenset(values.get("tenants", ())),
        known=Declared(
            managed=values.get("managedPolicies", {}),
            vended=tuple(values.get("vendedRoles", ())),
            elsewhere=tuple(values.get("rolesElsewhere", ())),
            issuers=values.get("issuers", {}),
            pools=tuple(values.get("pools", ())),
            fixed=tuple(values.get("fixedClaims", ())),
        ),
    )


def _objects(value: object, key: str, fields: Mapping[str, type], problems: Problems) -> list[dict[str, Any]]:
    """The items of a list of objects, without those in which something is wrong."""
    shape = f"objects with {', '.join(fields)}"
    if not isinstance(value, Sequence) or isinstance(value, str):
        problems.append(f"{key}: must be a list of {shape}")
        return []
    right: list[dict[str, Any]] = []
    for index, item in enumerate(value):
        at = f"{key}[{index}]"
        if not isinstance(item, Mapping):
            problems.append(f"{at}: must be an object with {', '.join(fields)}")
            continue
        before = len(problems)
        problems += [
            f"{at}.{name}: is not a property; the properties are {', '.join(fields)}"
            for name in item
            if name not in fields
        ]
        for name, type_ in fields.items():
            if item.get(name) in (None, "", []):
                problems.append(f"{at}.{name}: is required")
            elif type_ is list:
                _strings(item[name], f"{at}.{name}", problems)
            elif not isinstance(item[name], str):
                problems.append(f"{at}.{name}: must be a string")
        if len(problems) == before:
            right.append(dict(item))
    return right


def _strings(value: object, key: str, problems: Problems) -> tuple[str, ...]:
    strings = isinstance(value, Sequence) and not isinstance(value, str)
    if not strings or not all(isinstance(item, str) and item for item in value):  # type: ignore[attr-defined]
        problems.append(f"{key}: must be a list of strings")
        return ()
    return tuple(value)  # type: ignore[arg-type]


def _list_of_strings(key: str) -> Callable[[object, Problems], tuple[str, ...]]:
    return lambda value, problems: _strings(value, key, problems)


def _shared(value: object, problems: Problems) -> list[Shared]:
    spaces: list[Shared] = []
    for index, item in enumerate(_objects(value, "shared", {"pattern": str, "actions": list, "why": str}, problems)):
        pattern = item["pattern"]
        if ":" in pattern.partition("/")[0] or "/" not in pattern:
            problems.append(f"shared[{index}].pattern: `{pattern}` must be BUCKET/KEY, such as `notes/public/*`")
        spaces.append(Shared(pattern, tuple(item["actions"]), item["why"]))
    return spaces


def _folders(value: object, problems: Problems) -> tuple[str, ...]:
    folders = _strings(value, "folders", problems)
    for index, folder in enumerate(folders):
        if not folder.endswith("/") or any(c in folder for c in "*?$:"):
            problems.append(f"folders[{index}]: `{folder}` must be `BUCKET/` or `BUCKET/PREFIX/`, without wildcards")
    return folders


def _guests(value: object, problems: Problems) -> list[tuple[str, str]]:
    return [(g["pool"], g["reason"]) for g in _objects(value, "guests", {"pool": str, "reason": str}, problems)]


def _access(value: object, problems: Problems) -> list[DeclaredAccess]:
    fields = {"actions": list, "resources": list, "reason": str}
    return [
        DeclaredAccess(tuple(item["actions"]), tuple(item["resources"]), item["reason"])
        for item in _objects(value, "access", fields, problems)
    ]


_URN = re.compile(r"urn:(pulumi|cloudformation|terraform|iam):")
"""What the URN of a resource begins with, of Pulumi and of the files that the command reads."""


def _exemptions(value: object, problems: Problems) -> list[Exemption]:
    exemptions: list[Exemption] = []
    fields = {"urn": str, "reason": str, "expires": str}
    for index, item in enumerate(_objects(value, "exemptions", fields, problems)):
        at, day = f"exemptions[{index}]", item["expires"]
        try:
            expires = date.fromisoformat(day if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else "")
        except ValueError:
            problems.append(f"{at}.expires: `{day}` must be a date, YYYY-MM-DD")
            continue
        if len(item["reason"].strip()) < 10:
            problems.append(f"{at}.reason: `{item['reason']}` must be a sentence")
        if not _URN.match(item["urn"]):
            problems.append(f"{at}.urn: `{item['urn']}` must begin with `urn:pulumi:`, or as the command reports it")
        exemptions.append(Exemption(item["urn"], item["reason"], expires))
    return exemptions


def _managed(value: object, problems: Problems) -> dict[str, object]:
    if not isinstance(value, Mapping):
        problems.append("managedPolicies: must be an object of policy documents by ARN")
        return {}
    for arn, document in value.items():
        if ":policy/" not in arn:
            problems.append(f"managedPolicies.{arn}: must be the ARN of a managed policy")
        try:
            parse(document)
        except DocumentError as error:
            problems.append(f"managedPolicies.{arn}: {error}")
    return dict(value)


def _issuers(value: object, problems: Problems) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(v, str) and v for v in value.values()):
        problems.append("issuers: must be an object of issuers by region")
        return {}
    return {str(region): str(issuer).lower() for region, issuer in value.items()}


def _tenants(value: object, problems: Problems) -> list[str]:
    tags = _each_once(value, "tenants", "tag", problems)
    for index, tag in enumerate(tags):
        if not _TAG.fullmatch(tag):
            problems.append(
                f"tenants[{index}].tag: `{tag}` must be the key of a principal tag, as `tenant` in aws:PrincipalTag/tenant"
            )
    return [tag.lower() for tag in tags]


def _fixed_claims(value: object, problems: Problems) -> list[str]:
    return _each_once(value, "fixedClaims", "claim", problems)


def _each_once(value: object, key: str, name: str, problems: Problems) -> list[str]:
    """The names in a list of objects, each of which stands there once and gives a reason."""
    names: list[str] = []
    for index, item in enumerate(_objects(value, key, {name: str, "why": str}, problems)):
        if item[name].lower() in map(str.lower, names):
            problems.append(f"{key}[{index}].{name}: `{item[name]}` is listed twice; remove the duplicate")
        names.append(item[name])
    return names


def _pools(value: object, problems: Problems) -> tuple[str, ...]:
    pools = _strings(value, "pools", problems)
    problems += [
        f"pools[{index}]: `{pool}` must be the ID of an identity pool, REGION:UUID"
        for index, pool in enumerate(pools)
        if not NAMED.fullmatch(pool)
    ]
    return pools


_TAG = re.compile(r"(?!aws:)[\w .:/=+@-]{1,128}", re.IGNORECASE)
"""The key of a principal tag, without the `aws:PrincipalTag/` before it.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_Tag.html
"""
_STRING: Schema = {"type": "string"}
_STRINGS: Schema = {"type": "array", "items": _STRING}


def _array_of(description: str, properties: Schema) -> Schema:
    """The schema of a list of objects in which everything is required."""
    return {
        "type": "array",
        "description": description,
        "items": {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
        "default": [],
    }


def _text(description: str) -> Schema:
    return {**_STRING, "description": description}


def _texts(description: str) -> Schema:
    return {**_STRINGS, "description": description}


SHARED = Setting(
    "shared",
    _array_of(
        "Spaces that users share on purpose.",
        {
            "pattern": _text("BUCKET/KEY, with `*` and `?` as in IAM."),
            "actions": _texts("The actions that are shared."),
            "why": _text("Why it is shared, in a sentence."),
        },
    ),
    _shared,
)
FOLDERS = Setting(
    "folders",
    {**_texts("The only places for users' folders, each `BUCKET/` or `BUCKET/PREFIX/`. Empty: any."), "default": []},
    _folders,
)
GUESTS = Setting(
    "guests",
    _array_of(
        "Identity pools in which guest access may be enabled.",
        {"pool": _text("The identity pool's name."), "reason": _text("Why, in a sentence.")},
    ),
    _guests,
)
APIS = Setting(
    "apis",
    {**_texts("IDs of the only APIs that users may call. Empty: any API with a literal ID."), "default": []},
    _list_of_strings("apis"),
)
ACCESS = Setting(
    "access",
    _array_of(
        "What vended roles may do beyond S3 and API calls.",
        {
            "actions": _texts("Actions, with `*` and `?` as in IAM."),
            "resources": _texts("ARNs, with `*` and `?` as in IAM."),
            "reason": _text("Why, in a sentence."),
        },
    ),
    _access,
)
EXEMPTIONS = Setting(
    "exemptions",
    _array_of(
        "Resources whose findings are not reported until a date, each with a reason.",
        {
            "urn": _text("URN of the resource; `*` stands for any text."),
            "reason": _text("Why, in a sentence."),
            "expires": _text("The last day, YYYY-MM-DD."),
        },
    ),
    _exemptions,
)
MANAGED_POLICIES = Setting(
    "managedPolicies",
    {
        "type": "object",
        "description": "Documents of managed policies that are not in the stack, by ARN.",
        "default": {},
    },
    _managed,
)
VENDED_ROLES = Setting(
    "vendedRoles",
    {**_texts("Names or ARNs of roles that identity pools of other stacks vend."), "default": []},
    _list_of_strings("vendedRoles"),
)
ROLES_ELSEWHERE = Setting(
    "rolesElsewhere",
    {**_texts("ARNs of roles that this stack's pools vend and another stack creates and proves."), "default": []},
    _list_of_strings("rolesElsewhere"),
)
ISSUERS = Setting(
    "issuers",
    {
        "type": "object",
        "description": "Issuers of identity pools by region, in addition to the known ones.",
        "additionalProperties": _STRING,
        "default": {},
    },
    _issuers,
)
POOLS = Setting(
    "pools",
    {**_texts("IDs of identity pools of other stacks that a vended role may trust."), "default": []},
    _pools,
)
TENANTS = Setting(
    "tenants",
    _array_of(
        "Principal tags whose values name tenants. Users of one tenant share folders, and isolation is between tenants.",
        {
            "tag": _text("The tag's key, as `tenant` in aws:PrincipalTag/tenant."),
            "why": _text("Why they share it, in a sentence."),
        },
    ),
    _tenants,
)
FIXED_CLAIMS = Setting(
    "fixedClaims",
    _array_of(
        "Claims that no user can set or change, where the stack does not say so.",
        {
            "claim": _text("The claim's name, such as `custom:tenant`."),
            "why": _text("What keeps users from changing it, in a sentence."),
        },
    ),
    _fixed_claims,
)
KNOWN = (MANAGED_POLICIES, VENDED_ROLES, ROLES_ELSEWHERE, ISSUERS)
"""What the stack alone does not say of its vended roles."""
