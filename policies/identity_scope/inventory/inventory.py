"""The roles of a stack: which of them are vended, and which documents apply to each.

Facts are recorded first and resolved when somebody asks, so the order in which resources are registered does not matter.
The same inventory serves a resource rule, which knows the resources so far, and a stack rule, which knows all of them and
the dependencies between them. What has been resolved for a role is kept until a fact that concerns the role changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..iam.documents import Document, DocumentKind, Effect
from ..iam.issuers import NAMED, known_issuers
from .accounts import Origin, account_of
from .buckets import BucketDocuments, Buckets
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
    Source,
    VendingFact,
)
from .overwrites import Attached, Inline, attachments_kept, inline_kept
from .principal import Principal
from .reading import read, unreadable, without_denies
from .resolution import Directory, Entry, Match, folded, last
from .vended import Declared, Obstacle, StackPools, VendedRole

RoleUser = GrantFact | InlineListFact | AttachmentFact | VendingFact
"""A fact that names roles."""


@dataclass(frozen=True)
class _Managed:
    """A managed policy on a role: the stack's own `policy`, or one that only the reference's value tells."""

    reference: Reference
    policy: str | None
    certain: bool
    by: str
    label: str


@dataclass(frozen=True)
class _Role:
    """What the stack's facts say of a role, whatever the configuration adds."""

    documents: tuple[tuple[Source, Document], ...]
    managed: tuple[tuple[_Managed, bool], ...]
    """Each managed policy, and whether its attachment stays."""
    boundary: tuple[_Managed, ...] | None
    obstacles: tuple[Obstacle, ...]
    kinds: frozenset[tuple[str, str | None]]
    """How it is vended, and by which name or ARN."""
    pools: frozenset[str]
    regions: tuple[str, ...]
    trust: Document | None
    trust_obstacle: Obstacle | None


@dataclass
class _Answers:
    """The vended roles under one configuration, and the roles that have to be looked at again."""

    declared: Declared
    dirty: set[str]
    own: dict[str, VendedRole] = field(default_factory=dict)
    """The vended roles without the policies of buckets."""
    vended: dict[str, VendedRole] = field(default_factory=dict)
    buckets: BucketDocuments = field(default_factory=BucketDocuments)


