"""Grants: what a role may do, each a kind of its own with its settings.

A grant is read from one object of the settings, and gives statements for the place it is used in. The statements
themselves are in `documents`; here is which settings each kind takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from . import documents, formats
from .aws import Environment, IdentityKind
from .documents import ACCESS, READ_ONLY, READ_WRITE, Access, Statement
from .owners import Owner, Tenant, owner
from .reader import Section, shown


class Grant(Protocol):
    """Something that a role may do."""

    def statements(self, env: Environment, kind: IdentityKind) -> list[Statement]: ...


@dataclass(frozen=True)
class SharedSpace:
    """Files that several identities can access on purpose, which the policy pack must know."""

    pattern: str
    """`BUCKET/KEY` with `*`, and variables as in a policy."""
    actions: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class OwnFolder:
    """The user's own folder, or the tenant's."""

    bucket: str
    prefix: str = ""
    access: frozenset[Access] = READ_WRITE
    kms_key: str | None = None
    by: Owner = Owner.IDENTITY

    def statements(self, env: Environment, kind: IdentityKind) -> list[Statement]:
        return documents.own_folder(env, self.bucket, self.prefix, self.access, self.kms_key, self.by)


@dataclass(frozen=True)
class Levels:
    """Amplify's three levels of storage in one bucket."""

    bucket: str
    kms_key: str | None = None
    by: Owner = Owner.IDENTITY

    def statements(self, env: Environment, kind: IdentityKind) -> list[Statement]:
        return documents.levels(env, self.bucket, kind, self.kms_key, self.by)

    def shared(self, kind: IdentityKind) -> list[SharedSpace]:
        access = READ_ONLY if kind is IdentityKind.GUEST else READ_WRITE
        return [
            _space(self.bucket, "public/", access, "Amplify's level `public`: all users read and write."),
            _space(
                self.bucket, "protected/", READ_ONLY, "Amplify's level `protected`: all users read, the owner writes."
            ),
        ]


@dataclass(frozen=True)
class Shared:
    """Files that everybody with the role reads, or more."""

    bucket: str
    prefix: str
    why: str
    access: frozenset[Access] = READ_ONLY
    kms_key: str | None = None

    def statements(self, env: Environment, kind: IdentityKind) -> list[Statement]:
        return documents.files(env, "Shared", self.bucket, self.prefix, self.access, self.kms_key)

    def shared(self, kind: IdentityKind) -> list[SharedSpace]:
        return [_space(self.bucket, self.prefix, self.access, self.why)]


@dataclass(frozen=True)
class Api:
    """An API of API Gateway, REST or HTTP."""

    id: str
    region: str | None = None
    account: str | None = None
    stage: str = "*"
    methods: tuple[str, ...] = ("*",)
    paths: tuple[str, ...] = ("*",)

    def statements(self, env: Environment, kind: IdentityKind) -> list[Statement]:
        return documents.invoke_api(env, self.id, self.stage, self.methods, self.paths, self.region, self.account)


@dataclass(frozen=True)
class GraphQl:
    """Fields of an AppSync API."""

    id: str
    fields: tuple[str, ...] = ()
    region: str | None = None
    account: str | None = None

    def statements(self, env: Environment, kind: IdentityKind) -> list[Statement]:
        return documents.graphql(env, self.id, self.fields, self.region, self.account)


@dataclass(frozen=True)
class OwnRows:
    """The items of a DynamoDB table whose partition key is the owner's name."""

    table: str
    access: frozenset[Access] = READ_WRITE
    indexes: tuple[str, ...] = ()
    region: str | None = None
    account: str | None = None
    by: Owner = Owner.IDENTITY

    def statements(self, env: Environment, kind: IdentityKind) -> list[Statement]:
        return documents.own_rows(env, self.table, self.access, self.indexes, self.region, self.account, self.by)


@dataclass(frozen=True)
class OwnTopics:
    """AWS IoT topics under the owner's name."""

    prefix: str = ""
    region: str | None = None
    account: str | None = None
    by: Owner = Owner.IDENTITY

    def statements(self, env: Environment, kind: IdentityKind) -> list[Statement]:
        return documents.own_topics(env, self.prefix, self.region, self.account, self.by)


@dataclass(frozen=True)
class CallFunction:
    """A Lambda function."""

    name: str
    qualifier: str | None = None
    region: str | None = None
    account: str | None = None

    def statements(self, env: Environment, kind: IdentityKind) -> list[Statement]:
        return documents.call_function(env, self.name, self.qualifier, self.region, self.account)


@dataclass(frozen=True)
class Raw:
    """A statement as it is, for what no other grant says."""

    statement: Statement

    def statements(self, env: Environment, kind: IdentityKind) -> list[Statement]:
        return [self.statement]


def shared_spaces(grant: Grant, kind: IdentityKind) -> list[SharedSpace]:
    """The spaces that a grant shares between identities."""
    return grant.shared(kind) if isinstance(grant, Levels | Shared) else []


