"""What a finding says: one line that a person can act on, then the proof.

Who can do what to whose file, by which statement, why, and the smallest change that fixes it. A finding that rests on an
assumption names the condition that would have to hold; malformed and unproven ones have words of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from ..iam.actions import LIST_ACTIONS, EscalationClass, escalating, escalation_class, exists, mask
from ..iam.documents import Condition, Effect, Statement
from ..iam.variables import Variable, template
from ..inventory.principal import Principal
from ..inventory.vended import Obstacle
from ..proof.reach import LISTING_KEYS, PREFIX_KEY
from ..proof.results import Access, DeadGrant, Escalation, NotProven, OtherAccess, OutsideFolder, UnnamedApi, Violation
from .escaping import escaped_value

_UUID = re.compile(r"(:[0-9a-f]{4})[0-9a-f]{4}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OWN = "${cognito-identity.amazonaws.com:sub}"
_SHARED_VARIABLES = "it does not follow the identity ID, and the pool does not assign it"


def isolation(result: Violation | NotProven, principal: Principal | None, guests: bool) -> str:
    """A finding of `s3-isolated-by-identity`; `guests` says whether guests have the role."""
    if isinstance(result, NotProven):
        return _unproven(result, "that identities cannot reach each other's files")
    mine, theirs = result.mine, result.theirs
    who = "every signed-in identity" if mine.cause == theirs.cause else "signed-in identities"
    why, fix = _why(mine, theirs)
    if principal is not None and mine.document in {policy.name for policy in principal.resource}:
        why = "because the bucket policy allows it to the role or to everyone"
        fix = "remove the statement from the bucket policy, or limit it to a part of the bucket without users' folders."
    head = f"{_where(mine)} lets {who} {_verb(mine)} another identity's files: {_request(mine)}, {why}. Fix: {fix}"
    return "\n".join([head, *_notes(mine, principal), _proof(mine, theirs)])


def own_folder(result: OutsideFolder | NotProven) -> str:
    """A finding of `s3-own-folder`."""
    if isinstance(result, NotProven):
        return _unproven(result, "that each identity stays in its own folder")
    mine = result.access
    inside = f"`{_short(result.folder)}`" if result.folder else f"one folder that ends with `{_OWN}/`"
    head = f"{_where(mine)} reaches beyond the identity's own folder: {_request(mine)}, which is not in {inside}. Fix: "
    return head + _folder_fix(mine)


def dead(result: DeadGrant) -> str:
    """A grant that never applies."""
    place = _value(f"`{result.document}` {result.statement.label} can never apply")
    harmless = "Nothing is exposed, but the grant does not work"
    if result.condition is None:
        variable = f"${{{result.variable}}}"
        return f"{place}: no request has a value for `{variable}` in this partition. {harmless}. Fix: write `{_OWN}`."
    if result.condition.key in LISTING_KEYS and not mask(result.statement, LIST_ACTIONS):
        return (
            f"{place}: its actions have no condition key `{result.condition.key}`, so the condition "
            f"{result.condition.label} is never met. {harmless}. Fix: move the condition to a separate statement for "
            "`s3:ListBucket`."
        )
    return (
        f"{place}: the condition {_condition(result.condition)} is never met for its actions, alone or together with "
        f"those before it. {harmless}. Fix: correct the condition, or remove it."
    )


def escalation(result: Escalation | NotProven) -> str:
    """A finding of `vended-role-cannot-escalate`."""
    if isinstance(result, NotProven):
        return _unproven(result, "that a vended role cannot widen its own reach")
    mine = result.access
    head = (
        f"{_where(mine)} allows privilege escalation: a user may {_shown(mine.action)} on `{_short(mine.arn)}`, which "
    )
    return f"{head}{_consequence(mine.action)}. {_escalation_fix(mine.statement)}"


def not_read(obstacle: Obstacle, what: str) -> str:
    """A document that could not be read, or only what is not known of it yet."""
    label, problem = _value(obstacle.label), _value(obstacle.problem)
    if obstacle.pending:
        return f"`{label}`: {problem.partition(' is not known')[0]}"
    return f"`{label}`: not proven {what}: {problem}"


def api(result: UnnamedApi | NotProven, label: str, apis: Sequence[str]) -> str:
    """A finding of `api-invoke-scoped`: an API that users should not be able to call."""
    if isinstance(result, NotProven):
        return f"`{label}`: not proven that its users call only the APIs that they should: {result.reason}"
    access = result.access
    allowed = (
        f"only {', '.join(f'`{each}`' for each in apis)} may be called"
        if apis
        else "its API is not named by a literal ID"
    )
    return (
        f"{_where(access)} lets users call `{_short(access.arn)}`: {allowed}. "
        "Fix: name the API, arn:PARTITION:execute-api:REGION:ACCOUNT:API_ID/STAGE/METHOD/PATH."
    )


def other_access(result: OtherAccess) -> str:
    """A finding of `other-access-is-declared`."""
    actions = "every action of every service" if result.actions == ("*",) else _listed(result.actions)
    if result.statement.not_action:
        actions = f"every action but {_listed(result.statement.actions)}"
    entry = {"actions": list(result.actions), "resources": list(result.resources), "reason": "…"}
    return (
        f"`{_value(result.document)}` {result.statement.label} allows {actions} on {_listed(result.resources)}, which all "
        "users of the role share and no proof of this pack covers. Fix: tie it to the identity, by "
        f'`{_OWN}` in the ARN or in a condition such as dynamodb:LeadingKeys, or declare it: "access": '
        f"[{json.dumps(entry, ensure_ascii=False)}]."
    )


def _listed(values: Sequence[str], most: int = 4) -> str:
    shown = ", ".join(f"`{_value(value)}`" for value in values[:most])
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"


def _unproven(result: NotProven, what: str) -> str:
    place = _value(f"`{result.document}` {result.statement.label}: ") if result.statement is not None else ""
    if result.pending:
        return f"{place}{result.reason}"
    return f"{place}not proven {what}: {result.reason}. Fix: narrow the statement, or simplify the document."


_value = escaped_value


def _where(access: Access) -> str:
    return _value(f"`{access.document}` {access.statement.label}")


def _short(text: str) -> str:
    return _UUID.sub(r"\1…", _value(text))


def _shown(action: str) -> str:
    if not exists(action):
        return f"an action of `{action.partition(':')[0]}` that does not exist yet"
    return f"`{action}`"


def _request(access: Access) -> str:
    prefix = ""
    if access.listing:
        named = f" with the prefix `{_short(access.prefix)}`" if access.prefix else " with the empty prefix"
        prefix = " with no prefix" if access.prefix is None else named
    return f"identity `{_short(access.identity)}` may {_shown(access.action)} `{_short(access.arn)}`{prefix}"


def _verb(access: Access) -> str:
    name = access.action.partition(":")[2]
    if access.listing:
        return "list the names of"
    for start, verb in (("Get", "read"), ("Put", "overwrite"), ("Delete", "delete"), ("List", "look into")):
        if name.startswith(start):
            return verb
    return "change"


def _why(mine: Access, theirs: Access) -> tuple[str, str]:
    """The cause and the smallest fix."""
    statement = mine.statement
    if mine.listing:
        return _why_listing(mine)
    if (mine.document, statement.index) != (theirs.document, theirs.statement.index):
        return (
            f"and {_where(theirs)} allows the same object to identity `{_short(theirs.identity)}`",
            f"keep both in the same folder, `BUCKET/PREFIX{_OWN}/*`.",
        )
    if statement.not_resource:
        return (
            "because NotResource grants everything that it does not name",
            f'replace it with "Resource": "arn:aws:s3:::BUCKET/{_OWN}/*".',
        )
    resource = _value(mine.resource)
    if mine.resource != theirs.resource:
        return (
            f"and `{_short(theirs.resource)}` in the same statement allows the same object to another identity",
            f"keep to one folder, `BUCKET/PREFIX{_OWN}/*`.",
        )
    if "${" in resource and not statement.expands:
        return (
            f'because the document has no "Version": "2012-10-17", so `${{…}}` in `{resource}` is the name of one literal '
            "folder that all identities share",
            'add "Version": "2012-10-17" to the document.',
        )
    parts = template(resource, statement.expands)
    variables = [p for p in parts if isinstance(p, Variable)]
    own = [p for p in variables if p.key.startswith("cognito-identity") and p.key.endswith(":sub")]
    if not own and variables:
        shown = re.findall(r"\$\{[^}]*\}?", resource)[0]
        return (f"because `{shown}` may be anything: {_SHARED_VARIABLES}", f"use `{_OWN}` instead.")
    if not own:
        bucket = resource.partition(":::")[2].partition("/")[0]
        fixed = f"arn:aws:s3:::{bucket}/{_OWN}/*" if bucket and not re.search(r"[*?]", bucket) else f"…/{_OWN}/*"
        return (f"because nothing in `{resource}` says whose file it is", f"put the identity ID into it: `{fixed}`.")
    before = resource[: resource.index("${")]
    if re.search(r"[*?]", before.partition(":::")[2] or before):
        fixed = re.sub(r"/?[^/]*[*?][^/]*/", "/", before, count=1)
        return (
            f"because `*` spans `/` in `{_short(resource)}`, so that another ID can stand before or after the identity ID",
            f"put the identity first, behind a literal prefix: `{fixed}{_OWN}/*`.",
        )
    return (
        f"because `{_short(resource)}` matches it",
        f"write the resource as `arn:aws:s3:::BUCKET/PREFIX{_OWN}/*`.",
    )


def _why_listing(mine: Access) -> tuple[str, str]:
    fix = f'add "Condition": {{"StringLike": {{"s3:prefix": "PREFIX{_OWN}/*"}}}}.'
    tests = [c for c in mine.statement.conditions if c.key == PREFIX_KEY]
    if not tests:
        return "because no condition limits `s3:prefix`", fix
    test = tests[0]
    said = f"{test.label} on `s3:prefix`"
    if mine.prefix is None:
        if test.if_exists:
            return f"because {said} holds for a request without a prefix", f"use {test.operator} without IfExists."
        if test.qualifier == "ForAllValues":
            return (
                f"because {said} holds for a request without a prefix",
                f"use {test.operator} without ForAllValues.",
            )
        if "Not" in test.operator:
            return f"because {said} holds for every other prefix, and for requests without a prefix", fix
        return f"because {said} holds for a request without a prefix", fix
    if mine.prefix == "":
        return f"because {said} allows the empty prefix, which lists everything", f'remove `""` from {said}.'
    if not mine.statement.expands and any("${" in v for v in test.values):
        return (
            'because the document has no "Version": "2012-10-17", so `${…}` is literal text',
            'add "Version": "2012-10-17" to the document.',
        )
    return f"because {said} allows that prefix", f"let it allow only `PREFIX{_OWN}/*`."


def _folder_fix(access: Access) -> str:
    if access.listing:
        return f"let `s3:prefix` allow only `PREFIX{_OWN}/*`, with the `/`."
    resource = _value(access.resource)
    if access.statement.not_resource:
        return f'replace NotResource with "Resource": "arn:aws:s3:::BUCKET/PREFIX{_OWN}/*".'
    if resource.endswith("}*"):
        return f"write `{resource[:-1]}/*`: without the `/` it also reaches folders whose names only begin with the ID."
    return f"write the resource as `arn:aws:s3:::BUCKET/PREFIX{_OWN}/*`."


def _notes(access: Access, principal: Principal | None) -> list[str]:
    notes = [f"  if {_condition(c)} holds, which the documents do not decide" for c in access.assumed]
    if not access.exact and not access.assumed:
        notes.append(
            "  if AWS resolves in this way what its documentation leaves open: an unknown variable, or how far `*` spans"
        )
    if principal is None:
        return notes
    resource = [(policy.name, policy.document) for policy in principal.resource]
    for name, document in (*principal.documents, *resource):
        for statement in document.statements:
            if statement.effect is Effect.DENY and (statement.conditions or not statement.expands):
                because = (
                    f"depends on {_condition(statement.conditions[0])}"
                    if statement.conditions
                    else 'has no "Version": "2012-10-17", so its variables are literal text'
                )
                notes.append(
                    f"  the Deny in {_value(f'`{name}` {statement.label}')} cannot be counted on: it {because}"
                )
    return notes


def _condition(condition: Condition) -> str:
    values = _value(", ".join(condition.values[:3]))
    return f"`{condition.label}` `{_value(condition.written)}` ({values})"


def _proof(mine: Access, theirs: Access) -> str:
    lines = ["  proof:"]
    for access in (mine, theirs):
        prefix = ""
        if access.listing:
            prefix = " (no s3:prefix)" if access.prefix is None else f' with s3:prefix "{access.prefix}"'
        request = f"{access.identity}: {access.action} {access.arn}{prefix}"
        lines.append("    " + _value(f"{request} — allowed by {access.document}, {access.statement.label}"))
    return "\n".join(lines)


_CONSEQUENCES = {
    EscalationClass.PERMISSIONS: "changes permissions",
    EscalationClass.IDENTITY: "lets the user act as another user or role",
    EscalationClass.CODE: "runs code under another role",
    EscalationClass.BUCKET: "changes what protects a bucket, or copies its contents out",
    EscalationClass.KEYLESS: "belongs to an S3 interface whose ARNs carry no key, so that no policy can scope it",
}
_OF_SERVICES = {
    "cognito-identity": "changes the identity pool's roles and providers, or acts for other identities",
    "cognito-idp": "sets the passwords, attributes or groups of other users, or how the user pool identifies them",
    "iam": "writes IAM, so that the user can grant itself anything",
    "sts": "assumes another role",
}


def _consequence(action: str) -> str:
    if action == "s3:ListBucketMultipartUploads":
        return "shows the keys of all users' uploads; it has no `s3:prefix`, so that no policy can scope it"
    return _OF_SERVICES.get(action.partition(":")[0]) or _CONSEQUENCES[escalation_class(action)]


def _escalation_fix(statement: Statement) -> str:
    """One fix for all of the statement's actions that allow privilege escalation."""
    if statement.not_action:
        return "Fix: replace NotAction with Action and the actions that users need."
    culprits = [pattern for pattern in statement.actions if escalating(pattern)]
    named = ", ".join(f"`{_value(pattern)}`" for pattern in culprits)
    if any("*" in pattern or "?" in pattern for pattern in culprits):
        return f"Fix: replace {named} with the actions that users need; signing in needs none."
    return f"Fix: remove {named} from the statement; signing in does not need it."
