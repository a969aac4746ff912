"""Resources of a stack as facts about roles, documents and pools, whichever provider made them.

Decides which property of which resource type holds a policy document, a role, or what vends it. Both the classic provider's
types and those of `aws-native` are read. A value that is not known yet stays `UNKNOWN`, and a reference keeps the resources
it depends on, so that it can be resolved when ids are not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..inventory.facts import (
    UNKNOWN,
    AttachmentFact,
    BucketPolicyFact,
    Fact,
    GrantFact,
    PolicyFact,
    PoolFact,
    Reference,
    RoleFact,
    Source,
    Unknown,
    VendingFact,
)


@dataclass(frozen=True)
class Resource:
    """A resource, with unknown values replaced by UNKNOWN.

    `depends` names the resources that each property's value comes from.
    """

    urn: str
    type_: str
    name: str
    props: Mapping[str, Any]
    depends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def facts(resource: Resource) -> list[Fact]:
    """What a resource says; nothing for a type that says nothing about roles."""
    read = _READERS.get(resource.type_)
    return list(read(resource)) if read is not None else []


def relevant(type_: str) -> bool:
    return type_ in _READERS


def pool_type(type_: str) -> bool:
    return type_ in _POOLS


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _reference(resource: Resource, key: str, value: object = None) -> Reference:
    given = resource.props.get(key) if value is None else value
    return Reference(_text(given), resource.depends.get(key, ()))


def _references(resource: Resource, key: str) -> tuple[Reference, ...]:
    value = resource.props.get(key)
    urns = resource.depends.get(key, ())
    if value is UNKNOWN:
        return tuple(Reference(None, (urn,)) for urn in urns) or (Reference(None),)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    return tuple(Reference(_text(item), urns if item is UNKNOWN else ()) for item in value)


def _source(resource: Resource, source: object, what: str = "") -> Source:
    return Source(resource.urn, f"{resource.name}{what}", source)


def _role(resource: Resource) -> Iterator[Fact]:
    yield _role_fact(resource, "name", "assumeRolePolicy", "inlinePolicies", "policy")


def _native_role(resource: Resource) -> Iterator[Fact]:
    yield _role_fact(resource, "roleName", "assumeRolePolicyDocument", "policies", "policyDocument")


def _role_fact(resource: Resource, name: str, trust: str, inline: str, document: str) -> RoleFact:
    """A role, by the names that a provider gives to its properties."""
    props = resource.props
    given = props.get(inline)
    sources: list[Source] = [_source(resource, UNKNOWN, ", inline policies")] if given is UNKNOWN else []
    for index, item in enumerate(given if isinstance(given, Sequence) and not isinstance(given, str) else ()):
        text = item.get(document) if isinstance(item, Mapping) else item
        if text is not None:
            sources.append(_source(resource, text, f", inline policy {index + 1}"))
    return RoleFact(
        urn=resource.urn,
        label=resource.name,
        name=_text(props.get(name)),
        arn=_text(props.get("arn")),
        trust=_source(resource, props.get(trust), ", trust policy"),
        inline=tuple(sources),
        managed=_references(resource, "managedPolicyArns"),
        boundary=_reference(resource, "permissionsBoundary") if props.get("permissionsBoundary") else None,
    )


def _role_policy(resource: Resource) -> Iterator[Fact]:
    yield GrantFact((_reference(resource, "role"),), _source(resource, resource.props.get("policy")))


def _native_role_policy(resource: Resource) -> Iterator[Fact]:
    yield GrantFact((_reference(resource, "roleName"),), _source(resource, resource.props.get("policyDocument")))


def _policy(resource: Resource) -> Iterator[Fact]:
    props = resource.props
    yield PolicyFact(
        resource.urn, _text(props.get("arn")), _text(props.get("name")), _source(resource, props.get("policy"))
    )


def _native_policy(resource: Resource) -> Iterator[Fact]:
    props = resource.props
    arn = _text(props.get("policyArn"))
    source = _source(resource, props.get("policyDocument"))
    yield PolicyFact(resource.urn, arn, _text(props.get("managedPolicyName")), source)
    if props.get("roles"):
        yield GrantFact(_references(resource, "roles"), source)


def _role_policy_attachment(resource: Resource) -> Iterator[Fact]:
    yield AttachmentFact(
        (_reference(resource, "role"),), (_reference(resource, "policyArn"),), resource.urn, resource.name
    )


def _policy_attachment(resource: Resource) -> Iterator[Fact]:
    yield AttachmentFact(
        _references(resource, "roles"), (_reference(resource, "policyArn"),), resource.urn, resource.name
    )


def _attachments_exclusive(resource: Resource) -> Iterator[Fact]:
    yield AttachmentFact(
        (_reference(resource, "roleName"),), _references(resource, "policyArns"), resource.urn, resource.name
    )


def _role_attachment(resource: Resource) -> Iterator[Fact]:
    props = resource.props
    roles: list[tuple[str, Reference]] = []
    given = props.get("roles")
    if isinstance(given, Mapping):
        roles += [(str(kind), _reference(resource, "roles", arn)) for kind, arn in given.items()]
    elif given is UNKNOWN:
        roles += [("unknown", Reference(None, (urn,))) for urn in resource.depends.get("roles", ())]
    mappings = props.get("roleMappings")
    if mappings is UNKNOWN:
        roles += [("mapped", Reference(None, (urn,))) for urn in resource.depends.get("roleMappings", ())]
    elif isinstance(mappings, Mapping):
        mappings = list(mappings.values())
    for arn in _rule_roles(mappings if isinstance(mappings, Sequence) and not isinstance(mappings, str) else ()):
        roles.append(("mapped", _reference(resource, "roleMappings", arn)))
    yield VendingFact(resource.urn, resource.name, _reference(resource, "identityPoolId"), tuple(roles))


def _rule_roles(mappings: Sequence[object]) -> Iterator[object]:
    for mapping in mappings:
        if not isinstance(mapping, Mapping):
            continue
        rules = mapping.get("mappingRules")
        configured = mapping.get("rulesConfiguration")
        if rules is None and isinstance(configured, Mapping):
            rules = configured.get("rules")
        for rule in rules if isinstance(rules, Sequence) and not isinstance(rules, str) else ():
            if isinstance(rule, Mapping):
                yield rule.get("roleArn", rule.get("roleARN"))


def _group(resource: Resource) -> Iterator[Fact]:
    if resource.props.get("roleArn"):
        yield VendingFact(resource.urn, resource.name, None, (("mapped", _reference(resource, "roleArn")),))


def _bucket_policy(resource: Resource) -> Iterator[Fact]:
    document = resource.props.get("policy", resource.props.get("policyDocument"))
    yield BucketPolicyFact(_source(resource, document), _text(resource.props.get("bucket")))


def _pool(resource: Resource) -> Iterator[Fact]:
    props = resource.props
    yield PoolFact(
        urn=resource.urn,
        label=resource.name,
        id=_text(props.get("id")),
        name=props.get("identityPoolName"),
        guests=props.get("allowUnauthenticatedIdentities"),
        classic=props.get("allowClassicFlow"),
        unchecked=_unchecked(props.get("cognitoIdentityProviders")),
    )


def _unchecked(providers: object) -> tuple[str, ...] | Unknown:
    """Those that certainly are not checked; UNKNOWN where there are none, but some that may not be."""
    given = providers if isinstance(providers, Sequence) and not isinstance(providers, str) else ()
    checks = [item.get("serverSideTokenCheck") if isinstance(item, Mapping) else item for item in given]
    found = tuple(
        f"`{name}`" if (name := _text(item.get("providerName"))) else f"provider {number}"
        for number, (item, check) in enumerate(zip(given, checks, strict=True), 1)
        if isinstance(item, Mapping) and check in (None, False)
    )
    return UNKNOWN if not found and (providers is UNKNOWN or UNKNOWN in checks) else found


_POOLS = frozenset({"aws:cognito/identityPool:IdentityPool", "aws-native:cognito:IdentityPool"})
_READERS: dict[str, Callable[[Resource], Iterator[Fact]]] = {
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _role_policy_attachment,
    "aws:iam/policyAttachment:PolicyAttachment": _policy_attachment,
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": _attachments_exclusive,
    "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment": _role_attachment,
    "aws:cognito/userGroup:UserGroup": _group,
    "aws:cognito/identityPool:IdentityPool": _pool,
    "aws:s3/bucketPolicy:BucketPolicy": _bucket_policy,
    "aws-native:iam:Role": _native_role,
    "aws-native:iam:RolePolicy": _native_role_policy,
    "aws-native:iam:ManagedPolicy": _native_policy,
    "aws-native:cognito:IdentityPoolRoleAttachment": _role_attachment,
    "aws-native:cognito:UserPoolGroup": _group,
    "aws-native:cognito:IdentityPool": _pool,
    "aws-native:s3:BucketPolicy": _bucket_policy,
}
