"""Every fact of a stack, found by what it refers to, and what references mean among all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from .accounts import Accounts, Origin, account_of
from .buckets import Buckets
from .facts import (
    AccessPointFact,
    AccessPointPolicyFact,
    AttachmentFact,
    BucketFact,
    BucketPolicyFact,
    Exclusive,
    Fact,
    GrantFact,
    InlineListFact,
    PolicyFact,
    PoolFact,
    Reference,
    RoleFact,
    TagMapFact,
    UserPoolClientFact,
    UserPoolFact,
    VendingFact,
)
from .reading import is_hidden
from .resolution import Directory, Entry, Match, folded, last, stem

RoleUser: TypeAlias = "GrantFact | InlineListFact | AttachmentFact | VendingFact"
"""A fact that names roles."""


@dataclass(frozen=True)
class Use:
    """A fact that names a role, the references by which it does, and whether they certainly mean the role."""

    fact: RoleUser
    references: tuple[Reference, ...]
    certain: bool


class Index:
    """The facts of one stack, by URN; all of them, or those of the resources so far."""

    def __init__(self, whole: bool = True) -> None:
        self._whole = whole
        self._facts: dict[str, tuple[Fact, ...]] = {}
        self.roles: dict[str, RoleFact] = {}
        self.policies: dict[str, PolicyFact] = {}
        self.pools: dict[str, PoolFact] = {}
        self.vending: dict[str, VendingFact] = {}
        self.tag_maps: dict[str, TagMapFact] = {}
        self.user_pools: dict[str, UserPoolFact] = {}
        self.clients: dict[str, UserPoolClientFact] = {}
        self.unread_trusts: dict[str, None] = {}
        """URNs of roles whose trust policy is secret, or not known."""
        self.unnamed: dict[str, None] = {}
        """URNs of resources that name a role which is not known."""
        self.buckets = Buckets()
        self.accounts = Accounts()
        self.role_directory = Directory(self.accounts, whole)
        self.policy_directory = Directory(self.accounts, whole)
        self._users: dict[tuple[type, str], dict[str, None]] = {}
        """URNs of the resources that refer to a role, policy or pool, by its URN or folded name."""
        self._stems: dict[tuple[type, str], dict[str, None]] = {}
        """The folded names with random ends that resources refer to, by what they begin with."""

    def facts(self, urn: str) -> tuple[Fact, ...]:
        """What a resource states."""
        return self._facts.get(urn, ())

    def put(self, facts: tuple[Fact, ...]) -> None:
        """Record a resource's facts, if it states any, in the place of those that it stated before."""
        if not facts:
            return
        urn = facts[0].urn
        for fact in self._facts.pop(urn, ()):
            self._withdraw(fact)
        self._facts[urn] = facts
        for fact in facts:
            self._record(fact)

    def _record(self, fact: Fact) -> None:
        for key in _keys(fact):
            self._users.setdefault(key, {})[fact.urn] = None
            if not self._whole and not key[1].startswith("urn:") and (begun := stem(key[1])):
                self._stems.setdefault((key[0], begun), {})[key[1]] = None
        if isinstance(fact, RoleFact):
            self.roles[fact.urn] = fact
            self._place(self.role_directory, fact)
            if is_hidden(fact.trust.source):
                self.unread_trusts[fact.urn] = None
        elif isinstance(fact, PolicyFact):
            self.policies[fact.urn] = fact
            self._place(self.policy_directory, fact)
        elif isinstance(fact, PoolFact):
            self.pools[fact.urn] = fact
        elif isinstance(fact, TagMapFact):
            self.tag_maps[fact.urn] = fact
        elif isinstance(fact, UserPoolFact):
            self.user_pools[fact.urn] = fact
        elif isinstance(fact, UserPoolClientFact):
            self.clients[fact.urn] = fact
        elif isinstance(fact, GrantFact | InlineListFact | AttachmentFact | VendingFact):
            if isinstance(fact, VendingFact):
                self.vending[fact.urn] = fact
            if any(reference.value is None for reference in role_references(fact)):
                self.unnamed[fact.urn] = None
        else:
            self.buckets.record(fact)

    def _withdraw(self, fact: Fact) -> None:
        urn = fact.urn
        for key in _keys(fact):
            self._users.get(key, {}).pop(urn, None)
        if isinstance(fact, RoleFact):
            self._displace(self.role_directory, fact)
            self.roles.pop(urn, None)
        elif isinstance(fact, PolicyFact):
            self._displace(self.policy_directory, fact)
            self.policies.pop(urn, None)
        records = (self.pools, self.vending, self.tag_maps, self.user_pools, self.clients)
        for found in (*records, self.unnamed, self.unread_trusts):
            found.pop(urn, None)
        if isinstance(fact, BucketFact | BucketPolicyFact | AccessPointFact | AccessPointPolicyFact):
            self.buckets.withdraw(fact)

    def _place(self, directory: Directory, fact: RoleFact | PolicyFact) -> None:
        self.accounts.note(fact.origin.provider, fact.arn, 1)
        origin = replace(fact.origin, account=account_of(fact.arn or "") or fact.origin.account)
        directory.add(Entry(fact.urn, fact.name, fact.prefix, fact.arn, origin))

    def _displace(self, directory: Directory, fact: RoleFact | PolicyFact) -> None:
        self.accounts.note(fact.origin.provider, fact.arn, -1)
        directory.remove(fact.urn)

    # --- what refers to what

    def touched(self, facts: Iterable[Fact]) -> set[str]:
        """The roles of which a resource's facts may change something, but for the policies of buckets."""
        touched: set[str] = set()
        for fact in facts:
            if isinstance(fact, RoleFact):
                touched |= {fact.urn, *self._namesakes(self.role_directory, fact)}
                for user in self._users_of(self.role_directory, RoleFact, fact):
                    touched |= self._roles_of(user)
            elif isinstance(fact, PolicyFact):
                touched |= self.roles_of(self._users_of(self.policy_directory, PolicyFact, fact))
            elif isinstance(fact, GrantFact | InlineListFact | AttachmentFact | VendingFact):
                touched |= self._roles_of(fact.urn)
                if isinstance(fact, AttachmentFact) and fact.exclusive is Exclusive.ROLES_OF_POLICY:
                    users = {user for key in _keys(fact) if key[0] is PolicyFact for user in self._users.get(key, ())}
                    touched |= self.roles_of(users)
            elif isinstance(fact, PoolFact):
                for vending in self._users.get((PoolFact, fact.urn), ()):
                    touched |= self._roles_of(vending)
        return touched

    def namers(self, facts: Iterable[Fact]) -> frozenset[str]:
        """URNs of the resources that may refer to a role or a policy among some facts, recorded or not."""
        found: set[str] = set()
        for fact in facts:
            if isinstance(fact, RoleFact | PolicyFact):
                name = fact.name or (last(fact.arn) if fact.arn else None)
                prefix = folded(fact.prefix) if fact.prefix and not name else None
                found |= self._found_by(type(fact), fact.urn, folded(name) if name else None, prefix).keys()
        return frozenset(found)

    def roles_of(self, urns: Iterable[str]) -> set[str]:
        """The roles that resources refer to, as things stand."""
        return {role for urn in urns for role in self._roles_of(urn)}

    def _roles_of(self, urn: str) -> set[str]:
        """The roles that a resource is, or refers to."""
        found: set[str] = set()
        for fact in self.facts(urn):
            if isinstance(fact, RoleFact):
                found.add(fact.urn)
            elif isinstance(fact, GrantFact | InlineListFact | AttachmentFact | VendingFact):
                for reference in role_references(fact):
                    found |= {match.urn for match in self.role_directory.resolve(reference, fact.origin)}
                    if reference.value:
                        found.add(elsewhere_urn(reference.value))
        return found

    def _namesakes(self, directory: Directory, fact: RoleFact | PolicyFact) -> list[str]:
        if fact.urn not in directory:
            return []
        _, name, prefix = directory.keys(fact.urn)
        if name is not None:
            return directory.namesakes(name)
        return directory.prefixed() if prefix is not None else []

    def _users_of(self, directory: Directory, kind: type, fact: RoleFact | PolicyFact) -> list[str]:
        """URNs of the resources that may refer to a role or a policy, in the order of their URNs."""
        if fact.urn not in directory:
            return []
        return sorted(self._found_by(kind, *directory.keys(fact.urn)))

    def _found_by(self, kind: type, urn: str, name: str | None, prefix: str | None) -> dict[str, None]:
        found = dict(self._users.get((kind, urn), {}))
        if name is not None:
            found.update(self._users.get((kind, name), {}))
            directory = self.role_directory if kind is RoleFact else self.policy_directory
            for alike in self._stems.get((kind, stem(name) or ""), ()):
                if len(alike) == len(name) and not directory.has(alike):
                    found.update(self._users.get((kind, alike), {}))
        elif prefix is not None:
            for (other, key), users in self._users.items():
                if other is kind and key.startswith(prefix):
                    found.update(users)
        return found

    def everybody(self) -> frozenset[str]:
        """Every role of the stack, and every name that may be of a role which another stack makes."""
        names = {elsewhere_urn(key) for kind, key in self._users if kind is RoleFact and not key.startswith("urn:")}
        return frozenset(names.union(self.roles))

    def uses(self, role: RoleFact) -> Iterator[Use]:
        """The facts that name a role of the stack."""
        for urn in self._users_of(self.role_directory, RoleFact, role):
            for fact in self._facts[urn]:
                if isinstance(fact, GrantFact | InlineListFact | AttachmentFact | VendingFact):
                    matches, _ = self.listed(self.role_directory, role_references(fact), fact.origin)
                    own = [(reference, match) for reference, match in matches if match.urn == role.urn]
                    if own:
                        references = tuple(reference for reference, _ in own)
                        yield Use(fact, references, any(match.certain for _, match in own))

    def uses_elsewhere(self, name: str, arns: Sequence[str | None]) -> list[Use]:
        """The facts that name a role of another stack, which has a name and one of some ARNs; None: any."""
        uses: list[Use] = []
        for urn in sorted(self._users.get((RoleFact, folded(name)), ())):
            for fact in self._facts[urn]:
                if isinstance(fact, GrantFact | InlineListFact | AttachmentFact):
                    references = role_references(fact)
                    own = tuple(r for r in references if any(self._means(r, fact.origin, name, arn) for arn in arns))
                    if own:
                        uses.append(Use(fact, own, True))
        return uses if any(isinstance(use.fact, GrantFact | AttachmentFact) for use in uses) else []

    def _means(self, reference: Reference, origin: Origin, name: str, arn: str | None) -> bool:
        """Whether a reference means a role of another stack."""
        value = reference.value
        if not value or folded(last(value)) != folded(name):
            return False
        if value.startswith("arn:") and arn and value != arn:
            return False
        account = self.accounts.known(origin).account
        if account and arn and account_of(arn) not in (account, None):
            return False
        return not any(match.certain for match in self.role_directory.resolve(reference, origin))

    def policy_users(self, policy: str | None, reference: Reference) -> Iterator[AttachmentFact]:
        """The attachments that may name a managed policy: one of the stack's, or one that only a reference tells."""
        keys = set(_reference_keys(reference))
        if policy is not None:
            keys |= {key for key in self.policy_directory.keys(policy)[:2] if key}
        for user in sorted({user for key in keys for user in self._users.get((PolicyFact, key), ())}):
            for fact in self._facts[user]:
                if isinstance(fact, AttachmentFact):
                    yield fact

    def listed(
        self, directory: Directory, references: Iterable[Reference], origin: Origin
    ) -> tuple[list[tuple[Reference, Match]], list[Reference]]:
        """What a list of references means, and those of them that mean, or may mean, nothing that is known.

        The dependencies of a list belong to the list as a whole: as many elements as are not known are taken for those
        dependencies that no other element names.
        """
        found: list[tuple[Reference, Match]] = []
        missing: list[Reference] = []
        unknown: list[Reference] = []
        for reference in references:
            if reference.value is None:
                unknown.append(reference)
                continue
            matches = directory.resolve(reference, origin)
            found += [(reference, match) for match in matches]
            if all(match.outside for match in matches):
                missing.append(reference)
        named = {match.urn for _, match in found if match.certain}
        rest = dict.fromkeys(
            urn for reference in unknown for urn in reference.urns if urn in directory and urn not in named
        )
        found += [(unknown[0], Match(urn, len(rest) <= len(unknown))) for urn in rest]
        return found, missing + unknown[len(rest) :]


