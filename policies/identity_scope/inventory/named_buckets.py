"""Which buckets the documents of a role may name, and which roles a bucket's policy therefore concerns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ..iam.documents import Document, Effect, Statement
from ..iam.principals import names_everyone
from .principal import BucketPolicy, Principal

_WILD = "*?$"
"""What makes a pattern, or a variable, of a text."""


@dataclass(frozen=True)
class NamedBuckets:
    """Buckets by their names, and whether there may be any others."""

    names: frozenset[str] = frozenset()
    others: bool = False

    def __or__(self, other: NamedBuckets) -> NamedBuckets:
        return NamedBuckets(self.names | other.names, self.others or other.others)


def named_buckets(principals: Iterable[Principal]) -> NamedBuckets:
    """The buckets that roles' own documents allow something on."""
    found = NamedBuckets()
    for principal in principals:
        for _, document in principal.documents:
            found |= _of_document(document)
    return found


def concerns(policy: BucketPolicy, buckets: NamedBuckets) -> bool:
    """Whether a bucket's policy may change what roles reach that name some buckets."""
    return policy.bucket is None or buckets.others or policy.bucket in buckets.names or policy.by_name


def concerning(policies: Iterable[BucketPolicy], buckets: NamedBuckets) -> tuple[BucketPolicy, ...]:
    """The policies that may change what roles reach, with those of the buckets whose access points name the roles."""
    policies = tuple(policies)
    behind = {policy.bucket for policy in policies if policy.access_point is not None and concerns(policy, buckets)}
    return tuple(policy for policy in policies if policy.bucket in behind or concerns(policy, buckets))


def grants_by_name(document: Document) -> bool:
    """Whether a bucket's policy allows something to roles, sessions, or all of an issuer, by their names.

    An account as the principal only delegates: the role still needs a grant of its own. What is for everyone may be for
    roles or sessions all the same, by a condition or a variable.
    """
    return any(
        statement.effect is Effect.ALLOW
        and statement.principals is not None
        and (
            any(
                kind == "Federated"
                or (kind == "AWS" and value != "*" and not value.isdigit() and value[-5:] != ":root")
                for kind, value in statement.principals.entries
            )
            or (names_everyone(statement.principals) and _asks_for_something(statement))
        )
        for statement in document.statements
    )


def _asks_for_something(statement: Statement) -> bool:
    return bool(statement.conditions) or any("${" in resource for resource in statement.resources)


@lru_cache(maxsize=4096)
def _of_document(document: Document) -> NamedBuckets:
    names: set[str] = set()
    for statement in document.statements:
        if statement.effect is not Effect.ALLOW or not _about_s3(statement):
            continue
        if statement.not_resource:
            return NamedBuckets(others=True)
        for resource in statement.resources:
            bucket = _bucket(resource)
            if bucket is None:
                return NamedBuckets(others=True)
            names.add(bucket)
    return NamedBuckets(frozenset(names))


def _about_s3(statement: Statement) -> bool:
    if statement.not_action:
        return True
    services = (action.partition(":")[0].lower() for action in statement.actions)
    return any(service.startswith("s3") or any(c in service for c in _WILD) for service in services)


def _bucket(resource: str) -> str | None:
    """The bucket that a resource names literally; None where it may be any, or an access point."""
    fields = resource.split(":", 5)
    if len(fields) < 6 or fields[2] != "s3" or fields[3] or fields[4]:
        return None
    bucket = fields[5].partition("/")[0]
    return None if any(c in bucket for c in _WILD) or bucket.endswith("-s3alias") else bucket
