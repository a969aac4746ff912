"""Resource types of IAM: roles, their inline policies, managed policies and attachments, and exclusive lists of both."""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import Any, ClassVar

import pulumi_aws

from ..aws.clients import Aws
from ..errors import CommandError
from .resource_type import Created, ResourceType, field, not_found, physical_name, tag_list, tag_map, without_none
from .state import Inputs, ResourceState

DEFAULT_SESSION_SECONDS = 3600


class Role(ResourceType):
    token = "aws:iam/role:Role"
    resource = pulumi_aws.iam.Role
    args = pulumi_aws.iam.RoleArgs
    replaces = frozenset({"name", "namePrefix", "path"})
    needs_name = True

    def create(self, aws: Aws, region: str, name: str, inputs: Inputs) -> Created:
        request = {
            "RoleName": physical_name(inputs, name),
            "AssumeRolePolicyDocument": inputs["assumeRolePolicy"],
            "Path": inputs.get("path"),
            "Description": inputs.get("description"),
            "MaxSessionDuration": int(inputs["maxSessionDuration"]) if inputs.get("maxSessionDuration") else None,
            "PermissionsBoundary": inputs.get("permissionsBoundary"),
            "Tags": tag_list(inputs),
        }
        answer = aws.client("iam", region).create_role(**without_none(request))
        names = {"name": "RoleName", "arn": "Arn", "uniqueId": "RoleId"}
        outputs = {ours: field("CreateRole", answer, "Role", theirs) for ours, theirs in names.items()}
        return outputs["name"], {**inputs, **outputs}

    def read(self, aws: Aws, region: str, state: ResourceState) -> Inputs:
        role = aws.client("iam", region).get_role(RoleName=state.id)["Role"]
        duration = role.get("MaxSessionDuration")
        return {
            "name": role["RoleName"],
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
            "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
            "path": _unless_default(role["Path"], "/", state, "path"),
            "description": role.get("Description"),
            "maxSessionDuration": _unless_default(duration, DEFAULT_SESSION_SECONDS, state, "maxSessionDuration"),
            "permissionsBoundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
            "tags": tag_map(role.get("Tags")),
        }

    def update(self, aws: Aws, region: str, state: ResourceState, inputs: Inputs) -> None:
        iam = aws.client("iam", region)
        iam.update_assume_role_policy(RoleName=state.id, PolicyDocument=inputs["assumeRolePolicy"])
        iam.update_role(
            RoleName=state.id,
            Description=inputs.get("description") or "",
            MaxSessionDuration=int(inputs.get("maxSessionDuration") or DEFAULT_SESSION_SECONDS),
        )
        if inputs.get("permissionsBoundary"):
            iam.put_role_permissions_boundary(RoleName=state.id, PermissionsBoundary=inputs["permissionsBoundary"])
        elif state.inputs.get("permissionsBoundary"):
            iam.delete_role_permissions_boundary(RoleName=state.id)
        removed = [key for key in state.inputs.get("tags") or {} if key not in (inputs.get("tags") or {})]
        iam.untag_role(RoleName=state.id, TagKeys=removed)
        iam.tag_role(RoleName=state.id, Tags=tag_list(inputs))

    def delete(self, aws: Aws, region: str, state: ResourceState) -> None:
        aws.client("iam", region).delete_role(RoleName=state.id)


class RolePolicy(ResourceType):
    token = "aws:iam/rolePolicy:RolePolicy"
    resource = pulumi_aws.iam.RolePolicy
    args = pulumi_aws.iam.RolePolicyArgs
    replaces = frozenset({"name", "namePrefix", "role"})
    needs_name = True

    def create(self, aws: Aws, region: str, name: str, inputs: Inputs) -> Created:
        role, policy_name = inputs["role"], physical_name(inputs, name)
        iam = aws.client("iam", region)
        iam.put_role_policy(RoleName=role, PolicyName=policy_name, PolicyDocument=inputs["policy"])
        return f"{role}:{policy_name}", {**inputs, "name": policy_name}

    def read(self, aws: Aws, region: str, state: ResourceState) -> Inputs:
        role, _, name = state.id.partition(":")
        policy = aws.client("iam", region).get_role_policy(RoleName=role, PolicyName=name)
        return {"role": role, "name": name, "policy": json.dumps(policy["PolicyDocument"])}

    def update(self, aws: Aws, region: str, state: ResourceState, inputs: Inputs) -> None:
        self.create(aws, region, "", inputs)

    def delete(self, aws: Aws, region: str, state: ResourceState) -> None:
        iam = aws.client("iam", region)
        iam.delete_role_policy(RoleName=state.inputs["role"], PolicyName=state.outputs["name"])


