"""The roles of a stack: which of them are vended, and which documents apply to each.

Facts are recorded first and resolved when somebody asks, so the order in which resources are registered does not matter.
The same inventory serves a resource rule, which knows the resources so far, and a stack rule, which knows all of them and
the dependencies between them. What has been resolved for a role is kept until a fact that concerns the role changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..iam.documents import Document, DocumentKind, Effect
from ..iam.issuers import known_issuers
from ..iam.principals import Grantee, grantee, names_everyone
from .accounts import account_of
from .buckets import BucketDocuments
from .facts import (
    AccessPointFact,
    AccessPointPolicyFact,
    AttachmentFact,
    BucketFact,
    BucketPolicyFact,
    Fact,
    GrantFact,
    InlineListFact,
    PoolFact,
    RoleFact,
    Source,
    TagMapFact,
    UserPoolClientFact,
    UserPoolFact,
    VendingFact,
)
from .index import Index, elsewhere_urn, role_references
from .labels import distinct
from .logins import RoleFacts, maps_pool, mentioned, pool_logins
from .named_buckets import concerns, named_buckets
from .principal import Principal
from .reading import read, unreadable, without_denies
from .resolution import folded, last
from .roles import Managed, ResolvedRole, resolve_role
from .vended import Declared, Obstacle, Reason, StackPools, VendedRole

_CONFIGURATIONS = 16
"""How many different configurations of rules are answered from what is kept."""


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
    """The facts of one stack. Facts of a resource that is added again replace those it stated before.

    Attributes:
        whole: whether all of the stack's resources are there, or some are still to come.
        previewed: whether nothing is made before the resources that are still to come are there as well.
        assumed_region: the region that IDs have where the real one is not known; empty: what IDs say is known.
    """

    def __init__(self, whole: bool = True, preview: bool = False, assumed_region: str = "") -> None:
        self.whole = whole
        self.assumed_region = assumed_region
        self.previewed = preview and not whole
        self._index = Index(whole)
        self._resolved: dict[str, ResolvedRole] = {}
        self._answers: list[_Answers] = []
        self._stack_pools: StackPools | None = None
        self._unmade: dict[str, tuple[str, ...]] = {}
        """By what gives roles to a pool or a group, the ARNs of those roles that the stack does not make."""

    @classmethod
    def of(cls, resources: Iterable[Iterable[Fact]], assumed_region: str = "") -> Inventory:
        """The inventory of a whole stack: the facts of each of its resources."""
        found = cls(assumed_region=assumed_region)
        for facts in resources:
            found._index.put(tuple(facts))
        # Nothing has been asked yet, so that it does not matter what each of them changes.
        found._find_unmade(found._index.vending)
        return found

    @property
    def pools(self) -> Mapping[str, PoolFact]:
        """The identity pools that the stack makes, by URN."""
        return self._index.pools

    def add(self, facts: Iterable[Fact]) -> frozenset[str]:
        """Record a resource's facts; returns the URNs of roles that it has a part in."""
        new = tuple(facts)
        if not new:
            return frozenset()
        urn = new[0].urn
        old = self._index.facts(urn)
        touched = self._index.touched(old) | self._signing_in(old)
        left = self._concerned(urn) if new != old and self._about_buckets(old) else frozenset()
        if new != old:
            accounts = self._index.accounts.version
            # What names a role or a policy may mean another one before or after.
            namers = self._index.namers((*old, *new))
            touched |= self._index.roles_of(namers)
            self._index.put(new)
            touched |= self._index.touched(new) | self._index.roles_of(namers) | self._signing_in(new)
            self._stack_pools = None
            changed: Iterable[str] = touched
            self._find_unmade((urn, *namers))
            if self._index.accounts.version != accounts:
                changed = {*touched, *self._resolved}
                self._find_unmade((*self._index.vending,))
            elif any(isinstance(fact, PoolFact) for fact in (*old, *new)):
                changed = {*touched, *(role for role, known in self._resolved.items() if known.trust is None)}
            for role in changed:
                self._resolved.pop(role, None)
            for answers in self._answers:
                answers.dirty.update(changed)
        if self._about_buckets((*old, *new)):
            return left | self._concerned(urn)
        return frozenset(touched)

    def _about_buckets(self, facts: Iterable[Fact]) -> bool:
        """Whether some facts may change what the policies of buckets say."""
        kinds = (BucketFact, BucketPolicyFact, AccessPointFact, AccessPointPolicyFact)
        return any(isinstance(fact, kinds) and self._index.buckets.matters(fact) for fact in facts)

    def _signing_in(self, facts: Iterable[Fact]) -> set[str]:
        """The vended roles of which some facts may change how users get them, or with which principal tags."""
        found: set[str] = set()
        kinds = (TagMapFact, PoolFact, UserPoolFact, UserPoolClientFact)
        for fact in (fact for fact in facts if isinstance(fact, kinds)):
            for role in (role for answers in self._answers for role in answers.vended.values()):
                if isinstance(fact, TagMapFact):
                    concerned = not role.pools or any(maps_pool(self._index, fact, pool) for pool in role.pools)
                else:
                    concerned = any(each.asked for each in role.logins.values())
                if concerned:
                    found.add(role.urn)
        return found

    def _concerned(self, urn: str) -> frozenset[str]:
        """The vended roles that the policies of a resource's bucket concern; all roles where that is not known."""
        if not self._answers:
            return self._index.everybody()
        policies = self._index.buckets.documents().policies_of(urn)
        found: set[str] = set()
        for answers in self._answers:
            for role in self.vended(answers.declared):
                buckets = named_buckets((role.principal,))
                if policies is None or any(concerns(policy, buckets) for policy in policies):
                    found.add(role.urn)
        return frozenset(found)

    def vends(self, urn: str) -> bool:
        """Whether a resource gives roles to a pool or a group."""
        return urn in self._index.vending

    def stack_pools(self) -> StackPools:
        """The pools that the stack makes or attaches roles to."""
        if self._stack_pools is None:
            self._stack_pools = self._find_pools()
        return self._stack_pools

    def _find_pools(self) -> StackPools:
        ids = {pool.id for pool in self.pools.values() if pool.id}
        unknown = {pool.urn: pool.origin.region for pool in self.pools.values() if not pool.id and not pool.new}
        free: set[str] = set()
        for vending in self._index.vending.values():
            if vending.pool is not None and vending.pool.value and vending.pool.value not in ids:
                # The attachment's pool may be one of those whose IDs are not known yet; it is counted once.
                pools = [urn for urn in vending.pool.urns if urn in unknown]
                if pools:
                    ids.add(vending.pool.value)
                    unknown.pop(pools[0])
                else:
                    free.add(vending.pool.value)
        pending = list(unknown.values())
        for region in (pool.partition(":")[0] for pool in sorted(free - ids)):
            # Its pool is most likely one of those whose IDs are not known.
            if region in pending or None in pending:
                pending.remove(region if region in pending else None)
        created = any(pool.new for pool in self.pools.values())
        return StackPools(frozenset(ids | free), tuple(sorted(pending, key=str)), created)

    def vended(self, declared: Declared, only: frozenset[str] | None = None) -> list[VendedRole]:
        """The vended roles, or those of them that `only` names, in the order of their URNs."""
        answers = next((each for each in self._answers if each.declared == declared), None)
        if answers is None:
            answers = _Answers(declared, set(self._index.roles))
            self._answers.append(answers)
            del self._answers[:-_CONFIGURATIONS]
        buckets = self._index.buckets.documents()
        if buckets is not answers.buckets:
            answers.buckets = buckets
            answers.vended = {urn: self._beside(buckets, role, declared) for urn, role in answers.own.items()}
        for urn in answers.dirty:
            answers.own.pop(urn, None)
            answers.vended.pop(urn, None)
            role = self._vended(urn, declared) if urn in self._index.roles else None
            if role is not None:
                answers.own[urn] = role
                answers.vended[urn] = self._beside(buckets, role, declared)
        answers.dirty.clear()
        found = answers.vended | {role.urn: self._beside(buckets, role, declared) for role in self._elsewhere(declared)}
        return [found[urn] for urn in sorted(found if only is None else only & found.keys())]

    def unresolved(self, declared: Declared, only: frozenset[str] | None = None) -> list[Obstacle]:
        """Roles that are meant and not in the stack, so that nothing about them is proven here."""
        found: list[Obstacle] = []
        for vending in _each(self._index.vending, only):
            _, missing = self._index.listed(
                self._index.role_directory, [role for _, role in vending.roles], vending.origin
            )
            for reference in missing:
                if reference.value is None:
                    found.append(unreadable(vending.urn, vending.label, reference, "role"))
                elif reference.value not in declared.elsewhere:
                    problem = (
                        f"the role `{reference.value}` is not in this stack; prove it in its own stack (`vendedRoles` "
                        "there) and list it in `rolesElsewhere` here"
                    )
                    found.append(
                        Obstacle(
                            vending.urn,
                            vending.label,
                            problem,
                            open=True,
                            reason=Reason.ROLE_ELSEWHERE,
                            subject=reference.value,
                        )
                    )
        found += self._perhaps_vended(declared, only)
        if self._index.unnamed and (self._index.vending or self.pools or self.vended(declared)):
            for urn in sorted(self._index.unnamed if only is None else only & self._index.unnamed.keys()):
                for fact in self._index.facts(urn):
                    if isinstance(fact, GrantFact | InlineListFact | AttachmentFact):
                        _, missing = self._index.listed(self._index.role_directory, role_references(fact), fact.origin)
                        found += [unreadable(urn, fact.label, r, "role") for r in missing if r.value is None]
        return found

    def _perhaps_vended(self, declared: Declared, only: frozenset[str] | None) -> Iterator[Obstacle]:
        """The roles that a pool may vend, because their trust policy cannot be read, where the stack, or a document of the
        role, has to do with identity pools."""
        unread = self._index.unread_trusts
        urns = sorted(unread if only is None else only & unread.keys())
        vended = {role.urn for role in self.vended(declared)} if urns else set()
        keys = {f"{issuer}:sub" for issuer in known_issuers(dict(declared.issuers))}
        for urn in urns:
            documents = [document for _, document in self._resolve(urn).documents]
            concerned = self.pools or self._index.vending or any(keys & document.keys for document in documents)
            obstacle = self._resolve(urn).trust_obstacle
            if urn not in vended and concerned and obstacle is not None:
                yield replace(obstacle, problem=f"whether a pool vends the role is not known: {obstacle.problem}")

    def _resolve(self, urn: str) -> ResolvedRole:
        if urn not in self._resolved:
            role = self._index.roles[urn]
            self._resolved[urn] = resolve_role(self._index, role, self._index.uses(role))
        return self._resolved[urn]

    def _vended(self, urn: str, declared: Declared) -> VendedRole | None:
        """A role with all that applies to it, or None where nothing vends it."""
        fact = self._index.roles[urn]
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
        _, name, _ = self._index.role_directory.keys(fact.urn)
        for each in declared.vended:
            if name is None or folded(last(each)) != name or (each.startswith("arn:") and fact.arn):
                continue
            alike = [urn for urn in self._index.role_directory.namesakes(name) if self._may_trust(urn, declared)]
            if not alike or fact.urn in alike:
                return True
        return False

    def _may_trust(self, urn: str, declared: Declared) -> bool:
        trust = self._resolve(urn).trust
        return trust is None or trusts_cognito(trust, declared.issuers)

    def _find_unmade(self, urns: Iterable[str]) -> None:
        for urn in urns:
            self._unmade.pop(urn, None)
            vending = self._index.vending.get(urn)
            if vending is not None:
                roles = [role for _, role in vending.roles]
                _, missing = self._index.listed(self._index.role_directory, roles, vending.origin)
                arns = tuple(role.value for role in missing if role.value and role.value.startswith("arn:"))
                if arns:
                    self._unmade[urn] = arns

    def _elsewhere(self, declared: Declared) -> Iterator[VendedRole]:
        """The vended roles that another stack makes, as far as this stack's documents go.

        They are those that the configuration calls vended, and those that this stack's pools vend.

        While the resources of a preview are still to come, the role may be among them. At update it is not: what names a
        role is made after it.
        """
        by_name: dict[str, list[str]] = {}
        unmade = [] if self.previewed else sorted({arn for arns in self._unmade.values() for arn in arns})
        for value in dict.fromkeys((*declared.vended, *declared.elsewhere, *unmade)):
            by_name.setdefault(last(value), []).append(value)
        for name, values in by_name.items():
            arns = [value if value.startswith("arn:") else None for value in values]
            uses = self._index.uses_elsewhere(name, arns)
            ends = tuple(dict.fromkeys((*(arn for arn in arns if arn), f":role/{name}")))
            if uses or self._of_buckets(ends, declared):
                urn = elsewhere_urn(name)
                fact = RoleFact(urn, name, name, None, Source(urn, name, None))
                role = replace(resolve_role(self._index, fact, uses), trust_obstacle=None)
                yield self._assemble(urn, name, frozenset({"configured"}), role, ends, declared)

    def _beside(self, buckets: BucketDocuments, role: VendedRole, declared: Declared) -> VendedRole:
        """A role with the policies of buckets and access points, and the logins that get it."""
        sources = dict(buckets.sources)
        documents: list[tuple[str, Document]] = []
        for name, document in role.principal.documents:
            label = distinct(name, sources)
            sources[label] = role.sources[name]
            documents.append((label, document))
        principal = replace(
            role.principal,
            documents=tuple(documents),
            resource=buckets.policies,
            access_points=buckets.access_points,
            arns=self._named(buckets, role),
        )
        role = replace(role, principal=principal, obstacles=(*role.obstacles, *buckets.obstacles), sources=sources)
        return self._with_logins(role, mentioned(principal, buckets.keys), declared)

    def _with_logins(self, role: VendedRole, keys: frozenset[str], declared: Declared) -> VendedRole:
        """A role with the logins of its pools. Where documents speak of tags that are known at update, nothing is decided
        before."""
        if not keys and not self._index.tag_maps:
            return role
        fact = self._index.roles.get(role.urn)
        waiting = role.trust_obstacle is not None and role.trust_obstacle.pending
        facts = RoleFacts(role.kinds, role.trust, waiting, fact.tags if fact is not None else None)
        issuers, fixed = known_issuers(dict(declared.issuers)), frozenset(declared.fixed)
        logins = {
            pool: pool_logins(self._index, pool, facts, keys, issuers, fixed, self.whole) for pool in sorted(role.pools)
        }
        reason = next((each.reason for each in logins.values() if each.pending), None)
        if keys and not role.pools and (waiting or self._vended_later(role.urn)):
            reason = "which identity pool vends it is not known"
        if reason is None:
            return replace(role, logins=logins)
        problem = f"{reason} at preview; it will be decided at update"
        obstacle = Obstacle(role.urn, role.label, problem, pending=True)
        principal = role.principal
        if not logins or any(each.pending and each.logins is None for each in logins.values()):
            principal = replace(principal, documents=(), resource=())
        return replace(role, logins=logins, principal=principal, obstacles=(*role.obstacles, obstacle))

    def _vended_later(self, urn: str) -> bool:
        """Whether a role is one of a pool that is known at update."""
        fact = self._index.roles.get(urn)
        pools = [use.fact.pool for use in self._index.uses(fact) if isinstance(use.fact, VendingFact)] if fact else []
        return any(pool is not None and pool.value is None and not pool.secret for pool in pools)

    def _named(self, buckets: BucketDocuments, role: VendedRole) -> tuple[str, ...]:
        """A role's ARN, where it is known, and its name.

        The engine tells a resource's outputs for the whole stack only. Before that, the ARN of a role is known to the
        policies that name it, and not as the role's own: where they name only one of its name, in its account as far as
        that is known, it is the role.
        """
        arns, fact = role.principal.arns, self._index.roles.get(role.urn)
        if self.whole or fact is None or fact.arn or not fact.name:
            return arns
        account = self._index.accounts.known(fact.origin).account
        found = [arn for arn in buckets.roles.get(fact.name, ()) if account in (account_of(arn), None)]
        return (found[0], *arns) if len(found) == 1 else arns

    def _of_buckets(self, arns: tuple[str, ...], declared: Declared) -> bool:
        """Whether a bucket's policy names a role that the stack does not make, by the ends of its ARN."""
        if any(self._is_called(role, arns) for role in self._index.roles.values()):
            return False
        issuers = known_issuers(dict(declared.issuers))
        return any(
            statement.effect is Effect.ALLOW and grantee(statement, arns, issuers) in (Grantee.ROLE, Grantee.SESSION)
            for policy in self._index.buckets.documents().policies
            if policy.by_name
            for statement in policy.document.statements
        )

    @staticmethod
    def _is_called(role: RoleFact, arns: tuple[str, ...]) -> bool:
        """Whether a role of the stack may have one of some ARNs."""
        name = role.name or last(role.arn or "")
        full = [arn for arn in arns if arn.startswith("arn:")]
        return folded(name) == folded(last(arns[-1])) and not (role.arn and full and role.arn not in full)

    def _assemble(
        self, urn: str, label: str, kinds: frozenset[str], role: ResolvedRole, arns: tuple[str, ...], declared: Declared
    ) -> VendedRole:
        """A role's documents under names that tell them apart, with the texts that the configuration adds."""
        obstacles = list(role.obstacles)
        sources: dict[str, str] = {}
        documents: list[tuple[str, Document]] = []

        def name(source: Source, document: Document) -> None:
            label = distinct(source.label, sources)
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
                obstacles.append(
                    Obstacle(
                        managed.by,
                        managed.label,
                        problem,
                        open=open_,
                        reason=Reason.MANAGED_POLICY,
                        subject=value or "",
                    )
                )
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
        unread = role.boundary if role.boundary is not None and boundary is None else ()
        return VendedRole(
            urn=urn,
            label=label,
            kinds=kinds,
            trust=role.trust,
            trust_obstacle=role.trust_obstacle,
            principal=Principal(label, tuple(documents), boundary, (), arns, urn),
            obstacles=tuple(dict.fromkeys(obstacles)),
            pools=role.pools,
            regions=() if self.assumed_region in role.regions else role.regions,
            sources=sources,
            unread_boundary=tuple(each.reference.value or each.label for each in unread),
        )

    def _text(self, managed: Managed, declared: Declared) -> tuple[Source, Document | None, Obstacle | None] | None:
        """A managed policy's text, of the stack or of the configuration; None where neither has it."""
        if managed.policy is not None:
            source = self._index.policies[managed.policy].source
        elif managed.reference.value in declared.managed:
            value = str(managed.reference.value)
            source = Source(managed.by, value, declared.managed[value])
        else:
            return None
        return source, *read(source, DocumentKind.IDENTITY)

    def may_come(self, obstacle: Obstacle) -> bool:
        """Whether resources that are still to come may remove an obstacle.

        At update they do not: what names a role or a policy is made after it. One of those so far may have the name, which
        is not known before it is made.
        """
        if self.whole or not obstacle.open:
            return False
        role = obstacle.reason is Reason.ROLE_ELSEWHERE
        return self.previewed or (self._index.role_directory if role else self._index.policy_directory).nameless()

    def _may_come(self, policy: str) -> bool:
        """Whether a managed policy may be one that the stack makes, although no resource so far has its name."""
        return bool(policy) and (self.previewed or self._index.policy_directory.nameless())

    def _boundary(
        self, boundary: tuple[Managed, ...], declared: Declared
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
            value = managed.reference.value or ""
            if found is None and not self.whole and ":iam::aws:" not in value and self._may_come(value):
                problem = f"the text of the permissions boundary `{value}` is not known at preview; decided at update"
                return None, Obstacle(managed.by, managed.label, problem, pending=True)
            if found is None or found[1] is None or not managed.certain:
                return None, None
            texts.append(found[1])
        return tuple(("the permissions boundary", text) for text in texts) or None, None


def trusts_cognito(trust: Document, issuers: Mapping[str, str]) -> bool:
    """Whether a trust policy lets any identity pool in: by its issuer, or as everyone or a provider, on condition of one.

    An issuer that is misspelt, or of a region that is not known, is meant as one.
    """
    known = known_issuers(dict(issuers))

    def is_pools(issuer: str) -> bool:
        return issuer in known or issuer.lower().startswith("cognito-identity")

    for statement in trust.statements:
        if statement.effect is not Effect.ALLOW or statement.principals is None:
            continue
        providers = [value for kind, value in statement.principals.entries if kind == "Federated"]
        asked = any(is_pools(condition.key.rpartition(":")[0]) for condition in statement.conditions)
        if any(map(is_pools, providers)) or (asked and (bool(providers) or names_everyone(statement.principals))):
            return True
    return False


def _each(facts: Mapping[str, VendingFact], only: frozenset[str] | None) -> list[VendingFact]:
    return [facts[urn] for urn in sorted(facts if only is None else only & facts.keys())]
