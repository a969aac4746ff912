"""What a finding says: one line that a person can act on, then an example and the proof, then the fix.

Who can do what to whose file, by which statement, why, and the smallest change that fixes it. A finding that rests on an
assumption names the condition that would have to hold; malformed and unproven ones have words of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ..automata.globs import Wild
from ..iam.actions import (
    BUCKET_PIVOTS,
    LIST_ACTIONS,
    OTHER_PIVOTS,
    EscalationClass,
    escalating,
    escalation_class,
    exists,
    mask,
)
from ..iam.claims import TAG_KEY, Claim, Language, is_attribute
from ..iam.documents import Condition, Effect, Statement
from ..iam.evaluator import action_matches, variables_of
from ..iam.issuers import known_issuers
from ..iam.principals import is_for_everyone
from ..iam.variables import Variable, template
from ..inventory.principal import Principal
from ..inventory.vended import Obstacle
from ..proof.reach import LISTING_KEYS, PREFIX_KEY
from ..proof.results import Access, DeadGrant, Escalation, NotProven, OtherAccess, OutsideFolder, UnnamedApi, Violation
from ..proof.sessions import tags_of
from .escaping import escaped_value
from .finding import Kind
from .fix import Fix
from .fix_words import Subject, line, lines
from .spelling import misspelt
from .tagging import shared_tag

_UUID = re.compile(r"(:[0-9a-f]{4})[0-9a-f]{4}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Said: TypeAlias = "tuple[Kind, str]"
"""What kind of finding it is, and its text."""
SHARING = "Or, if all users are meant to share it, declare it in the configuration of the pack"
TENANTS = "Or, if the users of one tenant are meant to share it, declare that in the configuration of the pack"


@dataclass(frozen=True)
class Audience:
    """Who gets a role."""

    guests: bool = False
    signed_in: bool = False

    @property
    def each(self) -> str:
        if self.guests and not self.signed_in:
            return "every guest"
        if self.guests:
            return "every user, guests included,"
        return "every signed-in user" if self.signed_in else "every user"

    @property
    def one(self) -> str:
        return "a guest" if self.guests and not self.signed_in else "a user"


@dataclass(frozen=True)
class Context:
    """What a finding's words need beside its result.

    Attributes:
        audience: who gets the role.
        own: the identity ID as a variable of the pool's partition.
        issuers: issuers of identity pools, in addition to the known ones.
        claims: the claim of each principal tag that the role's sessions have, by its key in lower case.
        unknown_tags: why it is not known which principal tags these have.
        tag_values: the role's own tags, which its sessions have as well.
        tenants: the tags, by their keys in lower case, that the configuration declares to name tenants.
    """

    audience: Audience
    own: str
    issuers: tuple[str, ...] = ()
    claims: Mapping[str, Claim] = field(default_factory=dict)
    unknown_tags: str = ""
    tag_values: Mapping[str, str] = field(default_factory=dict)
    tenants: frozenset[str] = frozenset()

    @property
    def issuer(self) -> str:
        return self.own[2:-1].rpartition(":")[0]


def isolation(result: Violation, principal: Principal | None, context: Context, fix: Fix) -> Said:
    """A finding of `s3-isolated-by-identity`."""
    mine, theirs = result.mine, result.theirs
    kind, why = _why(result, context)
    who = context.audience.each
    policy = next((each for each in principal.resource if each.name == mine.document), None) if principal else None
    if policy is not None:
        kind = Kind.BUCKET_POLICY
        what = "bucket policy" if policy.access_point is None else "access point's policy"
        why = f"because the {what} allows it to the role"
        issuers = known_issuers() | {*context.issuers}
        if any(s.index == mine.statement.index and is_for_everyone(s, issuers) for s in policy.document.statements):
            who, why = "everyone", f"because the {what} allows it to everyone"
    others = "tenants'" if context.tenants.intersection(key.lower() for key, _ in mine.tags) else "users'"
    head = f"{_where(mine)} lets {who} {_verb(mine)} other {others} files, {why}."
    example = f"  For example, {_request(mine)}."
    sharing = TENANTS if fix.instead is not None and fix.instead.setting == "tenants" else SHARING
    text = [head, example, *_doubts(mine, context), _proof(mine, theirs), *lines(fix, _subject(mine), sharing)]
    return kind, "\n".join(text)


def own_folder(result: OutsideFolder, context: Context, fix: Fix) -> Said:
    """A finding of `s3-own-folder`."""
    mine = result.access
    folder = (
        f"the user's own folder `{_short(result.folder)}`"
        if result.folder and "//" not in result.folder
        else "one folder that ends with the identity ID"
    )
    several = fix.declare is not None and fix.declare.setting == "folders"
    head = f"{_where(mine)} lets {context.audience.each} reach files outside {folder}."
    text = [head, f"  For example, {_request(mine)}.", *_doubts(mine, context)]
    if several:
        text[0] = f"{_where(mine)} gives {context.audience.each} a second folder, beside `{_short(result.folder)}`."
    return Kind.TWO_FOLDERS if several else Kind.OUTSIDE_FOLDER, "\n".join(
        [*text, *lines(fix, _subject(mine), SHARING)]
    )


def dead(result: DeadGrant, context: Context, fix: Fix) -> Said:
    """A grant that never applies."""
    place = _value(f"`{result.document}` {result.statement.label} can never apply")
    if result.actions:
        place = f"{place} to {listed(result.actions)}"
    harmless = "Nothing is exposed, but the grant does not work."
    subject = (result.document, result.statement.index)
    if result.condition is None:
        variable = f"`${{{_value(result.variable)}}}`"
        right = misspelt(result.variable, context.issuers, context.issuer)
        why = f"no request has a value for {variable} in this partition"
        if result.variable.startswith(TAG_KEY):
            tag = _value(result.variable.removeprefix(TAG_KEY))
            variable = f"`{_value(_written(result.statement, result.variable.removeprefix(TAG_KEY)))}`"
            why = f"{variable} has no value, because no provider of the pool sends the tag `{tag}`"
        if right is not None:
            place = _value(f"`{result.document}` {result.statement.label} does not do what it should")
            why, harmless = f"{variable} is misspelt: the variable is `${{{right}}}`", ""
        return Kind.DEAD_VARIABLE, "\n".join([f"{place}: {why}. {harmless}".rstrip(), *lines(fix, subject)])
    condition = result.condition
    right = misspelt(condition.key, context.issuers, context.issuer)
    if right is not None:
        why = f"the condition key `{_value(condition.written)}` is misspelt: it is `{right}`"
    elif condition.key in LISTING_KEYS and (result.actions or not mask(result.statement, LIST_ACTIONS)):
        those = "these" if result.actions else "its"
        why = (
            f"{those} actions have no condition key `{condition.key}`, so the condition {condition.label} is never met"
        )
    elif condition.key.startswith(TAG_KEY) and condition.key.removeprefix(TAG_KEY) not in context.claims:
        tag = _value(condition.written[len(TAG_KEY) :])
        why = (
            f"the condition {_condition(condition)} is never met, because no provider of the pool sends the tag `{tag}`"
        )
    else:
        why = f"the condition {_condition(condition)} is never met for its actions, alone or together with the others"
    return Kind.DEAD_CONDITION, "\n".join([f"{place}: {why}. {harmless}", *lines(fix, subject)])


def escalation(result: Escalation, context: Context, fix: Fix) -> Said:
    """A finding of `vended-role-cannot-escalate`: all of the statement's actions that allow it."""
    mine = result.access
    by_consequence: dict[str, list[str]] = {}
    for pattern in _culprits(mine):
        action = _example_of(pattern, mine.action)
        shown = f"`{_value(pattern)}`"
        if action.lower() != pattern.lower():
            shown = f"{shown} (which covers {_shown(action).removeprefix('call ')})"
        by_consequence.setdefault(_consequence(action), []).append(shown)
    reasons = [
        f"{_and(patterns)} {'lets' if len(patterns) == 1 else 'let'} {context.audience.one} {what}"
        for what, patterns in by_consequence.items()
    ]
    head = f"{_where(mine)} allows privilege escalation: {'; '.join(reasons)}."
    example = f"  For example, {_person(mine)} may {_shown(mine.action)} on `{_short(mine.arn)}`."
    cognito = any(pattern.lower().startswith("cognito-identity:") for pattern in _culprits(mine))
    needs = ["  Signing in and getting credentials need no permission of `cognito-identity`."] if cognito else []
    return Kind.ESCALATION, "\n".join([head, example, *_doubts(mine, context), *needs, *lines(fix, _subject(mine))])


