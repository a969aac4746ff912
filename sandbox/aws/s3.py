"""Amazon S3's REST requests: which operation each one is, and which permissions it needs; moto answers them.

moto authorizes S3 by operation name at best. IAM's actions differ: a HEAD is a GetObject, every part of a multipart
upload is a PutObject, a copy also reads its source, headers that set an ACL, tags, a lock or a key need permissions of
their own, and one DeleteObjects needs a permission for every key that it names.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode

from botocore.model import OperationModel

from .errors import AwsError
from .http import HttpRequest, Response
from .models import known
from .payload import is_checksum, verify_checksums
from .regions import partition_of
from .s3_stored import Stored
from .service import SIGNED, Operation, RequiredPermission, Service
from .sessions import Session
from .shapes import from_text, from_xml, validate

Parameters = Mapping[str, Any]
Context = dict[str, tuple[str, ...]]

MAX_KEY = 1024
"""Longest key, in bytes."""

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

_OF_THE_MESSAGE = frozenset(
    {
        *(
            "x-amz-date",
            "x-amz-security-token",
            "x-amz-content-sha256",
            "x-amz-user-agent",
            "x-amz-expected-bucket-owner",
        ),
        *("x-amz-sdk-checksum-algorithm", "x-amz-te"),
    }
)
"""Headers that say nothing about the object, though they begin with `x-amz-`."""


class S3(Service):
    """Requests that are signed for S3."""

    def __init__(self, account: str) -> None:
        self._account = account

    def operation(self, request: HttpRequest, region: str) -> Operation:
        bucket, key = _bucket_and_key(request)
        route = _route(request, bucket, key)
        self._require_region(route.model.name, bucket, region)
        parameters = _parameters(route.model, request, bucket, key)
        for name in ("ExpectedBucketOwner", "ExpectedSourceBucketOwner"):
            if parameters.pop(name, self._account) != self._account:
                raise AwsError("AccessDenied", "Access Denied", 403)
        return Operation(route.model.name, region, SIGNED, parameters, "s3")

    def required_permissions(self, operation: Operation) -> list[RequiredPermission]:
        stored = Stored(self._account, operation.region)
        access = _Access(operation, self._account, stored)
        permissions = _PERMISSIONS[operation.name](access, operation.parameters)
        return [_with_context(permission, operation, stored) for permission in permissions]

    def answer(self, operation: Operation, session: Session | None) -> Response:
        if "UploadId" in operation.parameters:
            self._require_upload(operation)
        return super().answer(operation, session)

    def _require_upload(self, operation: Operation) -> None:
        """An upload belongs to one key; moto finds it by its ID in the whole bucket.

        Raises:
            AwsError: NoSuchUpload.
        """
        bucket = Stored(self._account, operation.region).bucket(operation.parameters["Bucket"])
        upload = bucket.multiparts.get(operation.parameters["UploadId"]) if bucket is not None else None
        if bucket is not None and (upload is None or upload.key_name != operation.parameters["Key"]):
            raise AwsError("NoSuchUpload", "The specified upload does not exist.", 404)

    def _require_region(self, name: str, bucket: str, region: str) -> None:
        """A bucket is asked for in its own region, which conditions on `aws:RequestedRegion` rely on.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList

        Raises:
            AwsError: AuthorizationHeaderMalformed.
        """
        found = Stored(self._account, region).bucket(bucket)
        if found is not None and found.region_name != region and name not in ("GetBucketLocation", "HeadBucket"):
            raise AwsError(
                "AuthorizationHeaderMalformed",
                f"The authorization header is malformed; the region '{region}' is wrong; expecting '{found.region_name}'",
            )


@dataclass(frozen=True)
class _Route:
    """How a request for one operation looks.

    Attributes:
        fixed: parameters of the query that stand for the operation.
        names: of other parameters that it may have; some are required.
    """

    model: OperationModel
    method: str
    has_bucket: bool
    has_key: bool
    fixed: dict[str, str]
    names: frozenset[str]
    required: frozenset[str]
    copies: bool

    def fits(self, request: HttpRequest, bucket: str, key: str) -> bool:
        query = request.parameters
        return (
            (self.method, self.has_bucket, self.has_key) == (request.method, bool(bucket), bool(key))
            and self.copies == ("x-amz-copy-source" in request.headers)
            and all(query.get(name) == value for name, value in self.fixed.items())
            and self.required <= query.keys()
            and all(name in self.fixed or name in self.names for name in query)
            and query.get("x-id", self.model.name) == self.model.name
        )


def _routes() -> list[_Route]:
    routes = []
    for name in _PERMISSIONS:
        model = known("s3", name)
        path, _, query = model.http["requestUri"].partition("?")
        fixed = {part.partition("=")[0]: part.partition("=")[2] for part in query.split("&") if part}
        members = model.input_shape.members.items() if model.input_shape else ()
        wire = {
            member_name: member.serialization["name"]
            for member_name, member in members
            if member.serialization.get("location") == "querystring"
        }
        needed = model.input_shape.required_members if model.input_shape else []
        routes.append(
            _Route(
                model,
                model.http["method"],
                "{Bucket}" in path,
                "{Key+}" in path,
                fixed,
                frozenset({*wire.values(), "x-id"}),
                frozenset(wire[member_name] for member_name in needed if member_name in wire),
                "CopySource" in needed,
            )
        )
    return routes


def _route(request: HttpRequest, bucket: str, key: str) -> _Route:
    """The operation of a request.

    Raises:
        AwsError: NotImplemented, if no operation on the list has this method and exactly these parameters.
    """
    routes = [route for route in _ROUTES if route.fits(request, bucket, key)]
    if not routes:
        names = ", ".join(name for name, _ in request.query)[:200]
        what = f"{request.method} of {'an object' if key else 'a bucket' if bucket else 'the account'}"
        raise AwsError("NotImplemented", f"the sandbox cannot authorize {what} with the parameters: {names or 'none'}")
    return max(routes, key=lambda route: len(route.fixed) + len(route.required))


def _bucket_and_key(request: HttpRequest) -> tuple[str, str]:
    bucket, key = request.segments[0], "/".join(request.segments[1:])
    if not bucket and len(request.segments) > 1:
        raise AwsError("InvalidURI", "Couldn't parse the specified URI.")
    if bucket and not _BUCKET_NAME.fullmatch(bucket):
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.")
    if len(key.encode()) > MAX_KEY:
        raise AwsError("KeyTooLongError", "Your key is too long")
    return bucket, key


def _parameters(model: OperationModel, request: HttpRequest, bucket: str, key: str) -> dict[str, Any]:
    """The parameters of an operation, from the path, the query, the headers and the body.

    Raises:
        AwsError: one is wrong, or a header belongs to another operation.
    """
    shape = model.input_shape
    assert shape is not None or not bucket
    parameters: dict[str, Any] = {}
    query, headers = request.parameters, dict(request.headers)
    payload = shape.serialization.get("payload") if shape else None
    for name, member in shape.members.items() if shape else ():
        location, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if location == "uri":
            parameters[name] = bucket if wire == "Bucket" else key
        elif location == "querystring" and wire in query:
            parameters[name] = from_text(member, query[wire], wire)
        elif location == "header" and wire.lower() in headers:
            parameters[name] = from_text(member, headers.pop(wire.lower()), wire)
        elif location == "headers":
            prefix = wire.lower()
            keys = [header for header in headers if header.startswith(prefix)]
            parameters[name] = {header.removeprefix(prefix): headers.pop(header) for header in keys}
    foreign = [
        name for name in headers if name.startswith("x-amz-") and name not in _OF_THE_MESSAGE and not is_checksum(name)
    ]
    if foreign:
        message = "A header you provided implies functionality that is not implemented"
        raise AwsError("NotImplemented", f"{message} for {model.name}: {', '.join(foreign)}")
    if any("SSECustomer" in name for name in parameters):
        raise AwsError("NotImplemented", "the sandbox does not have encryption with customer-provided keys")
    parameters.pop("ContentLength", None)
    if model.name != "CompleteMultipartUpload":
        verify_checksums(request.headers, request.body)
    if payload is None:
        if request.body:
            raise AwsError("InvalidRequest", f"{model.name} has no body")
    elif shape is not None:
        parameters.update(_body(shape.members[payload], payload, request.body))
    if "CopySource" in parameters:
        parameters["CopySource"] = _copy_source(parameters["CopySource"]).header
    if "Tagging" in parameters:
        parameters["Tagging"] = _unique_tags(parameters["Tagging"])
    validate(model, parameters, "InvalidArgument")
    for name in ("MaxKeys", "MaxParts", "MaxUploads", "PartNumberMarker", "MaxBuckets"):
        if parameters.get(name, 0) < 0:
            raise AwsError("InvalidArgument", f"Argument {name} must be an integer between 0 and 2147483647")
    # moto takes an empty one for none, and would serve another operation than was authorized.
    if "" in (parameters.get("VersionId"), parameters.get("UploadId"), *_deleted_versions(parameters)):
        raise AwsError("InvalidArgument", "Version id cannot be the empty string")
    if not 1 <= parameters.get("PartNumber", 1) <= 10000:
        raise AwsError("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
    return parameters


def _deleted_versions(parameters: Parameters) -> list[str | None]:
    return [item.get("VersionId") for item in parameters.get("Delete", {}).get("Objects", [])]


def _body(shape: Any, name: str, body: bytes) -> dict[str, Any]:
    if shape.type_name == "blob":
        return {name: body}
    if shape.type_name == "string":
        try:
            return {name: body.decode("utf-8")}
        except UnicodeDecodeError:
            raise AwsError("MalformedPolicy", "the policy is not UTF-8") from None
    return {name: from_xml(shape, body)} if body else {}


def _unique_tags(tagging: Any) -> Any:
    """Tags, as a header's text or as a body's list, none of which is repeated.

    Raises:
        AwsError: InvalidTag.
    """
    try:
        if isinstance(tagging, str):
            pairs = parse_qsl(tagging, keep_blank_values=True, strict_parsing=bool(tagging), errors="strict")
        else:
            pairs = [(tag.get("Key"), tag.get("Value")) for tag in tagging.get("TagSet", [])]
    except ValueError:
        pairs = [("", ""), ("", "")]
    if len(dict(pairs)) != len(pairs):
        raise AwsError("InvalidTag", "Cannot provide multiple Tags with the same key")
    return urlencode(pairs, quote_via=quote) if isinstance(tagging, str) else tagging


@dataclass(frozen=True)
class _CopySource:
    """The object that is copied."""

    bucket: str
    key: str
    version: str | None

    @property
    def header(self) -> str:
        path = quote(f"{self.bucket}/{self.key}", safe="/-_.~")
        return f"{path}?versionId={quote(self.version, safe='-_.~')}" if self.version is not None else path


def _copy_source(text: str) -> _CopySource:
    """Read an `x-amz-copy-source`: `BUCKET/KEY`, percent-encoded, with a version if one is meant.

    Raises:
        AwsError: InvalidArgument.
    """
    path, mark, query = text.partition("?")
    try:
        if re.search("%(?![0-9A-Fa-f]{2})|#", text):
            raise ValueError
        bucket, _, key = unquote_to_bytes(path).decode("utf-8").removeprefix("/").partition("/")
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict") if mark else []
    except ValueError:
        bucket, key, pairs = "", "", []
    if (
        not key
        or not _BUCKET_NAME.fullmatch(bucket)
        or "\x00" in key
        or [name for name, _ in pairs]
        not in (
            [],
            ["versionId"],
        )
    ):
        raise AwsError("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    if pairs and not pairs[0][1]:
        raise AwsError("InvalidArgument", "Version id cannot be the empty string")
    return _CopySource(bucket, key, pairs[0][1] if pairs else None)


class _Access:
    """Writes the permissions of one operation."""

    def __init__(self, operation: Operation, account: str, stored: Stored) -> None:
        self._operation = operation
        self._account = account
        self._stored = stored
        self._partition = partition_of(operation.region).name

    def bucket(self, action: str, context: Context | None = None) -> RequiredPermission:
        return RequiredPermission(f"s3:{action}", self._arn(self._operation.parameters["Bucket"]), context or {})

    def object(self, action: str, key: str | None = None, version: str | None = None) -> RequiredPermission:
        parameters = self._operation.parameters
        arn = f"{self._arn(parameters['Bucket'])}/{parameters['Key'] if key is None else key}"
        named = parameters.get("VersionId") if version is None else version
        return RequiredPermission(f"s3:{action}", arn, {"s3:versionid": (named,)} if named is not None else {})

    def source(self) -> Iterator[RequiredPermission]:
        """Reading what is copied; with its tags, if it has any and they are copied as well."""
        parameters = self._operation.parameters
        source = _copy_source(parameters["CopySource"])
        arn, suffix = f"{self._arn(source.bucket)}/{source.key}", "Version" if source.version is not None else ""
        context: Context = {"s3:versionid": (source.version,)} if source.version is not None else {}
        yield RequiredPermission(f"s3:GetObject{suffix}", arn, context)
        yield from self._decrypted(source.bucket, source.key, source.version)
        tags = self._stored.tags(source.bucket, source.key, source.version)
        if tags and self._operation.name == "CopyObject" and parameters.get("TaggingDirective") != "REPLACE":
            yield RequiredPermission(f"s3:GetObject{suffix}Tagging", arn, context)
            yield self.object("PutObjectTagging")

    def written(self) -> Iterator[RequiredPermission]:
        """Writing an object, with what its headers set."""
        parameters = self._operation.parameters
        yield self.object("PutObject")
        if "ACL" in parameters or any(name.startswith("Grant") for name in parameters):
            yield self.object("PutObjectAcl")
        if parameters.get("Tagging") and self._operation.name != "PutObjectTagging":
            yield self.object("PutObjectTagging")
        if "ObjectLockMode" in parameters or "ObjectLockRetainUntilDate" in parameters:
            yield self.object("PutObjectRetention")
        if "ObjectLockLegalHoldStatus" in parameters:
            yield self.object("PutObjectLegalHold")
        yield from self._encrypted()

    def read(self) -> Iterator[RequiredPermission]:
        """Reading an object, with its KMS key."""
        parameters = self._operation.parameters
        yield self.object(f"GetObject{_version(parameters)}")
        yield from self._decrypted(parameters["Bucket"], parameters["Key"], parameters.get("VersionId"))

    def _encrypted(self) -> Iterator[RequiredPermission]:
        """The use of the KMS key that an object is written with: that of its header, or of the bucket's default.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
        """
        parameters = self._operation.parameters
        bucket, key = parameters["Bucket"], parameters.get("SSEKMSKeyId")
        default, by_bucket = self._stored.default_key(bucket)
        if key is None and "ServerSideEncryption" not in parameters:
            key = default
        if key is not None:
            by_bucket = parameters.get("BucketKeyEnabled", by_bucket)
            actions = ["GenerateDataKey", *(["Decrypt"] if self._operation.name == "CreateMultipartUpload" else [])]
            yield from (self._use(action, key, bucket, parameters["Key"], by_bucket) for action in actions)

    def _decrypted(self, bucket: str, key: str, version: str | None) -> Iterator[RequiredPermission]:
        kms_key, by_bucket = self._stored.key_of_object(bucket, key, version)
        if kms_key is not None:
            yield self._use("Decrypt", kms_key, bucket, key, by_bucket)

    def _use(self, action: str, kms_key: str, bucket: str, key: str, by_bucket: bool) -> RequiredPermission:
        """The use of a KMS key by S3, for one object."""
        region = partition_of(self._operation.region)
        context: Context = {
            "kms:viaservice": (f"s3.{self._operation.region}.{region.dns_suffix}",),
            "kms:calleraccount": (self._account,),
            "kms:encryptioncontextkeys": ("aws:s3:arn",),
            "kms:encryptioncontext:aws:s3:arn": (self._arn(bucket) if by_bucket else f"{self._arn(bucket)}/{key}",),
        }
        return RequiredPermission(f"kms:{action}", self._key_arn(kms_key), context)

    def bypass(self, key: str | None = None) -> Iterator[RequiredPermission]:
        if self._operation.parameters.get("BypassGovernanceRetention"):
            yield self.object("BypassGovernanceRetention", key)

    def _arn(self, bucket: str) -> str:
        return f"arn:{self._partition}:s3:::{bucket}"

    def _key_arn(self, key: str) -> str:
        """A KMS key's ARN; IAM decides by it, also where a request has its ID.

        Raises:
            AwsError: AccessDenied for an alias, since the sandbox does not know of which key.
        """
        region = self._operation.region
        if re.fullmatch(r"(mrk-)?[0-9a-f-]{32,36}", key):
            return f"arn:{self._partition}:kms:{region}:{self._account}:key/{key}"
        if re.fullmatch(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+", key, re.ASCII):
            return key
        raise AwsError("AccessDenied", "the sandbox cannot authorize the use of a KMS key by its alias", 403)


def _list_context(parameters: Parameters) -> Context:
    names = {"Prefix": "s3:prefix", "Delimiter": "s3:delimiter", "MaxKeys": "s3:max-keys"}
    return {key: (str(parameters[name]),) for name, key in names.items() if name in parameters}


def _version(parameters: Parameters) -> str:
    return "Version" if "VersionId" in parameters else ""


Permissions = Callable[[_Access, Parameters], list[RequiredPermission]]


def _one(action: str) -> Permissions:
    return lambda access, _: [access.bucket(action)]


def _on_object(verb: str, noun: str) -> Permissions:
    return lambda access, p: [access.object(f"{verb}Object{_version(p)}{noun}")]


def _plain(action: str) -> Permissions:
    return lambda access, p: [access.object(action), *access.bypass()]


def _attributes(access: _Access, p: Parameters) -> list[RequiredPermission]:
    return [*access.read(), access.object(f"GetObject{_version(p)}Attributes")]


def _listing(action: str) -> Permissions:
    return lambda access, p: [access.bucket(action, _list_context(p))]


def _deleted_objects(access: _Access, p: Parameters) -> list[RequiredPermission]:
    permissions = []
    for item in p["Delete"]["Objects"]:
        version = "Version" if "VersionId" in item else ""
        permissions.append(access.object(f"DeleteObject{version}", item["Key"], item.get("VersionId")))
        permissions.extend(access.bypass(item["Key"]))
    return permissions


def _created_bucket(access: _Access, p: Parameters) -> list[RequiredPermission]:
    permissions = [access.bucket("CreateBucket")]
    if "ACL" in p or any(name.startswith("Grant") for name in p):
        permissions.append(access.bucket("PutBucketAcl"))
    if p.get("ObjectLockEnabledForBucket"):
        permissions += [access.bucket("PutBucketObjectLockConfiguration"), access.bucket("PutBucketVersioning")]
    if "ObjectOwnership" in p:
        permissions.append(access.bucket("PutBucketOwnershipControls"))
    return permissions


_PERMISSIONS: dict[str, Permissions] = {
    "ListBuckets": lambda *_: [RequiredPermission("s3:ListAllMyBuckets", "*")],
    # Objects
    "GetObject": lambda access, _: list(access.read()),
    "HeadObject": lambda access, _: list(access.read()),
    "GetObjectAcl": _on_object("Get", "Acl"),
    "GetObjectTagging": _on_object("Get", "Tagging"),
    "GetObjectAttributes": _attributes,
    "GetObjectLegalHold": _plain("GetObjectLegalHold"),
    "PutObject": lambda access, _: list(access.written()),
    "PutObjectAcl": _on_object("Put", "Acl"),
    "PutObjectTagging": _on_object("Put", "Tagging"),
    "PutObjectRetention": _plain("PutObjectRetention"),
    "PutObjectLegalHold": _plain("PutObjectLegalHold"),
    "CopyObject": lambda access, _: [*access.written(), *access.source()],
    "DeleteObject": lambda access, p: [access.object(f"DeleteObject{_version(p)}"), *access.bypass()],
    "DeleteObjectTagging": _on_object("Delete", "Tagging"),
    "DeleteObjects": _deleted_objects,
    "RestoreObject": _plain("RestoreObject"),
    # Multipart uploads
    "CreateMultipartUpload": lambda access, _: list(access.written()),
    "UploadPart": _plain("PutObject"),
    "UploadPartCopy": lambda access, _: [access.object("PutObject"), *access.source()],
    "CompleteMultipartUpload": _plain("PutObject"),
    "AbortMultipartUpload": _plain("AbortMultipartUpload"),
    "ListParts": _plain("ListMultipartUploadParts"),
    "ListMultipartUploads": _one("ListBucketMultipartUploads"),
    # Buckets
    "CreateBucket": _created_bucket,
    "DeleteBucket": _one("DeleteBucket"),
    "HeadBucket": _one("ListBucket"),
    "ListObjects": _listing("ListBucket"),
    "ListObjectsV2": _listing("ListBucket"),
    "ListObjectVersions": _listing("ListBucketVersions"),
    "GetBucketLocation": _one("GetBucketLocation"),
    "GetBucketPolicyStatus": _one("GetBucketPolicyStatus"),
    "DeleteBucketPolicy": _one("DeleteBucketPolicy"),
    "DeleteBucketWebsite": _one("DeleteBucketWebsite"),
}
"""S3's allow-list. What moto lacks is missing: it would serve another operation instead, the object for its retention."""

