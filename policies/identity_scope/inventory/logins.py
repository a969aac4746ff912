"""The logins that can get a role of an identity pool, with the principal tags that each sends.

A pool's tag map says for a provider which claim of its tokens becomes which tag. What a role's sessions have as tags is
known only if all of this is: the pool's providers, the map of each, the role's own tags, and that nothing but the pool can
assume the role. Else a tag may be any string.

INVARIANT (widening). Where AWS does not say which of several tags a session has, there is a login for each.

Sources: https://docs.aws.amazon.com/cognito/latest/developerguide/using-afac-with-cognito-identity-pools.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeAlias

from ..iam.claims import TAG_KEY, Claim, IssuerKind, Login, claim_of, default_tags, is_attribute
from ..iam.conditions import Truth, holds
from ..iam.documents import Document, Effect
from ..iam.evaluator import action_matches
from ..iam.trusts import TAG_SESSION, lets_in
from ..iam.variables import Missing, Values
from .facts import UNKNOWN, PoolFact, Provider, Reference, TagMapFact, Unknown, UserPoolClientFact
from .index import Index
from .principal import Principal
from .vended import PoolLogins

Tags: TypeAlias = "dict[str, Claim | str]"
_MOST = 32
"""How many different sets of tags the sessions of linked logins may have before they count as unknown."""


@dataclass(frozen=True)
class RoleFacts:
    """What is known of a role beside its pool.

    Attributes:
        kinds: how it is vended.
        trust: its trust policy; None where it could not be read.
        waiting: whether it will be known at update.
        tags: its own tags.
    """

    kinds: frozenset[str]
    trust: Document | None
    waiting: bool
    tags: tuple[tuple[str, str], ...] | Unknown | None


def mentioned(principal: Principal, others: frozenset[str] = frozenset()) -> frozenset[str]:
    """The principal tags, by their keys in lower case, that a role's documents speak of, or that are among other keys."""
    documents = [document for _, document in (*principal.documents, *(principal.boundary or ()))]
    keys = others.union(*(document.keys for document in documents))
    return frozenset(key.removeprefix(TAG_KEY) for key in keys if key.startswith(TAG_KEY))


def pool_logins(
    index: Index,
    pool: str,
    role: RoleFacts,
    keys: frozenset[str],
    issuers: frozenset[str],
    fixed: frozenset[str],
    whole: bool,
) -> PoolLogins:
    """The logins by which the identities of a pool get a role, with the tags that documents speak of.

    Args:
        pool: the pool's ID; its URN while that is not known.
        keys: the tags that documents speak of.
        issuers: the issuers of identity pools.
        fixed: claims that the configuration declares to be none that their owners can change.
        whole: whether all of the stack's resources are there.
    """
    maps = tuple(index.tag_maps[urn] for urn in sorted(index.tag_maps) if maps_pool(index, index.tag_maps[urn], pool))
    fact, certain = _pool(index, pool, maps, whole)
    if fact is None and not certain:
        return PoolLogins(None, "which pool of the stack vends it is not known", bool(keys), maps, asked=bool(keys))
    if fact is None:
        reason = f"the stack does not say how users of the identity pool `{pool}` sign in"
        return PoolLogins(None, reason, maps=maps, asked=bool(keys))
    return _Pool(index, fact, maps, role, keys, issuers, fixed, whole).logins()


def maps_pool(index: Index, fact: TagMapFact, pool: str) -> bool:
    """Whether a tag map may be one of a pool."""
    named = index.pools.get(pool)
    identity = named.id if named is not None else pool
    if fact.pool.value is not None and identity is not None:
        return fact.pool.value == identity
    if fact.pool.urns:
        return pool in fact.pool.urns or any(
            urn in index.pools and index.pools[urn].id in (pool, None) for urn in fact.pool.urns
        )
    return True  # nothing says of which pool it is


def _pool(index: Index, pool: str, maps: Sequence[TagMapFact], whole: bool) -> tuple[PoolFact | None, bool]:
    """The pool as the stack makes it, and whether that is certain.

    Before a stack is whole, the IDs of its pools are not told; a pool that a role trusts by its ID is the one of that
    region that is left.
    """
    if pool in index.pools:
        return index.pools[pool], True
    for fact in index.pools.values():
        if fact.id == pool:
            return fact, True
    if whole:
        return None, True
    region = pool.partition(":")[0]
    left = [each for each in index.pools.values() if each.id is None and each.origin.region in (None, region)]
    if len(left) > 1:
        names = {each.provider.value for each in maps if each.provider.value}
        left = [each for each in left if names <= _names(each)]
    return (left[0], True) if len(left) == 1 else (None, not left)