class Inventory:
    """The facts of one stack. Facts of a resource that is added again replace those it stated before."""

    def __init__(self) -> None:
        self._facts: dict[str, tuple[Fact, ...]] = {}
        self._role_facts: dict[str, RoleFact] = {}
        self._policy_facts: dict[str, PolicyFact] = {}
        self._vending: dict[str, VendingFact] = {}
        self._unnamed: dict[str, None] = {}
        """URNs of resources that name a role which is not known."""
        self._roles = Directory()
        self._policies = Directory()
        self._users: dict[tuple[type, str], dict[str, None]] = {}
        """URNs of the resources that refer to a role or policy, by its URN or folded name."""
        self._accounts: dict[str, dict[str, int]] = {}
        """By provider, the accounts that ARNs of its resources name, and how often."""
        self._buckets = Buckets()
        self._resolved: dict[str, _Role] = {}
        self._answers: list[_Answers] = []
        self._stack_pools: StackPools | None = None
        self.pools: dict[str, PoolFact] = {}

    # --- recording

    def add(self, facts: Iterable[Fact]) -> frozenset[str]:
        """Record a resource's facts; returns the URNs of roles that it has a part in."""
        new = tuple(facts)
        if not new:
            return frozenset()
        urn = new[0].urn
        old = self._facts.get(urn, ())
        if new == old:
            return self._everybody(new) or frozenset(self._touched(new))
        touched = self._touched(old)
        for fact in old:
            self._withdraw(fact)
        self._facts[urn] = new
        for fact in new:
            self._record(fact)
        touched |= self._touched(new)
        for role in touched:
            self._resolved.pop(role, None)
        for answers in self._answers:
            answers.dirty |= touched
        return self._everybody(new) or frozenset(touched)

    def _record(self, fact: Fact) -> None:
        for key in _keys(fact):
            self._users.setdefault(key, {})[fact.urn] = None
        if isinstance(fact, RoleFact):
            self._role_facts[fact.urn] = fact
            self._place(self._roles, fact)
        elif isinstance(fact, PolicyFact):
            self._policy_facts[fact.urn] = fact
            self._place(self._policies, fact)
        elif isinstance(fact, PoolFact):
            self.pools[fact.urn] = fact
            self._stack_pools = None
        elif isinstance(fact, GrantFact | InlineListFact | AttachmentFact | VendingFact):
            if isinstance(fact, VendingFact):
                self._vending[fact.urn] = fact
                self._stack_pools = None
            if any(reference.value is None for reference in _role_references(fact)):
                self._unnamed[fact.urn] = None
        else:
            self._buckets.record(fact)

    def _withdraw(self, fact: Fact) -> None:
        urn = fact.urn
        for key in _keys(fact):
            self._users.get(key, {}).pop(urn, None)
        if isinstance(fact, RoleFact):
            self._displace(self._roles, fact)
            self._role_facts.pop(urn, None)
        elif isinstance(fact, PolicyFact):
            self._displace(self._policies, fact)
            self._policy_facts.pop(urn, None)
        self.pools.pop(urn, None)
        self._vending.pop(urn, None)
        self._stack_pools = None
        self._unnamed.pop(urn, None)
        if isinstance(fact, BucketFact | BucketPolicyFact | AccessPointFact | AccessPointPolicyFact):
            self._buckets.withdraw(fact)

    def _place(self, directory: Directory, fact: RoleFact | PolicyFact) -> None:
        if account := account_of(fact.arn or ""):
            self._count(fact.origin.provider, account, 1)
        origin = replace(fact.origin, account=account or fact.origin.account or self._account(fact.origin.provider))
        directory.add(Entry(fact.urn, fact.name, fact.prefix, fact.arn, origin))

    def _displace(self, directory: Directory, fact: RoleFact | PolicyFact) -> None:
        directory.remove(fact.urn)
        if account := account_of(fact.arn or ""):
            self._count(fact.origin.provider, account, -1)

    def _count(self, provider: str, account: str, number: int) -> None:
        """Note that a provider's resource is in an account; what others of the provider know of theirs may change."""
        if not provider:
            return
        before = self._account(provider)
        counts = self._accounts.setdefault(provider, {})
        counts[account] = counts.get(account, 0) + number
        if self._account(provider) == before:
            return
        for directory, facts in ((self._roles, self._role_facts), (self._policies, self._policy_facts)):
            for urn, fact in facts.items():
                if fact.origin.provider == provider and urn in directory:
                    own = account_of(fact.arn or "") or fact.origin.account or self._account(provider)
                    directory.place(urn, replace(fact.origin, account=own))
        self._resolved.clear()
        for answers in self._answers:
            answers.dirty |= self._role_facts.keys()

    def _account(self, provider: str) -> str | None:
        """A provider's account, where its resources' ARNs agree."""
        named = [account for account, number in self._accounts.get(provider, {}).items() if number > 0]
        return named[0] if len(named) == 1 else None

    # --- what concerns which role

    def _touched(self, facts: Iterable[Fact]) -> set[str]:
        """The roles of which a resource's facts may change something."""
        touched: set[str] = set()
        for fact in facts:
            if isinstance(fact, RoleFact):
                touched |= {fact.urn, *self._namesakes(self._roles, fact)}
                for user in self._users.get((RoleFact, fact.urn), ()):
                    touched |= self._roles_of(user)
            elif isinstance(fact, PolicyFact):
                touched |= self._policy_roles(self._users_of(self._policies, PolicyFact, fact))
            elif isinstance(fact, GrantFact | InlineListFact | AttachmentFact | VendingFact):
                touched |= self._roles_of(fact.urn)
                if isinstance(fact, AttachmentFact) and fact.exclusive is Exclusive.ROLES_OF_POLICY:
                    users = {user for key in _keys(fact) if key[0] is PolicyFact for user in self._users.get(key, ())}
                    touched |= self._policy_roles(users)
            elif isinstance(fact, PoolFact):
                for vending in self._users.get((PoolFact, fact.urn), ()):
                    touched |= self._roles_of(vending)
        return touched

    def _everybody(self, facts: Iterable[Fact]) -> frozenset[str]:
        """Every role where a fact about a bucket may concern each of them; none otherwise."""
        for fact in facts:
            if isinstance(fact, BucketFact | BucketPolicyFact | AccessPointFact | AccessPointPolicyFact):
                return frozenset(self._role_facts) if self._buckets.matters(fact) else frozenset()
        return frozenset()

    def _roles_of(self, urn: str) -> set[str]:
        """The roles that a resource is, or refers to."""
        found: set[str] = set()
        for fact in self._facts.get(urn, ()):
            if isinstance(fact, RoleFact):
                found.add(fact.urn)
            elif isinstance(fact, GrantFact | InlineListFact | AttachmentFact | VendingFact):
                for reference in _role_references(fact):
                    matches = self._roles.resolve(reference, fact.origin)
                    found |= {match.urn for match in matches}
                    if reference.value and not any(match.certain for match in matches):
                        found.add(elsewhere_urn(reference.value))
        return found

    def _policy_roles(self, users: Iterable[str]) -> set[str]:
        return {role for user in users for role in self._roles_of(user)}

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
        urn, name, prefix = directory.keys(fact.urn)
        found = dict(self._users.get((kind, urn), {}))
        if name is not None:
            found.update(self._users.get((kind, name), {}))
        elif prefix is not None:
            for (other, key), users in self._users.items():
                if other is kind and key.startswith(prefix):
                    found.update(users)
        return sorted(found)

    # --- answers

    def vends(self, urn: str) -> bool:
        """Whether a resource gives roles to a pool or a group."""
        return urn in self._vending

    def stack_pools(self) -> StackPools:
        """The pools that the stack makes or attaches roles to."""
        if self._stack_pools is None:
            self._stack_pools = self._find_pools()
        return self._stack_pools

    def _find_pools(self) -> StackPools:
        ids = {pool.id for pool in self.pools.values() if pool.id}
        unknown = {pool.urn for pool in self.pools.values() if not pool.id}
        free: set[str] = set()
        for vending in self._vending.values():
            if vending.pool is not None and vending.pool.value and vending.pool.value not in ids:
                # The attachment's pool may be one of those whose IDs are not known yet; it is counted once.
                pools = [urn for urn in vending.pool.urns if urn in unknown]
                if pools:
                    ids.add(vending.pool.value)
                    unknown.discard(pools[0])
                else:
                    free.add(vending.pool.value)
        return StackPools(frozenset(ids | free), max(0, len(unknown) - len(free - ids)))

    def vended(self, declared: Declared, only: frozenset[str] | None = None) -> list[VendedRole]:
        """The vended roles, or those of them that `only` names, in the order of their URNs."""
        answers = next((each for each in self._answers if each.declared == declared), None)
        if answers is None:
            answers = _Answers(declared, set(self._role_facts))
            self._answers.append(answers)
            del self._answers[:-_CONFIGURATIONS]
        buckets = self._buckets.documents()
        if buckets is not answers.buckets:
            answers.buckets = buckets
            answers.vended = {urn: _beside(buckets, role) for urn, role in answers.own.items()}
        for urn in answers.dirty:
            answers.own.pop(urn, None)
            answers.vended.pop(urn, None)
            role = self._vended(urn, declared) if urn in self._role_facts else None
            if role is not None:
                answers.own[urn] = role
                answers.vended[urn] = _beside(buckets, role)
        answers.dirty.clear()
        found = answers.vended | {role.urn: _beside(buckets, role) for role in self._outside(declared)}
        return [found[urn] for urn in sorted(found if only is None else only & found.keys())]

    def unresolved(self, declared: Declared, only: frozenset[str] | None = None) -> list[Obstacle]:
        """Roles that are meant and not in the stack, so that nothing about them is proven here."""
        found: list[Obstacle] = []
        for vending in _each(self._vending, only):
            _, missing = self._listed(self._roles, [role for _, role in vending.roles], vending.origin)
            for reference in missing:
                if reference.value is None:
                    found.append(unreadable(vending.urn, vending.label, reference, "role"))
                elif reference.value not in declared.elsewhere:
                    problem = (
                        f"the role `{reference.value}` is not in this stack; prove it in its own stack (`vendedRoles` "
                        "there) and list it in `rolesElsewhere` here"
                    )
                    found.append(Obstacle(vending.urn, vending.label, problem, open=True))
        if self._vending or self.pools:
            for urn in sorted(self._unnamed if only is None else only & self._unnamed.keys()):
                for fact in self._facts[urn]:
                    if isinstance(fact, GrantFact | InlineListFact | AttachmentFact):
                        _, missing = self._listed(self._roles, _role_references(fact), fact.origin)
                        found += [unreadable(urn, fact.label, r, "role") for r in missing if r.value is None]
        return found

    def _listed(
        self, directory: Directory, references: Iterable[Reference], origin: Origin
    ) -> tuple[list[tuple[Reference, Match]], list[Reference]]:
        """What a list of references means, and those of them that mean nothing that is known.

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
            if not matches:
                missing.append(reference)
        named = {match.urn for _, match in found if match.certain}
        rest = dict.fromkeys(
            urn for reference in unknown for urn in reference.urns if urn in directory and urn not in named
        )
        found += [(unknown[0], Match(urn, len(rest) <= len(unknown))) for urn in rest]
        return found, missing + unknown[len(rest) :]

    # --- one role

    def _resolve(self, urn: str) -> _Role:
        if urn not in self._resolved:
            self._resolved[urn] = self._resolve_role(self._role_facts[urn])
        return self._resolved[urn]

    def _resolve_role(self, role: RoleFact) -> _Role:
        obstacles: list[Obstacle] = []
        inline: list[tuple[Inline, Source, bool]] = []

        def take(name: str | None, source: Source, certain: bool, own: bool) -> None:
            document, obstacle = read(source, DocumentKind.IDENTITY)
            inline.append((Inline(name, document, own), source, certain))
            if obstacle is not None:
                obstacles.append(obstacle)

        for policy in role.inline:
            take(policy.name, policy.source, certain=True, own=True)
        names: list[InlineListFact] = []
        attachments: list[AttachmentFact] = []
        vendings: list[VendingFact] = []
        kinds: set[tuple[str, str | None]] = set()
        for fact, references, certain in self._uses(role):
            if isinstance(fact, GrantFact):
                take(fact.policy.name, fact.policy.source, certain, own=False)
            elif isinstance(fact, InlineListFact):
                names.append(fact)
                if not fact.complete:
                    problem = "which inline policies it keeps is not known at preview; decided at update"
                    obstacles.append(Obstacle(fact.urn, fact.label, problem, pending=True))
            elif isinstance(fact, AttachmentFact):
                attachments.append(fact if certain else replace(fact, roles=()))
            else:
                vendings.append(fact)
                kinds |= {(kind, r.value) for kind, r in fact.roles if r in references}
        kept = inline_kept([policy for policy, _, _ in inline], role.inline_exclusive, names)
        documents = tuple(
            (source, policy.document if certain and stays else without_denies(policy.document))
            for (policy, source, certain), stays in zip(inline, kept, strict=True)
            if policy.document is not None
        )
        managed, more = self._managed(role, attachments)
        boundary = None
        if role.boundary is not None:
            boundary = tuple(self._meant(role.boundary, role.urn, role.label, role))
        trust, trust_obstacle = read(role.trust, DocumentKind.TRUST)
        pools, regions = self._pools_of(vendings, trust)
        return _Role(
            documents=documents,
            managed=managed,
            boundary=boundary,
            obstacles=(*obstacles, *more),
            kinds=frozenset(kinds),
            pools=pools,
            regions=regions,
            trust=trust,
            trust_obstacle=trust_obstacle,
        )

    def _uses(self, role: RoleFact) -> Iterator[tuple[RoleUser, list[Reference], bool]]:
        """The facts that name a role, the references by which they do, and whether these certainly mean it."""
        for urn in self._users_of(self._roles, RoleFact, role):
            for fact in self._facts[urn]:
                if not isinstance(fact, GrantFact | InlineListFact | AttachmentFact | VendingFact):
                    continue
                matches, _ = self._listed(self._roles, _role_references(fact), fact.origin)
                mine = [(reference, match) for reference, match in matches if match.urn == role.urn]
                if mine:
                    yield fact, [reference for reference, _ in mine], any(match.certain for _, match in mine)

    def _managed(
        self, role: RoleFact, attachments: list[AttachmentFact]
    ) -> tuple[tuple[tuple[_Managed, bool], ...], list[Obstacle]]:
        """The managed policies of a role, each with whether its attachment stays; and what is not known of them."""
        obstacles: list[Obstacle] = []
        attached: list[_Managed] = []
        lists: list[frozenset[object]] = []

        def attach(references: tuple[Reference, ...], urn: str, label: str, whole: bool, certain: bool) -> None:
            found, missing = self._meant_all(references, urn, label, role)
            attached.extend(each if certain else replace(each, certain=False) for each in found)
            obstacles.extend(unreadable(urn, label, r, "managed policy") for r in missing)
            if whole and not missing:
                lists.append(frozenset(_identity(each) for each in found))

        attach(role.managed, role.urn, role.label, role.managed_exclusive, certain=True)
        for fact in attachments:
            whole = fact.exclusive is Exclusive.POLICIES_OF_ROLE
            attach(fact.policies, fact.urn, _name_in(fact.urn), whole, certain=bool(fact.roles))
        elsewhere = [_identity(each) for each in attached if self._detached(each, role)]
        kept = attachments_kept([Attached(_identity(each), each.by) for each in attached], lists, elsewhere)
        return tuple(zip(attached, kept, strict=True)), obstacles

    def _detached(self, managed: _Managed, role: RoleFact) -> bool:
        """Whether a resource attaches a policy to other roles only, which detaches it from this one."""
        keys = [(PolicyFact, managed.policy)] if managed.policy else []
        value = managed.reference.value
        if managed.policy and managed.policy in self._policies:
            keys += [(PolicyFact, k) for k in self._policies.keys(managed.policy)[:2] if k]
        if value:
            keys.append((PolicyFact, folded(last(value))))
        for user in {user for key in keys for user in self._users.get(key, ())}:
            for fact in self._facts[user]:
                if not isinstance(fact, AttachmentFact) or fact.exclusive is not Exclusive.ROLES_OF_POLICY:
                    continue
                same, _ = self._meant_all(fact.policies, fact.urn, fact.label, fact)
                if _identity(managed) not in [_identity(each) for each in same]:
                    continue
                roles, missing = self._listed(self._roles, fact.roles, fact.origin)
                if all(match.urn != role.urn for _, match in roles) and all(r.value for r in missing):
                    return True
        return False

    def _meant(self, reference: Reference, urn: str, label: str, user: RoleFact | AttachmentFact) -> list[_Managed]:
        found, missing = self._meant_all((reference,), urn, label, user)
        return found or [_Managed(r, None, True, urn, label) for r in missing]

    def _meant_all(
        self, references: tuple[Reference, ...], urn: str, label: str, user: RoleFact | AttachmentFact
    ) -> tuple[list[_Managed], list[Reference]]:
        """The managed policies that a list names, and the elements that are not known."""
        matches, missing = self._listed(self._policies, references, user.origin)
        found = [_Managed(r, match.urn, match.certain, urn, label) for r, match in matches]
        found += [_Managed(r, None, True, urn, label) for r in missing if r.value]
        return found, [r for r in missing if r.value is None]

    def _pools_of(self, vendings: list[VendingFact], trust: Document | None) -> tuple[frozenset[str], tuple[str, ...]]:
        """IDs and regions of the pools that vend a role; none if one of them is not known."""
        ids: set[str | None] = set()
        regions: set[str | None] = set()
        for vending in vendings:
            if vending.pool is None:
                continue
            pools = [self.pools[urn] for urn in vending.pool.urns if urn in self.pools]
            pool_id = vending.pool.value or (pools[0].id if len(pools) == 1 else None)
            ids.add(pool_id)
            if pool_id:
                regions.add(pool_id.partition(":")[0])
            else:
                regions |= {pool.origin.region for pool in pools} or {vending.origin.region}
        pools_known = frozenset(i for i in ids if i) if None not in ids else frozenset()
        regions |= {pool.partition(":")[0] for pool in _audiences(trust)}
        if not regions and trust is None:
            # At preview: its pool is most likely one of the stack's.
            regions = {pool.origin.region for pool in self.pools.values()}
        return pools_known, () if None in regions else tuple(sorted(r for r in regions if r))

    def _vended(self, urn: str, declared: Declared) -> VendedRole | None:
        """A role with all that applies to it, or None where nothing vends it."""
        fact = self._role_facts[urn]
        role = self._resolve(urn)
        # A role that the configuration places in another stack may have the name of one in this stack.
        kinds = {kind for kind, value in role.kinds if value not in declared.elsewhere or value == fact.arn}
        if role.trust is not None and trusts_cognito(role.trust, declared.issuers):
            kinds.add("trusted")
        if self._configured(fact, declared):
            kinds.add("configured")
        if not kinds:
            return None
        arns = tuple(a for a in (fact.arn, f":role/{fact.name}" if fact.name else None) if a)
        return self._assemble(urn, fact.label, frozenset(kinds), role, arns, declared)

    def _configured(self, fact: RoleFact, declared: Declared) -> bool:
        """Whether the configuration calls a role vended; a name means the roles that trust a pool, if there are any."""
        if fact.arn and fact.arn in declared.vended:
            return True
        _, name, _ = self._roles.keys(fact.urn)
        for each in declared.vended:
            if name is None or folded(last(each)) != name or (each.startswith("arn:") and fact.arn):
                continue
            alike = [urn for urn in self._roles.namesakes(name) if self._may_trust(urn, declared)]
            if not alike or fact.urn in alike:
                return True
        return False

    def _may_trust(self, urn: str, declared: Declared) -> bool:
        trust = self._resolve(urn).trust
        return trust is None or trusts_cognito(trust, declared.issuers)

    def _outside(self, declared: Declared) -> Iterator[VendedRole]:
        """The roles that the configuration calls vended and another stack makes, as far as this stack's documents go."""
        for value in dict.fromkeys((*declared.vended, *declared.elsewhere)):
            name = last(value)
            fact = RoleFact(
                elsewhere_urn(value), name, name, value if value.startswith("arn:") else None, Source("", "", None)
            )
            grants: list[GrantFact | AttachmentFact] = [
                grant
                for urn in sorted(self._users.get((RoleFact, folded(name)), ()))
                for grant in self._facts[urn]
                if isinstance(grant, GrantFact | AttachmentFact) and self._means_outside(grant, fact)
            ]
            if grants:
                yield self._outside_role(fact, grants, declared)

    def _means_outside(self, user: GrantFact | AttachmentFact, role: RoleFact) -> bool:
        for reference in _role_references(user):
            value = reference.value
            if not value or folded(last(value)) != folded(role.label):
                continue
            if value.startswith("arn:") and role.arn and value != role.arn:
                continue
            account = user.origin.account or self._account(user.origin.provider)
            if account and role.arn and account_of(role.arn) not in (account, None):
                continue
            if not any(match.certain for match in self._roles.resolve(reference, user.origin)):
                return True
        return False

    def _outside_role(self, fact: RoleFact, grants: list[GrantFact | AttachmentFact], declared: Declared) -> VendedRole:
        documents: list[tuple[Source, Document]] = []
        obstacles: list[Obstacle] = []
        attachments: list[AttachmentFact] = []
        for grant in grants:
            if isinstance(grant, GrantFact):
                document, obstacle = read(grant.policy.source, DocumentKind.IDENTITY)
                if document is not None:
                    documents.append((grant.policy.source, document))
                elif obstacle is not None:
                    obstacles.append(obstacle)
            else:
                attachments.append(grant)
        managed, more = self._managed(fact, attachments)
        role = _Role(tuple(documents), managed, None, (*obstacles, *more), frozenset(), frozenset(), (), None, None)
        arns = tuple(a for a in (fact.arn, f":role/{fact.name}") if a)
        return self._assemble(fact.urn, fact.label, frozenset({"configured"}), role, arns, declared)

    def _assemble(
        self, urn: str, label: str, kinds: frozenset[str], role: _Role, arns: tuple[str, ...], declared: Declared
    ) -> VendedRole:
        """A role's documents under names that tell them apart, with the texts that the configuration adds."""
        obstacles = list(role.obstacles)
        sources: dict[str, str] = {}
        documents: list[tuple[str, Document]] = []

        def name(source: Source, document: Document) -> None:
            label = source.label
            while label in sources:
                label += "′"
            sources[label] = source.urn
            documents.append((label, document))

        for source, document in role.documents:
            name(source, document)
        for managed, stays in role.managed:
            found = self._text(managed, declared)
            if found is None:
                value = managed.reference.value
                problem = (
                    f"the text of the managed policy `{value}` is not in this stack; put it into `managedPolicies`"
                )
                open_ = ":iam::aws:" not in (value or "")
                obstacles.append(Obstacle(managed.by, managed.label, problem, open=open_))
                continue
            source, text, obstacle = found
            if text is not None:
                name(source, text if stays and managed.certain else without_denies(text))
            elif obstacle is not None:
                obstacles.append(obstacle)
        boundary: tuple[tuple[str, Document], ...] | None = None
        if role.boundary is not None:
            boundary, waiting = self._boundary(role.boundary, declared)
            if waiting is not None:
                # Whatever the documents allow may be outside the boundary: nothing is decided before it is known.
                documents = []
                obstacles.append(waiting)
        return VendedRole(
            urn=urn,
            label=label,
            kinds=kinds,
            trust=role.trust,
            trust_obstacle=role.trust_obstacle,
            principal=Principal(label, tuple(documents), boundary, (), arns, urn),
            obstacles=tuple(dict.fromkeys(obstacles)),
            pools=role.pools,
            regions=role.regions,
            sources=sources,
        )

    def _text(self, managed: _Managed, declared: Declared) -> tuple[Source, Document | None, Obstacle | None] | None:
        """A managed policy's text, of the stack or of the configuration; None where neither has it."""
        if managed.policy is not None:
            source = self._policy_facts[managed.policy].source
        elif managed.reference.value in declared.managed:
            value = str(managed.reference.value)
            source = Source(managed.by, value, declared.managed[value])
        else:
            return None
        return source, *read(source, DocumentKind.IDENTITY)

    def _boundary(
        self, boundary: tuple[_Managed, ...], declared: Declared
    ) -> tuple[tuple[tuple[str, Document], ...] | None, Obstacle | None]:
        """A role's permissions boundary; with an obstacle where it is not known yet.

        INVARIANT (widening). A boundary whose text is not known takes nothing away.
        """
        texts: list[Document] = []
        for managed in boundary:
            if managed.policy is None and managed.reference.value is None and not managed.reference.secret:
                return None, unreadable(managed.by, managed.label, managed.reference, "permissions boundary")
            found = self._text(managed, declared)
            if found is not None and found[2] is not None and found[2].pending:
                return None, found[2]
            if found is None or found[1] is None or not managed.certain:
                return None, None
            texts.append(found[1])
        return tuple(("the permissions boundary", text) for text in texts) or None, None