_CONFIGURATIONS = {
    # operations on a bucket's configuration: their noun in operations, their noun in IAM's actions
    "AccelerateConfiguration": "AccelerateConfiguration",
    "Acl": "BucketAcl",
    "Cors": "BucketCORS",
    "Encryption": "EncryptionConfiguration",
    "InventoryConfiguration": "InventoryConfiguration",
    "LifecycleConfiguration": "LifecycleConfiguration",
    "Logging": "BucketLogging",
    "NotificationConfiguration": "BucketNotification",
    "OwnershipControls": "BucketOwnershipControls",
    "Policy": "BucketPolicy",
    "Replication": "ReplicationConfiguration",
    "Tagging": "BucketTagging",
    "Versioning": "BucketVersioning",
    "Website": "BucketWebsite",
}
for _noun, _action in _CONFIGURATIONS.items():
    _PERMISSIONS[f"GetBucket{_noun}"] = _one(f"Get{_action}")
    _PERMISSIONS[f"PutBucket{_noun}"] = _one(f"Put{_action}")
for _noun in ("Cors", "Encryption", "OwnershipControls", "Replication", "Tagging"):
    _PERMISSIONS[f"DeleteBucket{_noun}"] = _one(f"Put{_CONFIGURATIONS[_noun]}")
_PERMISSIONS["DeleteBucketLifecycle"] = _one("PutLifecycleConfiguration")
for _name, _action in {"PublicAccessBlock": "BucketPublicAccessBlock", "ObjectLockConfiguration": ""}.items():
    for _verb in ("Get", "Put"):
        _PERMISSIONS[f"{_verb}{_name}"] = _one(f"{_verb}{_action or 'BucketObjectLockConfiguration'}")
