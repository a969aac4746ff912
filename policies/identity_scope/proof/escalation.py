"""INVARIANT (no escalation): no vended role can widen its own reach, for any identity.

Each action that could is asked about with the ARNs that its service takes, and, where it takes none, with `*`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..automata.globs import Wild, literal
from ..automata.symbolic import Track, Word
from ..automata.walk import Budget, BudgetExceeded
from ..iam.actions import ARN_SERVICES, BUCKET_PIVOTS, pivots_by_service
from ..iam.issuers import Shape
from ..inventory.principal import Principal
from .questions import Grant, Reader, Symbolic, buckets, track
from .reach import View
from .results import Access, Cause, Escalation, NotProven
from .scope import Scope
from .tag_values import first_replayed

_S3_KINDS = (
    *(("s3", kind) for kind in ("accesspoint", "access-grants", "job", "storage-lens")),
    ("s3-object-lambda", "accesspoint"),
)
"""What S3's actions are asked for other than buckets and objects: the service of the ARN, and its kind."""


def escalations(scope: Scope) -> list[Escalation | NotProven]:
    """For each statement by which an identity could widen its role's reach, a request that does; nothing if none."""
    found: dict[Cause, Escalation | NotProven] = {}
    budget = Budget(scope.steps)
    try:
        for shape in scope.shapes():
            for result in _Escalations(scope, shape, budget).results():
                found.setdefault(result.cause, result)
            if found:
                break
    except BudgetExceeded as error:
        return [*found.values(), NotProven(str(error))]
    return list(found.values())


class _Escalations:
    """One identity of a shape, and the requests that widen its role's reach."""

    def __init__(self, scope: Scope, shape: Shape, budget: Budget) -> None:
        self._scope = scope
        self._shape = shape
        self._symbolic = Symbolic(scope.strangers(shape), budget)
        self._reader = Reader(self._symbolic, scope.stranger(self._symbolic.strangers, 0), 0)

    def results(self) -> Iterator[Escalation | NotProven]:
        for principal in filter(self._scope.asks_about, self._scope.by_session):
            for view in (View.ROLE, View.EVERYONE) if principal.resource else (View.ROLE,):
                told: set[Cause] = set()
                for grant in self._reader.objects(principal, universe=BUCKET_PIVOTS, view=view):
                    if grant.cause not in told:
                        yield from self._on_buckets(grant, told)
                for grant in self._through_points(principal, view):
                    if grant.cause not in told:
                        yield from self._on_buckets(grant, told)
                for actions in pivots_by_service(self._reader.allows(principal, view)):
                    for grant in self._reader.objects(principal, universe=actions, view=view):
                        if grant.cause not in told:
                            yield from self._elsewhere(grant, told)

    def _through_points(self, principal: Principal, view: View) -> Iterator[Grant]:
        """What shows keys through an access point; the other actions on buckets are not made through one."""
        for each in self._scope.requesters:
            same = each.urn == principal.urn and each.session == principal.session
            if each.through is not None and same:
                yield from self._reader.objects(each, universe=("s3:ListBucketMultipartUploads",), view=view)

    def _on_buckets(self, grant: Grant, told: set[Cause]) -> Iterator[Escalation | NotProven]:
        yield from self._asked(grant, told, buckets(self._shape))

    def _elsewhere(self, grant: Grant, told: set[Cause]) -> Iterator[Escalation | NotProven]:
        everything = tuple(pattern for pattern in grant.tracks[0].patterns if pattern == (Wild.ANY,))
        if everything:
            # An action without a resource is asked for `*`, which only a statement on everything speaks of.
            star = Grant(
                grant.principal,
                grant.view,
                grant.action,
                False,
                grant.document,
                grant.statement,
                (replace(grant.tracks[0], patterns=(("*",),)), *grant.tracks[1:]),
                grant.forbidden,
                grant.guard,
                grant.requirements,
            )
            word = self._symbolic.find(self._symbolic.alone(star))
            if word is not None:
                access = self._replayed(grant, word, "*")
                if access is not None:
                    told.add(grant.cause)
                    yield Escalation(access)
                    return
        service = grant.action.partition(":")[0]
        yield from self._asked(grant, told, _arns_of(service, self._shape.partition))

    def _asked(self, grant: Grant, told: set[Cause], *tracks: Track) -> Iterator[Escalation | NotProven]:
        word = self._symbolic.find(self._symbolic.alone(grant, *tracks))
        if word is None:
            return
        told.add(grant.cause)
        arn = self._symbolic.strangers.written(word.letters, word.digits)
        access = self._replayed(grant, word, arn)
        if access is None:
            yield NotProven(f"no request to `{arn}` could be confirmed", grant.principal.urn)
        else:
            yield Escalation(access)

    def _replayed(self, grant: Grant, word: Word, arn: str) -> Access | None:
        return first_replayed(self._scope, self._shape, self._symbolic, grant, word, arn)


def _arns_of(service: str, partition: str) -> Track:
    """ARNs that a service's actions are asked for; S3's are never a bucket or an object."""
    heads = [literal(f"arn:{partition}:{each}:") for each in ARN_SERVICES.get(service, (service,))]
    if service != "s3":
        return track(*((*head, Wild.ANY) for head in heads))
    return track(
        *(
            (*literal(f"arn:{partition}:{each}:"), Wild.WITHIN, ":", Wild.WITHIN, *literal(f":{kind}/"), Wild.ANY)
            for each, kind in _S3_KINDS
        )
    )
