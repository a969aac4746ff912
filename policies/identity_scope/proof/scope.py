"""What a question is asked about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ..iam.claims import TAG_KEY, Language
from ..iam.documents import Statement
from ..iam.issuers import DEFAULT_REGION, ISSUERS, PARTITIONS, REGION, Shape, known_issuers, shape_of
from ..inventory.declared import Shared
from ..inventory.principal import Principal
from .access_points import through_access_points
from .identities import Strangers, strangers
from .reach import PREFIX_KEY, Caller, Tags
from .regions import by_length, told_apart
from .sessions import by_session, literals_of, slots, tags_of

STEPS = 50_000
"""Steps that one question may cost; a canonical role needs none, a hostile one is stopped in about a second."""

_PARTITION = re.compile(r"arn:(aws-[a-z-]+):")
_SHORT_BUCKET = re.compile(r"(?:^arn:[^:]*:s3:::|^)([a-zA-Z0-9._-]{1,2})(?:/|$)")
"""A bucket's name of one or two characters, at the beginning of a resource or of a space that is declared as shared."""


@dataclass(frozen=True)
class Mentions:
    """What documents speak of.

    Attributes:
        letters: the characters that they use.
        regions: regions that stand in them.
        partitions: partitions that ARNs in them have.
        govcloud: whether they speak of GovCloud in any way.
        counts: whether they count characters with `?`.
        short_buckets: buckets' names that are shorter than AWS allows.
        tags: the keys of the principal tags that they speak of, each with the tag's name as it is written.
        tag_values: the values that conditions compare these with.
    """

    letters: frozenset[str]
    regions: tuple[str, ...]
    partitions: tuple[str, ...]
    govcloud: bool
    counts: bool
    short_buckets: tuple[str, ...]
    tags: Mapping[str, str]
    tag_values: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Scope:
    """What the question is asked about.

    Attributes:
        principals: the vended roles.
        regions: the pools' regions; none where they are not known.
        shared: spaces that the configuration declares as shared.
        issuers: issuers by region, in addition to the known ones.
        folders: the only folders that an organization allows, as `BUCKET/PREFIX`; empty: any one folder will do.
        steps: budget of the question.
        focus: URNs of the roles that the question is about; None: all. Pairs without any of them are left out.
        shape: the only form of IDs that is asked about; None: those of the regions.
        tenants: tags, in lower case, whose values are tenants' names: isolation is between people of different tenants.
    """

    principals: tuple[Principal, ...]
    regions: tuple[str, ...] = ()
    shared: tuple[Shared, ...] = ()
    issuers: tuple[tuple[str, str], ...] = ()
    folders: tuple[str, ...] = ()
    steps: int = STEPS
    focus: frozenset[str] | None = None
    shape: Shape | None = None
    tenants: frozenset[str] = frozenset()

    @cached_property
    def by_session(self) -> tuple[Principal, ...]:
        """The vended roles, each once for each kind of its sessions that documents tell apart."""
        return tuple(each for principal in self.principals for each in self.sessions_of(principal))

    def sessions_of(self, principal: Principal) -> list[Principal]:
        return list(by_session(principal, self.mentions.tags, self.mentions.tag_values))

    @cached_property
    def requesters(self) -> tuple[Principal, ...]:
        """The vended roles by their sessions, and each once more for requests through an access point of the stack."""
        return (*self.by_session, *through_access_points(self.by_session))

    @cached_property
    def _open_tags(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The tags whose values a kind of sessions leaves open: those that are UUIDs, and those that are texts."""
        found: dict[Language, set[str]] = {language: set() for language in Language}
        for principal in self.by_session:
            for key in set(slots(principal.session).values()):
                tag = principal.session.tag(key) if principal.session is not None else None
                if tag is not None and tag.claim is not None:
                    found[tag.claim.language].add(key)
        return tuple(sorted(found[Language.UUID])), tuple(sorted(found[Language.TEXT]))

    @property
    def declared_tenants(self) -> frozenset[str]:
        """The condition keys of the tags of tenants."""
        return frozenset(f"{TAG_KEY}{tag}" for tag in self.tenants)

    @cached_property
    def mentions(self) -> Mentions:
        """What the documents and the shared spaces speak of."""
        values = dict.fromkeys(self._values())
        partitions = {name for value in values for name in _PARTITION.findall(value)}
        return Mentions(
            letters=frozenset().union(*values),
            regions=tuple(sorted({r for value in values for r in REGION.findall(value.lower())})),
            partitions=tuple(sorted(partitions & PARTITIONS.keys())),
            govcloud=any("us-gov" in value.lower() for value in values),
            counts=any("?" in value for value in values),
            short_buckets=tuple(sorted({name for value in values for name in _SHORT_BUCKET.findall(value)})),
            tags={**tags_of(self._statements(), (space.pattern for space in self.shared))},
            tag_values=literals_of(self._statements()),
        )

    def _values(self) -> Iterator[str]:
        for statement in self._statements():
            yield from statement.resources
            for condition in statement.conditions:
                yield from condition.values
        for space in self.shared:
            yield space.pattern
        yield from self.folders

    @cached_property
    def _regions_in_part(self) -> list[str]:
        """The regions of which documents hold a part; asked for only where those of the pools are not known."""
        return told_apart(dict.fromkeys(self._texts_of_ids()))

    def _texts_of_ids(self) -> Iterator[str]:
        """The texts that may hold an ID, or a part of one, that counts: others are compared with what is not known."""
        for statement in self._statements():
            yield from statement.resources
            for condition in statement.conditions:
                if condition.key.endswith(":sub"):
                    yield from condition.values
                elif condition.key == PREFIX_KEY:
                    yield from (f"{value}*" for value in condition.values)
        for space in self.shared:
            yield space.pattern
        yield from self.folders

    def _statements(self) -> Iterator[Statement]:
        for principal in self.principals:
            yield from principal.statements

    def shapes(self) -> list[Shape]:
        """The forms of IDs to ask about: of the pools' own regions where they are known; else of the default region, each
        region that the documents speak of, also in part, and, where they count characters with `?`, one of each length."""
        if self.shape is not None:
            return [self.shape]
        regions = list(self.regions)
        if not regions:
            regions = [DEFAULT_REGION, *(ISSUERS if self.mentions.govcloud else ())]
            regions += [PARTITIONS[name][1] for name in self.mentions.partitions]
            regions += [*self.mentions.regions, *self._regions_in_part]
            regions += by_length() if self.mentions.counts else ()
        shapes = (shape_of(region, dict(self.issuers)) for region in dict.fromkeys(regions))
        return [replace(shape, short_buckets=self.mentions.short_buckets) for shape in shapes]

    def strangers(self, shape: Shape) -> Strangers:
        """Two different identities of unknown digits."""
        return strangers(shape, self.mentions.letters, self._open_tags[0])

    def asks_about(self, principal: Principal) -> bool:
        return self.focus is None or principal.urn in self.focus

    def caller(self, identity: str, shape: Shape, named: Mapping[str, str] | None = None) -> Caller:
        """An identity, with the values of tags that a kind of sessions leaves open."""
        return Caller(identity, shape, self.issuers_known, tags=Tags(named=named or {}))

    def stranger(self, strangers: Strangers, side: int, named: Mapping[str, str] | None = None) -> Caller:
        """The one or the other of two identities, as the symbolic walk writes them."""
        texts = self._open_tags[1]
        numbers = {key: side * len(texts) + index for index, key in enumerate(texts)}
        tags = Tags(strangers.exact_uuids(side), numbers, named or {}, self.declared_tenants)
        return Caller(strangers.exact[side], strangers.shape, self.issuers_known, tags=tags)

    @cached_property
    def issuers_known(self) -> frozenset[str]:
        return known_issuers(dict(self.issuers))
