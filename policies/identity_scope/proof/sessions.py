"""The kinds of sessions of a role: what its logins send as principal tags, as far as documents speak of these.

Logins that send none of the tags are one kind. A text that conditions compare with literal values is told apart by them:
one kind of sessions has each of these values, and one has any other. So such a condition is decided, and not assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import TypeAlias

from ..automata.globs import Wild
from ..iam.claims import TAG_KEY, Claim, Language, Login, Session, Tag, is_tag_value
from ..iam.conditions import LIKE_OPERATORS
from ..iam.documents import Statement
from ..iam.variables import Variable, template
from ..inventory.principal import Principal

SLASH = "*/*"
"""The pattern by which a condition tells values with a `/` from others; no tag's value has a `*`."""
_LITERALS = 8
"""How many literal values of a tag are told apart; of more, each may be any."""
_KINDS = 64
"""How many kinds of sessions a login, and a role, are divided into."""


def tags_of(statements: Iterable[Statement], texts: Iterable[str] = ()) -> dict[str, str]:
    """The keys of the principal tags that documents speak of, each with the tag's name as it is written first."""
    found: dict[str, str] = {}

    def add(written: str) -> None:
        if written.lower().startswith(TAG_KEY):
            found.setdefault(written.lower(), written[len(TAG_KEY) :])

    for statement in statements:
        for condition in statement.conditions:
            add(condition.written)
        values = [value for condition in statement.conditions for value in condition.values]
        for text in (*statement.resources, *values):
            for written in _variables(text):
                add(written)
    for text in texts:
        for written in _variables(text):
            add(written)
    return found


def _variables(text: str) -> Iterator[str]:
    """The keys of the variables in a text, as they are written."""
    if "${" not in text:
        return
    lower = text.lower()
    for part in template(text, expands=True):
        if isinstance(part, Variable) and part.key:
            at = lower.find(part.key)
            yield text[at : at + len(part.key)] if at >= 0 else part.key


def literals_of(statements: Iterable[Statement]) -> dict[str, frozenset[str]]:
    """The values that conditions compare each principal tag with; `*/*` where they ask for a `/` in it."""
    found: dict[str, set[str]] = {}
    for statement in statements:
        for condition in statement.conditions:
            if condition.key.startswith(TAG_KEY) and condition.operator.startswith("String"):
                for value in condition.values:
                    parts = template(value, statement.expands, condition.operator in LIKE_OPERATORS)
                    text = [part for part in parts if isinstance(part, str)]
                    if len(text) == len(parts):
                        found.setdefault(condition.key, set()).add("".join(text))
                    elif parts == (Wild.ANY, "/", Wild.ANY):
                        found.setdefault(condition.key, set()).add(SLASH)
    return {key: frozenset(values) for key, values in found.items()}


def by_session(
    principal: Principal, keys: Mapping[str, str], literals: Mapping[str, frozenset[str]]
) -> Iterator[Principal]:
    """A role once for each kind of its sessions; the role itself where they are not known or not spoken of."""
    if principal.logins is None or not keys:
        yield principal
        return
    providers: dict[Session, set[str]] = {}
    for login in principal.logins:
        for session in _sessions(login, keys, literals):
            providers.setdefault(session, set()).add(login.provider)
    if len(providers) > _KINDS:
        yield principal  # too many to tell apart: any tag may be any string
        return
    for session, names in providers.items():
        yield replace(principal, session=replace(session, providers=frozenset(names)))


