"""Whether two resources are in one account, as far as their providers and ARNs tell."""

from __future__ import annotations

from dataclasses import dataclass

from ..iam.conditions import Truth


@dataclass(frozen=True)
class Origin:
    """Where a resource is made.

    Attributes:
        provider: URN of its provider; empty where it is not known.
        account: the account's ID, where it is known.
        region: the region, where it is known.
        credentials: what the provider's configuration says about whom it acts as; equal credentials are one account.
    """

    provider: str = ""
    account: str | None = None
    region: str | None = None
    credentials: str = ""


def same_account(one: Origin, other: Origin) -> Truth:
    """Whether two resources are in one account."""
    if one.account and other.account:
        return Truth.YES if one.account == other.account else Truth.NO
    if one.provider == other.provider or one.credentials == other.credentials:
        return Truth.YES
    return Truth.MAYBE


def account_of(arn: str) -> str | None:
    """The account that an ARN names."""
    fields = arn.split(":", 5)
    return fields[4] if len(fields) == 6 and fields[0] == "arn" and fields[4].isdigit() else None
