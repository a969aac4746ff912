"""Stacks of resources, the rules asked about them, and fixes applied to them as a machine applies them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from policies.identity_scope.findings.finding import Finding
from policies.identity_scope.findings.fix import Declaration, Edit, Fix, Setting, changed
from policies.identity_scope.inventory.inventory import Inventory
from policies.identity_scope.pack.configuration import Config, read
from policies.identity_scope.pack.judges import JUDGES
from policies.identity_scope.pack.rules import RULES
from policies.identity_scope.sources.pulumi import Resource, facts
from tests.policies.pack.engine import built, configured

Raw = dict[str, Any]
NOTHING = {"Effect": "Deny", "Action": "nothing:Nothing", "Resource": "*"}
"""A statement without effect."""


@dataclass(frozen=True)
class Partition:
    """A partition's names in the place of the commercial one's."""

    name: str
    region: str
    issuer: str
    issuers: tuple[tuple[str, str], ...] = ()

    @property
    def own(self) -> str:
        return f"${{{self.issuer}:sub}}"

    @property
    def pool(self) -> str:
        return f"{self.region}:aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"

    def text(self, value: str) -> str:
        value = value.replace("arn:aws:", f"arn:{self.name}:").replace("us-east-1", self.region)
        return value.replace("cognito-identity.amazonaws.com", self.issuer)

    def value(self, value: Any) -> Any:
        return json.loads(self.text(json.dumps(value)))


_CHINA = "cognito-identity.cn-north-1.amazonaws.com.cn"
PARTITIONS = (
    Partition("aws", "us-east-1", "cognito-identity.amazonaws.com"),
    Partition("aws-us-gov", "us-gov-west-1", "cognito-identity-us-gov.amazonaws.com"),
    Partition("aws-us-gov", "us-gov-east-1", "cognito-identity.us-gov-east-1.amazonaws.com"),
    Partition("aws-cn", "cn-north-1", _CHINA, (("cn-north-1", _CHINA),)),
)
COMMERCIAL = PARTITIONS[0]


@dataclass(frozen=True)
class Stack:
    """Resources, and each rule's configuration as it stands in the file."""

    resources: tuple[Resource, ...]
    config: Raw

    def findings(self) -> list[tuple[str, Finding]]:
        """What the rules say of the whole stack, without what is decided at update."""
        found: list[tuple[str, Finding]] = []
        inventory = Inventory.of(facts(each) for each in self.resources)
        for rule in RULES:
            problems: list[str] = []
            config = read(rule.settings, self.config.get(rule.name, {}), problems)
            assert not problems, problems
            found += [(rule.name, each) for each in judged(rule.name, inventory, config) if not each.pending]
        return found


def judged(name: str, inventory: Inventory, config: Config) -> Iterable[Finding]:
    rule = next(rule for rule in RULES if rule.name == name)
    roles = [] if rule.of_pools else inventory.vended(config.known)
    return list({each.key: each for each in JUDGES[rule.name](inventory, roles, config, None)}.values())


def of_case(case: Mapping[str, Any], partition: Partition = COMMERCIAL) -> Stack:
    """A case's stack in a partition."""
    config = partition.value(case["given"].get("config") or {})
    if partition.issuers:
        config["issuers"] = {**dict(partition.issuers), **config.get("issuers", {})}
    resources = tuple(
        Resource(r.urn, r.type_, r.name, partition.value(dict(r.inputs)), dict(r.property_dependencies))
        for r in built(case)
    )
    return Stack(resources, configured(config))


def filled(fix: Fix, partition: Partition) -> Fix:
    """A fix with names in the place of its placeholders, as its author fills them in."""
    text = json.dumps(fix.as_json())
    place = next((each for each in PARTITIONS if f"{each.issuer}:aud" in text), partition)
    names = {
        "BUCKET": "some-bucket",
        "NAME": "name",
        "APIID": "a1b2c3d4e5",
        "POOL_ID": place.pool,
        "ISSUER": partition.issuer,
        "DOCUMENT": {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}},
    }
    mine = {each.name: names[each.name] for each in fix.placeholders}

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(each) for key, each in value.items()}
        if isinstance(value, list):
            return [fill(each) for each in value]
        if isinstance(value, str):
            for name, meant in mine.items():
                if value == name:
                    return meant
                if isinstance(meant, str):
                    value = value.replace(name, meant)
        return value

    edits = tuple(replace(edit, new=fill(edit.new)) for edit in fix.edits)
    declare = replace(fix.declare, value=fill(fix.declare.value)) if fix.declare is not None else None
    return replace(fix, edits=edits, declare=declare)


