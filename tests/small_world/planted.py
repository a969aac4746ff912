"""Holes that are planted in the proofs, one at a time, to show that the search finds each.

They are the ones that attackers found in earlier proofs, made again: IDs that a document names, in capitals, in part or by
a default; a bucket policy's grant or Deny that is read wrongly; a question that is asked about too few identities; tags
whose claims are taken for more, or for less, than they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

from policies.identity_scope.automata import symbolic
from policies.identity_scope.automata.symbolic import Question, Token, Walk
from policies.identity_scope.automata.unknowns import StoreId
from policies.identity_scope.iam import evaluator, principals, variables
from policies.identity_scope.iam.actions import OBJECT_ACTIONS, mask
from policies.identity_scope.iam.claims import TAG_KEY, Claim, Session
from policies.identity_scope.iam.conditions import Truth
from policies.identity_scope.iam.principals import Grantee
from policies.identity_scope.iam.variables import Variable
from policies.identity_scope.proof import isolation, own_folder, questions, reach, scope, sessions
from policies.identity_scope.proof.identities import Strangers
from policies.identity_scope.proof.questions import Guard, Reader, Symbolic
from policies.identity_scope.proof.reach import Caller, View

Replacement = tuple[Any, str, Any]
"""An object, the name of something of it, and what stands in its place."""


def _instead(owner: Any, name: str, change: Callable[..., Any]) -> Replacement:
    """A function in the place of another, which it is given first."""
    old = getattr(owner, name)

    def new(*arguments: Any, **named: Any) -> Any:
        return change(old, *arguments, **named)

    return owner, name, new


def _names_are_nobodys() -> list[Replacement]:
    """No text of a document is a digit of anybody's ID: identities that documents name, also in part, are nobody."""

    def meet(old: Any, token: Token, letter: str, stores: Any, alphabet: Any) -> StoreId | None:
        named = token.letters is not None and alphabet.unknown(letter) is not None
        digit = token.unknown >= 0 and letter in stores.digits
        return None if named or digit else old(token, letter, stores, alphabet)

    return [_instead(symbolic, "meet", meet)]


def _questions_skip_ids() -> list[Replacement]:
    """`?` is never a digit of an ID."""

    def meet(old: Any, token: Token, letter: str, stores: Any, alphabet: Any) -> StoreId | None:
        free = token.free and not token.many and alphabet.unknown(letter) is not None
        return None if free else old(token, letter, stores, alphabet)

    return [_instead(symbolic, "meet", meet)]


def _one_may_be_the_other() -> list[Replacement]:
    """That two identities differ is not asked for."""

    def between(old: Any, self: Symbolic, *arguments: Any) -> Question:
        question: Question = old(self, *arguments)
        kept = tuple(nogood for nogood in question.nogoods if nogood != self.same)
        return Question(question.tracks, question.forbidden, question.store, kept, question.alternatives)

    return [_instead(Symbolic, "between", between)]


def _defaults_are_dropped() -> list[Replacement]:
    def variable(old: Any, inner: str) -> Variable:
        return Variable(old(inner).key)

    return [_instead(variables, "_variable", variable)]


def _capitals_are_others() -> list[Replacement]:
    """A condition that ignores case compares an ID as it is written."""

    def accepted(old: Any, pattern: Any, word: str, fold: bool, *rest: Any) -> list[StoreId]:
        return old(pattern, word, False, *rest)  # type: ignore[no-any-return]

    return [_instead(questions, "accepted", accepted)]


def _listings_keep_case() -> list[Replacement]:
    """A listing that ignores case shows keys as the condition spells them."""

    def track(old: Any, self: Reader, patterns: Any, fold: bool = False) -> Any:
        return old(self, patterns, False)

    return [_instead(Reader, "_track", track)]


def _conditions_name_nobody() -> list[Replacement]:
    """What only identities that a condition names may do is not asked about."""

    def guard(old: Any, self: Reader, statement: Any, lookup: Any, *rest: Any, **named: Any) -> Guard | None:
        found: Guard | None = old(self, statement, lookup, *rest, **named)
        return None if found is not None and found.alternatives else found

    return [_instead(Reader, "_guard", guard)]


