"""IAM documents as files: a policy alone, a role with its policies, and what the AWS CLI prints of roles and pools.

The documents of one folder that name no role are those of one role: its trust policy, its identity-based policies, and
the policies of buckets. The AWS CLI's output for roles, policies and identity pools has CloudFormation's names.

Sources: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html,
https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetIdentityPoolRoles.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from ..iam.documents import DocumentKind
from ..inventory.facts import (
    BucketPolicyFact,
    Fact,
    GrantFact,
    InlinePolicy,
    PolicyFact,
    PoolFact,
    Reference,
    RoleFact,
    Source,
)
from .files import InputError, Parsed, ValuePath
from .located import DocumentPlaces, LocatedFacts, document_sources, path_to, statement_count
from .native import lowered
from .pulumi import Resource, facts, pairs


@dataclass(frozen=True)
class LoneDocument:
    """A policy document that its file ties to no role."""

    file: Parsed
    path: ValuePath
    kind: DocumentKind

    @property
    def label(self) -> str:
        return PurePath(self.file.name).name

    @property
    def folder(self) -> str:
        return str(PurePath(self.file.name).parent)


def lone_document(file: Parsed) -> LoneDocument | None:
    """The document that a file holds, alone or as the AWS CLI prints it; None where it holds none."""
    value = file.value
    if not isinstance(value, dict):
        return None
    version = value.get("PolicyVersion")
    for path, document in (
        ((), value),
        (("PolicyDocument",), value.get("PolicyDocument")),
        (("PolicyVersion", "Document"), version.get("Document") if isinstance(version, dict) else None),
    ):
        if isinstance(document, dict) and "Statement" in document:
            return LoneDocument(file, path, _kind(document))
    if set(value) == {"Policy"} and isinstance(value["Policy"], str):
        return LoneDocument(file, ("Policy",), DocumentKind.RESOURCE)  # `aws s3api get-bucket-policy`
    return None


def _kind(document: Mapping[str, Any]) -> DocumentKind:
    statements = document["Statement"]
    objects = [s for s in (statements if isinstance(statements, list) else [statements]) if isinstance(s, dict)]
    if not any("Principal" in s or "NotPrincipal" in s for s in objects):
        return DocumentKind.IDENTITY
    of_resource = any("Resource" in s or "NotResource" in s for s in objects)
    return DocumentKind.RESOURCE if of_resource else DocumentKind.TRUST


def read_lone(documents: list[LoneDocument]) -> tuple[list[LocatedFacts], list[str]]:
    """Facts of documents that their files tie to no role, and the names of the roles that they are meant to be of."""
    folders: dict[str, list[LoneDocument]] = {}
    for document in documents:
        folders.setdefault(document.folder, []).append(document)
    found: list[LocatedFacts] = []
    vended: list[str] = []
    for folder, members in folders.items():
        trusts = [each for each in members if each.kind is DocumentKind.TRUST]
        if len(trusts) > 1:
            problem = f"is a second trust policy beside {trusts[0].file.name}; give each role's documents a folder"
            raise InputError(trusts[1].file.place(trusts[1].path), problem)
        name = f"role of {folder.replace('/', ':')}"  # the last part of a name with `/` would be taken for the name
        if any(each.kind is DocumentKind.IDENTITY for each in members) and not trusts:
            vended.append(name)
        found += [_of_document(each, name) for each in members]
    return found, vended


def _of_document(document: LoneDocument, role: str) -> LocatedFacts:
    file, path = document.file, document.path
    urn = f"urn:iam:{file.name}"
    value = file.value
    for step in path:
        value = value[step]
    source = Source(urn, document.label, value)
    fact: Fact
    if document.kind is DocumentKind.TRUST:
        fact = RoleFact(urn, role, role, None, source)
    elif document.kind is DocumentKind.RESOURCE:
        fact = BucketPolicyFact(source, Reference(_bucket(value)))
    else:
        fact = GrantFact(urn, document.label, Reference(role), InlinePolicy(document.label, source))
    return LocatedFacts(
        urn, "policy document", document.label, (fact,), file.place(path), {document.label: _places(file, path, value)}
    )


def _bucket(document: Any) -> str | None:
    """The one bucket that the resources of a bucket's policy name."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            return None
    statements = document.get("Statement") if isinstance(document, dict) else None
    buckets: set[str] = set()
    for statement in statements if isinstance(statements, list) else [statements]:
        resources = statement.get("Resource", statement.get("NotResource")) if isinstance(statement, dict) else None
        for resource in resources if isinstance(resources, list) else [resources]:
            fields = resource.split(":", 5) if isinstance(resource, str) else []
            buckets.add(fields[5].partition("/")[0] if len(fields) == 6 else "")
    (only,) = buckets if len(buckets) == 1 else ("",)
    return only if only and not any(c in only for c in "*?$") else None


def _places(file: Parsed, path: ValuePath, document: object) -> DocumentPlaces:
    count = statement_count(document) or 0
    return DocumentPlaces(file.place(path), tuple(file.place((*path, "Statement", n)) for n in range(count)))


# --- roles, policies and pools as the AWS CLI prints them