_PERMISSIONS["DeletePublicAccessBlock"] = _one("PutBucketPublicAccessBlock")

OPERATIONS = tuple(_PERMISSIONS)
"""The operations that the sandbox can authorize."""

_ROUTES = _routes()

_HEADER_CONTEXT = {
    "ACL": "s3:x-amz-acl",
    "CopySource": "s3:x-amz-copy-source",
    "IfMatch": "s3:if-match",
    "IfNoneMatch": "s3:if-none-match",
    "GrantFullControl": "s3:x-amz-grant-full-control",
    "GrantRead": "s3:x-amz-grant-read",
    "GrantReadACP": "s3:x-amz-grant-read-acp",
    "GrantWrite": "s3:x-amz-grant-write",
    "GrantWriteACP": "s3:x-amz-grant-write-acp",
    "MetadataDirective": "s3:x-amz-metadata-directive",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "SSECustomerAlgorithm": "s3:x-amz-server-side-encryption-customer-algorithm",
    "StorageClass": "s3:x-amz-storage-class",
    "WebsiteRedirectLocation": "s3:x-amz-website-redirect-location",
    "ObjectLockMode": "s3:object-lock-mode",
    "ObjectLockLegalHoldStatus": "s3:object-lock-legal-hold",
    "ObjectOwnership": "s3:x-amz-object-ownership",
}
"""Condition keys that repeat a header.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys
"""


def _with_context(permission: RequiredPermission, operation: Operation, stored: Stored) -> RequiredPermission:
    """A permission with the condition keys of S3."""
    if not permission.action.startswith("s3:"):
        return permission
    parameters, (_, _, path) = operation.parameters, permission.resource.partition(":::")
    context: Context = {key: (str(parameters[name]),) for name, key in _HEADER_CONTEXT.items() if name in parameters}
    context |= permission.context
    if isinstance(parameters.get("Tagging"), str):
        requested = dict(parse_qsl(parameters["Tagging"], keep_blank_values=True))
    else:
        requested = {tag["Key"]: tag["Value"] for tag in (parameters.get("Tagging") or {}).get("TagSet", [])}
    context |= {f"s3:requestobjecttag/{name.lower()}": (value,) for name, value in requested.items()}
    if requested:
        context["s3:requestobjecttagkeys"] = tuple(requested)
    bucket, _, key = path.partition("/")
    if key:
        version = context.get("s3:versionid", (None,))[0]
        existing = stored.tags(bucket, key, version)
        context |= {f"s3:existingobjecttag/{name.lower()}": (value,) for name, value in existing.items()}
    return RequiredPermission(permission.action, permission.resource, context)
