"""A statement that grants too much, as its author meant it: what to write in its place.

Each function gives the statements that take a statement's place. Whether they fix what was found is for the proof to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..iam.actions import LIST_ACTIONS, OBJECT_ACTIONS, OTHER_S3_WRITES, escalating, exists, mask
from ..iam.documents import Condition, Effect, Statement
from ..iam.evaluator import action_matches
from ..proof.other_access import KEYED_ITEM_ACTIONS
from ..proof.reach import LISTING_KEYS, PREFIX_KEY
from .fix import StatementJson, condition_json, short, statement_json
from .scoping import Names, arn_fields, buckets_of, folder_of, objects_of, own_key, own_prefix, own_resource
from .spelling import misspelt

FILE_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
LISTING = "s3:ListBucket"
PUBLIC = "public/"
"""The folder for what everyone may reach, where a bucket policy opens more than that."""
LEADING_KEYS = "dynamodb:LeadingKeys"
USERS_ACTIONS = {
    "s3": (*FILE_ACTIONS, LISTING),
    "execute-api": ("execute-api:Invoke",),
    "lambda": ("lambda:InvokeFunction",),
    "dynamodb": (
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
    ),
    "sns": ("sns:Publish",),
    "sqs": ("sqs:SendMessage",),
    "iot": ("iot:Connect", "iot:Publish", "iot:Subscribe", "iot:Receive"),
    "kinesis": ("kinesis:PutRecord", "kinesis:PutRecords"),
    "firehose": ("firehose:PutRecord", "firehose:PutRecordBatch"),
    "mobiletargeting": ("mobiletargeting:PutEvents", "mobiletargeting:UpdateEndpoint"),
    "mobileanalytics": ("mobileanalytics:PutEvents",),
    "cognito-sync": ("cognito-sync:ListRecords", "cognito-sync:UpdateRecords"),
    "logs": ("logs:PutLogEvents",),
    "geo": ("geo:GetMap*", "geo:SearchPlaceIndex*"),
    "polly": ("polly:SynthesizeSpeech",),
    "appsync": ("appsync:GraphQL",),
}
"""What apps call with a user's credentials, by service: what a wildcard in Action is narrowed to."""


def owned(statement: Statement, names: Names, folders: Sequence[str] = ()) -> list[StatementJson]:
    """A statement of S3 with the identity ID in its objects and its listings; what else it allows stays.

    Args:
        folders: the prefixes of the user's folders in the bucket, from the role's other statements.
    """
    written = statement_json(statement)
    listing_tests = [test for test in statement.conditions if _of_prefix(test)]
    resources = _meant(statement, names)
    s3, others, rest = _parts(statement)
    files = [action for action in s3 if mask(_of(action), OBJECT_ACTIONS)]
    buckets = [resource for resource in resources if _lists(resource)]
    lists = [action for action in s3 if mask(_of(action), LIST_ACTIONS)] if buckets else []
    objects = [resource for resource in resources if objects_of(resource)]
    own = list(dict.fromkeys(own_resource(resource, names) for resource in objects))
    found: list[StatementJson] = []
    if files and objects and not (listing_tests and lists and _required(listing_tests)):
        actions = s3
        if lists:
            # A wildcard would still allow the listing: the actions that it is there for take its place.
            wide = [action for action in files if action in lists]
            named = [action for action in files if action not in lists]
            actions = list(dict.fromkeys([*named, *_files_of(wide)])) or ["s3:GetObject"]
        conditions = [test for test in statement.conditions if test.key not in LISTING_KEYS]
        found.append(_statement(written, actions, own, conditions))
    if lists:
        allowed = prefixes(listing_tests, names.own) or [
            f"{folder}{names.own}/*" for folder in (_folders(own, names.own) or list(folders) or [""])
        ]
        actions = [action for action in lists if not _wide(action)] or [LISTING]
        kept = [test for test in statement.conditions if not _of_prefix(test)]
        kept = [*kept, *_prefix_tests(listing_tests, allowed, names.own)]
        found.append(_statement(written, actions, buckets_of(buckets, names), kept))
    if others or rest:
        if not found:
            return [written]
        # What allows privilege escalation does not get a statement of its own.
        kept_actions = ([action] if not escalating(action) else _narrowed(action) for action in (*others, *rest))
        remaining = list(dict.fromkeys(action for each in kept_actions for action in each))
        conditions = list(statement.conditions)
        if remaining:
            # What is asked for buckets needs no objects, of which a wildcard may come to read some.
            places = statement.resources if others or statement.not_resource or not buckets else buckets
            found.append(_statement(written, remaining, list(places), conditions, statement.not_resource))
    for each in found[1:]:
        each.pop("Sid", None)
    return found or [written]


