"""One role with every fact of the stack that concerns it, whatever the configuration adds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..iam.documents import Document, DocumentKind, Effect
from ..iam.issuers import NAMED
from .facts import (
    SECRET_PROBLEM,
    AttachmentFact,
    Exclusive,
    GrantFact,
    InlineListFact,
    Reference,
    RoleFact,
    Source,
    VendingFact,
)
from .index import Index, Use
from .overwrites import Inline, attachments_kept, inline_kept
from .reading import read, unreadable, without_denies
from .resolution import folded, last
from .vended import Obstacle, Reason


@dataclass(frozen=True)
class Managed:
    """A managed policy on a role: the stack's own `policy`, or one that only the reference's value tells."""

    reference: Reference
    policy: str | None
    certain: bool
    by: str
    label: str

    @property
    def identity(self) -> str | None:
        """What tells the policy from others: the resource that makes it, else its ARN."""
        return self.policy or self.reference.value


@dataclass(frozen=True)
class ResolvedRole:
    """What the stack's facts say of a role, whatever the configuration adds."""

    documents: tuple[tuple[Source, Document], ...]
    managed: tuple[tuple[Managed, bool], ...]
    """Each managed policy, and whether its attachment stays."""
    boundary: tuple[Managed, ...] | None
    obstacles: tuple[Obstacle, ...]
    kinds: frozenset[tuple[str, str | None]]
    """How it is vended, and by which name or ARN."""
    pools: frozenset[str]
    regions: tuple[str, ...]
    trust: Document | None
    trust_obstacle: Obstacle | None


def resolve_role(index: Index, role: RoleFact, uses: Iterable[Use]) -> ResolvedRole:
    """Resolve everything that a role's own resource and other facts state of it."""
    uses = list(uses)
    documents, obstacles = _inline(role, uses)
    managed, more = _managed(index, role, uses)
    trust, trust_obstacle = read(role.trust, DocumentKind.TRUST)
    vendings = [(use.fact, use.references) for use in uses if isinstance(use.fact, VendingFact)]
    pools, regions = _pools(index, [fact for fact, _ in vendings], trust)
    return ResolvedRole(
        documents=documents,
        managed=managed,
        boundary=_boundary(index, role),
        obstacles=(*obstacles, *more),
        kinds=frozenset((kind, r.value) for fact, own in vendings for kind, r in fact.roles if r in own),
        pools=pools,
        regions=regions,
        trust=trust,
        trust_obstacle=trust_obstacle,
    )


def _inline(role: RoleFact, uses: Sequence[Use]) -> tuple[tuple[tuple[Source, Document], ...], list[Obstacle]]:
    """The inline policies of a role, and those that could not be read."""
    policies = [(policy, True, True) for policy in role.inline]
    policies += [(use.fact.policy, use.certain, False) for use in uses if isinstance(use.fact, GrantFact)]
    lists = [use.fact for use in uses if isinstance(use.fact, InlineListFact)]
    texts = [read(policy.source, DocumentKind.IDENTITY) for policy, _, _ in policies]
    obstacles = [obstacle for _, obstacle in texts if obstacle is not None]
    for each in lists:
        if each.secret:
            problem = f"which inline policies it keeps is {SECRET_PROBLEM}"
            obstacles.append(Obstacle(each.urn, each.label, problem, reason=Reason.SECRET))
        elif not each.complete:
            problem = "which inline policies it keeps is not known at preview; decided at update"
            obstacles.append(Obstacle(each.urn, each.label, problem, pending=True))
    kept = inline_kept(
        [Inline(policy.name, text, own) for (policy, _, own), (text, _) in zip(policies, texts, strict=True)],
        role.inline_exclusive,
        lists,
    )
    documents = tuple(
        (policy.source, text if certain and stays else without_denies(text))
        for (policy, certain, _), (text, _), stays in zip(policies, texts, kept, strict=True)
        if text is not None
    )
    return documents, obstacles


def _managed(
    index: Index, role: RoleFact, uses: Sequence[Use]
) -> tuple[tuple[tuple[Managed, bool], ...], list[Obstacle]]:
    """The managed policies of a role, each with whether its attachment stays; and what is not known of them."""
    obstacles: list[Obstacle] = []
    attached: list[Managed] = []
    lists: list[frozenset[object]] = []
    own = AttachmentFact(role.urn, role.label, (), role.managed, origin=role.origin)
    if role.managed_exclusive:
        own = replace(own, exclusive=Exclusive.POLICIES_OF_ROLE)
    attachments = [(own, True)]
    attachments += [(use.fact, use.certain) for use in uses if isinstance(use.fact, AttachmentFact)]
    for fact, certain in attachments:
        policies, unknown = _meant(index, fact.policies, fact)
        attached += policies if certain else [replace(policy, certain=False) for policy in policies]
        obstacles += [unreadable(fact.urn, fact.label, reference, "managed policy") for reference in unknown]
        if fact.exclusive is Exclusive.POLICIES_OF_ROLE and not unknown:
            lists.append(frozenset(policy.identity for policy in policies))
    # A policy that is attached twice applies once, and certainly if one of the attachments means the role.
    meant = {policy.identity for policy in attached if policy.certain}
    attached = [
        replace(policy, certain=identity in meant)
        for identity, policy in {policy.identity: policy for policy in reversed(attached)}.items()
    ]
    elsewhere = [policy.identity for policy in attached if _detached(index, policy, role)]
    kept = attachments_kept([policy.identity for policy in attached], lists, elsewhere)
    return tuple(zip(attached, kept, strict=True)), obstacles