def is_cli_output(value: Any) -> bool:
    """Whether a value is a role, the details of an account, or an identity pool."""
    return isinstance(value, dict) and (
        isinstance(value.get("RoleDetailList"), list)
        or isinstance(value.get("Role"), dict)
        or "AssumeRolePolicyDocument" in value
        or isinstance(value.get("IdentityPoolId"), str)
    )


def read_cli_output(file: Parsed) -> list[LocatedFacts]:
    """The roles, managed policies or pools that a file holds."""
    value = file.value
    found: list[LocatedFacts] = []
    for number, role in enumerate(_objects(file, "RoleDetailList")):
        found.append(_role(file, ("RoleDetailList", number), role))
    for number, policy in enumerate(_objects(file, "Policies")) if "RoleDetailList" in value else ():
        found.append(_policy(file, ("Policies", number), policy))
    if isinstance(value.get("Role"), dict):
        found.append(_role(file, ("Role",), value["Role"]))
    elif "AssumeRolePolicyDocument" in value:
        found.append(_role(file, (), value))
    if isinstance(value.get("IdentityPoolId"), str):
        found.append(_pool(file, value))
    return found


def _objects(file: Parsed, key: str) -> list[dict[str, Any]]:
    items = file.value.get(key) or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InputError(file.place((key,)), f"`{key}` must be a list of objects")
    return items


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _role(file: Parsed, path: ValuePath, role: Mapping[str, Any]) -> LocatedFacts:
    arn, name = _text(role.get("Arn")), _text(role.get("RoleName"))
    label = name or (arn or "").rpartition("/")[2] or PurePath(file.name).stem
    urn = f"urn:iam:{file.name}:role/{label}"
    inline: list[InlinePolicy] = []
    for key in ("RolePolicyList", "Policies"):
        for number, item in enumerate(_members(role, key), 1):
            called = _text(item.get("PolicyName"))
            text = f"{label}, {called or f'inline policy {number}'}"
            inline.append(InlinePolicy(called, Source(urn, text, item.get("PolicyDocument"))))
    attached = [_text(item.get("PolicyArn")) for item in _members(role, "AttachedManagedPolicies")]
    arns = role.get("ManagedPolicyArns")
    attached += [_text(item) for item in arns] if isinstance(arns, list) else []
    boundary = role.get("PermissionsBoundary")
    if isinstance(boundary, dict):
        boundary = boundary.get("PermissionsBoundaryArn")
    fact = RoleFact(
        urn,
        label,
        name or label,
        arn,
        Source(urn, f"{label}, trust policy", role.get("AssumeRolePolicyDocument")),
        tuple(inline),
        tuple(Reference(value) for value in attached if value),
        Reference(_text(boundary)) if boundary else None,
        tags=pairs(lowered(role.get("Tags"))),
    )
    return _located(file, path, urn, "role", label, (fact,), role)


def _members(value: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    items = value.get(key)
    yield from (item for item in (items if isinstance(items, list) else ()) if isinstance(item, dict))


def _policy(file: Parsed, path: ValuePath, policy: Mapping[str, Any]) -> LocatedFacts:
    arn, name = _text(policy.get("Arn")), _text(policy.get("PolicyName"))
    label = name or arn or PurePath(file.name).stem
    urn = f"urn:iam:{file.name}:policy/{arn or label}"
    versions = [item for item in _members(policy, "PolicyVersionList") if item.get("IsDefaultVersion") is True]
    document = versions[0].get("Document") if versions else None
    fact = PolicyFact(urn, arn, name, Source(urn, label, document))
    return _located(file, path, urn, "policy", label, (fact,), policy)


def _pool(file: Parsed, value: Mapping[str, Any]) -> LocatedFacts:
    pool = value["IdentityPoolId"]
    of_roles = "Roles" in value or "RoleMappings" in value
    name = f"roles of {pool}" if of_roles else _text(value.get("IdentityPoolName")) or pool
    type_ = "aws-native:cognito:IdentityPoolRoleAttachment" if of_roles else "aws-native:cognito:IdentityPool"
    if "IdentityProviderName" in value:  # `aws cognito-identity get-principal-tag-attribute-map`
        name = f"principal tags of {value['IdentityProviderName']}"
        type_ = "aws-native:cognito:IdentityPoolPrincipalTag"
    urn = f"urn:iam:{file.name}:{name}"
    stated = facts(Resource(urn, type_, name, {**lowered(value), "id": pool}))
    # What `describe-identity-pool` prints says nothing of tag maps.
    stated = [replace(fact, all_maps=False) if isinstance(fact, PoolFact) else fact for fact in stated]
    return _located(file, (), urn, "identity pool", name, tuple(stated), value)


def _located(
    file: Parsed,
    path: ValuePath,
    urn: str,
    type_: str,
    name: str,
    stated: tuple[Fact, ...],
    value: Mapping[str, Any],
) -> LocatedFacts:
    documents: dict[str, DocumentPlaces] = {}
    for source in document_sources(stated):
        way = path_to(source.source, value)
        if way is not None:
            documents[source.label] = _places(file, (*path, *way), source.source)
    return LocatedFacts(urn, type_, name, stated, file.place(path), documents)
