"""Resources of CloudFormation stacks as facts.

The types of `aws-native` are CloudFormation's, so that one reader serves both; `AWS::IAM::Policy` has no counterpart there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ..iam.documents import DocumentKind
from ..inventory.accounts import Origin
from ..inventory.facts import UNKNOWN, Fact, GrantFact, InlinePolicy, Reference, Source, Unreadable
from .cloudformation import (
    MAX_WORLDS,
    NO_VALUE,
    Assumptions,
    Deployment,
    Located,
    Template,
    Undecided,
    World,
    is_unknown,
    near,
    rendered,
    unknown_names,
)
from .files import InputError, Parsed, Place, ValuePath, parse, read
from .located import DocumentPlaces, LocatedFacts, Note, document_sources
from .native import lowered, native_type
from .pulumi import NotKnown, Resource, facts
from .types import pool_type, relevant

_FLAGS = frozenset({"AllowUnauthenticatedIdentities", "AllowClassicFlow", "ServerSideTokenCheck", "UseDefaults"})
_REFERENCES = frozenset({"Bucket", "IdentityPoolId", "RoleName", "Roles", "UserPoolId"})
"""Properties that name another resource: one that is not known may be any."""
_PARTS = frozenset(
    {
        *("CognitoIdentityProviders", "ManagedPolicyArns", "OpenIdConnectProviderARNs", "Policies", "PrincipalTags"),
        *("RoleMappings", "Roles", "Rules", "RulesConfiguration", "SamlProviderARNs"),
    }
)
"""Properties that are objects or lists, which a parameter, a macro or a custom resource may give as a whole."""
_NAMES = frozenset({"PrincipalTags", "Tags", "WriteAttributes"})
"""Properties of names and their values, which are known or not, each for itself."""
_DOCUMENTS = frozenset({"AssumeRolePolicyDocument", "PolicyDocument", "Policy"})
_TEXTUAL = ("String", "Arn")
_USER = re.compile(r"arn:[a-z-]+:iam::[a-z0-9]+:user/")


class Reading(NamedTuple):
    """The resources of templates, as conditions turn out in one way.

    Attributes:
        samples: texts that stand in documents for what is not known, each with the policy variable for it.
    """

    world: World
    resources: list[LocatedFacts]
    notes: list[Note]
    samples: Mapping[str, str]


def read_templates(files: Sequence[Parsed], assumptions: Assumptions, sampled: bool = False) -> list[Reading]:
    """The resources of some templates and the stacks that they nest, once for each way that conditions may turn out.

    Args:
        sampled: whether documents have a value for each that is not known, one as it is likely to be, and not any.

    Raises:
        InputError: a template cannot be evaluated, or depends on too many conditions.
    """
    worlds, found = [World()], list[Reading]()
    while worlds:
        world = worlds.pop()
        try:
            found.append(Reading(world, *_Reader(files, assumptions, world, sampled).read()))
        except Undecided as undecided:
            worlds += reversed(world.fork(undecided))
            if len(worlds) + len(found) > MAX_WORLDS:
                problem = f"has too many conditions that nothing decides, such as {undecided.key}; set the parameters"
                raise InputError(files[0].name, f"{problem} with --parameter NAME=VALUE") from None
        except RecursionError:
            raise InputError(files[0].name, "is nested too deeply") from None
    return found


class _Reader:
    """All templates in one world."""

    def __init__(self, files: Sequence[Parsed], assumptions: Assumptions, world: World, sampled: bool) -> None:
        self._files = {Path(file.name).resolve(): file for file in files}
        self._nested: set[str] = set()
        self._deployment = Deployment(assumptions, world, self._find, sampled)

    def _find(self, template: Template, source: str) -> Parsed | None:
        found = near(template, source, self._files, lambda path: _nested(path, template.file.root))
        if found is not None:
            self._nested.add(found.name)
            self._files.setdefault(Path(found.name).resolve(), found)
        return found

    def read(self) -> tuple[list[LocatedFacts], list[Note], Mapping[str, str]]:
        templates = [Template(file, self._deployment) for file in list(self._files.values())]
        for template in self._deployment.stacks:  # which grow as stacks are found that they nest
            for name in template.resources:
                template.child(name)
        # A template that another one nests is no stack by itself.
        roots = [template for template in templates if template.file.name not in self._nested]
        self._deployment.stacks[:] = [each for each in self._deployment.stacks if each.nested or each in roots]
        resources = [found for template in self._deployment.stacks for found in _resources(template)]
        return resources, list(self._deployment.notes), self._deployment.samples


def _nested(path: Path, root: Path | None) -> Parsed:
    return parse(str(path), read(path), root)


def _resources(template: Template) -> Iterator[LocatedFacts]:
    for name, resource in template.resources.items():
        type_ = str(resource.get("Type"))
        native = native_type(type_)
        if not relevant(native) and type_ != "AWS::IAM::Policy":
            continue
        at: ValuePath = ("Resources", name)
        if "Condition" in resource and not template.condition(resource["Condition"], (*at, "Condition")):
            continue
        yield _Resource(template, name, type_, native).located()


class _Resource:
    """One resource, evaluated."""

    def __init__(self, template: Template, name: str, type_: str, native: str) -> None:
        self._template = template
        self._name = name
        self._type = type_
        self._native = native
        self._at: ValuePath = ("Resources", name)
        self._places: dict[int, DocumentPlaces] = {}
        self._kept: list[object] = []
        self._widened: set[str] = set()
        self._urn = f"urn:cloudformation:{template.file.name}::{type_}::{template.qualified(name)}"

    @property
    def _label(self) -> str:
        """The CDK's path, where there is one, else the logical ID."""
        metadata = self._template.resources[self._name].get("Metadata")
        path = metadata.get("aws:cdk:path") if isinstance(metadata, dict) else None
        return (
            path.removesuffix("/Resource") if isinstance(path, str) and path else self._template.qualified(self._name)
        )

    def located(self) -> LocatedFacts:
        template = self._template
        evaluated = self._properties()
        known = isinstance(evaluated, Mapping)
        properties: Mapping[str, Any] = self._prepared(evaluated) if known else NotKnown()
        stated = self._policy(properties) if self._type == "AWS::IAM::Policy" else self._native_facts(properties)
        documents = {
            source.label: places
            for source in document_sources(stated)
            if (places := self._places.get(id(source.source))) is not None
        }
        widened = tuple(sorted(self._widened))
        return LocatedFacts(self._urn, self._type, self._label, stated, template.place(self._at), documents, widened)

    def _properties(self) -> Any:
        """The evaluated properties; a text where a macro may have changed them, so that none is known."""
        resource = self._template.resources[self._name]
        whole = self._template.evaluate({key: None for key in resource if key.startswith("Fn::")}, self._at)
        if is_unknown(whole):
            return whole
        return self._template.evaluate(resource.get("Properties") or {}, (*self._at, "Properties"))

    def _native_facts(self, properties: Mapping[str, Any]) -> tuple[Fact, ...]:
        ref, attributes = self._template.identity(self._name)
        identity: dict[str, Any] = {"": None}  # a resource without properties is not one that is not registered
        if self._type == "AWS::IAM::Role":
            identity = {"roleName": rendered(ref), "arn": rendered(attributes["Arn"])}
        elif self._type == "AWS::IAM::ManagedPolicy":
            identity = {"policyArn": rendered(ref), "managedPolicyName": rendered(ref).rpartition("/")[2]}
        elif self._type == "AWS::S3::Bucket":
            identity = {"bucketName": self._template.deployment.rendered(ref)}
        elif self._type in ("AWS::S3::AccessPoint", "AWS::S3Express::AccessPoint"):
            identity = {"name": rendered(ref), **{key.lower(): rendered(value) for key, value in attributes.items()}}
        elif self._type in ("AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"):
            identity = {"id": rendered(ref)}
        elif pool_type(self._native):
            # Its name, if it is not given, is not known; nor does it matter which it is.
            identity = {"id": ref, "identityPoolName": properties.get("IdentityPoolName") or self._name}
        props: Mapping[str, Any] = {**lowered(properties), **identity}
        if isinstance(properties, NotKnown) and self._type != "AWS::S3::Bucket":  # which says nothing but its name
            props = NotKnown(known=identity)
        return tuple(facts(Resource(self._urn, self._native, self._label, props, origin=self._origin)))

    @property
    def _origin(self) -> Origin:
        assumptions = self._template.deployment.assumptions
        return Origin("cloudformation", assumptions.account, assumptions.region)

    def _policy(self, properties: Mapping[str, Any]) -> tuple[Fact, ...]:
        """An inline policy of several roles."""
        name = properties.get("PolicyName")
        source = Source(self._urn, self._label, properties.get("PolicyDocument"))
        policy = InlinePolicy(name if isinstance(name, str) else None, source)
        roles = properties.get("Roles")
        return tuple(
            GrantFact(self._urn, self._label, Reference(role if isinstance(role, str) else None), policy, self._origin)
            for role in (roles if isinstance(roles, list) else [roles])
            if isinstance(role, str) or role is UNKNOWN
        )

    # --- what is not known

    def _prepared(self, value: Any, key: str = "") -> Any:
        """Properties in which what is not known says so: a flag is UNKNOWN, a document is widened, a text a variable."""
        if key in _DOCUMENTS:
            return self._document(value, key)
        if key in _FLAGS or (key in _PARTS and isinstance(value, str)):
            return UNKNOWN if is_unknown(value) else value
        if key in _NAMES:
            return _map(value, lambda text: UNKNOWN if is_unknown(text) else rendered(text))
        if isinstance(value, Mapping):
            return {name: self._prepared(member, name) for name, member in value.items()}
        if isinstance(value, list):
            return [self._prepared(item, key if key in _REFERENCES else "") for item in value]
        if key in _REFERENCES and is_unknown(value):
            return UNKNOWN
        return rendered(value) if isinstance(value, str) else value

    def _document(self, value: Any, key: str) -> object:
        """A policy document, widened where something in it is not known."""
        kind, deployment = self._kind(key), self._template.deployment
        # There is no likely value of the ID that a trust policy names.
        named = kind is DocumentKind.TRUST and deployment.sampled
        widened = _Widened(value, kind, _as_variables if named else deployment.rendered)
        self._widened |= widened.by
        document = widened.document
        if isinstance(value, Located):
            self._places[id(document)] = self._places_of(value)
        else:
            self._places[id(document)] = DocumentPlaces(self._template.place(self._at))
        self._kept.append(document)  # so that no other object gets its id
        return document

    def _kind(self, key: str) -> DocumentKind:
        if key == "AssumeRolePolicyDocument":
            return DocumentKind.TRUST
        return DocumentKind.RESOURCE if self._type.startswith("AWS::S3") else DocumentKind.IDENTITY

    def _places_of(self, document: Located) -> DocumentPlaces:
        place = self._template.place

        def of(statement: object) -> Place:
            return place(statement.at if isinstance(statement, Located) else document.at)

        statements = document.get("Statement")
        return DocumentPlaces(place(document.at), tuple(map(of, statements)) if isinstance(statements, list) else ())