def _meant(
    index: Index, references: Sequence[Reference], user: AttachmentFact
) -> tuple[list[Managed], list[Reference]]:
    """The managed policies that a list names, and the elements that are not known."""
    matches, missing = index.listed(index.policy_directory, references, user.origin)
    policies = [Managed(r, match.urn, match.certain, user.urn, user.label) for r, match in matches]
    inside = {r for r, _ in matches}
    policies += [Managed(r, None, r not in inside, user.urn, user.label) for r in missing if r.value]
    return policies, [r for r in missing if r.value is None]


def _detached(index: Index, managed: Managed, role: RoleFact) -> bool:
    """Whether a resource attaches a policy to other roles only, which detaches it from this one."""
    for fact in index.policy_users(managed.policy, managed.reference):
        if fact.exclusive is not Exclusive.ROLES_OF_POLICY:
            continue
        policies, _ = _meant(index, fact.policies, fact)
        if managed.identity in [policy.identity for policy in policies]:
            matches, missing = index.listed(index.role_directory, fact.roles, fact.origin)
            inside = {r for r, _ in matches}
            named = any(match.urn == role.urn for _, match in matches)
            named = named or any(r.value is None or _names(r.value, role) for r in missing if r not in inside)
            if not named:
                return True
    return False


def _names(value: str, role: RoleFact) -> bool:
    """Whether a name or an ARN may be that of a role which another stack makes."""
    return folded(last(value)) == folded(role.name or "")


def _boundary(index: Index, role: RoleFact) -> tuple[Managed, ...] | None:
    """The policies that a role's permissions boundary may be."""
    if role.boundary is None:
        return None
    user = AttachmentFact(role.urn, role.label, (), (), origin=role.origin)
    policies, unknown = _meant(index, (role.boundary,), user)
    return (*policies, *(Managed(reference, None, True, role.urn, role.label) for reference in unknown))


def _pools(
    index: Index, vendings: Sequence[VendingFact], trust: Document | None
) -> tuple[frozenset[str], tuple[str, ...]]:
    """The pools whose identities can get a role, and their regions; none where they may be any.

    A role is for the pools that its trust policy names. While the policy is not known, it is for those that vend the role.
    """
    pools: set[str | None] = set()
    regions: set[str | None] = set()
    for vending in vendings:
        made = [index.pools[urn] for urn in vending.pool.urns if urn in index.pools] if vending.pool else []
        value = vending.pool.value if vending.pool else None
        pool_id = value or (made[0].id if len(made) == 1 else None)
        if pool_id:
            pools.add(pool_id)
            regions.add(pool_id.partition(":")[0])
        elif made:
            pools |= {pool.urn for pool in made}
            regions |= {pool.origin.region for pool in made}
        elif vending.pool is not None:
            pools.add(None)
            regions.add(vending.origin.region)
        elif trust is None:
            pools.add(None)  # A user pool's group: any identity pool of the user pool vends its role.
    audiences = _audiences(trust)
    regions |= {pool.partition(":")[0] for pool in audiences}
    if not regions and trust is None:
        # At preview: its pool is most likely one of the stack's.
        regions = {pool.origin.region for pool in index.pools.values()}
    bound = trust is None or _bound(trust)
    known = frozenset(pool for pool in {*pools, *audiences} if pool) if bound and None not in pools else frozenset()
    return known, () if None in regions else tuple(sorted(region for region in regions if region))


def _bound(trust: Document) -> bool:
    """Whether a trust policy lets the identities of literally named pools in and no others.

    Whether it also lets others in who are no identities is the trust rule's question.
    """
    for statement in trust.statements:
        if statement.effect is not Effect.ALLOW or statement.principals is None:
            continue
        if statement.principals.negated or any(kind == "Federated" for kind, _ in statement.principals.entries):
            tests = [c for c in statement.conditions if c.key.endswith(":aud") and c.operator == "StringEquals"]
            strict = [c for c in tests if not c.if_exists and c.qualifier != "ForAllValues"]
            if not any(all(NAMED.fullmatch(value) for value in test.values) for test in strict):
                return False
    return True


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