def applied(stack: Stack, fix: Fix) -> Stack:
    """The stack after a fix."""
    if fix.declare is not None:
        stack = declared(stack, fix.declare)
    resources = {each.urn: replace(each, props=deepcopy(dict(each.props))) for each in stack.resources}
    config = deepcopy(stack.config)
    if any(each.name == "POOL_ID" for each in fix.placeholders):
        # The author fills in a pool that is known.
        trust = config.setdefault("trust-bound-to-pool", {})
        trust["pools"] = [*trust.get("pools", ()), *(each.pool for each in PARTITIONS)]
    for urn, document in dict.fromkeys((edit.urn, edit.document) for edit in fix.edits):
        edits = [edit for edit in fix.edits if (edit.urn, edit.document) == (urn, document)]
        holder = resources[urn].props
        places = [(holder, path) for path in _documents(holder)]
        places += [(config, path) for path in _documents(config)]
        fitting = [(root, path) for root, path in places if _fits(_at(root, path), edits)]
        assert fitting, (document, edits)
        for root, path in fitting if root_is_config(fitting, config) else fitting[:1]:
            after = edited(_parsed(_at(root, path)), edits)
            if after is None:
                _remove(root, path)
                if len(path) == 1 and root is not config:
                    resources.pop(urn)
            else:
                _put(root, path, json.dumps(after) if isinstance(_at(root, path), str) else after)
    for setting in fix.settings:
        resources[setting.urn] = replace(resources[setting.urn], props=_set(resources[setting.urn].props, setting))
    return Stack(tuple(resources.values()), config)


def root_is_config(fitting: Sequence[tuple[Any, Any]], config: Raw) -> bool:
    return all(root is config for root, _ in fitting)


def declared(stack: Stack, declaration: Declaration) -> Stack:
    """The stack with something added to its configuration."""
    config = deepcopy(stack.config)
    for rule, settings in declaration.configuration.items():
        for name, value in settings.items():
            mine = config.setdefault(rule, {})
            given = mine.get(name)
            mine[name] = {**(given or {}), **value} if isinstance(value, dict) else [*(given or []), *value]
    return Stack(stack.resources, config)


def edited(document: Raw, edits: Sequence[Edit]) -> Raw | None:
    """A document's JSON after edits; None where it is removed."""
    statements = document["Statement"]
    numbered = dict(enumerate(statements if isinstance(statements, list) else [statements]))
    found = dict(document)
    for edit in edits:
        if edit.statement is None:
            if not edit.element:
                return None
            found[edit.element[0]] = edit.new
        elif not edit.element:
            # The others keep their numbers, by which findings are told apart.
            gone = numbered.get(edit.statement, {})
            nothing = {**NOTHING, "Principal": "*"} if "Principal" in gone else dict(NOTHING)
            if "Resource" not in gone and "NotResource" not in gone:
                del nothing["Resource"]
            numbered[edit.statement] = nothing if edit.new is None else edit.new
        else:
            numbered[edit.statement] = changed(numbered[edit.statement], edit.element, edit.new)
    return {**found, "Statement": list(numbered.values())}


def _documents(value: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    """The paths of the policy documents in a resource's properties."""
    if _parsed(value) is not None:
        yield path
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _documents(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _documents(each, (*path, index))


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and '"Statement"' in value:
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, Mapping) and "Statement" in value else None


def _fits(document: Any, edits: Sequence[Edit]) -> bool:
    """Whether a document is the one that edits are about: what they replace stands in it."""
    parsed = _parsed(document)
    statements = parsed["Statement"] if isinstance(parsed["Statement"], list) else [parsed["Statement"]]
    for edit in edits:
        if edit.statement is None:
            if edit.element and parsed.get(edit.element[0]) != edit.old:
                return False
            continue
        if edit.old is None and not edit.element:
            continue
        if edit.statement >= len(statements):
            return False
        value = statements[edit.statement]
        for name in edit.element:
            value = value.get(name) if isinstance(value, Mapping) else None
        if edit.element and _plain(value) != _plain(edit.old):
            return False
    return True


def _plain(value: Any) -> Any:
    """A value as IAM reads it: one value is a list of one, and text whatever it was."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if value is None or value == "*":
        return value if value is None else ["*"]
    values = value if isinstance(value, list) else [value]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]


def _at(root: Any, path: Sequence[Any]) -> Any:
    for key in path:
        root = root[key]
    return root


def _put(root: Any, path: Sequence[Any], value: Any) -> None:
    _at(root, path[:-1])[path[-1]] = value


def _remove(root: Any, path: Sequence[Any]) -> None:
    # An inline policy is an item of a list, with its name.
    if len(path) > 1 and isinstance(path[-2], int):
        path = path[:-1]
    del _at(root, path[:-1])[path[-1]]


def _set(props: Mapping[str, Any], setting: Setting) -> Raw:
    found = deepcopy(dict(props))
    places: list[Any] = [found]
    for key in setting.path[:-1]:
        places = (
            [item for place in places for item in (place[key] if key == "*" else [place[key]])]
            if key != "*"
            else [item for place in places for item in place]
        )
    for place in places:
        place[setting.path[-1]] = setting.new
    return found