class _Widened:
    """A document without anything that is not known: wider where it allows, narrower where it denies.

    Attributes:
        by: what is not known and has been left out. What became a policy variable is still there.
    """

    def __init__(self, value: Any, kind: DocumentKind, render: Callable[..., str]) -> None:
        self._render = render
        self.document: object = value
        self.by: set[str] = set()
        self._kind = kind
        self._nothing = _NOTHING[kind]
        if isinstance(value, str):
            self.document = Unreadable(_PROBLEM.format(unknown_names(value)[0])) if is_unknown(value) else value
        elif isinstance(value, Mapping):
            try:
                self.document = self._of(value)
            except _NotKnownError as error:
                self.document = Unreadable(_PROBLEM.format(error))

    def _of(self, value: Mapping[str, Any]) -> dict[str, Any]:
        marked = sorted(_marked(value))
        statements = value.get("Statement")
        if not marked:
            listed = statements if isinstance(statements, list) else []
            return {**value, "Statement": list(map(self._statement, listed))} if listed else dict(value)
        expands = value.get("Version") == "2012-10-17"
        found = {key: member for key, member in value.items() if key not in ("Statement", "Id")}
        listed = statements if isinstance(statements, list) else [statements]
        literal = [] if expands else [mark for statement in listed for mark in _read_by_iam(statement)]
        if any(_marked(found)) or literal:
            raise _NotKnownError((literal or marked)[0])
        return {**found, "Statement": [self._statement(statement) for statement in listed]}

    def _statement(self, statement: Any) -> Any:
        if statement is NO_VALUE:
            return self._nothing
        marked = sorted(_marked(statement))
        if not marked:
            return statement
        if not isinstance(statement, Mapping):
            raise _NotKnownError(marked[0])
        allows = statement.get("Effect") != "Deny"
        found: dict[str, Any] = {}
        for key, member in statement.items():
            marks = sorted(_marked(member))
            if key not in ("Sid", "Resource", "NotResource", "Condition"):
                self.by |= set(marks)
            if not marks:
                found[key] = member
            elif key == "Effect":
                found[key] = "Allow"
            elif key in ("Action", "NotAction"):
                actions = self._actions(member, key == "NotAction", allows)
                if not actions:
                    return self._nothing if not allows else {**_without_actions(statement), "Action": "*"}
                found[key] = actions
            elif key in ("Resource", "NotResource"):
                found[key] = _map(member, partial(self._render, service=_service(statement)))
            elif key == "Condition":
                condition = self._condition(member, allows)
                if condition is None:
                    return self._nothing
                found[key] = condition
            elif key == "Principal" and _names_no_role(member):
                found[key] = _map(member, rendered)
            elif key != "Sid":
                if not allows:
                    return self._nothing
                if self._kind is not DocumentKind.TRUST:
                    raise _NotKnownError(marks[0])
                found[key] = _map(member, rendered)  # no issuer's name, so that a role that is vended trusts it too
        return found

    @staticmethod
    def _actions(value: Any, negated: bool, allows: bool) -> list[str]:
        actions = value if isinstance(value, list) else [value]
        known = [action for action in actions if not is_unknown(action)]
        if allows is not negated:
            # A wider Action, or a NotAction of a Deny, which takes more away from it.
            known += ["*" for action in actions if is_unknown(action)]
        return known

    def _condition(self, value: Any, allows: bool) -> dict[str, Any] | None:
        """A condition of which an Allow keeps what is known; None where a Deny cannot be counted on."""
        if not isinstance(value, Mapping):
            raise _NotKnownError(sorted(_marked(value))[0])
        found: dict[str, Any] = {}
        for operator, tests in value.items():
            textual = operator.rpartition(":")[2].startswith(_TEXTUAL) and not is_unknown(operator)
            for key, values in tests.items() if isinstance(tests, Mapping) else [("", tests)]:
                if is_unknown(operator) or is_unknown(key) or (any(_marked(values)) and (not textual or not key)):
                    self.by |= {*_marked(operator), *_marked(key), *_marked(values)}
                    if not allows:
                        return None
                    continue
                found.setdefault(operator, {})[key] = _map(values, self._render)
        return found