OBSTACLES = {
    "malformed": Kind.MALFORMED,
    "secret": Kind.SECRET,
    "it has no document": Kind.NO_DOCUMENT,
    "managed policy": Kind.MANAGED_POLICY,
    "the role": Kind.ROLE_ELSEWHERE,
}


def not_read(obstacle: Obstacle, what: str, fix: Fix | None = None) -> str:
    """A document that could not be read, or only what is not known of it yet."""
    label, problem = _value(obstacle.label), _value(obstacle.problem)
    if obstacle.pending:
        return f"`{label}`: {problem.partition(' is not known')[0]}"
    head = f"`{label}`: not proven {what}: {problem}."
    return "\n".join([head, *(lines(fix) if fix is not None else ())])


def api(result: UnnamedApi, apis: Sequence[str], context: Context, fix: Fix) -> Said:
    """A finding of `api-invoke-scoped`: an API that users should not be able to call."""
    access = result.access
    shown = f", such as `{_short(access.arn)}`" if access.arn.count(":") > 4 and "/" in access.arn else ""
    allowed = (
        f"only {_and([f'`{each}`' for each in apis])} may be called"
        if apis
        else "no literal ID says which API is meant"
    )
    head = f"{_where(access)} lets {context.audience.each} call `{_short(access.arn)}`, although {allowed}."
    if not apis:
        head = f"{_where(access)} lets {context.audience.each} call any API{shown}: {allowed}."
    return Kind.API, "\n".join([head, *_doubts(access, context), *lines(fix, _subject(access))])


