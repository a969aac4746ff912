"""Amazon S3's REST requests: which permissions each one needs; moto answers them.

moto authorizes S3 by operation name at best. IAM's actions differ: a HEAD is a GetObject, every part of a multipart
upload is a PutObject, a copy also reads its source, and one DeleteObjects needs a permission for every key that it names.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

from urllib.parse import unquote
from xml.etree import ElementTree

from .errors import AwsError
from .http import HttpRequest
from .regions import partition_of
from .service import Caller, Operation, RequiredPermission, Service
from .sigv4 import Signature


class S3(Service):
    """Requests that are signed for S3."""

    def handles(self, request: HttpRequest, signature: Signature | None) -> bool:
        return signature is not None and signature.service == "s3"

    def operation(self, request: HttpRequest, signature: Signature | None) -> Operation:
        region = signature.region if signature else ""
        return Operation(f"s3 {request.method}", region, frozenset({Caller.SESSION, Caller.DEPLOYER}), request)

    def required_permissions(self, operation: Operation) -> list[RequiredPermission]:
        return required_permissions(operation.request, partition_of(operation.region).name)


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


def required_permissions(request: HttpRequest, partition: str) -> list[RequiredPermission]:
    """The permissions that a path-style S3 request needs: all of them.

    Raises:
        AwsError: the sandbox cannot tell which; the message names the request.
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
        permissions = [RequiredPermission("s3:PutObject", arn)]
        source = request.headers.get("x-amz-copy-source")
        if source:
            path, _, query = source.partition("?")
            read = "s3:GetObjectVersion" if query.startswith("versionId=") else "s3:GetObject"
            permissions.append(RequiredPermission(read, f"arn:{partition}:s3:::{unquote(path).lstrip('/')}"))
        if "x-amz-acl" in request.headers or any(h.startswith("x-amz-grant-") for h in request.headers):
            permissions.append(RequiredPermission("s3:PutObjectAcl", arn))
        if "x-amz-tagging" in request.headers:
            permissions.append(RequiredPermission("s3:PutObjectTagging", arn))
        return permissions
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
    """(key, whether a version is named) of each object of a DeleteObjects request."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed", 400)
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed", 400) from None
    objects: list[tuple[str, bool]] = []
    for item in root.iter():
        if item.tag.rpartition("}")[2] == "Object":
            fields = {child.tag.rpartition("}")[2]: child.text or "" for child in item}
            objects.append((fields.get("Key", ""), "VersionId" in fields))
    if not objects:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed", 400)
    return objects


def _unknown(request: HttpRequest) -> AwsError:
    return AwsError(
        "NotImplemented", f"the sandbox cannot authorize {request.method} {request.path}?{request.query}", 501
    )