def shared_access(grant: Grant, tenant: Tenant | None) -> str | None:
    """Why a grant allows several users the same beyond S3; None where it does not."""
    if isinstance(grant, OwnRows | OwnTopics):
        return tenant.why if tenant is not None and grant.by is Owner.TENANT else None
    if isinstance(grant, GraphQl):
        return "The app calls its GraphQL API."
    return "The app calls this function." if isinstance(grant, CallFunction) else None


def own_folders(grant: Grant) -> list[str]:
    """The places, as `BUCKET/PREFIX`, that hold users' folders which a grant reaches."""
    if isinstance(grant, OwnFolder):
        return [f"{grant.bucket}/{grant.prefix}"]
    return [f"{grant.bucket}/protected/", f"{grant.bucket}/private/"] if isinstance(grant, Levels) else []


def _space(bucket: str, prefix: str, access: frozenset[Access], why: str) -> SharedSpace:
    actions = [*documents.object_actions(access), *(["s3:ListBucket"] if Access.LIST in access else [])]
    return SharedSpace(f"{bucket}/{prefix}*", tuple(actions), why)


def access(section: Section, default: frozenset[Access]) -> frozenset[Access]:
    """A list of `read`, `write`, `delete` and `list`, or the short name of a set of them."""
    return section.choices("access", Access, default, ACCESS)


def own_folder(section: Section) -> OwnFolder:
    return OwnFolder(
        section.text("bucket", formats.bucket),
        section.optional_text("prefix", formats.prefix) or "",
        access(section, READ_WRITE),
        section.optional_text("kms_key", formats.kms_key),
        owner(section),
    )


def _levels(section: Section) -> Grant:
    bucket, kms_key = section.text("bucket", formats.bucket), section.optional_text("kms_key", formats.kms_key)
    return Levels(bucket, kms_key, owner(section))


def _shared(section: Section) -> Grant:
    return Shared(
        section.text("bucket", formats.bucket),
        section.text("prefix", formats.prefix),
        section.text("why", formats.sentence),
        access(section, READ_ONLY),
        section.optional_text("kms_key", formats.kms_key),
    )


def _place(section: Section) -> tuple[str | None, str | None]:
    region = section.optional_text("region", formats.region)
    return region, section.optional_text("account", formats.account)


def api(section: Section) -> Api:
    return Api(
        section.text("id", formats.api_id),
        *_place(section),
        stage=section.optional_text("stage", formats.stage) or "*",
        methods=section.texts("methods", formats.method, "a list such as [GET, POST]", default=("*",)),
        paths=section.texts("paths", formats.path, "a list such as [/notes/*]", default=("*",)),
    )


def _graphql(section: Section) -> Grant:
    what = "a list such as [Query.listNotes, Mutation.*]"
    fields = section.texts("fields", formats.graphql_field, what, default=())
    return GraphQl(section.text("id", formats.graphql_api), fields, *_place(section))


def _own_rows(section: Section) -> Grant:
    return OwnRows(
        section.text("table", formats.table),
        access(section, READ_WRITE),
        section.texts("indexes", formats.table, "a list of index names", default=()),
        *_place(section),
        by=owner(section),
    )


def _own_topics(section: Section) -> Grant:
    return OwnTopics(section.optional_text("prefix", formats.prefix) or "", *_place(section), by=owner(section))


def _call_function(section: Section) -> Grant:
    name = section.text("name", formats.function)
    return CallFunction(name, section.optional_text("qualifier", formats.qualifier), *_place(section))


_STATEMENT_KEYS = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")


def _raw(section: Section) -> Grant:
    statement: dict[str, Any] = {key: section.plain(key) for key in _STATEMENT_KEYS if section.has(key)}
    if statement.get("Effect") not in ("Allow", "Deny"):
        section.reader.report(section.at("Effect"), "must be Allow or Deny")
    for element, negated in (("Action", "NotAction"), ("Resource", "NotResource")):
        if (element in statement) is (negated in statement):
            section.reader.report(section.path, f"a statement must have either {element} or {negated}")
    return Raw(statement)


KINDS: dict[str, Callable[[Section], Grant]] = {
    "own_folder": own_folder,
    "levels": _levels,
    "shared": _shared,
    "api": api,
    "graphql": _graphql,
    "own_rows": _own_rows,
    "own_topics": _own_topics,
    "function": _call_function,
    "statement": _raw,
}
"""How each kind of grant is read."""


def read(section: Section, key: str) -> tuple[Grant, ...]:
    """The grants of a role: a list of objects with one key each, the grant's kind."""
    grants: list[Grant] = []
    for item in section.sections(key, "{GRANT: {…}}"):
        kinds = [kind for kind in KINDS if item.has(kind)]
        if len(kinds) == 1:
            settings = item.section(kinds[0], "an object with the grant's settings")
            grants.append(KINDS[kinds[0]](settings))
            settings.close()
            item.close()
        else:
            names = ", ".join(shown(kind) for kind in kinds)
            problem = f"has {names}; make each a separate grant" if kinds else "is not a grant"
            item.reader.report(item.path, f"{problem}; expected one of: {', '.join(shown(kind) for kind in KINDS)}")
    return tuple(grants)