def other_access(result: OtherAccess, context: Context, fix: Fix) -> Said:
    """A finding of `other-access-is-declared`."""
    actions = "every action of every service" if result.actions == ("*",) else listed(result.actions)
    if result.statement.not_action:
        actions = f"every action but {listed(result.statement.actions)}"
    head = (
        f"`{_value(result.document)}` {result.statement.label} allows {actions} on {listed(result.resources)}, which all "
        "users of the role share and no proof of this pack covers."
    )
    declared = "Or, if it is meant for all of them, declare it in the configuration of the pack"
    if not fix.edits:
        tie = f"  Fix: tie it to the identity by `{context.own}` in the ARN or in a condition on the resource."
        declared = f"  {declared}: {line(fix.declare) if fix.declare is not None else ''}"
        return Kind.OTHER_ACCESS, "\n".join([head, tie, declared])
    subject = (result.document, result.statement.index)
    return Kind.OTHER_ACCESS, "\n".join([head, *lines(fix, subject, declared)])


def unproven(result: NotProven, what: str, fix: Fix) -> Said:
    """What is neither proven nor refuted."""
    place = _value(f"`{result.document}` {result.statement.label}: ") if result.statement is not None else ""
    if result.pending:
        return Kind.ACCESS_POINT, f"{place}{result.reason}"
    kind = Kind.UNDECIDED
    if result.statement is not None:
        kind = Kind.ACCESS_POINT
    elif result.region:
        kind = Kind.UNKNOWN_ISSUER
    subject = (result.document, result.statement.index) if result.statement is not None else ("", None)
    return kind, "\n".join([f"{place}not proven {what}: {result.reason}.", *lines(fix, subject)])


def setting(label: str, problem: str, fix: Fix, alternative: str = "") -> str:
    """A finding about a resource's own property."""
    return "\n".join([f"`{label}`: {problem}.", *lines(fix, alternative=alternative)])


def trust(label: str, place: str, problem: str, fix: Fix, more: Iterable[str] = ()) -> str:
    """A finding of `trust-bound-to-pool`."""
    return "\n".join([f"`{label}`, trust policy{place}: {problem}.", *lines(fix, _trust_subject(fix)), *more])


def _trust_subject(fix: Fix) -> Subject:
    return (fix.edits[0].document, fix.edits[0].statement) if fix.edits else ("", None)


def listed(values: Sequence[str], most: int = 4) -> str:
    shown = ", ".join(f"`{_value(value)}`" for value in values[:most])
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"