_CONFIGURATIONS = 16
"""How many different configurations of rules are answered from what is kept."""


def _beside(buckets: BucketDocuments, role: VendedRole) -> VendedRole:
    """A role with the policies of buckets and access points."""
    sources = dict(buckets.sources)
    documents: list[tuple[str, Document]] = []
    for name, document in role.principal.documents:
        label = name
        while label in sources:
            label += "′"
        sources[label] = role.sources[name]
        documents.append((label, document))
    principal = replace(
        role.principal,
        documents=tuple(documents),
        resource=buckets.policies,
        access_points=buckets.access_points,
    )
    return replace(role, principal=principal, obstacles=(*role.obstacles, *buckets.obstacles), sources=sources)


def trusts_cognito(trust: Document, issuers: Mapping[str, str]) -> bool:
    """Whether a trust policy lets any identity pool in."""
    known = known_issuers(dict(issuers))
    return any(
        statement.effect is Effect.ALLOW
        and statement.principals is not None
        and any(kind == "Federated" and value in known for kind, value in statement.principals.entries)
        for statement in trust.statements
    )


def elsewhere_urn(role: str) -> str:
    """A URN for a role that another stack makes."""
    return f"urn:pulumi:elsewhere::elsewhere::aws:iam/role:Role::{last(role)}"


