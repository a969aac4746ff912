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


def relevant(type_: str) -> bool:
    return type_ in RELEVANT


def pool_type(type_: str) -> bool:
    return type_ in POOLS
