"""All that is known of a stack's roles: which are vended, and which documents apply to each.

Facts are added one resource after the other, in the order of registration; the same estate serves a resource rule, which
knows what came before, and a stack rule, which knows everything and the dependencies between resources. A role that no
pool vends is none of our business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..iam.documents import Document, DocumentError, DocumentKind, Effect, parse
from ..iam.issuers import known_issuers
from .facts import (
    UNKNOWN,
    AttachmentFact,
    BucketPolicyFact,
    Fact,
    GrantFact,
    PolicyFact,
    PoolFact,
    Reference,
    RoleFact,
    Source,
    VendingFact,
)
from .principal import BucketPolicy, Principal
from .vended import Declared, Obstacle, StackPools, VendedRole


@dataclass
class _Role:
    fact: RoleFact
    grants: dict[str, Source] = field(default_factory=dict)
    attached: dict[str, tuple[Reference, ...]] = field(default_factory=dict)


class Inventory:
    """Facts of one stack. Adding a resource again replaces what it said before."""

    def __init__(self) -> None:
        self._roles: dict[str, _Role] = {}
        self._by_name: dict[str, str] = {}
        self._policies: dict[str, PolicyFact] = {}
        self._orphans: dict[str, dict[str, GrantFact | AttachmentFact]] = {}
        self._vending: dict[str, VendingFact] = {}
        self.pools: dict[str, PoolFact] = {}
        self._bucket_policies: dict[str, BucketPolicyFact] = {}

    def add(self, facts: Iterable[Fact]) -> frozenset[str]:
        """Add a resource's facts; returns the URNs of roles that it has a part in."""
        touched: set[str] = set()
        for fact in facts:
            if isinstance(fact, RoleFact):
                touched |= self._add_role(fact)
            elif isinstance(fact, PolicyFact):
                self._policies[fact.urn] = fact
            elif isinstance(fact, GrantFact | AttachmentFact):
                for role in fact.roles:
                    touched |= self._add_grant(fact, role)
            elif isinstance(fact, VendingFact):
                self._vending[fact.urn] = fact
                for _, role in fact.roles:
                    touched |= set(self._resolve(role))
            elif isinstance(fact, BucketPolicyFact):
                self._bucket_policies[fact.source.urn] = fact
                touched |= set(self._roles)
            else:
                self.pools[fact.urn] = fact
        return frozenset(touched)

    def _add_role(self, fact: RoleFact) -> set[str]:
        known = self._roles.get(fact.urn)
        self._roles[fact.urn] = _Role(fact, known.grants if known else {}, known.attached if known else {})
        for name in (fact.name, fact.arn and fact.arn.rpartition("/")[2]):
            if name:
                self._by_name[name] = fact.urn
                for earlier in self._orphans.pop(name, {}).values():
                    self._give(self._roles[fact.urn], earlier)
        return {fact.urn}

    def _add_grant(self, fact: GrantFact | AttachmentFact, role: Reference) -> set[str]:
        urns = self._resolve(role)
        for urn in urns:
            self._give(self._roles[urn], fact)
        if not urns and role.value:
            urn = fact.source.urn if isinstance(fact, GrantFact) else fact.urn
            self._orphans.setdefault(_last(role.value), {})[urn] = fact
        return set(urns)

    @staticmethod
    def _give(role: _Role, fact: GrantFact | AttachmentFact) -> None:
        if isinstance(fact, GrantFact):
            role.grants[fact.source.urn] = fact.source
        else:
            role.attached[fact.urn] = fact.policies

    def _resolve(self, reference: Reference) -> list[str]:
        """A reference's roles: by name or ARN where it is known, else those among its dependencies."""
        if reference.value:
            urn = self._by_name.get(_last(reference.value))
            if urn:
                return [urn]
        return [urn for urn in reference.urns if urn in self._roles]

    def vends(self, urn: str) -> bool:
        """Whether a resource gives roles to a pool or a group."""
        return urn in self._vending

    def stack_pools(self) -> StackPools:
        """The pools that the stack makes or attaches roles to."""
        made = {pool.id for pool in self.pools.values() if pool.id}
        attached = {v.pool.value for v in self._vending.values() if v.pool is not None and v.pool.value}
        unknown = sum(1 for pool in self.pools.values() if not pool.id)
        # An attachment's pool may be one of those whose IDs are not known yet; it is counted once.
        return StackPools(frozenset(made | attached), max(0, unknown - len(attached - made)))

    def vended(self, known: Declared, only: frozenset[str] | None = None) -> list[VendedRole]:
        """The vended roles, or those of them that `only` names."""
        kinds: dict[str, set[str]] = {}
        pools: dict[str, set[str]] = {}
        open_pools: set[str] = set()
        for vending in self._vending.values():
            for kind, reference in vending.roles:
                for urn in self._resolve(reference):
                    kinds.setdefault(urn, set()).add(kind)
                    if vending.pool is not None:
                        if vending.pool.value:
                            pools.setdefault(urn, set()).add(vending.pool.value)
                        else:
                            open_pools.add(urn)
        found: list[VendedRole] = []
        for urn in sorted(self._roles) if only is None else sorted(only & self._roles.keys()):
            role = self._roles[urn]
            trust, obstacle = _read(role.fact.trust, DocumentKind.TRUST)
            how = set(kinds.get(urn, ()))
            if trust is not None and trusts_cognito(trust, known.issuers):
                how.add("trusted")
            if known.vended and (role.fact.name in known.vended or role.fact.arn in known.vended):
                how.add("configured")
            if how:
                found.append(
                    self._vended(
                        role,
                        known,
                        frozenset(how),
                        (trust, obstacle),
                        frozenset(pools.get(urn, ())) if urn not in open_pools else frozenset(),
                    )
                )
        return found

    def _vended(
        self,
        role: _Role,
        known: Declared,
        kinds: frozenset[str],
        trust: tuple[Document | None, Obstacle | None],
        pools: frozenset[str],
    ) -> VendedRole:
        obstacles: list[Obstacle] = []
        documents: list[tuple[str, Document]] = []
        sources: dict[str, str] = {}

        def take(source: Source) -> None:
            document, obstacle = _read(source, DocumentKind.IDENTITY)
            if document is not None:
                label = source.label
                while label in sources:
                    label += "′"
                sources[label] = source.urn
                documents.append((label, document))
            elif obstacle is not None:
                obstacles.append(obstacle)

        for source in (*role.fact.inline, *role.grants.values()):
            take(source)
        references = [(role.fact.urn, role.fact.label, each) for each in role.fact.managed]
        references += [(urn, urn.rpartition("::")[2], each) for urn, all_ in role.attached.items() for each in all_]
        for urn, label, reference in references:
            texts = self._policy(reference, known, urn)
            for source in texts:
                take(source)
            if not texts:
                obstacles.append(_unreadable(urn, label, reference, "managed policy"))
        boundary: tuple[tuple[str, Document], ...] | None = None
        if role.fact.boundary is not None:
            read = [_read(s, DocumentKind.IDENTITY)[0] for s in self._policy(role.fact.boundary, known, role.fact.urn)]
            # INVARIANT (widening). A boundary whose text is not known takes nothing away.
            if read and all(document is not None for document in read):
                boundary = tuple(("the permissions boundary", d) for d in read if d is not None)
        resource: list[BucketPolicy] = []
        for fact in self._bucket_policies.values():
            source = fact.source
            document, obstacle = _read(source, DocumentKind.RESOURCE)
            if document is not None:
                sources.setdefault(source.label, source.urn)
                resource.append(BucketPolicy(source.label, document, fact.bucket))
            elif obstacle is not None:
                obstacles.append(obstacle)
        arns = tuple(a for a in (role.fact.arn, f":role/{role.fact.name}" if role.fact.name else None) if a)
        return VendedRole(
            urn=role.fact.urn,
            label=role.fact.label,
            kinds=kinds,
            trust=trust[0],
            trust_obstacle=trust[1],
            principal=Principal(role.fact.label, tuple(documents), boundary, tuple(resource), arns, role.fact.urn),
            obstacles=tuple(obstacles),
            pools=pools,
            sources=sources,
        )

    def elsewhere(self, known: Declared) -> list[Obstacle]:
        """Vended roles that are not in this stack, so that nothing about them is proven here."""
        found: list[Obstacle] = []
        for vending in self._vending.values():
            for kind, reference in vending.roles:
                if self._resolve(reference):
                    continue
                if reference.value is None:
                    problem = f"which role it vends ({kind}) is not known at preview; decided at update"
                    found.append(Obstacle(vending.urn, vending.label, problem, pending=True))
                elif reference.value not in known.elsewhere:
                    problem = (
                        f"the role `{reference.value}` is not in this stack; prove it in its own stack (`vendedRoles` "
                        "there) and list it in `rolesElsewhere` here"
                    )
                    found.append(Obstacle(vending.urn, vending.label, problem))
        return found

    def _policy(self, reference: Reference, known: Declared, urn: str) -> list[Source]:
        """A managed policy's text: the stack's own, or the configuration's."""
        if reference.value:
            for policy in self._policies.values():
                if policy.arn == reference.value or (
                    policy.name
                    and ":policy/" in reference.value
                    and ":iam::aws:" not in reference.value  # AWS's own may have the same name
                    and _last(reference.value) == policy.name
                ):
                    return [policy.source]
            if reference.value in known.managed:
                return [Source(urn, reference.value, known.managed[reference.value])]
            return []
        return [self._policies[u].source for u in reference.urns if u in self._policies]