def _lists(resource: str) -> bool:
    """Whether an entry of Resource may match a bucket or an access point, which listings are asked for."""
    place = resource.split(":", 5)[-1]
    return "/" not in place.removeprefix("accesspoint/")


def files_only(statement: Statement, names: Names) -> list[StatementJson]:
    """A statement that is too wide to be understood: the user's own files."""
    resources = [own_resource(resource, names) for resource in _meant(statement, names) if objects_of(resource)]
    own = list(dict.fromkeys(resources)) or [f"arn:{names.partition}:s3:::{names.bucket()}/{names.own}/*"]
    written = statement_json(statement)
    kept = [test for test in statement.conditions if test.key not in LISTING_KEYS]
    return [_statement(written, _files(statement), own, kept)]


def inside(statement: Statement, names: Names, bucket: str, folder: str) -> list[StatementJson]:
    """A statement whose objects and listings lie in the one folder `folder` + identity ID + `/` of a bucket."""
    found: list[StatementJson] = []
    for each in owned(statement, names):
        text = dict(each)
        if "Resource" in text and all(objects_of(r) and ":s3:::" in r for r in _list(text["Resource"])):
            text["Resource"] = short([_moved(r, names, bucket, folder) for r in _list(text["Resource"])])
        elif "Condition" in text and any(
            key.lower() == PREFIX_KEY for block in text["Condition"].values() for key in block
        ):
            text["Resource"] = f"arn:{names.partition}:s3:::{bucket}"
            text["Condition"] = {
                operator: {
                    key: short(list(dict.fromkeys(_moved_key(v, names, folder) for v in _list(values))))
                    if key.lower() == PREFIX_KEY
                    else values
                    for key, values in block.items()
                }
                for operator, block in text["Condition"].items()
            }
        found.append(text)
    return found


def for_everyone(statement: Statement) -> list[StatementJson]:
    """A bucket policy's statement that opens users' folders: what it opens lies in a folder of its own."""
    written = statement_json(statement)
    if statement.not_resource:
        return []
    moved: list[str] = []
    for resource in statement.resources:
        head, slash, key = resource.partition("/")
        bucket = head.rstrip("*?") if not slash else head
        moved.append(f"{bucket}/{PUBLIC}{key or '*'}")
    files = [action for action in _expanded(statement) if mask(_of(action), OBJECT_ACTIONS)]
    actions = [action for action in files if not mask(_of(action), LIST_ACTIONS)] or ["s3:GetObject"]
    return [_statement(written, actions, list(dict.fromkeys(moved)), list(statement.conditions))]


def without_escalation(statement: Statement, names: Names) -> list[StatementJson]:
    """A statement without its actions that allow privilege escalation."""
    written = statement_json(statement)
    if statement.not_action or "*" in statement.actions:
        services = {resource.split(":", 5)[2] for resource in statement.resources if resource.count(":") > 4}
        if len(services) == 1 and "s3" not in services and not statement.not_resource and "*" not in str(services):
            needed = [name for name in USERS_ACTIONS.get(services.pop(), ()) if not escalating(name)]
            return (
                [_statement(written, needed, list(statement.resources), list(statement.conditions))] if needed else []
            )
        if statement.principals is not None:
            return [_statement(written, _files(statement), list(statement.resources), list(statement.conditions))]
        return files_only(statement, names)
    actions: list[str] = []
    for action in statement.actions:
        actions += _narrowed(action) if escalating(action) else [action]
    if not actions:
        return []
    return [{**written, "Action": short(list(dict.fromkeys(actions)))}]