def _sessions(login: Login, keys: Mapping[str, str], literals: Mapping[str, frozenset[str]]) -> Iterator[Session]:
    values = {TAG_KEY + key.lower(): value for key, value in login.tags.items()}
    spoken = [(key, value) for key in sorted(keys) if (value := values.get(key)) is not None]
    constant = [Tag(key, None, value) for key, value in spoken if isinstance(value, str)]
    by_claim: dict[tuple[str, ...], list[tuple[str, Claim]]] = {}
    for key, value in spoken:
        if isinstance(value, Claim):
            # Of linked logins, whether a session has a tag is not known of each tag.
            linked = (value.provider, key) if value.provider else ()
            by_claim.setdefault((value.name, *linked), []).append((key, value))
    choices: list[list[tuple[Tag, ...]]] = []
    kinds = 1
    for some in by_claim.values():
        named = frozenset[str]().union(*(literals.get(key, frozenset()) for key, _ in some))
        cases = _cases(some, named - {SLASH}, SLASH in named)
        if kinds * len(cases) > _KINDS:
            cases = _cases(some, frozenset(), False)  # too many: the value may be any
        kinds *= len(cases)
        choices.append(cases)
    for chosen in product(*choices):
        tags = sorted([*constant, *(tag for some in chosen for tag in some)], key=lambda tag: tag.key)
        assigned = any(tag.claim is not None for tag in tags)
        yield Session(login.provider, login.kind, tuple(tags)) if assigned else Session("", None, tuple(tags))


def _cases(tags: Sequence[tuple[str, Claim]], literals: frozenset[str], slash: bool) -> list[tuple[Tag, ...]]:
    """The values of one claim's tags that are told apart; no tag where tokens lack the claim."""
    _, claim = tags[0]
    named = [value for value in sorted(literals) if may_be(claim, value)]
    values: list[str | None] = [None]
    if claim.language is Language.TEXT and 0 < len(named) <= _LITERALS:
        values += named
    else:
        literals = frozenset()
    by_slash = (False, True) if slash and claim.language is Language.TEXT else (None,)
    told = [(value, has) for value in values for has in (by_slash if value is None else (None,))]
    cases = [
        tuple(Tag(key, claim, value, literals if value is None else frozenset(), has) for key, claim in tags)
        for value, has in told
    ]
    return cases if claim.always else [*cases, ()]


def may_be(claim: Claim, value: str) -> bool:
    """Whether a claim can have a value, and a tag as well."""
    return 0 < len(value) <= claim.longest and is_tag_value(value)


def slots(session: Session | None) -> dict[str, str]:
    """Of each tag that may be any string, the first tag of the same claim: one claim has one value."""
    found: dict[str, str] = {}
    first: dict[tuple[str, str], str] = {}
    for tag in session.tags if session is not None else ():
        if tag.claim is not None and tag.value is None:
            found[tag.key] = first.setdefault((tag.claim.provider, tag.claim.name), tag.key)
    return found


Differing: TypeAlias = Sequence[tuple[Tag, Tag]]
"""Pairs of tags, of the one and of the other of two people, whose values are different."""


def differing(mine: Session | None, theirs: Session | None, tenant: str | None = None) -> list[tuple[Tag, Tag]]:
    """Tags of two people, the one with a session of the one kind, the other with one of the other, that have different
    values; with `tenant`, of people of two tenants, which that tag tells apart."""
    found: list[tuple[Tag, Tag]] = []
    if mine is None or theirs is None:
        return found
    for tag, other in product(mine.tags, theirs.tags):
        if tag.claim is None or other.claim is None:
            continue
        providers = tag.claim.provider or mine.provider, other.claim.provider or theirs.provider
        same = providers[0] == providers[1] and tag.claim.name == other.claim.name
        uuids = tag.claim.language is Language.UUID and other.claim.language is Language.UUID
        if (same or uuids) and tag.claim.identifying and other.claim.identifying:
            # INVARIANT (tags): nobody else has one's value of an identifying claim of one provider; that two user pools
            # never assign one UUID is taken on trust.
            found.append((tag, other))
    mine_, theirs_ = (mine.tag(tenant), theirs.tag(tenant)) if tenant is not None else (None, None)
    if mine_ is not None and theirs_ is not None and not _is_changeable(mine_, theirs_):
        found.append((mine_, theirs_))
    return found


def _is_changeable(*tags: Tag) -> bool:
    return any(tag.claim is not None and tag.claim.changeable for tag in tags)


def cannot_differ(pairs: Iterable[tuple[Tag, Tag]]) -> bool:
    """Whether values that must differ are known to be equal."""
    return any(tag.value is not None and tag.value == other.value for tag, other in pairs)