def _bucket_policies_grant_nothing() -> list[Replacement]:
    return [(reach, "grantee", lambda *_: None)]


def _only_roles_are_named() -> list[Replacement]:
    """A bucket policy grants nothing to a role's sessions."""

    def grantee(old: Any, *arguments: Any) -> Grantee | None:
        found: Grantee | None = old(*arguments)
        return None if found is Grantee.SESSION else found

    return [_instead(reach, "grantee", grantee)]


def _everyone_is_no_role() -> list[Replacement]:
    """What a bucket policy allows to everyone is open to everyone, also where only roles and sessions can meet it."""
    return [(principals, "_is_for_roles", lambda *_: False)]


def _boundary_limits_sessions() -> list[Replacement]:
    def applied(old: Any, *arguments: Any) -> Any:
        return [each if each.kind != "allow" else _limited(each) for each in old(*arguments)]

    return [_instead(reach, "applied", applied)]


def _limited(each: Any) -> Any:
    return type(each)(each.kind, each.statement, each.name, each.bucket, True)


def _everyone_has_a_role() -> list[Replacement]:
    """What a bucket policy opens to callers without credentials is not asked about."""

    def applied(old: Any, principal: Any, caller: Caller, view: View = View.ROLE) -> Any:
        return [] if view is View.ANYBODY else old(principal, caller, view)

    return [_instead(reach, "applied", applied)]


def _denies_name_everyone() -> list[Replacement]:
    """A bucket policy's Deny counts, whoever it is about."""
    return [(reach, "is_denied", lambda *_: True)]


def _denies_hold() -> list[Replacement]:
    """A Deny counts where its conditions may hold."""

    def holds(old: Any, *arguments: Any) -> Truth:
        found: Truth = old(*arguments)
        return Truth.YES if found is Truth.MAYBE else found

    return [_instead(reach, "holds", holds), _instead(questions, "holds", holds)]


def _denies_are_wide() -> list[Replacement]:
    """A `*` inside a Deny's segment spans `:`."""
    return [(evaluator, "within_segments", lambda pattern: pattern)]


def _one_fresh_letter_will_do() -> list[Replacement]:
    """Where nothing is demanded, no `:` is tried."""
    return [(Walk, "_narrow", property(lambda _: False))]


def _names_of_buckets_are_words() -> list[Replacement]:
    """A bucket's name has no dot."""
    return [(questions, "_BUCKET", questions._BUCKET - {"."})]


def _beginnings_are_literal() -> list[Replacement]:
    """What two patterns begin with keeps them apart, also where the one names an ID that the other's variable can be."""

    def apart(old: Any, self: Strangers, one: str, other: str) -> bool:
        return not one.startswith(other) and not other.startswith(one)

    return [_instead(Strangers, "apart", apart)]


def _sharing_is_for_all() -> list[Replacement]:
    """A shared space is shared for every action."""
    return [(owner, "mask_of", lambda _, universe: (1 << len(universe)) - 1) for owner in (reach, questions)]


def _denies_are_valid() -> list[Replacement]:
    """A Deny counts although one of its variables may have no value."""
    return [(owner, "unresolved", lambda *_: None) for owner in (evaluator, reach)]


def _boundaries_name_no_actions() -> list[Replacement]:
    """Of the actions that do not exist yet only those are asked about that an Allow of the role's names."""

    def object_actions(old: Any, statements: Any, shared: Any) -> Any:
        return old([each for each in statements if each.kind == "allow"], shared)

    return [_instead(owner, "object_actions", object_actions) for owner in (reach, questions)]


def _wildcards_name_actions_alone() -> list[Replacement]:
    """No two wildcards have an action that does not exist yet in common."""

    def future(old: Any, statements: Any, beside: Any) -> Any:
        return tuple(action for each in statements for action in old([each], beside))

    return [_instead(reach, "future", future)]


