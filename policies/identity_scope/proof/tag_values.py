"""Values of principal tags for an example, where a kind of sessions leaves them open.

The walk reads a text as any string wherever it stands, so what it finds may need one tag to have two values. Values that an
example can have are tried in turn: names that read well, what conditions ask for, and what the walk has spelt out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import NamedTuple

from ..automata.symbolic import Word
from ..iam.claims import Claim, Language, Session, Tag
from ..iam.documents import Statement
from ..iam.issuers import Shape
from .identities import Strangers
from .questions import Grant, Symbolic
from .replay import replayed
from .results import Access
from .scope import Scope
from .sessions import Differing, may_be, slots

_TRIES = 48
"""How many combinations of values are tried."""
Values = Mapping[str, str]
"""The values of texts, by the first tag of their claim."""


def open_texts(session: Session | None) -> dict[str, Tag]:
    """The texts that a kind of sessions leaves open, by the first tag of their claim."""
    if session is None:
        return {}
    tags = {slot: session.tag(slot) for slot in slots(session).values()}
    return {slot: tag for slot, tag in tags.items() if tag and tag.claim and tag.claim.language is Language.TEXT}


def liked(statements: Sequence[Statement]) -> dict[str, list[str]]:
    """For each condition key a value that each of its patterns takes."""
    found: dict[str, list[str]] = {}
    for statement in statements:
        for condition in statement.conditions:
            if "Like" in condition.operator:
                values = (value.replace("*", "x").replace("?", "x") for value in condition.values if "${" not in value)
                found.setdefault(condition.key, []).extend(values)
    return found


def for_one(
    session: Session | None, spelt: Mapping[str, Sequence[str]], wanted: Mapping[str, Sequence[str]]
) -> Iterator[Values]:
    """Values of one person's tags."""
    texts = open_texts(session)
    options: list[list[str]] = []
    for slot, tag in texts.items():
        some = [
            *wanted.get(slot, ()),
            "ann",
            *map(_readable, spelt.get(slot, ())),
            *spelt.get(slot, ()),
            "ann/x",
            "bob",
        ]
        options.append([value for value in dict.fromkeys(some) if _fits(tag, value)])
    for chosen in islice(product(*options), _TRIES):
        yield dict(zip(texts, chosen, strict=True))


class Person(NamedTuple):
    """An identity's ID, and the values of the tags that its session leaves open."""

    identity: str
    tags: Values


def people(strangers: Strangers, grant: Grant, word: Word) -> Iterator[Person]:
    """The identity that a word speaks of, with values of its tags."""
    statements = list(grant.principal.statements)
    uuids = strangers.named_uuids(0, word.digits)
    for values in for_one(grant.principal.session, spelt_out(word, grant.texts), liked(statements)):
        yield Person(strangers.named(word.digits)[0], {**uuids, **values})


def first_replayed(scope: Scope, shape: Shape, symbolic: Symbolic, grant: Grant, word: Word, arn: str) -> Access | None:
    """The first request that the evaluator allows, of the people that a word may speak of; raises BudgetExceeded."""
    for person in people(symbolic.strangers, grant, word):
        access = replayed(
            scope,
            shape,
            person.identity,
            grant.principal,
            grant.action,
            arn,
            symbolic.budget,
            view=grant.view,
            tags=person.tags,
        )
        if access is not None:
            return access
    return None


def for_two(
    mine: Session | None,
    theirs: Session | None,
    different: Differing,
    spelt: tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]]],
    wanted: Mapping[str, Sequence[str]],
    without_slash: frozenset[str],
) -> Iterator[tuple[Values, Values]]:
    """Values of two people's tags; those that must differ do."""
    ours, others = open_texts(mine), open_texts(theirs)
    first, second = slots(mine), slots(theirs)
    slots_ = list(dict.fromkeys((*ours, *others)))
    options: list[list[tuple[str, str]]] = []
    for slot in slots_:
        apart = any((first.get(a.key), second.get(b.key)) == (slot, slot) for a, b in different)
        one, two = ("acme", "globex") if slot in without_slash else ("ann", "bob")
        deep = f"{one}/x"
        nested = [] if slot in without_slash else [(one, deep), (deep, one), (deep, deep), (deep, f"{deep}/y")]
        like = [(a, b) for a in wanted.get(slot, ()) for b in (a, f"{a}y", two)]
        raw = list(product(spelt[0].get(slot, (one,)), spelt[1].get(slot, (two,))))
        some = [
            *like,
            (one, one),
            *nested,
            (one, two),
            (one, one.upper()),
            *(_read_well(*pair, one) for pair in raw),
            *raw,
        ]
        options.append(
            [
                (a, b)
                for a, b in dict.fromkeys(some)
                if not (apart and a == b) and _fits(ours.get(slot), a) and _fits(others.get(slot), b)
            ]
        )
    for chosen in islice(product(*options), _TRIES):
        pairs = dict(zip(slots_, chosen, strict=True))
        yield {s: pairs[s][0] for s in ours}, {s: pairs[s][1] for s in others}


def _fits(tag: Tag | None, value: str) -> bool:
    if tag is None:
        return True
    claim: Claim | None = tag.claim
    slash = tag.slash is None or tag.slash is ("/" in value)
    return claim is not None and may_be(claim, value) and value not in tag.besides and slash


def _read_well(one: str, other: str, name: str) -> tuple[str, str]:
    """Two values with a name in the place of what both begin with, and no slash at the end."""
    if other.startswith(one):
        return name, _readable(name + other[len(one) :])
    if one.startswith(other):
        return _readable(name + one[len(other) :]), name
    return _readable(one), _readable(other)


def _readable(value: str) -> str:
    return f"{value}x" if value.endswith("/") else value


def spelt_out(word: Word, numbers: Mapping[str, int]) -> dict[str, list[str]]:
    """What a word spells out of each text of one person."""
    found: dict[str, list[str]] = {}
    for slot, number in numbers.items():
        found[slot] = list(dict.fromkeys(text for each, text in word.texts if each == number))
    return {slot: texts for slot, texts in found.items() if texts}
