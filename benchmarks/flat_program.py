"""What a team writes without the component: the dev stack's resources, flat, with JSON by hand."""

import json

import pulumi
import pulumi_aws as aws

ISSUER = "cognito-identity.amazonaws.com"
ME = f"${{{ISSUER}:sub}}"
TAGS = {"app": "notes", "environment": "dev"}

region = aws.get_region_output().region
account = aws.get_caller_identity_output().account_id
pool = aws.cognito.IdentityPool(
    "users",
    identity_pool_name="notes-dev",
    allow_unauthenticated_identities=False,
    allow_classic_flow=False,
    cognito_identity_providers=[
        {
            "provider_name": "cognito-idp.us-east-1.amazonaws.com/us-east-1_NotesDev1",
            "client_id": "1h57kf5cpq17m0eml12notesde",
            "server_side_token_check": True,
        }
    ],
    tags=TAGS,
)
role = aws.iam.Role(
    "users-authenticated",
    assume_role_policy=pool.id.apply(
        lambda found: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Federated": ISSUER},
                        "Action": "sts:AssumeRoleWithWebIdentity",
                        "Condition": {
                            "StringEquals": {f"{ISSUER}:aud": found},
                            "ForAnyValue:StringLike": {f"{ISSUER}:amr": "authenticated"},
                        },
                    }
                ],
            }
        )
    ),
    tags=TAGS,
)
policy = aws.iam.RolePolicy(
    "users-authenticated",
    role=role.name,
    policy=pulumi.Output.all(region, account).apply(
        lambda found: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                        "Resource": f"arn:aws:s3:::notes-dev-uploads/{ME}/*",
                    },
                    {
                        "Effect": "Allow",
                        "Action": "s3:ListBucket",
                        "Resource": "arn:aws:s3:::notes-dev-uploads",
                        "Condition": {"StringLike": {"s3:prefix": f"{ME}/*"}},
                    },
                    {
                        "Effect": "Allow",
                        "Action": "execute-api:Invoke",
                        "Resource": f"arn:aws:execute-api:{found[0]}:{found[1]}:n0tesdev01/*",
                    },
                ],
            }
        )
    ),
)
aws.cognito.IdentityPoolRoleAttachment(
    "users", identity_pool_id=pool.id, roles={"authenticated": role.arn}, opts=pulumi.ResourceOptions(depends_on=policy)
)
pulumi.export("identityPoolId", pool.id)
pulumi.export("roleArn", role.arn)