def trusts_cognito(trust: Document, issuers: Mapping[str, str]) -> bool:
    """Whether a trust policy lets any identity pool in."""
    known = known_issuers(dict(issuers))
    return any(
        statement.effect is Effect.ALLOW
        and statement.principals is not None
        and any(kind == "Federated" and value in known for kind, value in statement.principals.entries)
        for statement in trust.statements
    )


def _read(source: Source, kind: DocumentKind) -> tuple[Document | None, Obstacle | None]:
    if source.source is UNKNOWN or _holds_unknown(source.source):
        problem = "its document is not known at preview; it will be decided at update, before it is created"
        return None, Obstacle(source.urn, source.label, problem, pending=True)
    if source.source is None:
        return None, Obstacle(source.urn, source.label, "it has no document")
    try:
        return parse(source.source, kind), None
    except DocumentError as error:
        return None, Obstacle(source.urn, source.label, f"malformed: {error}")


def _holds_unknown(value: object) -> bool:
    level: list[object] = [value]
    for _ in range(12):
        following: list[object] = []
        for item in level:
            if item is UNKNOWN:
                return True
            if isinstance(item, Mapping):
                following.extend(item.values())
            elif isinstance(item, list | tuple):
                following.extend(item)
        if not following:
            return False
        level = following
    return False


def _unreadable(urn: str, label: str, reference: Reference, what: str) -> Obstacle:
    if reference.value is None:
        return Obstacle(urn, label, f"which {what} it means is not known at preview; decided at update", pending=True)
    return Obstacle(
        urn,
        label,
        f"the text of the {what} `{reference.value}` is not in this stack; put it into `managedPolicies`",
    )


def _last(value: str) -> str:
    """A role's or policy's name, of a name or an ARN."""
    return value.rpartition("/")[2]