def _tomorrow_is_asked_about_later() -> list[Replacement]:
    """A role that is granted no action of today is asked about nothing."""

    def objects(old: Any, self: Reader, principal: Any, *arguments: Any, **named: Any) -> Any:
        view = named.get("view", View.ROLE)
        today = any(mask(statement, OBJECT_ACTIONS) for statement in self.allows(principal, view))
        return old(self, principal, *arguments, **named) if today or "universe" in named else []

    return [_instead(Reader, "objects", objects)]


def _a_group_is_its_first_action() -> list[Replacement]:
    """Of the actions that a loose reading takes as one, the first is asked about exactly."""

    def is_of(old: Any, grant: Any, part: Any) -> bool:
        return (grant.action, grant.listing) == (part.reach.action, part.listing)

    owner = isolation._Pairs
    return [(owner, "_is_of", staticmethod(partial(is_of, owner._is_of)))]


def _others_have_no_folder() -> list[Replacement]:
    """The folders of roles that are not asked about are held against nothing."""
    return [(own_folder._Folder, "_elsewhere", lambda *_: iter(()))]


def _tags_may_be_equal() -> list[Replacement]:
    """That two people have different values of an identifying claim is not asked for."""
    return [
        (Symbolic, "apart_by_tags", lambda *_: questions.Apart()),
        (Symbolic, "differing", lambda *_: []),
    ]


def _differing(change: Callable[[Claim], Claim], one_provider: bool = False) -> list[Replacement]:
    """What tells two people apart, with other facts about claims."""

    def differing(old: Any, mine: Any, theirs: Any, *rest: Any) -> Any:
        def changed(session: Session | None) -> Session | None:
            if session is None:
                return None
            tags = tuple(replace(t, claim=change(t.claim)) if t.claim else t for t in session.tags)
            return replace(session, tags=tags, provider="" if one_provider else session.provider)

        return old(changed(mine), changed(theirs), *rest)

    return [_instead(questions, "differing", differing)]


def _providers_agree() -> list[Replacement]:
    """Two providers never issue one value."""
    return _differing(lambda claim: claim, one_provider=True)


def _nobody_changes_claims() -> list[Replacement]:
    """A claim that its owner can change tells people apart."""
    return _differing(lambda claim: replace(claim, unique=claim.unique or claim.changeable, changeable=False))


def _nobody_shares_claims() -> list[Replacement]:
    """Two people have different values of every claim of one provider."""
    return _differing(lambda claim: replace(claim, unique=True))


def _texts_that_begin_together_are_equal() -> list[Replacement]:
    """No text is the beginning of another."""

    def along(old: Any, self: Walk, state: Any, taken: Any) -> Any:
        after = old(self, state, taken)
        return None if after is not None and not after and state.together else after

    return [_instead(Walk, "_along", along)]


def _stops_end_no_text() -> list[Replacement]:
    """A text that a listing's prefix ends in has one value with one that goes on."""

    def stopped(old: Any, self: Walk, state: Any, positions: Any) -> Any:
        return None if state.together else old(self, state, positions)

    return [_instead(Walk, "_stopped", stopped)]


def _texts_have_no_slash() -> list[Replacement]:
    def text(old: Any, number: int, excluded: str = "") -> Any:
        return old(number, excluded + "/")

    return [_instead(reach, "unknown_text", text)]


def _any_is_absent() -> list[Replacement]:
    """A tag of which nothing is known is absent."""

    def request(old: Any, self: Caller, *arguments: Any) -> Any:
        found = old(self, *arguments)
        context = {key: value for key, value in found.context.items() if isinstance(value, tuple)}
        return replace(found, context=context)

    return [_instead(Caller, "request", request)]


def _absent_is_any() -> list[Replacement]:
    """A tag that no login sends may be any string."""

    def request(old: Any, self: Caller, *arguments: Any) -> Any:
        found = old(self, *arguments)
        return replace(found, absent=found.absent - {TAG_KEY})

    return [_instead(Caller, "request", request)]


