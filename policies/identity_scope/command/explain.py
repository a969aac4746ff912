"""`explain`: why one request is allowed or denied, for whom, statement by statement."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..findings.escaping import escaped_value
from ..iam.actions import LIST_ACTIONS
from ..iam.claims import TAG_KEY, is_tag_value
from ..iam.conditions import Truth, holds
from ..iam.documents import Condition, Effect, Statement
from ..iam.evaluator import Reading, Request, action_matches, applies, unresolved
from ..iam.issuers import NAMED, PARTITIONS, partition_of, shape_of
from ..inventory.by_pool import by_pool
from ..inventory.logins import mentioned
from ..inventory.principal import Principal
from ..inventory.vended import VendedRole
from ..pack.settings import Settings
from ..proof.directory_buckets import bucket_of
from ..proof.reach import Applied, Caller, View, applied, limits_of
from ..proof.scope import Scope
from ..sources.cloudformation_resources import NOTHING
from ..sources.files import InputError, Place
from .load import Loaded
from .terminal import Style

JSON_VERSION = 1
_RULE = "s3-isolated-by-identity"
_HERE = "{identity}"
"""What stands for the caller's own ID in a request."""
ANONYMOUS = "none"
"""What stands for a request without credentials, in the place of an identity."""
_DIGITS = "11111111-1111-1111-1111-111111111111"
_POINT = re.compile(r"(arn:[^:]*:s3:[^:]*:[^:]*:accesspoint/[^/]+)(?:/(.*))?", re.DOTALL)
"""An access point, and for a listing the prefix."""
_WORDS = {Truth.YES: "allowed", Truth.MAYBE: "allowed, if what is said below holds", Truth.NO: "denied"}


@dataclass(frozen=True)
class Asked:
    """A request as it is asked about: `*` in `resource` is for an action that has none.

    Attributes:
        tags: the principal tags of the caller's session that are asked about; others may be anything that its login sends.
    """

    action: str
    resource: str
    prefix: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Reason:
    """What one statement says of a request: whether it applies, and why it does not or only may."""

    place: Place
    document: str
    statement: Statement
    kind: str
    """`allow`, `deny` or `boundary`."""
    truth: Truth
    why: str = ""


@dataclass(frozen=True)
class Explanation:
    """What is decided about a request of one identity with one role."""

    role: str
    identity: str
    who: str
    request: Asked
    decision: Truth
    why: str
    reasons: tuple[Reason, ...]
    unread: tuple[str, ...] = ()
    """Documents that could not be read, which may say something else."""
    condition: str = ""
    """How the conditions of a template turn out; empty where nothing has to be assumed."""


def asked(text: str, tags: Sequence[str] = ()) -> Asked:
    """A request from `ACTION RESOURCE`: an ARN, `BUCKET/KEY`, for a listing `BUCKET/PREFIX` or `BUCKET`, or `*`.

    Args:
        tags: the principal tags of its caller, `KEY=VALUE` each.

    Raises:
        InputError: the text is no request, or a tag is none.
    """
    return replace(_request_of(text), tags=tuple(map(_tag, tags)))


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key or not is_tag_value(value):
        problem = "must be KEY=VALUE, in whose value are only letters, numbers, spaces and `_.:/=+-@`"
        raise InputError("--tag", f"`{text}` {problem}")
    return key, value


def _request_of(text: str) -> Asked:
    action, _, resource = text.lstrip().partition(" ")
    resource = resource.lstrip()
    service, colon, name = action.partition(":")
    if not colon or not service or not name or any(c in action for c in "*?") or not resource:
        raise InputError("--request", f"`{text}` must be `ACTION RESOURCE`, such as `s3:GetObject notes/{_HERE}/a.txt`")
    listing = action.lower() in {each.lower() for each in LIST_ACTIONS}
    canonical = next((each for each in LIST_ACTIONS if each.lower() == action.lower()), action)
    point = _POINT.fullmatch(resource)
    if listing and point is not None:
        return Asked(canonical, point[1], point[2])
    if resource == "*" or (resource.startswith("arn:") and not listing):
        return Asked(canonical, resource)
    head, separator, rest = resource.rpartition(":::") if resource.startswith("arn:") else ("arn:aws:s3", "", resource)
    if listing:
        bucket, slash, prefix = rest.partition("/")
        return Asked(canonical, f"{head}{separator or ':::'}{bucket}", prefix if slash else None)
    if service.lower() != "s3":
        raise InputError("--request", f"`{resource}` must be an ARN, or `*`")
    return Asked(canonical, f"{head}:::{rest}")