def _and(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


_value = escaped_value


def _subject(access: Access) -> Subject:
    return access.document, access.statement.index


def _where(access: Access) -> str:
    return _value(f"`{access.document}` {access.statement.label}")


def _short(text: str) -> str:
    return _UUID.sub(r"\1…", _value(text))


def _shown(action: str) -> str:
    if not exists(action):
        return f"call an action of `{action.partition(':')[0]}` that does not exist yet"
    return f"`{action}`"


def _request(access: Access) -> str:
    prefix = ""
    if access.listing:
        named = f" with the prefix `{_short(access.prefix)}`" if access.prefix else " with the empty prefix"
        prefix = " without a prefix" if access.prefix is None else named
    return f"{_person(access)} may {_shown(access.action)} `{_short(access.arn)}`{prefix}"


def _person(access: Access) -> str:
    """The identity of a request, and the principal tags of its session that the statement speaks of."""
    if access.anonymous:
        return "anyone without credentials"
    tags = [f"tag `{_value(name)}` is `{_short(text)}`" for name, text in _told_tags(access)]
    return f"identity `{_short(access.identity)}`{f' whose {_and(tags)}' if tags else ''}"


def _told_tags(access: Access) -> list[tuple[str, str]]:
    spoken = tags_of([access.statement])
    return [(name, text) for name, text in access.tags if f"{TAG_KEY}{name.lower()}" in spoken]


def _verb(access: Access) -> str:
    name = access.action.partition(":")[2]
    if access.listing:
        return "list the names of"
    for start, verb in (("Get", "read"), ("Put", "overwrite"), ("Delete", "delete"), ("List", "look into")):
        if name.startswith(start):
            return verb
    return "change"


def _why(result: Violation, context: Context) -> Said:
    """The cause."""
    mine, theirs = result.mine, result.theirs
    statement = mine.statement
    if mine.listing:
        return _why_listing(result, context)
    if (mine.document, statement.index) != (theirs.document, theirs.statement.index):
        both = f"because {_where(theirs)} allows the same object to {_person(theirs)}"
        return Kind.TWO_STATEMENTS, both
    if statement.not_resource:
        return Kind.NOT_RESOURCE, "because NotResource grants everything that it does not name"
    resource = _value(mine.resource)
    if mine.resource != theirs.resource:
        return (
            Kind.TWO_RESOURCES,
            f"because `{_short(theirs.resource)}` in the same statement allows the same object to another identity",
        )
    if "${" in resource and not statement.expands:
        return (
            Kind.NO_VERSION,
            f'because the document has no "Version": "2012-10-17", so `${{…}}` in `{resource}` is the name of one literal '
            "folder that all users share",
        )
    parts = template(mine.resource, statement.expands)
    variables = [p for p in parts if isinstance(p, Variable)]
    own = [p for p in variables if p.key == f"{context.issuer}:sub"]
    if not own and variables:
        shown = _value(re.findall(r"\$\{[^}]*\}?", mine.resource)[0])
        right = misspelt(variables[0].key, context.issuers, context.issuer)
        if right is not None:
            return Kind.MISSPELT_VARIABLE, f"because `{shown}` is misspelt: the variable is `${{{right}}}`"
    before = mine.resource[: mine.resource.index("${")] if variables else ""
    star = re.search(r"[*?]", before.partition(":::")[2] or before) is not None
    tagged = None if star else _why_tagged(result, [p.key for p in variables], context)
    if tagged is not None:
        return tagged
    if not own and variables and not star:
        absent = variables[0].default
        if absent is not None and variables[0].key.startswith(TAG_KEY):
            return (
                Kind.OTHER_VARIABLE,
                f"because `{shown}` is `{_value(absent)}` in every session that has no such tag",
            )
        return (
            Kind.OTHER_VARIABLE,
            f"because `{shown}` may be anything: it does not follow the identity ID, and the pool does not assign it",
        )
    if not variables:
        return Kind.NO_IDENTITY, f"because nothing in `{resource}` depends on the identity"
    if star:
        what = "another ID can stand before or after the identity ID" if own else "other folders match it as well"
        return Kind.STAR_BEFORE_IDENTITY, f"because `*` spans `/` in `{_short(resource)}`, so that {what}"
    return Kind.WIDE_PATTERN, f"because `{_short(resource)}` matches them"


def _why_tagged(result: Violation, keys: Iterable[str], context: Context) -> Said | None:
    """Why principal tags, of those that some keys mean, do not keep two users apart; None where they are not the cause."""
    names = [key.removeprefix(TAG_KEY) for key in keys if key.startswith(TAG_KEY)]
    shared, values = shared_tag(result, context.claims), dict(result.mine.tags)
    for name in names:
        shown = _value(_written(result.mine.statement, name))
        claim = context.claims.get(name)
        if context.unknown_tags:
            return Kind.OTHER_VARIABLE, f"because `{shown}` may be anything: {_value(context.unknown_tags)}"
        if shared is not None and shared.name.lower() == name:
            return _why_shared(shared.claim, shown, context)
        if claim is not None and claim.language is Language.TEXT and shared is None:
            one, other = (dict(access.tags) for access in (result.mine, result.theirs))
            texts = sorted((text for tags in (one, other) for k, text in tags.items() if k.lower() == name), key=len)
            example = f", as `{_value(texts[-1])}` begins with `{_value(texts[0])}`" if len(set(texts)) == 2 else ""
            return (
                Kind.FREE_TEXT_CLAIM,
                f"because `{shown}` comes from the claim `{_value(claim.name)}`, which is free text: one user's value may "
                f"begin with another's{example}",
            )
        constant = values.get(name, context.tag_values.get(name))
        if claim is None and constant is not None:
            return (
                Kind.NO_IDENTITY,
                f"because `{shown}` is `{_value(constant)}` for every user: it is the role's own tag",
            )
    return None


def _why_shared(claim: Claim, shown: str, context: Context) -> Said:
    """Why two users have one value of the claim that a tag comes from."""
    name = f"`{_value(claim.name)}`"
    if claim.unique and not claim.changeable:
        return (
            Kind.SEVERAL_PROVIDERS,
            f"because several providers issue {name}, from which `{shown}` comes, and two may issue one value",
        )
    if claim.changeable and is_attribute(claim.name):
        return Kind.CHANGEABLE_CLAIM, f"because a user can change {name}, from which `{shown}` comes"
    return (
        Kind.SHARED_CLAIM,
        f"because nothing keeps two users from having the same value of the claim {name}, from which `{shown}` comes",
    )


def _written(statement: Statement, tag: str) -> str:
    """The variable of a tag as a statement has it."""
    for text in (*statement.resources, *(value for test in statement.conditions for value in test.values)):
        found = re.search(r"\$\{aws:PrincipalTag/" + re.escape(tag) + r"[^}]*\}", text, re.IGNORECASE)
        if found is not None:
            return found.group()
    return f"${{aws:PrincipalTag/{tag}}}"


def _why_listing(result: Violation, context: Context) -> Said:
    kind, mine = Kind.LISTING, result.mine
    tests = [c for c in mine.statement.conditions if c.key == PREFIX_KEY]
    if not tests:
        for condition in mine.statement.conditions:
            if misspelt(condition.key, context.issuers, context.issuer) == PREFIX_KEY:
                return kind, f"because `{_value(condition.written)}` is misspelt: the condition key is `{PREFIX_KEY}`"
        return kind, f"because no condition limits `{PREFIX_KEY}`"
    test = tests[0]
    said = f"{test.label} on `{PREFIX_KEY}`"
    if mine.prefix is None:
        if "Not" in test.operator:
            return kind, f"because {said} holds for every other prefix, and for requests without a prefix"
        return kind, f"because {said} holds for a request without a prefix"
    if mine.prefix == "":
        return kind, f"because {said} allows the empty prefix, which lists everything"
    if not mine.statement.expands and any("${" in v for v in test.values):
        return Kind.NO_VERSION, 'because the document has no "Version": "2012-10-17", so `${…}` is literal text'
    for value in test.values:
        for part in template(value, mine.statement.expands):
            if isinstance(part, Variable) and part.key != f"{context.issuer}:sub":
                right = misspelt(part.key, context.issuers, context.issuer)
                if right is not None:
                    shown = f"`${{{_value(part.key)}}}`"
                    return Kind.MISSPELT_VARIABLE, f"because {shown} is misspelt: the variable is `${{{right}}}`"
    parts = [part for value in test.values for part in template(value, mine.statement.expands)]
    star = parts and parts[0] in (Wild.ANY, Wild.ONE)
    tagged = None if star else _why_tagged(result, [p.key for p in parts if isinstance(p, Variable)], context)
    return tagged or (kind, f"because {said} allows that prefix")


def _assumed(access: Access) -> list[str]:
    """What would have to hold for the example."""
    notes = [f"  This assumes that {_condition(c)} holds, which the documents do not decide." for c in access.assumed]
    if not access.exact and not access.assumed and exists(access.action):
        notes.append(
            "  This assumes that AWS resolves in this way what its documentation leaves open: an unknown variable, or "
            "how far `*` spans."
        )
    return notes


def _doubts(access: Access, context: Context) -> list[str]:
    """What would have to hold for the example, and the Denies that may not take it away."""
    notes = _assumed(access)
    for name, statement in access.doubtful:
        because = _doubt(statement, context) or "has a `*` of which AWS does not document how far it spans"
        notes.append(f"  The Deny in {_value(f'`{name}` {statement.label}')} cannot be counted on: it {because}.")
    return notes


def _doubt(statement: Statement, context: Context) -> str:
    """Why a Deny may not apply; empty where nothing speaks against it."""
    for variable in variables_of(statement):
        if variable.default is None and variable.key != f"{context.issuer}:sub":
            return f"has a variable, `${{{_value(variable.key)}}}`, that may have no value, which can make it invalid"
    if statement.conditions:
        return f"depends on {_condition(statement.conditions[0])}"
    return "" if statement.expands else 'has no "Version": "2012-10-17", so its variables are literal text'


def _condition(condition: Condition) -> str:
    values = _value(", ".join(value or '""' for value in condition.values[:3]))
    return f"`{condition.label}` `{_value(condition.written)}` ({values})"


def _proof(mine: Access, theirs: Access) -> str:
    found = ["  Proof:"]
    for access in (mine, theirs):
        prefix = ""
        if access.listing:
            prefix = " (no s3:prefix)" if access.prefix is None else f' with s3:prefix "{access.prefix}"'
        tags = "".join(f", {name}={text}" for name, text in _told_tags(access))
        asks = "without credentials" if access.anonymous else f"{access.identity}{tags}"
        request = f"{asks}: {access.action} {access.arn}{prefix}"
        found.append("    " + _value(f"{request} — allowed by {access.document}, {access.statement.label}"))
    return "\n".join(found)


_CONSEQUENCES = {
    EscalationClass.PERMISSIONS: "change permissions",
    EscalationClass.IDENTITY: "act as another user or role",
    EscalationClass.CODE: "run code under another role",
    EscalationClass.BUCKET: "change what protects a bucket, or copy its contents out",
    EscalationClass.KEYLESS: "use an S3 interface whose ARNs carry no key, so that no policy can scope it",
}
_OF_SERVICES = {
    "cognito-identity": "change the identity pool's roles and providers, or act for other identities",
    "cognito-idp": "set the passwords, attributes or groups of other users, or how the user pool identifies them",
    "iam": "change IAM, and so grant itself anything",
    "sts": "assume another role",
}


def _consequence(action: str) -> str:
    if action == "s3:ListBucketMultipartUploads":
        return "see the keys of all users' uploads, because it has no `s3:prefix`, so that no policy can scope it"
    if action == "iam:PassRole":
        return _CONSEQUENCES[EscalationClass.IDENTITY]
    return _OF_SERVICES.get(action.partition(":")[0]) or _CONSEQUENCES[escalation_class(action)]


def _culprits(access: Access) -> list[str]:
    """The statement's entries of Action that allow privilege escalation."""
    if access.statement.not_action:
        return [access.action]
    return [pattern for pattern in access.statement.actions if escalating(pattern)] or [access.action]


def _example_of(pattern: str, action: str) -> str:
    """An action that allows privilege escalation, of those that a pattern covers: the one of the proof, if it is one."""
    statement = Statement(0, Effect.ALLOW, (pattern,), ("*",))
    for name in (action, *OTHER_PIVOTS, *BUCKET_PIVOTS):
        if action_matches(statement, name):
            return name
    return action
