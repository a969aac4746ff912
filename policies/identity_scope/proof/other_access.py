"""What a vended role may do beyond S3 and API calls, which the other proofs say nothing about.

A grant is tied to the identity where every ARN, or a condition that must hold, has the identity ID in it behind a literal
beginning: IDs of one shape are never prefixes of each other, so what two identities reach differs. A principal tag that
tells every user from the others does as well as the ID where it is a UUID, or all of a condition's value. Access through S3
alone (`kms:ViaService`) is as isolated as the objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..automata.globs import Pattern, matches
from ..automata.walk import Budget, BudgetExceeded, intersection
from ..iam.actions import KEYLESS_SERVICES, escalating
from ..iam.claims import TAG_KEY, Claim, IssuerKind, Language
from ..iam.documents import Condition, Effect, Statement
from ..iam.evaluator import action_matches
from ..iam.issuers import known_issuers
from ..iam.variables import Missing, Template, Variable, concretise, template
from ..inventory.declared import DeclaredAccess
from ..inventory.principal import Principal
from .results import OtherAccess
from .scope import Scope

PROVEN_SERVICES = frozenset({"s3", "execute-api", *KEYLESS_SERVICES})
"""Services about which the other rules say something, whatever a statement grants of them."""
ESCALATING_SERVICES = frozenset({"iam", "sts", "cognito-identity"})
"""Services of which every wildcard allows privilege escalation, so that the rule about it speaks already."""
NEEDS_NO_PERMISSION = frozenset(
    {
        "sts:getcalleridentity",
        "cognito-identity:getid",
        "cognito-identity:getcredentialsforidentity",
        "cognito-identity:getopenidtoken",
    }
)
"""Calls that are allowed whatever a policy says.

Source: https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html
"""
KEYED_ITEM_ACTIONS = frozenset(
    f"dynamodb:{name}"
    for name in (
        *("getitem", "batchgetitem", "query", "conditioncheckitem"),
        *("putitem", "updateitem", "deleteitem", "batchwriteitem"),
    )
)
"""Calls of DynamoDB that name the partition keys of their items, so that `dynamodb:LeadingKeys` is never absent.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""
_STEPS = 2_000


class _Own(NamedTuple):
    """What stands for one identity in a role's documents.

    Attributes:
        issuers: the issuers of identity pools, whose `sub` is the identity ID.
        tags: the condition keys of principal tags that are a UUID of each user's own.
        texts: those of principal tags that are a text of each user's own, one of which may begin with another.
    """

    issuers: frozenset[str]
    tags: frozenset[str]
    texts: frozenset[str]


def _own(principal: Principal, issuers: frozenset[str]) -> _Own:
    logins = principal.logins or ()
    keys = {key for login in logins for key in login.tags}
    tags, texts = set[str](), set[str]()
    for key in keys:
        sent = [(login, login.tags[key]) for login in logins if key in login.tags]
        if all(isinstance(claim, Claim) and claim.identifying for _, claim in sent):
            pools = all(login.kind is IssuerKind.USER_POOL and _is_uuid(claim) for login, claim in sent)
            tags |= {f"{TAG_KEY}{key}"} if pools else set()
            alone = len({isinstance(c, Claim) and (c.provider or login.provider) for login, c in sent}) == 1
            texts |= {f"{TAG_KEY}{key}"} if pools or alone else set()
    return _Own(issuers, frozenset(tags), frozenset(texts))


def _is_uuid(claim: Claim | str) -> bool:
    return isinstance(claim, Claim) and claim.name == "sub" and claim.language is Language.UUID


def other_access(scope: Scope, declared: tuple[DeclaredAccess, ...]) -> Iterator[OtherAccess]:
    """For each statement of a vended role, what it grants beyond S3 and API calls."""
    issuers = known_issuers(dict(scope.issuers))
    for principal in filter(scope.asks_about, scope.principals):
        own = _own(principal, issuers)
        for name, document in principal.documents:
            for statement in document.statements:
                if statement.effect is not Effect.ALLOW or _tied_by_condition(statement, own):
                    continue
                pairs = [
                    (action, resource)
                    for action in _actions(statement, principal)
                    for resource in _resources(statement, own)
                    if not any(_is_declared(action, resource, each) for each in declared)
                ]
                if pairs:
                    actions, resources = (tuple(dict.fromkeys(each)) for each in zip(*pairs, strict=True))
                    yield OtherAccess(principal.urn, name, statement, actions, resources)


def _is_declared(action: str, resource: str, access: DeclaredAccess) -> bool:
    return any(_covers(pattern.lower(), action.lower()) for pattern in access.actions) and any(
        _covers(pattern, resource) for pattern in access.resources
    )