def _names(pool: PoolFact) -> set[str | None]:
    providers = pool.providers if isinstance(pool.providers, tuple) else ()
    return {each.name.value for each in providers}


class _Pool:
    """One question: which logins of a pool can get a role."""

    def __init__(
        self,
        index: Index,
        pool: PoolFact,
        maps: tuple[TagMapFact, ...],
        role: RoleFacts,
        keys: frozenset[str],
        issuers: frozenset[str],
        fixed: frozenset[str],
        whole: bool,
    ) -> None:
        self._index = index
        self._pool = pool
        self._maps = maps
        self._role = role
        self._keys = keys
        self._issuers = issuers
        self._fixed = fixed
        self._whole = whole
        self._tagging = role.trust is not None and _allows(role.trust, TAG_SESSION, issuers)

    def logins(self) -> PoolLogins:
        found = PoolLogins(maps=self._maps, refused=tuple(self._refused()), asked=bool(self._keys))
        if not self._keys:
            return found
        reason, pending = self._unknown()
        if reason:
            return replace(found, reason=reason, pending=pending)
        assert isinstance(self._role.tags, tuple)
        own = {key.lower(): value for key, value in self._role.tags if key.lower() in self._keys}
        sent: dict[Provider, list[Tags]] = {}
        assert isinstance(self._pool.providers, tuple)
        for provider in self._pool.providers if self._signed_in() else ():
            variants = sent.setdefault(provider, [])
            for tags in self._variants(provider):
                if (kept := {key: each for key, each in tags.items() if key in self._keys}) not in variants:
                    variants.append(kept)
        linked = list(_linked(sent))
        if len(linked) > _MOST:
            return replace(found, reason="users who link logins of several providers may have any of their tags")
        logins = [Login(_called(p.name), p.kind, tags) for p, variants in sent.items() for tags in variants]
        logins += linked
        if self._guests() or not logins:
            logins.append(Login("guests", IssuerKind.GUEST))
        every = dict.fromkeys(Login(e.provider, e.kind, tags) for e in logins for tags in _over(own, e.tags))
        if self._role.trust is None:
            found = replace(found, reason="the role's trust policy is not known", pending=True)
        clients = dict.fromkeys(c for provider in self._pool.providers for c in self._clients_of(provider.name))
        return replace(found, logins=_distinct(every), clients=tuple(clients))

    def _unknown(self) -> tuple[str, bool]:
        """Why the tags of sessions are not known, and whether they will be at update."""
        role, providers = self._role, self._pool.providers
        if role.trust is None and not role.waiting:
            return "the role's trust policy is not known", False
        # Who else a trust policy lets in that is not known yet is decided at update; what leaks anyhow is reported before.
        other = next(_others(role.trust, self._issuers), None) if role.trust is not None else None
        if other is not None:
            return f"`{other}` can assume the role as well, with any tags", False
        if not isinstance(role.tags, tuple) or len({key.lower() for key, _ in role.tags}) < len(role.tags):
            return "which tags the role itself has is not known", role.tags is UNKNOWN
        if not isinstance(providers, tuple):
            return f"how users of the identity pool `{self._pool.label}` sign in is not known", providers is UNKNOWN
        for provider in providers:
            if provider.kind is IssuerKind.DEVELOPER:
                return (
                    f"the developer provider `{_called(provider.name)}` sends the tags that your own code names",
                    False,
                )
        for each in self._maps:
            if UNKNOWN in (each.tags, each.defaults):
                return f"the tag map `{each.label}` is not known", True
            if each.tags is None:
                return f"what the tag map `{each.label}` sends cannot be read here", False
            if not any(self._is_of(each, provider) for provider in providers):
                waiting = any(r.value is None and not r.secret for r in (each.provider, each.pool))
                return f"which provider of the pool the tag map `{each.label}` is for is not known", waiting
        if not self._pool.all_maps:
            for provider in providers:
                if not any(self._is_of(each, provider) for each in self._maps):
                    return f"the tag map of `{_called(provider.name)}` is not among the files", False
        return "", False

    def _is_of(self, each: TagMapFact, provider: Provider) -> bool:
        """Whether a tag map is one of a provider, by its name or ARN."""
        assert isinstance(self._pool.providers, tuple)
        written, name = each.provider.value, provider.name.value
        if written is not None and name is not None:
            return written == name or (name.startswith("arn:") and name.partition("provider/")[2] == written)
        alone = len({p.name.value for p in self._pool.providers if p.kind is provider.kind}) == 1
        return alone and bool(set(each.provider.urns) & set(provider.name.urns))

    # What each provider's sessions have

    def _variants(self, provider: Provider) -> Iterator[Tags]:
        """The sets of tags that sessions of a provider may have: those of its map, or of the maps that it may have."""
        maps = [each for each in self._maps if self._is_of(each, provider)]
        for each in maps:
            assert isinstance(each.tags, tuple)
            written = dict(each.tags)
            if each.defaults is False or (each.defaults is None and written):
                yield from self._claims_of(provider, written)
            if each.defaults is not False:
                yield from self._claims_of(provider, default_tags(provider.kind))
                # AWS does not say which of them holds where both are set.
                if written:
                    yield from self._claims_of(provider, written)
                    yield from self._claims_of(provider, {**default_tags(provider.kind), **written})
        if not maps:
            yield {}
            if self._tagging and not self._pool.new:
                # What the provider for Terraform leaves behind where it deletes a map.
                # Source: https://github.com/hashicorp/terraform-provider-aws, pool_provider_principal_tag.go
                yield from self._claims_of(provider, default_tags(provider.kind))
        elif self._pool.classic is not False:
            yield {}  # whether tokens of the classic flow carry tags is not stated

    def _claims_of(self, provider: Provider, written: Mapping[str, str]) -> Iterator[Tags]:
        by_key: dict[str, list[str]] = {}
        for key, claim in written.items():  # AWS does not tell keys apart by case, nor say which of two it keeps
            by_key.setdefault(key.lower(), []).append(claim)
        for chosen in product(*by_key.values()):
            names = dict(zip(by_key, chosen, strict=True))
            tags: Tags = {key: self._claim(provider, claim) for key, claim in names.items()}
            audience = [key for key, claim in names.items() if claim == "aud"]
            clients = self._clients(provider) if audience else []
            if not clients:
                yield tags
            for client in clients:
                yield {**tags, **dict.fromkeys(audience, client)}

    def _clients(self, provider: Provider) -> list[str]:
        """The app clients of a provider, where all of them are known."""
        assert isinstance(self._pool.providers, tuple)
        clients = [each.client for each in self._pool.providers if each.name == provider.name]
        known = [client for client in clients if client is not None and "$" not in client]
        return known if len(known) == len(clients) and provider.kind is IssuerKind.USER_POOL else []

    def _claim(self, provider: Provider, name: str) -> Claim:
        claim = claim_of(provider.kind, provider.name.value or "", name)
        written = provider.kind is IssuerKind.USER_POOL and is_attribute(name) and not self._writable(provider, name)
        return replace(claim, changeable=False) if claim.changeable and (written or name in self._fixed) else claim

    def _writable(self, provider: Provider, attribute: str) -> bool:
        """Whether a user may be able to write an attribute, through whatever app client of the user pool."""
        clients = self._clients_of(provider.name)
        return not clients or any(each.writes is None or attribute in each.writes for each in clients)

    def _clients_of(self, name: Reference) -> list[UserPoolClientFact]:
        """All app clients of a user pool that the stack makes; none where others may make some."""
        identity = (name.value or "").rpartition("/")[2]
        pools = self._index.user_pools
        made = {urn for urn, each in pools.items() if each.id == identity or (name.value is None and urn in name.urns)}
        if not made and not self._whole:  # before a stack is whole, the IDs of its user pools are not told
            made = {urn for urn, each in pools.items() if each.id is None}
        if not made:
            return []
        return [
            each
            for each in self._index.clients.values()
            if made & set(each.user_pool.urns) or each.user_pool.value in (identity, None)
        ]

    # Who gets the role

    def _guests(self) -> bool:
        """Whether guests may get the role."""
        return self._pool.guests is not False and self._admits("unauthenticated")

    def _signed_in(self) -> bool:
        return self._admits("authenticated")

    def _admits(self, amr: str) -> bool:
        """Whether a trust policy may let users of one kind in. The names of providers may stand for signed-in users."""
        if self._role.trust is None:
            return amr in self._role.kinds or (amr == "authenticated" and self._role.kinds != {"unauthenticated"})

        def lookup(key: str) -> Values:
            return (amr,) if key.endswith(":amr") else Missing.UNKNOWN

        for statement in self._role.trust.statements:
            tests = [c for c in statement.conditions if c.key.endswith(":amr")]
            if amr == "authenticated":
                tests = [c for c in tests if set(c.values) <= {"unauthenticated"}]
            refused = any(holds(test, lookup, statement.expands) is Truth.NO for test in tests)
            if statement.effect is Effect.ALLOW and lets_in(statement) and not refused:
                return True
        return False

    def _refused(self) -> Iterator[str]:
        """The providers whose sessions certainly have tags that the trust policy does not allow."""
        providers = self._pool.providers
        if self._role.trust is None or self._tagging or not isinstance(providers, tuple) or not self._signed_in():
            return
        names: dict[str, None] = {}
        for each in self._maps:
            if (each.tags and each.tags is not UNKNOWN) or each.defaults is True:
                for provider in providers:
                    if self._is_of(each, provider):
                        names[_called(provider.name)] = None
        yield from names