def identity_asked(text: str | None) -> str | None:
    """The identity that asks.

    Raises:
        InputError: the text is no identity ID.
    """
    if text not in (None, ANONYMOUS) and not NAMED.fullmatch(text or ""):
        raise InputError(
            "--identity", f"`{text}` must be an identity ID, such as us-east-1:{_DIGITS}, or `{ANONYMOUS}`"
        )
    return text


def explain(loaded: Loaded, settings: Settings, request: Asked, identity: str | None = None) -> list[Explanation]:
    """What is decided about a request, with each vended role: for one identity, or for that which the request names and for
    another."""
    known = settings.rules[_RULE].config.known
    roles = loaded.inventory.vended(replace(known, vended=(*known.vended, *loaded.vended)))
    members = {role.urn: role for group in by_pool(roles) for role in group}
    return [
        found
        for role in roles
        for found in _explain_role(loaded, members.get(role.urn, role), request, settings, identity)
    ]


def _explain_role(
    loaded: Loaded, role: VendedRole, request: Asked, settings: Settings, asking: str | None
) -> Iterator[Explanation]:
    issuers = settings.rules[_RULE].config.known.issuers
    scope = Scope((role.principal,), role.regions, issuers=tuple(issuers.items()))
    shape = scope.shapes()[0]
    if asking == ANONYMOUS:
        nobody = replace(scope.caller(_DIGITS, shape), identity="", anonymous=True)
        yield _decided(loaded, role, scope, nobody, _of_partition(request, shape.partition), "without credentials")
        return
    if asking is not None:
        own = _of_partition(_for(request, asking), partition_of(region := asking.partition(":")[0]))
        yield _decided(loaded, role, scope, scope.caller(asking, shape_of(region, dict(issuers))), own, "")
        return
    generic = [f"{shape.region}:{'-'.join(digit * size for size in shape.groups)}" for digit in "12"]
    named = [each for text in (request.resource, request.prefix or "") for each in NAMED.findall(text)]
    callers = [(each, "whose ID the request names") for each in dict.fromkeys(named)]
    other = next(each for each in generic if each not in named)
    callers.append((other, "any other identity" if named else "any identity"))
    for identity, who in callers:
        own = _of_partition(_for(request, identity), partition_of(identity.partition(":")[0]))
        yield _decided(loaded, role, scope, scope.caller(identity, shape), own, who)


def _for(request: Asked, identity: str) -> Asked:
    prefix = request.prefix.replace(_HERE, identity) if request.prefix is not None else None
    return replace(request, resource=request.resource.replace(_HERE, identity), prefix=prefix)


def _of_partition(request: Asked, partition: str) -> Asked:
    """A request for a bucket in the pool's partition, where it was asked about by the bucket's name."""
    if partition in PARTITIONS and request.resource.startswith("arn:aws:s3:::"):
        return replace(request, resource=f"arn:{partition}:{request.resource.removeprefix('arn:aws:')}")
    return request


def _decided(loaded: Loaded, role: VendedRole, scope: Scope, caller: Caller, asked_: Asked, who: str) -> Explanation:
    request = _tagged(caller.request(asked_.action, asked_.resource, asked_.prefix), role, asked_)
    principal, resource = _asking(scope, role.principal, asked_.resource)
    of_bucket = _tagged(caller.request(asked_.action, resource, asked_.prefix), role, asked_)
    bucket = bucket_of(resource)
    reasons: list[Reason] = []
    applying: list[Applied] = []
    for view in (View.ANYBODY,) if caller.anonymous else (View.ROLE, View.EVERYONE):
        for each in applied(principal, caller, view):
            if view is View.EVERYONE and each.kind != "allow":
                continue
            if each.statement.actions == (NOTHING,):
                continue  # what a template leaves out
            place = loaded.place(role.sources.get(each.name, role.urn), each.name, each.statement.index)
            if each.bucket is not None and each.bucket != bucket:
                truth, why = Truth.NO, "it is about another bucket"
            else:
                truth, why = _applies(
                    replace(each.statement, principals=None), of_bucket if each.point is None else request
                )
            applying.append(each)
            reasons.append(Reason(place, each.name, each.statement, each.kind, truth, why))
    decision, why = _decision(principal, applying, [reason.truth for reason in reasons])
    unread = tuple(f"`{obstacle.label}`: {obstacle.problem}" for obstacle in role.obstacles)
    return Explanation(
        role.label, caller.identity, who, asked_, decision, why, tuple(reasons), unread, loaded.condition
    )


