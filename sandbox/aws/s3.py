"""S3's REST requests as IAM sees them: which actions on which ARNs, with which condition keys.

moto authorises S3 by operation name at best. IAM's actions are others: a HEAD is a GetObject, every part of a multipart
upload is a PutObject, a copy also reads its source, and one DeleteObjects asks for every key that it names.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote
from xml.etree import ElementTree

from .errors import AwsError
from .sigv4 import HttpRequest


@dataclass(frozen=True)
class RequiredPermission:
    """One action on one ARN that a request needs, with the condition keys that the request itself brings."""

    action: str
    resource: str
    context: dict[str, tuple[str, ...]] = field(default_factory=dict)


_OBJECT_SUBRESOURCES = {
    "acl": "ObjectAcl",
    "tagging": "ObjectTagging",
    "retention": "ObjectRetention",
    "legal-hold": "ObjectLegalHold",
    "torrent": "ObjectTorrent",
    "attributes": "ObjectAttributes",
}
_BUCKET_SUBRESOURCES = {
    "accelerate": "AccelerateConfiguration",
    "acl": "BucketAcl",
    "cors": "BucketCORS",
    "encryption": "EncryptionConfiguration",
    "inventory": "InventoryConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "location": "BucketLocation",
    "logging": "BucketLogging",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "policyStatus": "BucketPolicyStatus",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}


def questions(request: HttpRequest, partition: str) -> list[RequiredPermission]:
    """What IAM is asked for a path-style S3 request; all must be allowed.

    Raises:
        Fault: the request is none that the sandbox can authorise, which is a refusal and names it.
    """
    bucket, _, key = request.decoded_path().lstrip("/").partition("/")
    parameters = request.parameters()
    if not bucket:
        return [RequiredPermission("s3:ListAllMyBuckets", "*")]
    arn = f"arn:{partition}:s3:::{bucket}"
    if key:
        return _object(request, f"{arn}/{key}", parameters, partition)
    return _bucket(request, arn, parameters)


def _object(request: HttpRequest, arn: str, parameters: dict[str, str], partition: str) -> list[RequiredPermission]:
    method = request.method
    version = "Version" if "versionId" in parameters else ""
    for name, suffix in _OBJECT_SUBRESOURCES.items():
        if name in parameters:
            verb = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}.get(method)
            if verb:
                return [RequiredPermission(f"s3:{verb}{suffix.replace('Object', f'Object{version}', 1)}", arn)]
    if method in ("GET", "HEAD"):
        if "uploadId" in parameters:
            return [RequiredPermission("s3:ListMultipartUploadParts", arn)]
        return [RequiredPermission(f"s3:GetObject{version}", arn)]
    if method == "PUT":
        asked = [RequiredPermission("s3:PutObject", arn)]
        source = request.headers.get("x-amz-copy-source")
        if source:
            path, _, query = source.partition("?")
            read = "s3:GetObjectVersion" if query.startswith("versionId=") else "s3:GetObject"
            asked.append(RequiredPermission(read, f"arn:{partition}:s3:::{unquote(path).lstrip('/')}"))
        if "x-amz-acl" in request.headers or any(h.startswith("x-amz-grant-") for h in request.headers):
            asked.append(RequiredPermission("s3:PutObjectAcl", arn))
        if "x-amz-tagging" in request.headers:
            asked.append(RequiredPermission("s3:PutObjectTagging", arn))
        return asked
    if method == "POST":
        if "uploads" in parameters or "uploadId" in parameters:
            return [RequiredPermission("s3:PutObject", arn)]
        if "restore" in parameters:
            return [RequiredPermission("s3:RestoreObject", arn)]
        if "select" in parameters:
            return [RequiredPermission("s3:GetObject", arn)]
    if method == "DELETE":
        if "uploadId" in parameters:
            return [RequiredPermission("s3:AbortMultipartUpload", arn)]
        return [RequiredPermission(f"s3:DeleteObject{version}", arn)]
    raise _unknown(request)


def _bucket(request: HttpRequest, arn: str, parameters: dict[str, str]) -> list[RequiredPermission]:
    method = request.method
    for name, suffix in _BUCKET_SUBRESOURCES.items():
        if name in parameters:
            if method == "DELETE" and name == "policy":
                return [RequiredPermission("s3:DeleteBucketPolicy", arn)]
            verb = {"GET": "Get", "PUT": "Put", "DELETE": "Put"}.get(method)
            if verb:
                return [RequiredPermission(f"s3:{verb}{suffix}", arn)]
    if method in ("GET", "HEAD"):
        if "uploads" in parameters:
            return [RequiredPermission("s3:ListBucketMultipartUploads", arn)]
        action = "s3:ListBucketVersions" if "versions" in parameters else "s3:ListBucket"
        context: dict[str, tuple[str, ...]] = {
            f"s3:{name}": (parameters[name],) for name in ("prefix", "delimiter", "max-keys") if name in parameters
        }
        return [RequiredPermission(action, arn, context)]
    if method == "POST" and "delete" in parameters:
        return [
            RequiredPermission("s3:DeleteObjectVersion" if version else "s3:DeleteObject", f"{arn}/{key}")
            for key, version in _deleted(request.body)
        ]
    if method == "PUT" and not parameters:
        return [RequiredPermission("s3:CreateBucket", arn)]
    if method == "DELETE" and not parameters:
        return [RequiredPermission("s3:DeleteBucket", arn)]
    raise _unknown(request)


def _deleted(body: bytes) -> list[tuple[str, bool]]:
    """Keys that a DeleteObjects names, each with whether it names a version."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed", 400)
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed", 400) from None
    found: list[tuple[str, bool]] = []
    for item in root.iter():
        if item.tag.rpartition("}")[2] == "Object":
            fields = {child.tag.rpartition("}")[2]: child.text or "" for child in item}
            found.append((fields.get("Key", ""), "VersionId" in fields))
    if not found:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed", 400)
    return found


def _unknown(request: HttpRequest) -> AwsError:
    return AwsError(
        "NotImplemented", f"the sandbox cannot authorise {request.method} {request.path}?{request.query}", 501
    )
