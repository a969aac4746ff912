"""One request against the documents that apply to it: allowed or not, and by which statement.

Decides what IAM would: a Deny in any document wins; then some Allow must match; a permissions boundary must allow too;
in the same account a resource-based policy that names the caller is an Allow of its own. This module is the only IAM
semantics here: the prover replays every counterexample through it, the sandbox enforces with it.

INVARIANT (widening). In `Reading.PESSIMISTIC`, what is unknown or left open by AWS makes an Allow match and a Deny not.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache

from ..automata.globs import GlobSet, Pattern, matches
from .claims import TAG_KEY
from .conditions import Truth, holds
from .documents import Condition, Document, Effect, Principals, Statement
from .variables import (
    Free,
    Lookup,
    Missing,
    Values,
    Variable,
    arn_template,
    concretise,
    may_be_absent,
    template,
    within_segments,
)


class Reading(Enum):
    """How to read what AWS leaves open."""

    PLAIN = "plain"
    """As the documentation reads most naturally: a `*` spans everything, an unknown key is absent."""

    PESSIMISTIC = "pessimistic"
    """Whatever gives more access: an Allow wide, a Deny narrow, an unknown condition as it suits the caller."""


@dataclass(frozen=True)
class Request:
    """One API call's authorization question.

    Attributes:
        action: `service:Action`.
        resource: the ARN that it touches, or `*` where the action has none.
        context: condition keys in lower case to their values; a missing key is absent.
        unknown: True where keys that are not in `context` are unknown rather than absent, unless in `absent`.
        absent: keys that are certainly absent although `unknown` is set; `aws:principaltag/` stands for every tag.
        principal: the caller's ARNs (role, session), for resource-based policies.
    """

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...] | Free] = field(default_factory=dict)
    unknown: bool = False
    absent: frozenset[str] = frozenset()
    principal: tuple[str, ...] = ()

    def lookup(self, key: str) -> Values:
        if key in self.context:
            return self.context[key]
        if self.unknown and key not in self.absent:
            tags_absent = TAG_KEY in self.absent and key.startswith(TAG_KEY)
            return Missing.ABSENT if tags_absent else Missing.UNKNOWN
        return Missing.ABSENT


class Outcome(Enum):
    ALLOWED = "allowed"
    DENIED = "denied by a statement"
    NOT_ALLOWED = "not allowed by any statement"
    OUTSIDE_BOUNDARY = "not allowed by the permissions boundary"


@dataclass(frozen=True)
class Decision:
    """The outcome, the document (by name) and statement that decided it, and conditions that had to be assumed."""

    outcome: Outcome
    document: str | None = None
    statement: Statement | None = None
    assumed: tuple[Condition, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED


@dataclass(frozen=True)
class Applicable:
    """The documents that apply to one caller, each under the name that messages use.

    Attributes:
        identity: identity-based policies: inline and attached.
        boundary: the permissions boundary; None where there is none.
        resource: policies of the resource that is touched.
    """

    identity: tuple[tuple[str, Document], ...] = ()
    boundary: tuple[tuple[str, Document], ...] | None = None
    resource: tuple[tuple[str, Document], ...] = ()


def decide(request: Request, documents: Applicable, reading: Reading = Reading.PLAIN) -> Decision:
    """Decide one request. The statement named is the first, in the documents' order, that decides."""
    everything = (*documents.identity, *documents.resource, *(documents.boundary or ()))
    denied = _first(Effect.DENY, everything, request, reading)
    if denied:
        return Decision(Outcome.DENIED, denied[0], denied[1])
    # A grant that names the session, or everyone, is not limited by the boundary; one that names the role's ARN is.
    named = [_split(document, request.principal) for document in documents.resource]
    open_by_resource = _first(Effect.ALLOW, [freely for freely, _ in named], request, reading)
    if open_by_resource:
        return Decision(Outcome.ALLOWED, *open_by_resource)
    allowed = _first(Effect.ALLOW, [*documents.identity, *(limited for _, limited in named)], request, reading)
    if not allowed:
        return Decision(Outcome.NOT_ALLOWED)
    assumed = allowed[2]
    if documents.boundary is not None:
        inside = _first(Effect.ALLOW, documents.boundary, request, reading)
        if not inside:
            return Decision(Outcome.OUTSIDE_BOUNDARY, allowed[0], allowed[1])
        assumed += inside[2]
    return Decision(Outcome.ALLOWED, allowed[0], allowed[1], assumed)


def _split(named: tuple[str, Document], caller: tuple[str, ...]) -> tuple[tuple[str, Document], tuple[str, Document]]:
    """A resource-based policy's statements that a boundary does not limit, and those that it does."""
    name, document = named
    roles = {arn for arn in caller if ":role/" in arn}
    limited = tuple(
        statement
        for statement in document.statements
        if statement.principals is not None
        and not statement.principals.negated
        and not any(value == "*" or value in set(caller) - roles for _, value in statement.principals.entries)
        and any(value in roles for _, value in statement.principals.entries)
    )
    freely = tuple(statement for statement in document.statements if statement not in limited)
    return (name, replace(document, statements=freely)), (name, replace(document, statements=limited))