def elsewhere_urn(role: str) -> str:
    """A URN for a role that another stack makes."""
    return f"urn:pulumi:elsewhere::elsewhere::identity-scope:elsewhere:Role::{folded(last(role))}"  # no provider's type


def role_references(fact: RoleUser) -> tuple[Reference, ...]:
    if isinstance(fact, GrantFact | InlineListFact):
        return (fact.role,)
    if isinstance(fact, VendingFact):
        return tuple(reference for _, reference in fact.roles)
    return fact.roles


def policy_references(fact: Fact) -> tuple[Reference, ...]:
    if isinstance(fact, RoleFact):
        return (*fact.managed, *((fact.boundary,) if fact.boundary is not None else ()))
    return fact.policies if isinstance(fact, AttachmentFact) else ()


def _keys(fact: Fact) -> Iterator[tuple[type, str]]:
    """Under which keys a resource is found by the roles, policies and pools that it refers to."""
    if isinstance(fact, GrantFact | InlineListFact | AttachmentFact | VendingFact):
        yield from ((RoleFact, key) for reference in role_references(fact) for key in _reference_keys(reference))
    yield from ((PolicyFact, key) for reference in policy_references(fact) for key in _reference_keys(reference))
    if isinstance(fact, VendingFact) and fact.pool is not None:
        yield from ((PoolFact, urn) for urn in fact.pool.urns)


def _reference_keys(reference: Reference) -> Iterator[str]:
    yield from reference.urns
    if reference.value:
        yield folded(last(reference.value))