def _asking(scope: Scope, direct: Principal, resource: str) -> tuple[Principal, str]:
    """The role as its request comes, by the bucket's name or through an access point, and the bucket's own ARN."""
    for principal in scope.requesters:
        point = principal.through
        if point is None or point.arn is None or point.bucket is None:
            continue
        head = f"arn:{point.arn.split(':')[1]}:s3:::"
        if resource == point.arn or resource.startswith(f"{point.arn}/object/"):
            key = resource.removeprefix(point.arn).removeprefix("/object")
            return principal, f"{head}{point.bucket}{key}"
        if point.alias is not None and (f"{resource}/").startswith(f"{head}{point.alias}/"):
            return principal, f"{head}{point.bucket}{resource.removeprefix(head + point.alias)}"
    return direct, resource


def _decision(principal: Principal, applying: Sequence[Applied], truths: Sequence[Truth]) -> tuple[Truth, str]:
    """What some statements come to together, and why it is denied."""
    of_kind = {
        kind: max((truth for each, truth in zip(applying, truths, strict=True) if each.kind == kind), default=Truth.NO)
        for kind in ("allow", "deny", "boundary", "bucket")
    }
    allowed = within = Truth.NO
    for each, truth in zip(applying, truths, strict=True):
        if each.kind == "allow":
            limits = [of_kind[kind] for kind in limits_of(principal, each)]
            allowed = max(allowed, min([truth, *limits]))
            if "boundary" not in limits_of(principal, each) or of_kind["boundary"] is not Truth.NO:
                within = max(within, truth)
    decision = min(allowed, of_kind["deny"].negated())
    if decision is not Truth.NO:
        return decision, ""
    if of_kind["deny"] is Truth.YES:
        return decision, "a Deny applies"
    if of_kind["allow"] is Truth.NO:
        return decision, "no statement allows it"
    if within is Truth.NO:
        return decision, "the permissions boundary does not allow it"
    return decision, "the bucket does not allow it through the access point"


def _tagged(request: Request, role: VendedRole, asked_: Asked) -> Request:
    """A request of a session with some principal tags, and none that no login of the role sends."""
    given = {f"{TAG_KEY}{key.lower()}": (value,) for key, value in asked_.tags}
    logins = role.principal.logins
    if logins is None:
        return replace(request, context={**request.context, **given})
    sent = {f"{TAG_KEY}{key}" for login in logins for key in login.tags} | given.keys()
    spoken = {f"{TAG_KEY}{key}" for key in mentioned(role.principal)}
    own = {
        f"{TAG_KEY}{key}": (value,)
        for login in logins
        for key, value in login.tags.items()
        if isinstance(value, str) and all(each.tags.get(key) == value for each in logins)
    }
    return replace(request, context={**request.context, **own, **given}, absent=request.absent | (spoken - sent))


def _applies(statement: Statement, request: Request) -> tuple[Truth, str]:
    """Whether a statement applies, and why it does not, or what has to hold."""
    truth, assumed = applies(statement, request, Reading.PLAIN)
    # Where AWS's documentation leaves something open, or a variable is not known, it may or may not.
    certain = applies(statement, request, Reading.PESSIMISTIC)[0]
    possible, more = applies(replace(statement, effect=Effect.ALLOW), request, Reading.PESSIMISTIC)
    if truth is not certain or (statement.effect is Effect.DENY and possible > truth):
        variable = unresolved(statement, request.lookup)
        open_ = f"`${{{variable.key}}}` is set" if variable is not None else "`*` spans what AWS does not document"
        return Truth.MAYBE, " and ".join([open_, *map(_condition, more)])
    if truth is Truth.YES:
        return truth, ""
    if truth is Truth.MAYBE:
        return truth, " and ".join(map(_condition, assumed))
    if not action_matches(statement, request.action):
        return truth, "its actions are others"
    anyhow = replace(statement, conditions=())
    if applies(anyhow, request, Reading.PLAIN)[0] is Truth.NO:
        return truth, "its resources are others"
    unmet = [c for c in statement.conditions if holds(c, request.lookup, statement.expands) is Truth.NO]
    return truth, f"{_condition(unmet[0])} is not met"