def _one_login_will_do() -> list[Replacement]:
    """Only the first login of a role is asked about."""

    def by_session(old: Any, principal: Any, *rest: Any) -> Any:
        return old(replace(principal, logins=principal.logins and principal.logins[:1]), *rest)

    return [_instead(scope, "by_session", by_session)]


def _every_token_has_every_claim() -> list[Replacement]:
    """No session is without the tag of a claim that tokens may lack."""

    def cases(old: Any, *arguments: Any) -> Any:
        return [case for case in old(*arguments) if case]

    return [_instead(sessions, "_cases", cases)]


def _conditions_name_no_value() -> list[Replacement]:
    """No tag has the value that a condition compares it with."""

    def cases(old: Any, *arguments: Any) -> Any:
        found = old(*arguments)
        return [case for case in found if not case or case[0].value is None]

    return [_instead(sessions, "_cases", cases)]


def _tenants_are_fixed() -> list[Replacement]:
    """Nobody can change a tenant."""
    return [(sessions, "_is_changeable", lambda *_: False)]


def _sharing_names_no_actions_of_tomorrow() -> list[Replacement]:
    """Actions that do not exist yet are asked about as if shared spaces named all that a statement names."""

    def future(old: Any, statements: Any, beside: Any) -> Any:
        return old(statements)

    return [_instead(reach, "future", future)]


HOLES: dict[str, Callable[[], list[Replacement]]] = {
    "identities that documents name are nobody": _names_are_nobodys,
    "`?` is no digit": _questions_skip_ids,
    "one identity may be the other": _one_may_be_the_other,
    "defaults are dropped": _defaults_are_dropped,
    "a condition compares capitals": _capitals_are_others,
    "a listing compares capitals": _listings_keep_case,
    "a condition names nobody": _conditions_name_nobody,
    "bucket policies grant nothing": _bucket_policies_grant_nothing,
    "bucket policies grant sessions nothing": _only_roles_are_named,
    "what is for everyone is for no role": _everyone_is_no_role,
    "the boundary limits sessions": _boundary_limits_sessions,
    "everyone has a role": _everyone_has_a_role,
    "every Deny of a bucket policy is about the role": _denies_name_everyone,
    "a Deny whose condition may hold counts": _denies_hold,
    "a Deny's star spans colons": _denies_are_wide,
    "no colon is tried": _one_fresh_letter_will_do,
    "a bucket's name has no dot": _names_of_buckets_are_words,
    "beginnings are compared as text": _beginnings_are_literal,
    "a shared space is shared for every action": _sharing_is_for_all,
    "a Deny is valid whatever its variables": _denies_are_valid,
    "boundaries name no action of tomorrow": _boundaries_name_no_actions,
    "wildcards name actions of tomorrow alone": _wildcards_name_actions_alone,
    "actions of tomorrow are asked about too late": _tomorrow_is_asked_about_later,
    "shared spaces name no action of tomorrow": _sharing_names_no_actions_of_tomorrow,
    "a group of actions is its first": _a_group_is_its_first_action,
    "the folders of other roles are held against nothing": _others_have_no_folder,
    "two people may have one value of an identifying claim": _tags_may_be_equal,
    "two providers never issue one value": _providers_agree,
    "nobody changes a claim": _nobody_changes_claims,
    "nobody shares a claim": _nobody_shares_claims,
    "texts that begin together are equal": _texts_that_begin_together_are_equal,
    "a prefix ends no text": _stops_end_no_text,
    "texts have no slash": _texts_have_no_slash,
    "a tag that may be any string is absent": _any_is_absent,
    "a tag that is absent may be any string": _absent_is_any,
    "one login will do": _one_login_will_do,
    "every token has every claim": _every_token_has_every_claim,
    "a condition names no value of a tag": _conditions_name_no_value,
    "nobody changes a tenant": _tenants_are_fixed,
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The proofs with a hole."""
    replacements = HOLES[name]()
    patches = [patch.object(owner, attribute, new) for owner, attribute, new in replacements]
    _forget()
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()
        _forget()


def _forget() -> None:
    """What has been read is remembered, with the hole or without it."""
    variables.template.cache_clear()