class Policy(ResourceType):
    token = "aws:iam/policy:Policy"
    resource = pulumi_aws.iam.Policy
    args = pulumi_aws.iam.PolicyArgs
    replaces = frozenset({"name", "namePrefix", "path", "description"})
    needs_name = True

    def create(self, aws: Aws, region: str, name: str, inputs: Inputs) -> Created:
        answer = aws.client("iam", region).create_policy(
            PolicyName=physical_name(inputs, name),
            PolicyDocument=inputs["policy"],
            Path=inputs.get("path") or "/",
            Tags=tag_list(inputs),
        )
        names = {"arn": "Arn", "name": "PolicyName", "policyId": "PolicyId"}
        outputs = {ours: field("CreatePolicy", answer, "Policy", theirs) for ours, theirs in names.items()}
        return outputs["arn"], {**inputs, **outputs}

    def read(self, aws: Aws, region: str, state: ResourceState) -> Inputs:
        iam = aws.client("iam", region)
        policy = iam.get_policy(PolicyArn=state.id)["Policy"]
        version = iam.get_policy_version(PolicyArn=state.id, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        return {
            "name": policy["PolicyName"],
            "arn": policy["Arn"],
            "policy": json.dumps(version["Document"]),
            "path": _unless_default(policy["Path"], "/", state, "path"),
            "tags": tag_map(policy.get("Tags")),
        }

    def update(self, aws: Aws, region: str, state: ResourceState, inputs: Inputs) -> None:
        iam = aws.client("iam", region)
        iam.create_policy_version(PolicyArn=state.id, PolicyDocument=inputs["policy"], SetAsDefault=True)
        _delete_old_versions(iam, state.id)  # IAM keeps at most five

    def delete(self, aws: Aws, region: str, state: ResourceState) -> None:
        iam = aws.client("iam", region)
        _delete_old_versions(iam, state.id)
        iam.delete_policy(PolicyArn=state.id)


def _delete_old_versions(iam: Any, arn: str) -> None:
    for version in field("ListPolicyVersions", iam.list_policy_versions(PolicyArn=arn), "Versions"):
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


class RolePolicyAttachment(ResourceType):
    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    resource = pulumi_aws.iam.RolePolicyAttachment
    args = pulumi_aws.iam.RolePolicyAttachmentArgs
    replaces = frozenset({"role", "policyArn"})

    def create(self, aws: Aws, region: str, name: str, inputs: Inputs) -> Created:
        aws.client("iam", region).attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}/{inputs['policyArn']}", dict(inputs)

    def read(self, aws: Aws, region: str, state: ResourceState) -> Inputs:
        role, _, arn = state.id.partition("/")
        pages = aws.client("iam", region).get_paginator("list_attached_role_policies").paginate(RoleName=role)
        if arn not in {item["PolicyArn"] for page in pages for item in page["AttachedPolicies"]}:
            raise not_found(state.id)
        return {"role": role, "policyArn": arn}

    def delete(self, aws: Aws, region: str, state: ResourceState) -> None:
        iam = aws.client("iam", region)
        iam.detach_role_policy(RoleName=state.inputs["role"], PolicyArn=state.inputs["policyArn"])


class _ExclusiveList(ResourceType):
    """The only policies of a role. Creating and changing the list changes the role; deleting it changes nothing.

    Attributes:
        listed: the input that names the policies.
    """

    replaces = frozenset({"roleName"})
    listed: ClassVar[str]

    @abstractmethod
    def _current(self, iam: Any, role: str) -> list[str]:
        """The policies that the role has."""

    @abstractmethod
    def _add(self, iam: Any, role: str, policy: str) -> None: ...

    @abstractmethod
    def _remove(self, iam: Any, role: str, policy: str) -> None: ...

    def create(self, aws: Aws, region: str, name: str, inputs: Inputs) -> Created:
        iam, role = aws.client("iam", region), inputs["roleName"]
        current, wanted = set(self._current(iam, role)), set(inputs[self.listed])
        for policy in sorted(wanted - current):
            self._add(iam, role, policy)
        for policy in sorted(current - wanted):
            self._remove(iam, role, policy)
        return role, dict(inputs)

    def read(self, aws: Aws, region: str, state: ResourceState) -> Inputs:
        current = self._current(aws.client("iam", region), state.id)
        known = state.inputs.get(self.listed) or []
        # A set: policies that have been listed keep their order.
        kept = [policy for policy in known if policy in current]
        return {"roleName": state.id, self.listed: [*kept, *sorted(set(current) - set(kept))]}

    def update(self, aws: Aws, region: str, state: ResourceState, inputs: Inputs) -> None:
        self.create(aws, region, "", inputs)

    def delete(self, aws: Aws, region: str, state: ResourceState) -> None:
        """Only ends the exclusive management."""


class RolePoliciesExclusive(_ExclusiveList):
    token = "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive"
    resource = pulumi_aws.iam.RolePoliciesExclusive
    args = pulumi_aws.iam.RolePoliciesExclusiveArgs
    listed = "policyNames"

    def _current(self, iam: Any, role: str) -> list[str]:
        pages = iam.get_paginator("list_role_policies").paginate(RoleName=role)
        return [name for page in pages for name in page["PolicyNames"]]

    def _add(self, iam: Any, role: str, policy: str) -> None:
        raise CommandError(
            f"`{role}` has no inline policy `{policy}`, and the list of its policies has no document for it"
        )

    def _remove(self, iam: Any, role: str, policy: str) -> None:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)


class RolePolicyAttachmentsExclusive(_ExclusiveList):
    token = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive"
    resource = pulumi_aws.iam.RolePolicyAttachmentsExclusive
    args = pulumi_aws.iam.RolePolicyAttachmentsExclusiveArgs
    listed = "policyArns"

    def _current(self, iam: Any, role: str) -> list[str]:
        pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
        return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]

    def _add(self, iam: Any, role: str, policy: str) -> None:
        iam.attach_role_policy(RoleName=role, PolicyArn=policy)

    def _remove(self, iam: Any, role: str, policy: str) -> None:
        iam.detach_role_policy(RoleName=role, PolicyArn=policy)


def _unless_default(value: Any, default: Any, state: ResourceState, name: str) -> Any:
    """A value; None where it is AWS's default and the program does not set it."""
    return None if value == default and name not in state.inputs else value


TYPES = (
    Role(),
    RolePolicy(),
    Policy(),
    RolePolicyAttachment(),
    RolePoliciesExclusive(),
    RolePolicyAttachmentsExclusive(),
)
