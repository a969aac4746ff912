"""What is stored in S3, as far as a decision depends on it: an object's tags and KMS key, a bucket's default key."""

from __future__ import annotations

from typing import Any

from moto.s3.models import FakeBucket, s3_backends

from .regions import partition_of


class Stored:
    """The buckets of one account, in one partition."""

    def __init__(self, account: str, region: str) -> None:
        self._backend = s3_backends[account][partition_of(region).name]

    def bucket(self, name: str) -> FakeBucket | None:
        bucket = self._backend.buckets.get(name)
        return bucket if isinstance(bucket, FakeBucket) else None

    def tags(self, bucket: str, key: str, version: str | None) -> dict[str, str]:
        """The tags of an object; none if there is no such object."""
        found = self._object(bucket, key, version)
        return dict(self._backend.tagger.get_tag_dict_for_resource(found.arn)) if found is not None else {}

    def key_of_object(self, bucket: str, key: str, version: str | None) -> tuple[str | None, bool]:
        """The KMS key that an object is encrypted with, if it is the account's own; and whether through a bucket key."""
        found = self._object(bucket, key, version)
        if found is None or not str(found.encryption or "").startswith("aws:kms"):
            return None, False
        return found.kms_key_id, bool(found.bucket_key_enabled)

    def default_key(self, bucket: str) -> tuple[str | None, bool]:
        """The KMS key of a bucket's default encryption, and whether through a bucket key."""
        found = self.bucket(bucket)
        rule: Any = (found.encryption or {}).get("Rule", {}) if found is not None else {}
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        by_key = str(default.get("SSEAlgorithm", "")).startswith("aws:kms")
        return default.get("KMSMasterKeyID") if by_key else None, str(rule.get("BucketKeyEnabled")).lower() == "true"

    def _object(self, bucket: str, key: str, version: str | None) -> Any:
        found = self.bucket(bucket)
        if found is None:
            return None
        objects = [item for item in found.keys.getlist(key, []) if version in (None, item.version_id)]
        return objects[-1] if objects else None