_PROBLEM = "`{}` is not known, and decides what the document says"
NOTHING = "none:None"
"""The action of a statement that says nothing."""
_ACCOUNT = {"AWS": "arn:aws:iam::000000000000:user/nobody"}
_NOTHING: dict[DocumentKind, dict[str, Any]] = {
    DocumentKind.IDENTITY: {"Effect": "Deny", "Action": NOTHING, "Resource": "arn:aws:none:::none"},
    DocumentKind.TRUST: {"Effect": "Deny", "Action": NOTHING, "Principal": _ACCOUNT},
    DocumentKind.RESOURCE: {
        "Effect": "Deny",
        "Action": NOTHING,
        "Resource": "arn:aws:none:::none",
        "Principal": _ACCOUNT,
    },
}
"""A statement that says nothing, where one is left out, so that the others keep their numbers."""


class _NotKnownError(Exception):
    """What is not known leaves nothing of a document that could be judged."""


def _as_variables(text: str, service: str = "") -> str:
    return rendered(text)


def _service(statement: Mapping[str, Any]) -> str:
    """The service of a statement's first action, in whose ARNs its resources are."""
    actions = statement.get("Action")
    first = str((actions or [""])[0] if isinstance(actions, list) else actions)
    return first.partition(":")[0].lower() if re.match(r"[A-Za-z0-9-]+:", first) else "s3"