def _actions(statement: Statement, principal: Principal) -> Iterator[str]:
    """The entries of Action that grant something beyond S3 and API calls; `*` for NotAction."""
    for action in ("*",) if statement.not_action else statement.actions:
        service = action.partition(":")[0].lower()
        if service in PROVEN_SERVICES or action.lower() in NEEDS_NO_PERMISSION:
            continue
        literal = "*" not in action and "?" not in action
        if escalating(action) and (literal or service in ESCALATING_SERVICES):
            continue
        if not _denied(action, principal) and _inside_boundary(action, principal):
            yield action


def _resources(statement: Statement, own: _Own) -> Iterator[str]:
    if statement.not_resource:
        yield "*"
        return
    for resource in statement.resources:
        fields = resource.split(":", 5)
        if len(fields) > 2 and fields[2] in PROVEN_SERVICES:
            continue
        # The fields before the resource itself say where it is, not whose.
        place = fields[5] if len(fields) == 6 else resource
        if not (statement.expands and _tied(template(place, True), own)):
            yield resource


def _tied(parts: Template, own: _Own) -> bool:
    """Whether a pattern has the identity ID, or a tag that does as well, in it behind a literal beginning."""
    for part in parts:
        if isinstance(part, Variable):
            if part.key in own.tags and part.default is None:
                return True
            issuer, _, name = part.key.rpartition(":")
            if issuer not in own.issuers or part.default is not None:
                return False
            if name == "sub":
                return True
            if name != "aud":
                return False
        elif not isinstance(part, str):
            return False
    return False


def _tied_by_condition(statement: Statement, own: _Own) -> bool:
    return statement.expands and any(_ties(test, statement, own) for test in statement.conditions)


def _ties(test: Condition, statement: Statement, own: _Own) -> bool:
    if test.if_exists or not test.operator.startswith(("StringEquals", "StringLike", "ArnEquals", "ArnLike")):
        return False
    if test.key == "kms:viaservice":
        return all(value.startswith("s3.") and "*" not in value and "$" not in value for value in test.values)
    if test.qualifier == "ForAnyValue":
        return False
    if test.qualifier == "ForAllValues" and not _always_present(test.key, statement):
        return False
    # What a condition says of the caller limits who may, and not what of whom.
    if test.key.rpartition(":")[0] in own.issuers or (test.key.startswith("aws:") and "resourcetag/" not in test.key):
        return False
    wildcards = not test.operator.startswith("StringEquals")
    patterns = [template(value, True, wildcards) for value in test.values]
    return all(_tied(parts, own) or _is_text(parts, own) for parts in patterns)


def _is_text(parts: Template, own: _Own) -> bool:
    """Whether a pattern is a text of each user's own, and nothing else."""
    return len(parts) == 1 and isinstance(parts[0], Variable) and parts[0].key in own.texts and parts[0].default is None


def _always_present(key: str, statement: Statement) -> bool:
    """Whether each request that the statement allows has a key, by its action or by another condition."""
    keyed = not statement.not_action and KEYED_ITEM_ACTIONS.issuperset(map(str.lower, statement.actions))
    return (keyed and key == "dynamodb:leadingkeys") or any(
        c.operator == "Null" and c.key == key and set(c.values) == {"false"} for c in statement.conditions
    )


def _denied(action: str, principal: Principal) -> bool:
    """Whether an unconditional Deny on everything takes an entry of Action away, wildcards included."""
    probe = action.replace("*", "AnythingAtAll").replace("?", "X")
    return any(
        statement.effect is Effect.DENY
        and not statement.conditions
        and not statement.not_resource
        and "*" in statement.resources
        and action_matches(statement, probe)
        for _, document in principal.documents
        for statement in document.statements
    )


def _inside_boundary(action: str, principal: Principal) -> bool:
    """Whether the boundary, if any, allows something of an entry of Action."""
    if principal.boundary is None:
        return True
    return any(
        statement.not_action or any(_meet(action, other) for other in statement.actions)
        for _, document in principal.boundary
        for statement in document.statements
        if statement.effect is Effect.ALLOW
    )


def _meet(one: str, other: str) -> bool:
    """Whether some action matches both of two patterns."""
    try:
        return intersection([_glob(one.lower())], [_glob(other.lower())], Budget(_STEPS)) is not None
    except BudgetExceeded:
        return True


def _glob(text: str) -> Pattern:
    return concretise(template(text, expands=False), lambda _: Missing.ABSENT, widen=False).pattern or ()


def _covers(pattern: str, text: str) -> bool:
    """Whether a pattern matches all that another pattern matches. A `?` must not stand for a `*`."""
    return matches(_glob(pattern), text.replace("*", "\0\0"))