def _allows(trust: Document, action: str, issuers: frozenset[str]) -> bool:
    """Whether a trust policy may allow an action to an issuer of identity pools."""
    return any(
        statement.effect is Effect.ALLOW
        and action_matches(statement, action)
        and statement.principals is not None
        and (
            statement.principals.negated
            or any(value == "*" or value in issuers for _, value in statement.principals.entries)
        )
        for statement in trust.statements
    )


def _others(trust: Document, issuers: frozenset[str]) -> Iterator[str]:
    """Who can assume the role beside the users of identity pools."""
    for statement in trust.statements:
        if statement.effect is Effect.ALLOW and lets_in(statement):
            if statement.principals is None or statement.principals.negated:
                yield "every principal that the trust policy does not name"
                continue
            for kind, value in statement.principals.entries:
                if kind != "Federated" or value not in issuers:
                    yield value


def _called(name: Reference) -> str:
    return name.value or (name.urns[0].rpartition("::")[2] if name.urns else "a provider")


def _linked(sent: Mapping[Provider, Sequence[Tags]]) -> Iterator[Login]:
    """What the sessions of an identity may have that has logins of several providers.

    AWS does not say whose tags a session has then: each key has the tag of one of the providers, or is absent. Two such
    sessions differ where the identifying claims of both are of one provider, by whose name the login goes.
    """
    by_key: dict[str, dict[tuple[Provider, Claim | str], None]] = {}
    for provider, variants in sent.items():
        for sent_tags in variants:
            for key, each in sent_tags.items():
                by_key.setdefault(key, {})[provider, each] = None
    if len(by_key) < 2:
        return
    keys = sorted(by_key)
    for number, choice in enumerate(product(*(by_key[key] for key in keys))):
        if number > 8 * _MOST:
            yield from (Login(f"{number}", IssuerKind.OIDC) for number in range(_MOST + 1))
            return
        if len({provider.name for provider, _ in choice}) < 2:
            continue
        chosen = dict(zip(keys, choice, strict=True))
        tags: Tags = {
            key: replace(each, always=False, provider=_called(provider.name)) if isinstance(each, Claim) else each
            for key, (provider, each) in chosen.items()
        }
        telling = {key: provider for key, (provider, each) in chosen.items() if isinstance(each, Claim) and each.unique}
        names = dict.fromkeys(_called(provider.name) for provider in telling.values())
        name = (
            next(iter(names))
            if len(names) == 1
            else " with ".join(f"{k}: {_called(p.name)}" for k, p in telling.items())
        )
        kinds = {provider.kind for provider in telling.values()}
        kind = kinds.pop() if len(kinds) == 1 else IssuerKind.OIDC
        yield Login(name or "linked logins", kind, tags)


def _over(own: Mapping[str, str], sent: Mapping[str, Claim | str]) -> Iterator[Tags]:
    """The tags of a session over those of its role: a session's tag takes the place of the role's of the same key."""
    doubtful = [key for key, each in sent.items() if key in own and isinstance(each, Claim) and not each.always]
    for present in product((True, False), repeat=len(doubtful)):
        found: Tags = {**own, **sent}
        for key, there in zip(doubtful, present, strict=True):
            each = sent[key]
            assert isinstance(each, Claim)
            found[key] = replace(each, always=True) if there else own[key]
        yield found


def _distinct(logins: Iterable[Login]) -> tuple[Login, ...]:
    """Logins without those that say the same twice."""
    found: list[Login] = []
    for each in logins:
        if each not in found:
            found.append(each)
    return tuple(found)
