"""The request that shows a finding: who does what to whose file, as a value that machines and pages read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..iam.actions import exists
from ..proof.results import Access, Escalation, OutsideFolder, Result, UnnamedApi, Violation


@dataclass(frozen=True)
class Example:
    """One request that is allowed.

    Attributes:
        identity: the ID of the identity that makes it; empty for a request without credentials.
        action: the action; a made-up one where a wildcard grants actions that do not exist yet.
        resource: the ARN that it is asked for; `*` where the action has none.
        prefix: the `s3:prefix` of a listing; None where it names none, or is no listing.
        listing: whether it lists keys.
        whose: the ID of the identity whose file it reaches; empty where it is about no other identity.
        entry: the entry of Resource that matches it; empty for NotResource.
        exact: whether it is allowed for certain, and not only if something holds that the documents do not decide.
        tags: the principal tags of the identity's session that documents speak of.
    """

    identity: str
    action: str
    resource: str
    prefix: str | None = None
    listing: bool = False
    whose: str = ""
    entry: str = ""
    exact: bool = True
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def exists(self) -> bool:
        """Whether somebody can make the request today."""
        return exists(self.action)

    @property
    def request(self) -> str:
        """The request as `identity-scope explain --request` takes it."""
        prefix = "" if self.prefix is None else f"/{self.prefix}"
        return f"{self.action} {self.resource}{prefix}"

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"identity": self.identity or None, "action": self.action, "resource": self.resource}
        if self.prefix is not None:
            found["prefix"] = self.prefix
        if self.whose:
            found["whose"] = self.whose
        if self.tags:
            found["tags"] = [f"{key}={value}" for key, value in self.tags]
        return {**found, "exact": self.exact}


def example_of(result: Result) -> Example | None:
    """The request that a result was shown by; None where no request shows it."""
    if isinstance(result, Violation):
        return _example(result.mine, result.theirs.identity)
    return _example(result.access) if isinstance(result, OutsideFolder | Escalation | UnnamedApi) else None


def _example(access: Access, whose: str = "") -> Example:
    identity = "" if access.anonymous else access.identity
    exact = access.exact and not access.doubtful
    tags = () if access.anonymous else access.tags
    return Example(
        identity, access.action, access.arn, access.prefix, access.listing, whose, access.resource, exact, tags
    )
