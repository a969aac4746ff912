"""Directory buckets, whose ARNs are those of another service than S3's, with a region and an account.

A session of one gives all of its objects, so that what matters of its policy is who may create sessions.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-security-iam.html
"""

from __future__ import annotations

from ..automata.globs import Pattern, Wild, literal
from .identities import beginning


def is_directory(bucket: str) -> bool:
    """Whether a bucket's name is one of a directory bucket: no other one ends so.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html
    """
    return bucket.endswith("--x-s3")


def of_directory(bucket: str, partition: str) -> Pattern:
    """The ARN of a directory bucket, in whichever region and account."""
    return (*literal(f"arn:{partition}:s3express:"), Wild.WITHIN, ":", Wild.WITHIN, *literal(f":bucket/{bucket}"))


def within_directory(pattern: Pattern, partition: str, bucket: str, wide: bool) -> list[Pattern]:
    """What a pattern matches of a directory bucket's ARN; made `wide` where it may match it."""
    service, end = f"arn:{partition}:s3express:", f":bucket/{bucket}"
    head = beginning(pattern)
    if len(head) == len(pattern):
        return [pattern] if head.startswith(service) and head.endswith(end) else []
    if pattern == (Wild.ANY,) or (wide and (head.startswith(service) or service.startswith(head))):
        return [of_directory(bucket, partition)]
    return []


def bucket_of(arn: str) -> str:
    """The name of the bucket that an ARN is about."""
    fields = arn.split(":", 5)
    if len(fields) == 6 and fields[2] == "s3express":
        return fields[5].removeprefix("bucket/")
    return arn.partition(":::")[2].partition("/")[0]