def bound_to_api(statement: Statement, api: str, partition: str) -> list[StatementJson]:
    """A statement whose API calls name the API; region, stage, method and path stay."""
    written = statement_json(statement)
    if statement.not_action or "*" in statement.actions or statement.not_resource:
        return []
    calls = [action for action in statement.actions if action.lower().startswith("execute-api:") or action[:1] in "*?"]
    others = [action for action in statement.actions if action not in calls]
    resources: list[str] = []
    kept: list[str] = []
    for resource in statement.resources:
        fields = resource.split(":", 5)
        if len(fields) == 6 and fields[2] not in ("execute-api", "*"):
            kept.append(resource)
            continue
        place = fields[3:5] if len(fields) == 6 else ["*", "*"]
        path = fields[5].partition("/")[2] if len(fields) == 6 else ""
        named = fields[5].partition("/")[0] if len(fields) == 6 else ""
        keeps = named if named.isalnum() and api == "" else api
        resources.append(f"arn:{partition}:execute-api:{place[0]}:{place[1]}:{keeps}/{path or '*'}")
    found = [{**written, "Action": short(calls), "Resource": short(list(dict.fromkeys(resources)))}]
    if others:
        rest = {**written, "Action": short(others)}
        rest.pop("Sid", None)
        found.append(rest)
    elif kept:
        found[0]["Resource"] = short([*kept, *dict.fromkeys(resources)])
    return found


def tied(statement: Statement, names: Names) -> list[StatementJson]:
    """A statement beyond S3 that is tied to the identity, where its service knows how; none where it does not."""
    written = statement_json(statement)
    if statement.not_action or statement.not_resource:
        return []
    actions = [action.lower() for action in statement.actions]
    if KEYED_ITEM_ACTIONS.issuperset(actions):
        condition = dict(written.get("Condition", {}))
        condition["ForAllValues:StringEquals"] = {
            **condition.get("ForAllValues:StringEquals", {}),
            LEADING_KEYS: names.own,
        }
        return [{**written, "Condition": condition}]
    if all(action.startswith("cognito-sync:") for action in actions):
        issuer = names.own[2:-1].rpartition(":")[0]
        own_data = f"identitypool/${{{issuer}:aud}}/identity/{names.own}/*"
        own_data = f"arn:{names.partition}:cognito-sync:*:*:{own_data}"
        return [{**written, "Resource": own_data}]
    return []


def without_buckets(statement: Statement, names: Names) -> list[StatementJson]:
    """A statement without S3's writes to buckets, and tied to the identity beyond S3 where its service knows how."""
    kept: list[str] = []
    for action in statement.actions:
        if escalating(action) or not mask(_of(action), OTHER_S3_WRITES):
            kept.append(action)
        else:
            every = (*OBJECT_ACTIONS, *LIST_ACTIONS)
            kept += [name for name in every if exists(name) and action_matches(_of(action), name)]
    if not kept:
        return []
    rest = replace(statement, actions=tuple(dict.fromkeys(kept)))
    return tied(rest, names) or [statement_json(rest)]


def narrowed(statement: Statement, names: Names) -> list[StatementJson]:
    """A statement of every action: those that apps call, of the services that its resources name."""
    return without_escalation(statement, names)


def with_key(statement: Statement, old: str, new: str) -> list[StatementJson]:
    """A statement in whose conditions and variables one key takes the place of another."""
    written = statement_json(statement)
    if "Condition" in written:
        written["Condition"] = {
            operator: {(new if key.lower() == old.lower() else key): values for key, values in block.items()}
            for operator, block in written["Condition"].items()
        }
    return [written]


