"""The policies of buckets and access points, each with the bucket that it is about.

A bucket's name is known from its policy's own reference, or from the bucket that the reference depends on. AWS keeps one
policy for each bucket and access point: where several resources write different ones, none of their Denies guards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ..iam.documents import Document, DocumentKind
from .facts import AccessPointFact, AccessPointPolicyFact, BucketFact, BucketPolicyFact, Fact, Reference, Source
from .labels import distinct
from .named_buckets import grants_by_name
from .overwrites import one_document
from .principal import AccessPoint, BucketPolicy
from .reading import read, without_denies
from .resolution import last
from .vended import Obstacle

BucketSide = BucketFact | BucketPolicyFact | AccessPointFact | AccessPointPolicyFact


@dataclass(frozen=True)
class BucketDocuments:
    """What applies to every role: policies, access points, what could not be read, and each label's resource."""

    policies: tuple[BucketPolicy, ...] = ()
    access_points: tuple[AccessPoint, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    """Each policy's label, and the URN of the resource that holds it."""

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys, in lower case, that the policies' conditions test or their variables stand for."""
        return frozenset().union(*(policy.document.keys for policy in self.policies))

    @cached_property
    def roles(self) -> Mapping[str, frozenset[str]]:
        """The ARNs of roles that the policies name, by the roles' names."""
        found: dict[str, set[str]] = {}
        for policy in self.policies:
            for statement in policy.document.statements:
                entries = statement.principals.entries if statement.principals is not None else ()
                values = [value for kind, value in entries if kind == "AWS"]
                values += [v for c in statement.conditions if c.key == "aws:principalarn" for v in c.values]
                for value in values:
                    if value.startswith("arn:") and ":role/" in value and not any(c in value for c in "*?$"):
                        found.setdefault(last(value), set()).add(value)
        return {name: frozenset(arns) for name, arns in found.items()}

    def policies_of(self, urn: str) -> list[BucketPolicy] | None:
        """The policies that a resource holds, with those of the same bucket; None where they may be about any bucket."""
        labels = {label for label, holder in self.sources if holder == urn}
        own = [policy for policy in self.policies if policy.name in labels]
        if not own or any(policy.bucket is None for policy in own):
            return None
        return [policy for policy in self.policies if policy.bucket in {each.bucket for each in own}]


class Buckets:
    """The facts about buckets and access points of one stack."""

    def __init__(self) -> None:
        self._buckets: dict[str, BucketFact] = {}
        self._policies: dict[str, BucketPolicyFact] = {}
        self._points: dict[str, AccessPointFact] = {}
        self._point_policies: dict[str, list[AccessPointPolicyFact]] = {}
        self._meant: dict[str, int] = {}
        """How many references there are to a resource by its URN."""
        self._documents: BucketDocuments | None = None

    def record(self, fact: Fact) -> None:
        self._note(fact, 1)
        if isinstance(fact, BucketFact):
            self._buckets[fact.urn] = fact
        elif isinstance(fact, BucketPolicyFact):
            self._policies[fact.urn] = fact
        elif isinstance(fact, AccessPointFact):
            self._points[fact.urn] = fact
        elif isinstance(fact, AccessPointPolicyFact):
            self._point_policies.setdefault(fact.urn, []).append(fact)

    def withdraw(self, fact: Fact) -> None:
        self._note(fact, -1)
        if isinstance(fact, BucketFact):
            self._buckets.pop(fact.urn, None)
        elif isinstance(fact, BucketPolicyFact):
            self._policies.pop(fact.urn, None)
        elif isinstance(fact, AccessPointFact):
            self._points.pop(fact.urn, None)
        elif isinstance(fact, AccessPointPolicyFact):
            self._point_policies.pop(fact.urn, None)

    def _note(self, fact: Fact, number: int) -> None:
        for reference in _references(fact):
            for urn in reference.urns:
                self._meant[urn] = self._meant.get(urn, 0) + number
        if self.matters(fact):
            self._documents = None

    def matters(self, fact: Fact) -> bool:
        """Whether a fact may change what applies to a role: a bucket does where something refers to it."""
        return not isinstance(fact, BucketFact) or self._meant.get(fact.urn, 0) > 0

    def documents(self) -> BucketDocuments:
        """What applies to every role; the same object until a fact changes it."""
        if self._documents is None:
            self._documents = self._resolve()
        return self._documents

    def _resolve(self) -> BucketDocuments:
        obstacles: list[Obstacle] = []
        policies: list[BucketPolicy] = []
        sources: dict[str, str] = {}

        def take(source: Source) -> tuple[str, Document] | None:
            document, obstacle = read(source, DocumentKind.RESOURCE)
            if obstacle is not None:
                obstacles.append(obstacle)
            if document is None:
                return None
            label = distinct(source.label, sources)
            sources[label] = source.urn
            return label, document

        by_bucket: dict[object, list[BucketPolicyFact]] = {}
        for urn in sorted(self._policies):
            fact = self._policies[urn]
            bucket, key = self._bucket(fact.bucket)
            by_bucket.setdefault(bucket or key or urn, []).append(fact)
        for writers in by_bucket.values():
            bucket, _ = self._bucket(writers[0].bucket)
            documents = [take(fact.source) for fact in writers]
            kept = one_document([each[1] if each is not None else None for each in documents])
            policies += [
                BucketPolicy(
                    label, document if kept else without_denies(document), bucket, by_name=grants_by_name(document)
                )
                for label, document in (each for each in documents if each is not None)
            ]
        points = {urn: self._access_point(self._points[urn]) for urn in sorted(self._points)}
        written: dict[str, list[AccessPointPolicyFact]] = {}
        for urn in sorted(self._point_policies):
            for point_fact in self._point_policies[urn]:
                written.setdefault(self._point(point_fact.access_point) or urn, []).append(point_fact)
        for urn, facts in written.items():
            point = points.get(urn) or _unknown_point(facts[0])
            documents = [take(fact.source) for fact in facts]
            kept = one_document([each[1] if each is not None else None for each in documents])
            for each in documents:
                if each is not None:
                    document = each[1] if kept else without_denies(each[1])
                    by_name = grants_by_name(document)
                    policies += [BucketPolicy(each[0], document, bucket, point, by_name) for bucket in point.buckets]
        return BucketDocuments(
            tuple(policies), tuple(points.values()), tuple(obstacles), tuple(sorted(sources.items()))
        )

    def _bucket(self, reference: Reference) -> tuple[str | None, str | None]:
        """A bucket's name where it is known, and its URN where the stack makes it."""
        urns = [urn for urn in reference.urns if urn in self._buckets]
        urn = urns[0] if len(urns) == 1 else None
        if reference.value:
            return reference.value.rpartition(":")[2], urn
        return (self._buckets[urn].name if urn else None), urn

    def _access_point(self, fact: AccessPointFact) -> AccessPoint:
        buckets = tuple(self._bucket(reference)[0] for reference in fact.buckets) or (None,)
        return AccessPoint(
            fact.label, fact.name, fact.arn, fact.alias, buckets, fact.network_origin, fact.single, fact.origin
        )

    def _point(self, reference: Reference) -> str | None:
        """The URN of the access point that a policy is about."""
        value = reference.value
        if value:
            exact = [urn for urn, point in self._points.items() if value == point.arn]
            named = [u for u, p in self._points.items() if p.name and not p.arn and value.rpartition("/")[2] == p.name]
            by_name = [urn for urn, point in self._points.items() if value == point.name]
            for urns in (exact, [u for u in reference.urns if u in self._points], named, by_name):
                if len(urns) == 1:
                    return urns[0]
            return None
        urns = [urn for urn in reference.urns if urn in self._points]
        return urns[0] if len(urns) == 1 else None


def _unknown_point(fact: AccessPointPolicyFact) -> AccessPoint:
    value = fact.access_point.value
    arn = value if value and value.startswith("arn:") else None
    name = value.rpartition("/")[2] if value else None
    return AccessPoint(fact.source.label, name, arn, None, (None,), single=False)


def _references(fact: Fact) -> Iterable[Reference]:
    if isinstance(fact, BucketPolicyFact):
        return (fact.bucket,)
    if isinstance(fact, AccessPointFact):
        return fact.buckets
    return (fact.access_point,) if isinstance(fact, AccessPointPolicyFact) else ()
