"""Which role or policy a reference means: by exact ARN, then by dependencies, then by name within one account.

Resolution looks at all facts that are known, so the order in which they came does not matter. While resources are still to
come, a resource that is replaced is known by the name that the engine takes over from the old one; the new one's ends with
other random letters, and is told to nobody before the whole stack is.

Source: https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/step_generator.go (continueStepsFromDiff)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..iam.conditions import Truth
from .accounts import Accounts, Origin, account_of, same_account
from .facts import Reference


@dataclass(frozen=True)
class Entry:
    """A role or a policy as references name it."""

    urn: str
    name: str | None
    prefix: str | None
    arn: str | None
    origin: Origin


@dataclass(frozen=True)
class Match:
    """A resource that a reference means.

    Attributes:
        certain: whether it means no other one.
        outside: whether it may mean one of another account, which the stack does not make.
    """

    urn: str
    certain: bool
    outside: bool = False


class Directory:
    """Roles, or managed policies, by ARN, URN and name.

    Args:
        accounts: the accounts of providers.
        whole: whether all resources are there, with the names that they really have.
    """

    def __init__(self, accounts: Accounts, whole: bool = True) -> None:
        self._accounts = accounts
        self._whole = whole
        self._entries: dict[str, Entry] = {}
        self._by_name: dict[str, dict[str, None]] = {}
        self._by_arn: dict[str, dict[str, None]] = {}
        self._prefixed: dict[str, None] = {}
        self._by_stem: dict[str, dict[str, None]] = {}

    def __contains__(self, urn: str) -> bool:
        return urn in self._entries

    def add(self, entry: Entry) -> None:
        self.remove(entry.urn)
        self._entries[entry.urn] = entry
        if name := _name(entry):
            self._by_name.setdefault(folded(name), {})[entry.urn] = None
            if not self._whole and (begun := stem(name)) and begun[:-1].endswith(folded(last_of_urn(entry.urn))):
                self._by_stem.setdefault(begun, {})[entry.urn] = None
        elif entry.prefix:
            self._prefixed[entry.urn] = None
        if entry.arn:
            self._by_arn.setdefault(entry.arn, {})[entry.urn] = None

    def remove(self, urn: str) -> None:
        entry = self._entries.pop(urn, None)
        if entry is not None:
            self._by_name.get(folded(_name(entry) or ""), {}).pop(urn, None)
            self._by_stem.get(stem(_name(entry) or "") or "", {}).pop(urn, None)
            self._by_arn.get(entry.arn or "", {}).pop(urn, None)
            self._prefixed.pop(urn, None)

    def keys(self, urn: str) -> tuple[str, str | None, str | None]:
        """A resource's URN, its folded name and its folded prefix: what references to it can be found by."""
        entry = self._entries[urn]
        name = _name(entry)
        return urn, folded(name) if name else None, folded(entry.prefix) if entry.prefix and not name else None

    def namesakes(self, name: str) -> list[str]:
        """The resources that have a folded name, or may come to have it."""
        begun = [u for u in self._prefixed if name.startswith(folded(self._entries[u].prefix or ""))]
        return [*self._by_name.get(name, ()), *begun]

    def has(self, name: str) -> bool:
        """Whether a resource has a folded name."""
        return bool(self._by_name.get(name))

    def nameless(self) -> bool:
        """Whether there is a resource of whose name nothing is known, which any reference may mean."""
        return any(not (entry.name or entry.prefix or entry.arn) for entry in self._entries.values())

    def prefixed(self) -> list[str]:
        """The resources of whose name only the beginning is known."""
        return list(self._prefixed)

    def resolve(self, reference: Reference, origin: Origin) -> tuple[Match, ...]:
        """The resources that a reference from a resource of `origin` means."""
        value = reference.value
        dependencies = [urn for urn in reference.urns if urn in self._entries]
        if value is None:
            return _matches(dependencies)
        if exact := list(self._by_arn.get(value, ())):
            return _matches(exact)
        if ":iam::aws:" in value:
            return ()  # AWS's own managed policies, which may have the name of one of the stack's
        account = account_of(value)
        origin = self._accounts.known(origin)
        if account:
            # Roles and policies are attached within one account: the ARN's is the account of the resource that names it.
            origin = replace(origin, account=account)
        name = last(value)
        fitting = [urn for urn in dependencies if self._fits(self._entries[urn], value, name)]
        if fitting:
            named = [urn for urn in fitting if _name(self._entries[urn])]
            return _matches(named or fitting)
        by_name = [u for u in self._by_name.get(folded(name), ()) if self._fits(self._entries[u], value, name)]
        written = [urn for urn in by_name if _name(self._entries[urn]) == name]
        found = self._within(written or by_name, origin) or self._within(
            [u for u in self._prefixed if self._fits(self._entries[u], value, name)], origin
        )
        # A document of the new resource counts, and a Deny in it only once its name is told.
        return found or tuple(replace(match, certain=False) for match in self._within(self._replaced(name), origin))

    def _replaced(self, name: str) -> list[str]:
        """The resources that may have a name once they are replaced."""
        alike = self._by_stem.get(stem(name) or "", ())
        return [urn for urn in alike if len(_name(self._entries[urn]) or "") == len(name)]

    def _fits(self, entry: Entry, value: str, name: str) -> bool:
        """Whether a resource may be the one that a value names."""
        if entry.arn and value.startswith("arn:"):
            return entry.arn == value
        known = _name(entry)
        if known:
            return folded(known) == folded(name)
        return name.startswith(entry.prefix) if entry.prefix else True

    def _within(self, urns: Iterable[str], origin: Origin) -> tuple[Match, ...]:
        found = {urn: same_account(self._accounts.known(self._entries[urn].origin), origin) for urn in urns}
        certain = [urn for urn, truth in found.items() if truth is Truth.YES]
        if certain:
            return _matches(certain)
        return tuple(Match(urn, False, True) for urn, truth in found.items() if truth is Truth.MAYBE)


def _matches(urns: Iterable[str]) -> tuple[Match, ...]:
    urns = tuple(dict.fromkeys(urns))
    return tuple(Match(urn, len(urns) == 1) for urn in urns)


def _name(entry: Entry) -> str | None:
    return entry.name or (last(entry.arn) if entry.arn else None)


_RANDOM = re.compile(r"[-_.](?:[0-9a-f]{4,}|(?=[a-z]*[0-9])[0-9a-z]{4,})$")
"""What ends a name that is made of the resource's own: the engine's setting says how many letters, and which.

Source: https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming-configuration
"""


def stem(name: str) -> str | None:
    """The folded beginning of a name that has a random end; None where it has none."""
    match = _RANDOM.search(folded(name))
    return folded(name)[: match.start() + 1] if match else None


def last_of_urn(urn: str) -> str:
    """The name that a program gives a resource."""
    return urn.rpartition("::")[2]


def last(value: str) -> str:
    """The name in a name or an ARN."""
    return value.rpartition("/")[2]


def folded(name: str) -> str:
    """IAM does not tell names apart by case.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    return name.casefold()