def _read_by_iam(statement: Any) -> list[str]:
    """What is not known in a statement, but for what names nobody who matters."""
    members = statement.items() if isinstance(statement, Mapping) else [("", statement)]
    return sorted(
        mark
        for key, member in members
        if not (key == "Sid" or (key == "Principal" and _names_no_role(member)))
        for mark in _marked(member)
    )


def _names_no_role(principal: Any) -> bool:
    """Whether what is not known in a Principal is certainly no role and no session of one: a canonical user, or an IAM user
    by its ARN, as the origin access identities of CloudFront are named.

    Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3-oai.html
    """
    return isinstance(principal, Mapping) and all(
        kind == "CanonicalUser" or (kind == "AWS" and _USER.match(text) is not None)
        for kind, values in principal.items()
        for text in (values if isinstance(values, list) else [values])
        if is_unknown(kind) or any(_marked(text))
    )


def _without_actions(statement: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _map(member, rendered)
        for key, member in statement.items()
        if key in ("Effect", "Resource", "NotResource") and not (key == "Effect" and is_unknown(member))
    }


def _marked(value: Any) -> Iterator[str]:
    """The texts in which something is not known."""
    if is_unknown(value):
        yield from unknown_names(str(value))
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield from _marked(key)
            yield from _marked(member)
    elif isinstance(value, list):
        for item in value:
            yield from _marked(item)


def _map(value: Any, change: Callable[[str], object]) -> Any:
    if isinstance(value, list):
        return [_map(item, change) for item in value]
    if isinstance(value, Mapping):
        return {key: _map(member, change) for key, member in value.items()}
    return change(value) if isinstance(value, str) else value
