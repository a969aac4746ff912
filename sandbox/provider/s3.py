"""Resource types of Amazon S3: bucket policies."""

from __future__ import annotations

import pulumi_aws

from ..aws.clients import Aws
from .resource_type import Created, ResourceType
from .state import Inputs, ResourceState


class BucketPolicy(ResourceType):
    token = "aws:s3/bucketPolicy:BucketPolicy"
    resource = pulumi_aws.s3.BucketPolicy
    args = pulumi_aws.s3.BucketPolicyArgs
    replaces = frozenset({"bucket", "region"})

    def create(self, aws: Aws, region: str, name: str, inputs: Inputs) -> Created:
        aws.client("s3", region).put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])
        return inputs["bucket"], dict(inputs)

    def read(self, aws: Aws, region: str, state: ResourceState) -> Inputs:
        policy = aws.client("s3", region).get_bucket_policy(Bucket=state.id)["Policy"]
        return {"bucket": state.id, "policy": policy}

    def update(self, aws: Aws, region: str, state: ResourceState, inputs: Inputs) -> None:
        self.create(aws, region, "", inputs)

    def delete(self, aws: Aws, region: str, state: ResourceState) -> None:
        aws.client("s3", region).delete_bucket_policy(Bucket=state.id)


TYPES = (BucketPolicy(),)