def _audiences(trust: Document | None) -> set[str]:
    """The pool IDs that a trust policy names."""
    return {
        value
        for statement in (trust.statements if trust is not None else ())
        for condition in statement.conditions
        if condition.key.endswith(":aud")
        for value in condition.values
        if NAMED.fullmatch(value)
    }


def _identity(managed: _Managed) -> object:
    """What tells a managed policy from others: the resource that makes it, else its ARN."""
    return managed.policy or managed.reference.value


def _name_in(urn: str) -> str:
    return urn.rpartition("::")[2]


def _role_references(fact: RoleUser) -> tuple[Reference, ...]:
    if isinstance(fact, GrantFact | InlineListFact):
        return (fact.role,)
    if isinstance(fact, VendingFact):
        return tuple(reference for _, reference in fact.roles)
    return fact.roles


def _policy_references(fact: Fact) -> tuple[Reference, ...]:
    if isinstance(fact, RoleFact):
        return (*fact.managed, *((fact.boundary,) if fact.boundary is not None else ()))
    return fact.policies if isinstance(fact, AttachmentFact) else ()


def _keys(fact: Fact) -> Iterator[tuple[type, str]]:
    """Under which keys a resource is found by the roles, policies and pools that it refers to."""
    if isinstance(fact, GrantFact | InlineListFact | AttachmentFact | VendingFact):
        yield from ((RoleFact, key) for reference in _role_references(fact) for key in _reference_keys(reference))
    yield from ((PolicyFact, key) for reference in _policy_references(fact) for key in _reference_keys(reference))
    if isinstance(fact, VendingFact) and fact.pool is not None:
        yield from ((PoolFact, urn) for urn in fact.pool.urns)


def _reference_keys(reference: Reference) -> Iterator[str]:
    yield from reference.urns
    if reference.value:
        yield folded(last(reference.value))


def _each(facts: Mapping[str, VendingFact], only: frozenset[str] | None) -> list[VendingFact]:
    return [facts[urn] for urn in sorted(facts if only is None else only & facts.keys())]