def with_variable(statement: Statement, own: str, keys: Iterable[str]) -> list[StatementJson]:
    """A statement in whose resources and condition values the identity ID takes the place of variables."""
    text = json.dumps(statement_json(statement))
    for key in keys:
        start = 0
        while (at := text.lower().find("${" + key, start)) >= 0:
            end = text.find("}", at)
            if end < 0:
                break
            text = text[:at] + own + text[end + 1 :]
            start = at + len(own)
    return [json.loads(text)]


def without_condition(statement: Statement, condition: Condition) -> list[StatementJson]:
    """A statement without one test."""
    return [_conditioned(statement_json(statement), [each for each in statement.conditions if each != condition])]


def prefixed_by(statement: Statement, condition: Condition, names: Names) -> list[StatementJson]:
    """A statement whose prefix condition cannot apply to its actions: the prefix stands in its resources."""
    written = statement_json(statement)
    resources: list[str] = []
    for resource in _meant(statement, names):
        bucket = own_resource(resource, names).split(":", 5)[5].partition("/")[0]
        for value in condition.values:
            key = own_key(value if value and "*" in value else f"{value.rstrip('/')}/*".lstrip("/"), names.own)
            resources.append(f"arn:{names.partition}:s3:::{bucket}/{key}")
    kept = [test for test in statement.conditions if test.key not in LISTING_KEYS]
    return [_statement(written, list(statement.actions), list(dict.fromkeys(resources)), kept)]


def in_two(statement: Statement, actions: Sequence[str]) -> tuple[StatementJson, Statement]:
    """A statement without some of its actions, and one of these."""
    others = [action for action in statement.actions if action not in actions]
    return {**statement_json(statement), "Action": short(others)}, replace(statement, actions=tuple(actions), sid=None)


def prefixes(tests: Sequence[Condition], own: str) -> list[str]:
    """The values of a prefix condition, each with the identity ID in it."""
    found: dict[str, None] = {}
    for test in tests:
        if "Not" in test.operator or test.operator == "Null":
            continue
        exact = _exact(test)
        values = [value for value in test.values if value] or [""]
        for value in values:
            found[own_prefix(value, own, exact)] = None
    return list(found)


def own_folders(statements: Iterable[StatementJson], own: str) -> dict[tuple[str, str], None]:
    """The users' folders, bucket and prefix, that statements grant."""
    found: dict[tuple[str, str], None] = {}
    for statement in statements:
        prefixes_ = [
            value
            for block in statement.get("Condition", {}).values()
            for key, values in block.items()
            if key.lower() == PREFIX_KEY
            for value in _list(values)
        ]
        for resource in _list(statement.get("Resource")):
            fields = arn_fields(resource)
            if len(fields) < 6 or fields[2] != "s3" or any(fields[3:5]):
                continue
            bucket, _, key = fields[5].partition("/")
            for each in [key] if objects_of(resource) else prefixes_:
                folder = folder_of(each, own)
                if folder is not None:
                    found[bucket, folder] = None
    return found


def _list(value: Any) -> list[str]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _of(action: str) -> Statement:
    return Statement(0, Effect.ALLOW, (action,), ("*",))


def _expanded(statement: Statement) -> list[str]:
    """The actions; of a NotAction or `*`, those on files."""
    if statement.not_action:
        return [action for action in (*FILE_ACTIONS, LISTING) if action_matches(statement, action)]
    if "*" in statement.actions:
        return [*FILE_ACTIONS, LISTING]
    return list(statement.actions)


def _parts(statement: Statement) -> tuple[list[str], list[str], list[str]]:
    """The actions of S3 on objects and listings, those of other services, and the other ones of S3."""
    s3: list[str] = []
    others: list[str] = []
    rest: list[str] = []
    for action in _expanded(statement):
        if mask(_of(action), OBJECT_ACTIONS) or mask(_of(action), LIST_ACTIONS):
            s3.append(action)
        elif action.lower().startswith("s3:"):
            rest.append(action)
        else:
            others.append(action)
    return s3, others, rest


def _wide(action: str) -> bool:
    return "*" in action or "?" in action