def _first(
    effect: Effect, documents: Sequence[tuple[str, Document]], request: Request, reading: Reading
) -> tuple[str, Statement, tuple[Condition, ...]] | None:
    best: tuple[str, Statement, tuple[Condition, ...]] | None = None
    for name, document in documents:
        for statement in document.statements:
            if statement.effect is not effect:
                continue
            truth, assumed = applies(statement, request, reading)
            if truth is Truth.NO:
                continue
            if truth is Truth.MAYBE:
                if reading is Reading.PLAIN or effect is Effect.DENY:
                    continue
                best = best or (name, statement, assumed)
                continue
            return name, statement, ()
    return best


def applies(statement: Statement, request: Request, reading: Reading) -> tuple[Truth, tuple[Condition, ...]]:
    """Whether a statement applies to a request, and the conditions that would have to hold where it only may."""
    if statement.principals is not None and not names_caller(statement.principals, request.principal, statement.effect):
        return Truth.NO, ()
    if not action_matches(statement, request.action):
        return Truth.NO, ()
    if reading is Reading.PESSIMISTIC and statement.effect is Effect.DENY and unresolved(statement, request.lookup):
        return Truth.NO, ()
    if statement.resources and not _resource_matches(statement, request, reading):
        return Truth.NO, ()
    truth = Truth.YES
    assumed: list[Condition] = []
    for condition in statement.conditions:
        one = holds(condition, request.lookup, statement.expands)
        if one is Truth.MAYBE:
            assumed.append(condition)
        truth = min(truth, one)
    return truth, tuple(assumed)


def unresolved(statement: Statement, lookup: Lookup) -> Variable | None:
    """A variable of a statement that may have no value: AWS may then take the whole statement for invalid, whatever else it
    names.

    INVARIANT (widening). A Deny with such a variable takes nothing away, wherever the variable stands; an Allow applies by
    its other patterns.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    return next((variable for variable in variables_of(statement) if may_be_absent(variable, lookup)), None)


def variables_of(statement: Statement) -> Iterator[Variable]:
    """The variables of a statement's resources and conditions."""
    if not statement.expands:
        return
    templates = [arn_template(text, True) for text in statement.resources if "${" in text]
    for condition in statement.conditions:
        if condition.operator.startswith(("String", "Arn")):
            templates += [template(value, True) for value in condition.values if "${" in value]
    yield from (part for parts in templates for part in parts if isinstance(part, Variable))


@lru_cache(maxsize=4096)
def action_set(patterns: tuple[str, ...]) -> GlobSet:
    """The entries of Action or NotAction as one machine."""
    # Actions take no variables; their names ignore case.
    return GlobSet([_no_variables(p) for p in patterns], fold=True)


def _no_variables(text: str) -> Pattern:
    return concretise(template(text, expands=False), lambda _: Missing.ABSENT, widen=False).pattern or ()


@lru_cache(maxsize=65536)
def _action_in(patterns: tuple[str, ...], action: str) -> bool:
    return action_set(patterns).matches(action)


def action_matches(statement: Statement, action: str) -> bool:
    return _action_in(statement.actions, action) is not statement.not_action


def resource_patterns(statement: Statement, lookup: Lookup, reading: Reading) -> tuple[list[Pattern], bool]:
    """The globs of Resource or NotResource for one caller, and whether they are exact.

    INVARIANT (widening). The set that the statement applies to is made larger for an Allow and smaller for a Deny; for
    NotResource, whose patterns are taken away, it is the other way round.
    """
    larger = (statement.effect is Effect.ALLOW) is not statement.not_resource
    exact = True
    patterns: list[Pattern] = []
    for text in statement.resources:
        one = concretise(arn_template(text, statement.expands), lookup, widen=larger)
        exact = exact and one.exact
        pattern = one.pattern
        if pattern is None:
            # A Deny's NotResource with an absent variable does not apply, in either reading.
            if statement.not_resource and statement.effect is Effect.DENY:
                patterns.append(_EVERYTHING)
            continue
        if reading is Reading.PESSIMISTIC and not larger:
            pattern = within_segments(pattern)
        patterns.append(pattern)
    return patterns, exact


_EVERYTHING: Pattern = concretise(template("*", expands=False), lambda _: Missing.ABSENT, widen=True).pattern or ()


def _resource_matches(statement: Statement, request: Request, reading: Reading) -> bool:
    patterns, _ = resource_patterns(statement, request.lookup, reading)
    if request.resource == "*":
        # Actions without a resource type match only a statement whose Resource is `*`, or the complement of others.
        found = any(p == _EVERYTHING for p in patterns)
    else:
        found = any(matches(p, request.resource) for p in patterns)
    return found is not statement.not_resource


def names_caller(principals: Principals, caller: tuple[str, ...], effect: Effect) -> bool:
    """Whether a resource-based statement's principals are the caller itself, or everyone.

    An account as principal only delegates to that account's own policies, so it is no grant; in a Deny it is everyone in
    the account.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    known = set(caller)
    if effect is Effect.DENY:
        for arn in caller:
            fields = arn.split(":")
            if len(fields) > 5:
                known |= {fields[4], f"{fields[0]}:{fields[1]}:iam::{fields[4]}:root"}
    named = any(value == "*" or value in known for _, value in principals.entries)
    return named is not principals.negated
