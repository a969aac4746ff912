"""What a vended role may do that the other proofs say nothing about: beyond S3 and API calls, and S3's other writes.

A grant is tied to the identity where every ARN, or a condition that must hold, has the identity ID in it behind a literal
beginning: IDs of one shape are never prefixes of each other, so what two identities reach differs. A principal tag that
tells every user from the others does as well as the ID where it is a UUID, or all of a condition's value. Access through S3
alone (`kms:ViaService`) is as isolated as the objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..automata.globs import Pattern, matches
from ..automata.walk import Budget, BudgetExceeded, covers, shortest_word
from ..iam.actions import KEYLESS_SERVICES, OTHER_S3_WRITES, escalating, pivots
from ..iam.claims import TAG_KEY, Claim, IssuerKind, Language
from ..iam.documents import Condition, Effect, Statement
from ..iam.evaluator import action_set
from ..iam.issuers import known_issuers
from ..iam.principals import grantee
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
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:getcalleridentity",
        "cognito-identity:getid",
        "cognito-identity:getcredentialsforidentity",
        "cognito-identity:getopenidtoken",
    }
)
"""Calls that are allowed whatever a policy says.

Sources: https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html and
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
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
_STEPS = 5_000
_NAMED = action_set(("*:*",))
_PROVEN = action_set((*(f"{service}:*" for service in sorted(PROVEN_SERVICES)), *sorted(NEEDS_NO_PERMISSION)))


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
    """For each statement of a vended role, what it grants that no other proof is about."""
    issuers = known_issuers(dict(scope.issuers))
    for principal in filter(scope.asks_about, scope.principals):
        own = _own(principal, issuers)
        for name, statement in _allows(principal, issuers):
            if _tied_by_condition(statement, own):
                continue
            pairs = [
                (action, resource)
                for action in _actions(statement, principal)
                for resource in _resources(statement, own, _service(action) == "s3")
                if not any(_is_declared(action, resource, each) for each in declared)
            ]
            if pairs:
                actions, resources = (tuple(dict.fromkeys(each)) for each in zip(*pairs, strict=True))
                yield OtherAccess(principal.urn, name, statement, actions, resources)


def _allows(principal: Principal, issuers: frozenset[str]) -> Iterator[tuple[str, Statement]]:
    """Each Allow for a role."""
    policies = [(policy.name, policy.document) for policy in principal.resource]
    for name, document in (*principal.documents, *policies):
        for statement in document.statements:
            if statement.effect is Effect.ALLOW and grantee(statement, principal.arns, issuers) is not None:
                yield name, statement


def _is_declared(action: str, resource: str, access: DeclaredAccess) -> bool:
    return any(_covers(pattern.lower(), action.lower()) for pattern in access.actions) and any(
        _covers(pattern, resource) for pattern in access.resources
    )


def _service(action: str) -> str:
    return action.partition(":")[0].lower()


def _actions(statement: Statement, principal: Principal) -> Iterator[str]:
    """The entries of Action that grant something that no other proof is about; `*` for NotAction."""
    for action in ("*",) if statement.not_action else statement.actions:
        service = _service(action)
        if service == "s3":
            writes = (name for name in OTHER_S3_WRITES if action_set((action,)).matches(name))
            if not escalating(action) and any(_left(name, statement, principal) for name in writes):
                yield action
        elif statement.principals is not None:
            # The policy of a bucket is about S3.
            continue
        elif not _is_wide(action):
            proven = escalating(action) or _PROVEN.matches(action)
            if not proven and _left(action, statement, principal):
                yield action
        elif service in ESCALATING_SERVICES and any(_left(name, statement, principal) for name in pivots(action)):
            continue
        elif _left(action, statement, principal):
            yield action


def _is_wide(action: str) -> bool:
    return "*" in action or "?" in action


def _left(action: str, statement: Statement, principal: Principal) -> bool:
    """Whether an action that a statement allows is left by every Deny on everything and by the boundary; for a wildcard,
    whether some action is that no other proof is about."""
    # A boundary does not limit what a bucket policy grants to the role's sessions.
    boundary = principal.boundary if statement.principals is None else None
    every = [*principal.documents, *(boundary or ())]
    denies = [each for _, document in every for each in document.statements if _takes_away(each)]
    names = tuple(name for each in denies if not each.not_action for name in each.actions)
    if any(_covers(name.lower(), action.lower()) for name in names):
        return False
    limits = [each for _, document in boundary or () for each in document.statements if each.effect is Effect.ALLOW]
    machines = [
        *(action_set((action,)), _NAMED),
        action_set(statement.actions if statement.not_action else ()),
        action_set(names),
        *(action_set(each.actions) for each in denies if each.not_action),
        *(action_set(each.actions) for each in limits),
    ]
    kept = len(machines) - len(limits)

    def accept(yes: Sequence[bool]) -> bool:
        within = boundary is None or any(
            matched is not each.not_action for matched, each in zip(yes[kept:], limits, strict=True)
        )
        return yes[0] and yes[1] and not yes[2] and not yes[3] and all(yes[4:kept]) and within

    if not _is_wide(action):
        return accept([each.matches(action) for each in machines])
    machines.append(_PROVEN)
    required = [True, True, False, False, *(True for _ in range(4, kept)), *(False for _ in limits), False]
    try:
        word = shortest_word(machines, lambda yes: accept(yes[:-1]) and not yes[-1], required, Budget(_STEPS))
    except BudgetExceeded:
        return True
    return word is not None


def _takes_away(statement: Statement) -> bool:
    return (
        statement.effect is Effect.DENY
        and not statement.conditions
        and not statement.not_resource
        and "*" in statement.resources
    )


def _resources(statement: Statement, own: _Own, of_s3: bool) -> Iterator[str]:
    """The entries of Resource that are not tied to the identity: for S3 those that may be something other than an object,
    and else those that may belong to a service that no other proof is about."""
    if statement.not_resource:
        yield "*"
        return
    for resource in statement.resources:
        fields = resource.split(":", 5)
        service = fields[2] if len(fields) > 2 else "*"
        # The fields before the resource itself say where it is, not whose.
        place = fields[5] if len(fields) == 6 else resource
        if of_s3:
            in_bucket = "/" in place if fields[3:5] == ["", ""] else "/object/" in place
            if (service != "s3" and not _is_wide(service)) or (len(fields) == 6 and in_bucket):
                continue
        elif service in PROVEN_SERVICES:
            continue
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


def _glob(text: str) -> Pattern:
    return concretise(template(text, expands=False), lambda _: Missing.ABSENT, widen=False).pattern or ()


def _covers(pattern: str, text: str) -> bool:
    """Whether a pattern matches all that another pattern matches."""
    if "?" not in pattern:
        # Only a `*` matches a letter that the pattern does not spell out, and it matches whatever may stand there.
        return matches(_glob(pattern), text.replace("*", "\0").replace("?", "\0"))
    try:
        return covers(_glob(pattern), _glob(text), Budget(_STEPS))
    except BudgetExceeded:
        return False