def _files(statement: Statement) -> list[str]:
    """The actions on files that a statement allows, and no other."""
    return [name for name in FILE_ACTIONS if action_matches(statement, name)] or [FILE_ACTIONS[0]]


def _files_of(actions: Iterable[str]) -> list[str]:
    """The actions on files that patterns cover."""
    return [name for name in FILE_ACTIONS if any(action_matches(_of(action), name) for action in actions)]


def _narrowed(action: str) -> list[str]:
    """The actions that users need of those that a wildcard covers; none of an action by its name."""
    if not _wide(action):
        return []
    names = USERS_ACTIONS.get(action.partition(":")[0].lower(), ())
    return [name for name in names if action_matches(_of(action), name) and not escalating(name)]


def _meant(statement: Statement, names: Names) -> list[str]:
    """The resources; of a NotResource, all objects of the bucket that it names."""
    if not statement.not_resource:
        return list(statement.resources)
    buckets = {own_resource(r, names).split(":", 5)[5].partition("/")[0] for r in statement.resources if ":s3:" in r}
    bucket = buckets.pop() if len(buckets) == 1 else names.bucket()
    return [f"arn:{names.partition}:s3:::{bucket}/*"]


def _folders(own: Sequence[str], variable: str) -> list[str]:
    found = own_folders([{"Resource": list(own)}], variable)
    return list(dict.fromkeys(folder for _, folder in found))


def _of_prefix(test: Condition) -> bool:
    """Whether a test is one of the prefix, also where its key is misspelt."""
    return test.key == PREFIX_KEY or misspelt(test.key) == PREFIX_KEY


def _required(tests: Sequence[Condition]) -> bool:
    """Whether a test of the prefix fails without one, so that no request for an object passes it."""
    return any(
        not test.if_exists
        and test.qualifier != "ForAllValues"
        and "Not" not in test.operator
        and test.operator != "Null"
        for test in tests
    )


def _exact(test: Condition) -> bool:
    return test.operator.startswith("StringEquals") and not any("*" in value for value in test.values)


def _prefix_tests(tests: Sequence[Condition], allowed: Sequence[str], own: str) -> list[Condition]:
    """One test of the prefix, as the author wrote it where its operator will do."""
    good = [test for test in tests if _required([test]) and test.operator in ("StringEquals", "StringLike")]
    written = tests[0].written if tests and tests[0].key == PREFIX_KEY else PREFIX_KEY
    if len(good) == 1 and len(tests) == 1:
        operator = "StringEquals" if _exact(good[0]) and not any("*" in value for value in allowed) else "StringLike"
        return [Condition(operator, PREFIX_KEY, tuple(allowed), good[0].qualifier, False, written)]
    return [Condition("StringLike", PREFIX_KEY, tuple(allowed), "", False, written)]


def _statement(
    written: StatementJson,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Sequence[Condition],
    negated: bool = False,
) -> StatementJson:
    found = {key: value for key, value in written.items() if key in ("Sid", "Effect", "Principal", "NotPrincipal")}
    found["Action"] = short(list(actions))
    found["NotResource" if negated else "Resource"] = short(list(resources))
    return _conditioned(found, conditions)


def _conditioned(statement: StatementJson, conditions: Sequence[Condition]) -> StatementJson:
    found = {key: value for key, value in statement.items() if key != "Condition"}
    if conditions:
        found["Condition"] = condition_json(conditions)
    return found


def _moved(resource: str, names: Names, bucket: str, folder: str) -> str:
    key = own_resource(resource, names).split(":", 5)[5].partition("/")[2]
    return f"arn:{names.partition}:s3:::{bucket}/{_moved_key(key, names, folder)}"


def _moved_key(key: str, names: Names, folder: str) -> str:
    before, _, after = key.partition(f"{names.own}/")
    if before == folder or not _:
        return key
    own_part = before.removeprefix(folder) if folder and before.startswith(folder) else before
    return f"{folder}{names.own}/{own_part}{after}"
