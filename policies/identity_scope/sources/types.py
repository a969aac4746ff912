"""The types of resources that say something about roles, pools or buckets. A stack has thousands of others, which need
nothing of the pack but this page.
"""

from __future__ import annotations

RELEVANT = frozenset(
    {
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive",
        "aws:iam/policy:Policy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:iam/policyAttachment:PolicyAttachment",
        "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
        "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
        "aws:cognito/userGroup:UserGroup",
        "aws:cognito/identityPool:IdentityPool",
        "aws:cognito/identityPoolProviderPrincipalTag:IdentityPoolProviderPrincipalTag",
        "aws:cognito/userPool:UserPool",
        "aws:cognito/userPoolClient:UserPoolClient",
        "aws:cognito/managedUserPoolClient:ManagedUserPoolClient",
        "aws:s3/bucket:Bucket",
        "aws:s3/bucketV2:BucketV2",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/accessPoint:AccessPoint",
        "aws:s3control/accessPointPolicy:AccessPointPolicy",
        "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint",
        "aws:s3control/multiRegionAccessPointPolicy:MultiRegionAccessPointPolicy",
        "aws:cloudcontrol/resource:Resource",
        "aws-native:index:ExtensionResource",
        "aws-native:iam:Role",
        "aws-native:iam:RolePolicy",
        "aws-native:iam:Policy",
        "aws-native:iam:ManagedPolicy",
        "aws-native:cognito:IdentityPoolRoleAttachment",
        "aws-native:cognito:UserPoolGroup",
        "aws-native:cognito:IdentityPool",
        "aws-native:cognito:IdentityPoolPrincipalTag",
        "aws-native:cognito:UserPool",
        "aws-native:cognito:UserPoolClient",
        "aws-native:s3:Bucket",
        "aws-native:s3:BucketPolicy",
        "aws-native:s3:AccessPoint",
        "aws-native:s3:MultiRegionAccessPoint",
        "aws-native:s3:MultiRegionAccessPointPolicy",
        "aws-native:s3express:BucketPolicy",
        "aws-native:s3express:AccessPoint",
    }
)
POOLS = frozenset({"aws:cognito/identityPool:IdentityPool", "aws-native:cognito:IdentityPool"})

TERRAFORM = {
    "aws_iam_role": "aws:iam/role:Role",
    "aws_iam_role_policy": "aws:iam/rolePolicy:RolePolicy",
    "aws_iam_role_policies_exclusive": "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive",
    "aws_iam_policy": "aws:iam/policy:Policy",
    "aws_iam_role_policy_attachment": "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws_iam_policy_attachment": "aws:iam/policyAttachment:PolicyAttachment",
    "aws_iam_role_policy_attachments_exclusive": "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
    "aws_cognito_identity_pool": "aws:cognito/identityPool:IdentityPool",
    "aws_cognito_identity_pool_roles_attachment": "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
    "aws_cognito_identity_pool_provider_principal_tag": (
        "aws:cognito/identityPoolProviderPrincipalTag:IdentityPoolProviderPrincipalTag"
    ),
    "aws_cognito_user_pool": "aws:cognito/userPool:UserPool",
    "aws_cognito_user_pool_client": "aws:cognito/userPoolClient:UserPoolClient",
    "aws_cognito_managed_user_pool_client": "aws:cognito/managedUserPoolClient:ManagedUserPoolClient",
    "aws_cognito_user_group": "aws:cognito/userGroup:UserGroup",
    "aws_cloudcontrolapi_resource": "aws:cloudcontrol/resource:Resource",
    "aws_s3_bucket": "aws:s3/bucket:Bucket",
    "aws_s3_bucket_policy": "aws:s3/bucketPolicy:BucketPolicy",
    "aws_s3_access_point": "aws:s3/accessPoint:AccessPoint",
    "aws_s3control_access_point_policy": "aws:s3control/accessPointPolicy:AccessPointPolicy",
    "aws_s3control_multi_region_access_point": "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint",
    "aws_s3control_multi_region_access_point_policy": (
        "aws:s3control/multiRegionAccessPointPolicy:MultiRegionAccessPointPolicy"
    ),
}
"""Terraform's types, with those of the classic provider."""


def _bridged(package: str, name: str) -> str:
    """The type of a Terraform provider that a program adds itself (`pulumi package add terraform-provider`).

    Source: https://github.com/pulumi/pulumi-terraform-bridge/blob/master/dynamic/info.go
    """
    return f"{package}:index/{name[:1].lower()}{name[1:]}:{name}"


_BRIDGED = {
    **{
        _bridged("aws", "".join(word.capitalize() for word in name.split("_")[1:])): type_
        for name, type_ in TERRAFORM.items()
    },
    **{
        _bridged("awscc", type_.split(":")[1].capitalize() + type_.split(":")[2]): type_
        for type_ in RELEVANT
        if type_.startswith("aws-native:")
    },
}


def canonical(type_: str) -> str:
    """A type as the classic provider, or `aws-native`, calls it."""
    return _BRIDGED.get(type_, type_)


def relevant(type_: str) -> bool:
    return canonical(type_) in RELEVANT


def pool_type(type_: str) -> bool:
    return canonical(type_) in POOLS
