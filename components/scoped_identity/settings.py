"""Settings of a scoped identity pool: from plain values, as config or another language hands them over, to one object.

Decides whether the values make sense, each for itself and together, and says everything that is wrong with them at once.
Knows nothing of Pulumi: a value that is not known yet is recognised by a predicate of the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from . import identifiers
from .identifiers import Check
from .partitions import issuer_of, partition_of

PENDING = "(known later)"
"""What stands in a Settings for a value that is not known yet."""

MAX_TAGS = 50
SESSION_SECONDS = (3600, 43200)
"""Bounds of a role's longest session. Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"""


class Access(str, Enum):
    """What a signed-in user may do in the own folder."""

    READ_ONLY = "read-only"
    READ_WRITE = "read-write"


class Profile(str, Enum):
    """Which permission documents the roles get."""

    LEAST_PRIVILEGE = "least-privilege"
    GUIDE = "guide"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the path of the setting, and what would be right."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


class SettingsError(ValueError):
    """Settings that make no sense, with all their problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class UserPool:
    id: str
    clients: tuple[str, ...]
    region: str
    server_side_token_check: bool = True

    def provider_name(self) -> str:
        """The key of `logins` for this pool: no scheme, the pool's own region.

        Source: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-integrating-user-pools-with-identity-pools.html
        """
        suffix = partition_of(self.region).dns_suffix
        return f"cognito-idp.{self.region}.{suffix}/{self.id}"


@dataclass(frozen=True)
class Uploads:
    bucket: str
    prefix: str = ""
    access: Access = Access.READ_WRITE


@dataclass(frozen=True)
class Api:
    id: str
    region: str | None = None
    account: str | None = None
    stage: str = "*"
    methods: tuple[str, ...] = ("*",)
    paths: tuple[str, ...] = ("*",)


@dataclass(frozen=True)
class Roles:
    path: str = "/"
    permissions_boundary: str | None = None
    max_session_seconds: int = 3600


@dataclass(frozen=True)
class Settings:
    pool_name: str
    user_pools: tuple[UserPool, ...]
    uploads: Uploads
    api: Api
    region: str | None = None
    guests: str | None = None
    """Why guests are let in; None keeps them out."""
    tags: tuple[tuple[str, str], ...] = ()
    roles: Roles = Roles()
    profile: Profile = Profile.LEAST_PRIVILEGE
    protect: bool = False


_Choice = TypeVar("_Choice", Access, Profile)


def _never(_: object) -> bool:
    return False


def parse(raw: Mapping[str, object], pending: Callable[[object], bool] = _never) -> Settings:
    """Read settings.

    Args:
        raw: keys as in stack config (`poolName`, `uploads.bucket`, …) to plain values.
        pending: tells a value that is not known yet; its format is checked when it is.

    Raises:
        SettingsError: with every problem found, in the order of the settings.
    """
    reader = _Reader(pending)
    top = _Section(reader, "", raw)
    pool_name = top.text("poolName", identifiers.pool_name)
    region = top.optional_text("region", identifiers.region)
    user_pools = tuple(_user_pool(item) for item in top.sections("userPools", "{id: …, clients: […]}"))
    if not user_pools and not reader.failed("userPools"):
        reader.report("userPools", "at least one user pool is needed: {id: eu-west-1_AbCdEf123, clients: [CLIENT_ID]}")
    uploads = _uploads(top.section("uploads", "{bucket: NAME}"))
    api = _api(top.section("api", "{id: API_ID}"))
    guests = _guests(top)
    tags = _tags(top)
    roles = _roles(top.section("roles", "{path: /app/}", required=False))
    profile = top.choice("profile", Profile, Profile.LEAST_PRIVILEGE)
    protect = top.flag("protect", False)
    top.close()
    settings = Settings(pool_name, user_pools, uploads, api, region, guests, tags, roles, profile, protect)
    if not reader.problems:
        _contradictions(settings, reader)
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def _user_pool(section: _Section) -> UserPool:
    pool_id = section.text("id", identifiers.user_pool_id)
    clients = section.texts("clients", identifiers.client_id, "a list of app client ids")
    region = section.optional_text("region", identifiers.region)
    check = section.flag("serverSideTokenCheck", True)
    section.close()
    own = identifiers.region_of_user_pool(pool_id) if pool_id != PENDING and pool_id else (region or PENDING)
    if region is not None and own != region and not section.reader.failed(section.at("id")):
        section.reader.report(
            section.at("region"), f"`{region}` does not fit the pool `{pool_id}`, which is in {own}; leave it out"
        )
    return UserPool(pool_id, clients, own, check)


def _uploads(section: _Section) -> Uploads:
    bucket = section.text("bucket", identifiers.bucket)
    prefix = section.optional_text("prefix", identifiers.prefix) or ""
    access = section.choice("access", Access, Access.READ_WRITE)
    section.close()
    return Uploads(bucket, prefix, access)


def _api(section: _Section) -> Api:
    api = Api(
        id=section.text("id", identifiers.api_id),
        region=section.optional_text("region", identifiers.region),
        account=section.optional_text("account", identifiers.account),
        stage=section.optional_text("stage", identifiers.stage) or "*",
        methods=section.texts("methods", identifiers.method, "a list such as [GET, POST]", default=("*",)),
        paths=section.texts("paths", identifiers.path, "a list such as [/notes/*]", default=("*",)),
    )
    section.close()
    return api


def _roles(section: _Section) -> Roles:
    low, high = SESSION_SECONDS
    roles = Roles(
        path=section.optional_text("path", identifiers.role_path) or "/",
        permissions_boundary=section.optional_text("permissionsBoundary", identifiers.policy_arn),
        max_session_seconds=section.whole("maxSessionSeconds", low, high, low),
    )
    section.close()
    return roles


def _guests(top: _Section) -> str | None:
    value = top.take("guests")
    how = "say why guests are let in: {reason: …}; leave it out to keep them out"
    if value is None or value is False or value == {}:
        return None
    if not isinstance(value, Mapping):
        top.reader.report("guests", f"`{_show(value)}` does not turn guests on; {how}")
        return None
    section = _Section(top.reader, "guests", value)
    reason = section.take("reason")
    section.close()
    if not isinstance(reason, str) or len(reason.strip()) < 10:
        top.reader.report("guests.reason", f"a sentence is needed, not `{_show(reason)}`; {how}")
        return None
    return reason.strip()


def _tags(top: _Section) -> tuple[tuple[str, str], ...]:
    value = top.take("tags")
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        top.reader.report("tags", f"`{_show(value)}` is not a map of tags: {{key: value}}")
        return ()
    if len(value) > MAX_TAGS:
        top.reader.report("tags", f"{len(value)} tags; AWS allows {MAX_TAGS}")
    for key, text in value.items():
        if key.lower().startswith("aws:"):
            top.reader.report(f"tags.{key}", "`aws:` is reserved by AWS; choose another key")
        elif not 1 <= len(key) <= 128:
            top.reader.report(f"tags.{key[:20]}", "a tag's key has 1 to 128 characters")
        elif not isinstance(text, str) and not top.reader.pending(text):
            top.reader.report(f"tags.{key}", f"`{_show(text)}` must be a string; put it in quotes")
        elif isinstance(text, str) and len(text) > 256:
            top.reader.report(f"tags.{key}", "a tag's value has at most 256 characters")
    return tuple((key, text if isinstance(text, str) else PENDING) for key, text in value.items())


def _contradictions(settings: Settings, reader: _Reader) -> None:
    """What is wrong only together."""
    seen: dict[str, int] = {}
    for index, pool in enumerate(settings.user_pools):
        if pool.id != PENDING and pool.id in seen:
            where = f"userPools[{seen[pool.id]}]"
            reader.report(f"userPools[{index}].id", f"`{pool.id}` is {where} already; put its clients together there")
        seen.setdefault(pool.id, index)
        for position, client in enumerate(pool.clients):
            if client != PENDING and client in pool.clients[:position]:
                reader.report(f"userPools[{index}].clients[{position}]", f"`{client}` stands twice; write it once")
    if settings.region is not None:
        if issuer_of(settings.region) is None:
            reader.report(
                "region",
                f"`{settings.region}` is a region whose identity issuer is not in AWS's public material; "
                "no role can be bound to it safely",
            )
            return
        partition = partition_of(settings.region).name
        if settings.api.region is not None and partition_of(settings.api.region).name != partition:
            reader.report(
                "api.region", f"`{settings.api.region}` is not in the partition `{partition}` of {settings.region}"
            )
        boundary = settings.roles.permissions_boundary
        if boundary not in (None, PENDING) and boundary.split(":")[1] != partition:
            reader.report("roles.permissionsBoundary", f"`{boundary}` is not in the partition `{partition}`")
        for index, pool in enumerate(settings.user_pools):
            if pool.region != PENDING and partition_of(pool.region).name != partition:
                reader.report(
                    f"userPools[{index}].id",
                    f"`{pool.id}` is not in the partition `{partition}` of {settings.region}; "
                    "a user pool of another partition cannot be a provider",
                )
    if settings.profile is Profile.GUIDE:
        if settings.uploads.prefix:
            reader.report(
                "uploads.prefix", "the profile `guide` has no folder prefix; leave it out, or use `least-privilege`"
            )
        if settings.uploads.access is Access.READ_ONLY:
            reader.report(
                "uploads.access",
                "the profile `guide` grants every S3 action; `read-only` needs the profile `least-privilege`",
            )


class _Reader:
    """Collects problems, so that all of them are told at once."""

    def __init__(self, pending: Callable[[object], bool]) -> None:
        self.pending = pending
        self.problems: list[Problem] = []

    def report(self, path: str, text: str) -> None:
        self.problems.append(Problem(path, text))

    def failed(self, path: str) -> bool:
        return any(p.path.startswith(path) for p in self.problems)


class _Section:
    """One object of the settings, whose keys are taken one by one; what is left over is unknown."""

    def __init__(self, reader: _Reader, path: str, raw: Mapping[str, object]) -> None:
        self.reader = reader
        self.path = path
        self._raw = raw
        self._known: list[str] = []

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def take(self, key: str) -> object:
        self._known.append(key)
        return self._raw.get(key)

    def close(self) -> None:
        for key in self._raw:
            if key not in self._known:
                self.reader.report(self.at(key), f"unknown setting; known here: {', '.join(self._known)}")

    def _checked(self, at: str, value: object, check: Check) -> str:
        if self.reader.pending(value):
            return PENDING
        if not isinstance(value, str):
            self.reader.report(at, f"`{_show(value)}` must be a string; put it in quotes")
            return ""
        problem = check(value)
        if problem:
            self.reader.report(at, problem)
        return value

    def text(self, key: str, check: Check) -> str:
        value = self.take(key)
        if value is None or value == "":
            self.reader.report(self.at(key), "is missing")
            return ""
        return self._checked(self.at(key), value, check)

    def optional_text(self, key: str, check: Check) -> str | None:
        value = self.take(key)
        return None if value is None or value == "" else self._checked(self.at(key), value, check)

    def texts(self, key: str, check: Check, what: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        value = self.take(key)
        if value is None and default is not None:
            return default
        if self.reader.pending(value):
            return (PENDING,)
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            self.reader.report(self.at(key), f"`{_show(value)}` must be {what}")
            return ()
        return tuple(self._checked(f"{self.at(key)}[{i}]", item, check) for i, item in enumerate(value))

    def choice(self, key: str, options: type[_Choice], default: _Choice) -> _Choice:
        value = self.take(key)
        if value is None or value == "":
            return default
        for option in options:
            if value == option.value:
                return option
        named = " or ".join(f"`{o.value}`" for o in options)
        self.reader.report(self.at(key), f"`{_show(value)}` must be {named}")
        return default

    def flag(self, key: str, default: bool) -> bool:
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self.reader.report(self.at(key), f"`{_show(value)}` must be true or false")
        return default

    def whole(self, key: str, low: int, high: int, default: int) -> int:
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, float) and value.is_integer():  # other languages hand every number over as a float
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.reader.report(self.at(key), f"`{_show(value)}` must be a whole number from {low} to {high}")
        return default

    def section(self, key: str, shape: str, required: bool = True) -> _Section:
        value = self.take(key)
        if isinstance(value, Mapping):
            return _Section(self.reader, self.at(key), value)
        if value is not None or required:
            problem = f"must be {shape}" if value is not None else f"is missing; write {shape}"
            shown = f"`{_show(value)}` " if value is not None else ""
            self.reader.report(self.at(key), shown + problem)
        return _Section(_Reader(self.reader.pending), self.at(key), {})

    def sections(self, key: str, shape: str) -> Iterator[_Section]:
        value = self.take(key)
        if value is None:
            return
        if not isinstance(value, Sequence) or isinstance(value, str):
            self.reader.report(self.at(key), f"`{_show(value)}` must be a list of {shape}")
            return
        for index, item in enumerate(value):
            if isinstance(item, Mapping):
                yield _Section(self.reader, f"{self.at(key)}[{index}]", item)
            else:
                self.reader.report(f"{self.at(key)}[{index}]", f"`{_show(item)}` must be {shape}")


def _show(value: object) -> str:
    """A value as its author wrote it, cut short."""
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