def _condition(condition: Condition) -> str:
    values = ", ".join(condition.values[:3])
    return f"`{condition.label}` `{condition.written or condition.key}` ({values})"


# --- output


def explain_text(explanations: Sequence[Explanation], style: Style) -> str:
    """What `explain` prints."""
    if not explanations:
        return "no role that an identity pool issues credentials for\n"
    lines: list[str] = []
    for each in explanations:
        colour = {Truth.YES: "green", Truth.MAYBE: "yellow", Truth.NO: "red"}[each.decision]
        when = f", if {escaped_value(each.condition)}" if each.condition else ""
        lines.append(
            f"{style.paint(escaped_value(each.role), 'bold')}, {each.identity}{f' ({each.who})' if each.who else ''}{when}"
        )
        why = f": {each.why}" if each.why else ""
        lines.append(f"  {escaped_value(_request(each.request))}: {style.paint(_WORDS[each.decision], colour)}{why}")
        lines += [style.wrapped(escaped_value(_line(reason)), "    ") for reason in each.reasons]
        lines += [style.wrapped(escaped_value(f"not read: {text}"), "    ") for text in each.unread]
        lines.append("")
    return "\n".join(lines)


def _request(request: Asked) -> str:
    prefix = "" if request.prefix is None else f" with the prefix `{request.prefix}`"
    tags = ", ".join(f"`{key}` is `{value}`" for key, value in request.tags)
    whose = f" of a session whose tag{'s' if len(request.tags) > 1 else ''} {tags}" if tags else ""
    return f"`{request.action}` `{request.resource}`{prefix}{whose}"


def _line(reason: Reason) -> str:
    effect = "boundary" if reason.kind == "boundary" else reason.statement.effect.value
    said = {Truth.YES: "applies", Truth.MAYBE: f"applies if {reason.why}", Truth.NO: f"does not apply: {reason.why}"}
    return f"{effect}, `{reason.document}` {reason.statement.label}, {reason.place}: {said[reason.truth]}"


def explain_json(explanations: Sequence[Explanation]) -> str:
    """The explanations as JSON; the schema is `command/explain.schema.json`."""
    value = {"version": JSON_VERSION, "decisions": [_json(each) for each in explanations]}
    return json.dumps(value, indent=2) + "\n"


_TRUTHS = {Truth.YES: "yes", Truth.MAYBE: "maybe", Truth.NO: "no"}


def _json(each: Explanation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "role": escaped_value(each.role),
        "identity": each.identity or None,
        "who": each.who,
        "action": escaped_value(each.request.action),
        "resource": escaped_value(each.request.resource),
        "allowed": _TRUTHS[each.decision],
        "why": each.why,
        "condition": escaped_value(each.condition),
        "statements": [_statement(reason) for reason in each.reasons],
        "notRead": list(map(escaped_value, each.unread)),
    }
    if each.request.tags:
        found["tags"] = {escaped_value(key): escaped_value(value) for key, value in each.request.tags}
    if each.request.prefix is not None:
        found["prefix"] = escaped_value(each.request.prefix)
    return found


def _statement(reason: Reason) -> dict[str, Any]:
    place: dict[str, Any] = {"file": escaped_value(reason.place.file)}
    if reason.place.line:
        place |= {"line": reason.place.line, "column": reason.place.column}
    return {
        "document": escaped_value(reason.document),
        "statement": reason.statement.index + 1,
        "kind": reason.kind,
        "effect": "Allow" if reason.statement.effect is Effect.ALLOW else "Deny",
        "applies": _TRUTHS[reason.truth],
        "why": escaped_value(reason.why),
        "place": place,
    }
