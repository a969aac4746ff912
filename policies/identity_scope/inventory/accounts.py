"""Whether two resources are in one account, as far as their providers and ARNs tell."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..iam.conditions import Truth


@dataclass(frozen=True)
class Origin:
    """Where a resource is made.

    Attributes:
        provider: URN of its provider; empty where it is not known.
        account: the account's ID, where it is known.
        region: the region, where it is known.
        credentials: what the provider's configuration says about whom it acts as; equal credentials are one account.
        several: whether what is known of the provider is that of several providers, in different accounts.
    """

    provider: str = ""
    account: str | None = None
    region: str | None = None
    credentials: str = ""
    several: bool = False


def same_account(one: Origin, other: Origin) -> Truth:
    """Whether two resources are in one account."""
    if one.account and other.account:
        return Truth.YES if one.account == other.account else Truth.NO
    if one.several or other.several:
        return Truth.MAYBE
    if one.provider == other.provider or one.credentials == other.credentials:
        return Truth.YES
    return Truth.MAYBE


def account_of(arn: str) -> str | None:
    """The account that an ARN names."""
    fields = arn.split(":", 5)
    return fields[4] if len(fields) == 6 and fields[0] == "arn" and fields[4].isdigit() else None


class Accounts:
    """The accounts of providers, as far as the ARNs of their resources tell."""

    def __init__(self) -> None:
        self._named: dict[str, dict[str, int]] = {}
        self.version = 0
        """Changes whenever another account is known."""

    def note(self, provider: str, arn: str | None, number: int) -> None:
        """Note that a provider has `number` more resources in the account of an ARN."""
        account = account_of(arn or "")
        if not provider or account is None:
            return
        before = self._accounts(provider)
        counts = self._named.setdefault(provider, {})
        counts[account] = counts.get(account, 0) + number
        self.version += self._accounts(provider) != before

    def _accounts(self, provider: str) -> list[str]:
        return [account for account, number in self._named.get(provider, {}).items() if number > 0]

    def known(self, origin: Origin) -> Origin:
        """An origin with its account, if that is known."""
        named = [] if origin.account else self._accounts(origin.provider)
        if not named:
            return origin
        # A state of Terraform does not tell the configurations of one provider apart.
        return replace(origin, account=named[0] if len(named) == 1 else None, several=len(named) > 1)
