"""INVARIANT (served as authorized): whatever is sent, moto does what the authorizer has decided about, or nothing.

Thousands of requests are made by a grammar and signed by an attacker who has a session of their own, or not signed. The
authorizer here allows everything and notes what it was asked; moto's back ends note what they are told to do. Everything
that they do must have been asked about: the same action on the same object, prefix, or partition key.

The old front, in which the authorizer and moto each parse the bytes, is put back to see that these requests find what was
wrong with it.
"""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from io import BytesIO
from typing import Any
from urllib.parse import quote, unquote

import pytest
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.base_backend import BackendDict
from moto.dynamodb.models import DynamoDBBackend
from moto.moto_api._internal.responses import MotoAPIResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import S3Backend, s3_backends

from sandbox.aws import dynamodb, s3, sigv4
from sandbox.aws.authorization import Authorization
from sandbox.aws.clients import ACCOUNT
from sandbox.aws.errors import AwsError
from sandbox.aws.http import Head, HttpRequest, Response, body_length, parse_head, read_body
from sandbox.aws.moto_backend import rebuild
from sandbox.aws.server import Sandbox
from sandbox.aws.service import Operation, RequiredPermission
from sandbox.aws.sessions import Session
from sandbox.aws.shapes import json_object
from sandbox.aws.user_pools import PUBLIC_OPERATIONS
from tests.scale import SCALE

BUCKET, TABLE = "notes", "rows"
MINE, OTHERS = "a1/x", "b2/x"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/users"


@dataclass
class Seen:
    """What the authorizer was asked, and what moto was told to do."""

    asked: list[RequiredPermission] = field(default_factory=list)
    done: list[tuple[Any, ...]] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)

    def clear(self) -> None:
        self.asked.clear()
        self.done.clear()
        self.parameters.clear()

    def unasked(self) -> list[tuple[Any, ...]]:
        body = [effect for effect in self.done if effect[0] == "body" and effect[1] != self.parameters.get("Body", b"")]
        self.done = [effect for effect in self.done if effect[0] != "body"]
        return body + [
            effect for effect in self.done if not any(_covers(permission, effect) for permission in self.asked)
        ]


def _covers(permission: RequiredPermission, effect: tuple[str, ...]) -> bool:
    """Whether a permission is for what moto did: an action, a resource, and what distinguishes it further."""
    action, resource, *rest = effect
    if permission.resource != resource or (action and not permission.action.startswith(action)):
        return False
    key = {"s3:List": "s3:prefix", "dynamodb:": "dynamodb:leadingkeys"}.get(action[: 7 if action[0:2] == "s3" else 9])
    return not rest or key is None or rest[0] in permission.context.get(key, ("",))


def _object(bucket: str, key: str) -> str:
    return f"arn:aws:s3:::{bucket}/{key}"


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


Effect = Callable[..., list[tuple[str, ...]]]


def _copied(_: Any, source: Any, bucket: str, key: str, *__: Any, **___: Any) -> list[tuple[str, ...]]:
    return [("s3:GetObject", _object(source.bucket_name, source.name)), ("s3:PutObject", _object(bucket, key))]


def _upload_key(backend: Any, bucket: str, upload: str) -> str:
    found = backend.buckets[bucket].multiparts.get(upload)
    return found.key_name if found else MINE


def _on_upload(action: str) -> Effect:
    return lambda self, bucket, upload, *_, **__: [(action, _object(bucket, _upload_key(self, bucket, upload)))]


def _listed(action: str) -> Effect:
    def effect(_: Any, bucket: Any = None, *__: Any, **given: Any) -> list[tuple[str, ...]]:
        name = bucket if isinstance(bucket, str) else (bucket or given["bucket"]).name
        return [(action, f"arn:aws:s3:::{name}", given.get("prefix") or "")]

    return effect


def _deleted(_: Any, bucket: str, objects: Any, *__: Any, **___: Any) -> list[tuple[str, ...]]:
    return [("s3:DeleteObject", _object(bucket, item["Key"])) for item in objects]


def _of_bucket(action: str) -> Effect:
    return lambda _, bucket, *__, **___: [(action, f"arn:aws:s3:::{bucket}")]


S3_EFFECTS: dict[str, Effect] = {
    "get_object": lambda _, bucket, key, *__, **___: [("", _object(bucket, key))],
    "put_object": lambda _, bucket, key, body, *__, **___: [("s3:PutObject", _object(bucket, key)), ("body", body)],
    "delete_object": lambda _, bucket, key, *__, **___: [("s3:DeleteObject", _object(bucket, key))],
    "delete_objects": _deleted,
    "copy_object": _copied,
    "create_multipart_upload": lambda _, bucket, key, *__, **___: [("s3:PutObject", _object(bucket, key))],
    "upload_part": _on_upload("s3:PutObject"),
    "complete_multipart_upload": _on_upload("s3:PutObject"),
    "abort_multipart_upload": _on_upload("s3:AbortMultipartUpload"),
    "list_parts": _on_upload("s3:ListMultipartUploadParts"),
    "list_objects": _listed("s3:ListBucket"),
    "list_objects_v2": _listed("s3:ListBucket"),
    "list_object_versions": _listed("s3:ListBucketVersions"),
    "list_multipart_uploads": _of_bucket("s3:ListBucketMultipartUploads"),
    "list_buckets": lambda *_, **__: [("s3:ListAllMyBuckets", "*")],
    "put_object_acl": lambda _, bucket, key, *__, **___: [("s3:PutObjectAcl", _object(bucket, key))],
    "delete_bucket": _of_bucket("s3:DeleteBucket"),
    "create_bucket": _of_bucket("s3:CreateBucket"),
    "put_bucket_policy": _of_bucket("s3:PutBucketPolicy"),
    "get_bucket_policy": _of_bucket("s3:GetBucketPolicy"),
    "delete_bucket_policy": _of_bucket("s3:DeleteBucketPolicy"),
    "put_bucket_acl": _of_bucket("s3:PutBucketAcl"),
    "get_bucket_tagging": _of_bucket("s3:GetBucketTagging"),
}


def _item(action: str) -> Effect:
    def effect(_: Any, table: str, item: Any, *__: Any, **___: Any) -> list[tuple[str, ...]]:
        return [(action, _table(table), str(item["owner"]["S"]))]

    return effect


def _query(_: Any, table: str, hash_key: Any, *__: Any, **___: Any) -> list[tuple[str, ...]]:
    return [("dynamodb:Query", _table(table), str(hash_key.get("S")))]


DYNAMODB_EFFECTS: dict[str, Effect] = {
    "get_item": _item("dynamodb:"),
    "put_item": _item("dynamodb:"),
    "update_item": _item("dynamodb:"),
    "delete_item": _item("dynamodb:"),
    "query": _query,
    "scan": lambda _, table, *__, **___: [("dynamodb:Scan", _table(table))],
}


@contextmanager
def watching(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    """Note what the authorizer is asked, which allows it, and what moto's back ends are told."""
    seen = Seen()
    nested = [False]

    def watch(cls: type, name: str, effect: Effect) -> None:
        real = getattr(cls, name)

        def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
            if nested[0]:
                return real(self, *args, **kwargs)
            seen.done.extend(effect(self, *args, **kwargs))
            nested[0] = True
            try:
                return real(self, *args, **kwargs)
            finally:
                nested[0] = False

        monkeypatch.setattr(cls, name, watched)

    for name, effect in S3_EFFECTS.items():
        watch(S3Backend, name, effect)
    for name, effect in DYNAMODB_EFFECTS.items():
        watch(DynamoDBBackend, name, effect)
    watch(CognitoIdpResponse, "call_action", lambda response: _public(response._get_action()))
    watch(MotoAPIResponse, "reset_response", lambda *_: [("moto", "reset")])
    monkeypatch.setattr(BackendDict, "reset", lambda *_: seen.done.append(("moto", "reset")))

    def refusal(_: Any, __: Any, permission: RequiredPermission, *___: Any) -> None:
        seen.asked.append(permission)

    def answer(self: s3.S3, operation: Operation, session: Session | None) -> Response:
        seen.parameters.update(operation.parameters)
        return real_answer(self, operation, session)

    real_answer = s3.S3.answer
    monkeypatch.setattr(s3.S3, "answer", answer)
    monkeypatch.setattr(Authorization, "refusal", refusal)
    monkeypatch.setattr(Authorization, "role_exists", lambda *_: True)
    yield seen


def _public(action: str) -> list[tuple[str, ...]]:
    return [] if action in PUBLIC_OPERATIONS else [("cognito-idp", action)]


SESSION = Session(
    access_key="ASIAATTACKER00000000",
    secret="secret",
    token="token",
    expires=4e9,
    identity=f"{REGION}:a",
    pool=f"{REGION}:pool",
    issuer="cognito-identity.amazonaws.com",
    amr=("authenticated",),
    role_arn=ROLE,
    role_id="AROA",
    provider="",
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox().running() as running:
        running.client("s3", REGION).create_bucket(Bucket=BUCKET)
        running.client("dynamodb", REGION).create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "owner", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "owner", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        running.identity.sessions[SESSION.access_key] = SESSION
        yield running


# The grammar

Raw = tuple[str, str, list[tuple[str, str]], bytes]
"""Method, target, headers, body."""


def _json(target: str, body: str) -> Raw:
    return "POST", "/", [("X-Amz-Target", target), ("Content-Type", "application/x-amz-json-1.0")], body.encode()


_ROWS = "DynamoDB_20120810."
_KEY = '"Key":{"owner":{"S":"a1"}}'
_IDP = "AWSCognitoIdentityProviderService."
_DELETE = '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a1/x</Key></Object></Delete>'
SEEDS: list[Raw] = [
    ("GET", f"/{BUCKET}/{MINE}", [], b""),
    ("HEAD", f"/{BUCKET}/{MINE}", [], b""),
    ("PUT", f"/{BUCKET}/{MINE}", [("Content-Type", "text/plain")], b"text"),
    ("PUT", f"/{BUCKET}/{MINE}", [("x-amz-copy-source", f"/{BUCKET}/a1/y")], b""),
    ("PUT", f"/{BUCKET}/{MINE}", [("x-amz-copy-source", f"{BUCKET}/a1/y;b")], b""),
    ("DELETE", f"/{BUCKET}/{MINE}", [], b""),
    ("POST", f"/{BUCKET}/{MINE}?uploads", [], b""),
    ("PUT", f"/{BUCKET}/{MINE}?partNumber=1&uploadId=UPLOAD", [], b"part"),
    ("GET", f"/{BUCKET}/{MINE}?uploadId=UPLOAD", [], b""),
    ("DELETE", f"/{BUCKET}/{MINE}?uploadId=UPLOAD", [], b""),
    ("PUT", f"/{BUCKET}/{MINE}?partNumber=1&uploadId=OTHERS", [], b"part"),
    ("GET", f"/{BUCKET}/{MINE}?uploadId=OTHERS", [], b""),
    ("DELETE", f"/{BUCKET}/{MINE}?uploadId=OTHERS", [], b""),
    ("PUT", f"/{BUCKET}/{MINE}", [("Content-Type", "application/x-www-form-urlencoded")], b"key=b2/x&file=1"),
    ("GET", f"/{BUCKET}?list-type=2&prefix=a1%2F", [], b""),
    ("GET", f"/{BUCKET}?prefix=a1/&delimiter=/", [], b""),
    ("GET", f"/{BUCKET}?prefix=b2/&prefix=a1/", [], b""),
    ("GET", f"/{BUCKET}?versions&prefix=a1/", [], b""),
    ("POST", f"/{BUCKET}?delete", [("Content-Type", "application/xml")], _DELETE.encode()),
    ("GET", "/", [], b""),
    ("GET", f"/{BUCKET}?tagging", [], b""),
    _json(f"{_ROWS}GetItem", f'{{"TableName":"rows",{_KEY}}}'),
    _json(f"{_ROWS}PutItem", '{"TableName":"rows","Item":{"owner":{"S":"a1"}}}'),
    _json(f"{_ROWS}UpdateItem", f'{{"TableName":"rows",{_KEY}}}'),
    _json(
        f"{_ROWS}Query",
        '{"TableName":"rows","KeyConditionExpression":"#o = :o",'
        '"ExpressionAttributeNames":{"#o":"owner"},"ExpressionAttributeValues":{":o":{"S":"a1"},":p":{"S":"b2"}}}',
    ),
    _json(f"{_ROWS}BatchGetItem", '{"RequestItems":{"rows":{"Keys":[{"owner":{"S":"a1"}}]}}}'),
    _json(f"{_IDP}ListUserPools", '{"MaxResults":1}'),
    _json(f"{_IDP}InitiateAuth", '{"AuthFlow":"USER_PASSWORD_AUTH","ClientId":"client","AuthParameters":{}}'),
    ("POST", "/?Action=ListUserPools", [("X-Amz-Target", f"{_IDP}InitiateAuth")], b"{}"),
    ("POST", "/moto-api/reset", [], b""),
    ("GET", "/moto-api/data.json", [], b""),
    ("GET", "/us-east-1_x/.well-known/jwks.json", [], b""),
]

QUERY_PIECES = [
    *(
        "prefix=b2/",
        "prefix=",
        "Prefix=b2/",
        "versionId=1",
        "acl",
        "policy",
        "tagging",
        "uploads",
        "delete",
        "list-type=2",
    ),
    *("uploadId=UPLOAD", "uploadId=OTHERS", "partNumber=1", "x-id=GetObject", "versions", "retention", "inventory"),
    *("Action=GetCallerIdentity", "key=b2/x", "%70refix=b2/", "prefix%00=b2/", "max-keys=x", "X-Amz-Expires=9", ""),
    *("Action=ListUsers", "response-content-type=a", "restore", "x-amz-acl=public-read", "marker=b2", "torrent"),
]
HEADER_PIECES = [
    *(("x-amz-copy-source", f"{BUCKET}/{OTHERS}"), ("x_amz_copy_source", f"{BUCKET}/{OTHERS}")),
    *(("x-amz-copy-source", f"{BUCKET}/a1/y;b"), ("x-amz-copy-source", f"{BUCKET}/a1/y?versionId=1&versionId=2")),
    *(("x-amz-copy-source", f"{BUCKET}%2Fb2%2Fx"), ("X-Amz-Target", f"{_IDP}ListUserPools")),
    *(("X-Amz-Target", f"{_IDP}InitiateAuth"), ("X-Amz-Target", f"{_ROWS}Scan"), ("x-moto-account-id", "210987654321")),
    *(("User-Agent", "x region/eu-west-1"), ("Host", "b2.s3.amazonaws.com"), ("x-amz-acl", "public-read")),
    *(("Content-Type", "application/x-www-form-urlencoded"), ("Content-Type", "multipart/form-data; boundary=b")),
    *(("Content-Type", "application/xml"), ("x-amz-tagging", "a=b"), ("x-amz-tagging", "a=b&a=c"), ("versionId", "1")),
    *(("Transfer-Encoding", "chunked"), ("Content-Length", "1"), ("Content-Encoding", "gzip"), ("Prefix", "b2/")),
    *(("X-HTTP-Method-Override", "DELETE"), ("x-amz-bypass-governance-retention", "true"), ("Range", "bytes=0-1")),
    *(("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), ("x-amz-grant-read", "id=1"), ("X-Forwarded-Host", "moto_api")),
    *(("x-amz-meta-a_b", "1"), ("x-amz-meta-a-b", "2"), ("x-amz-server-side-encryption-aws-kms-key-id", "alias/x")),
]
BODY_PIECES = [
    *(b"Action=GetCallerIdentity&Version=2011-06-15", b"key=b2/x&file=1", b"uploadId=UPLOAD&partNumber=1", b"{}", b""),
    b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nb2/x\r\n--b--\r\n',
    b'<!DOCTYPE d [<!ENTITY k "b2/x">]><Delete><Object><Key>&k;</Key></Object></Delete>',
    b"<Delete><Object><Key>a1/x</Key><Key>b2/x</Key></Object></Delete>",
    b'<Delete xmlns:o="o"><Object><o:Key>a1/x</o:Key><Key>b2/x</Key></Object></Delete>',
    b"<Delete><Object><Key>a1/x&#13;</Key></Object><Other><Object><Key>b2/x</Key></Object></Other></Delete>",
    b"<Delete><Object><Key>a1/<!-- -->x</Key></Object><Object><Key> b2/x </Key></Object></Delete>",
    "<?xml version='1.0' encoding='utf-16'?><Delete><Object><Key>b2/x</Key></Object></Delete>".encode("utf-16"),
]
JSON_PIECES = [
    *(
        '"TableName":"rows"',
        '"Key":{"owner":{"S":"b2"}}',
        '"Item":{"owner":{"S":"b2"}}',
        '"TableName":["rows"]',
        '"a":1',
    ),
    *('"Key":{"owner":{"S":"a1","N":"1"}}', '"Key":[]', '"IndexName":"x"', '"AttributesToGet":["owner"]', '"Key":null'),
    '"KeyConditions":{"owner":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"b2"}]}}',
    *('"KeyConditionExpression":"#o = :o AND #o = :p"', '"KeyConditionExpression":"#o = :p"', '"MaxResults":"1"'),
    *('"KeyConditionExpression":"(#o = :p)and begins_with(id, :o)"', '"KeyConditionExpression":":o = #o"'),
]


def mutated(raw: Raw, random_: random.Random) -> bytes:
    """One request of the grammar, as bytes: a seed with a few changes."""
    method, target, headers, body = raw[0], raw[1], list(raw[2]), raw[3]
    end, separator = "\r\n", ": "
    for _ in range(random_.randint(0, 3)):
        change = random_.randrange(13)
        if change == 0:
            target += ("&" if "?" in target else "?") + random_.choice(QUERY_PIECES)
        elif change == 1:
            at = random_.randrange(len(target))
            target = target[:at] + f"%{ord(target[at]) & 255:02X}" + target[at + 1 :]
        elif change == 2:
            target = random_.choice(["http://127.0.0.1", "//", "/.", "/b2/..", "", "*", "/moto-api/.."]) + target
        elif change == 3:
            target = _inserted(target, random_)
        elif change in (4, 5):
            headers.insert(random_.randint(0, len(headers)), random_.choice(HEADER_PIECES))
        elif change == 6:
            body = random_.choice(BODY_PIECES)
        elif change == 7 and body.startswith(b"{"):
            piece = random_.choice(JSON_PIECES).encode()
            body = random_.choice([b"{" + piece + b"," + body[1:], body[:-1] + b"," + piece + b"}"])
        elif change == 8 and headers:
            name, value = random_.choice(headers)
            headers.append((random_.choice([name.upper(), name.replace("-", "_"), name + " ", " " + name]), value))
        elif change == 12 and headers:
            at = random_.randrange(len(headers))
            headers[at] = (headers[at][0], _inserted(headers[at][1], random_))
        elif change == 9:
            method = random_.choice(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS", "get"])
        elif change == 10:
            target = target.replace(MINE, random_.choice([OTHERS, "a1/x/../../b2/x", "a1%2Fx", "", "a1//x"]))
        elif change == 11 and random_.random() < 0.2:
            end, separator = random_.choice(["\n", "\r\n ", "\r"]), random_.choice([" : ", ":"])
    names = {name.lower() for name, _ in headers}
    if "host" not in names or random_.random() < 0.5:
        headers.insert(0, ("Host", "127.0.0.1"))
    if not names & {"content-length", "transfer-encoding"}:
        headers.append(("Content-Length", str(len(body))))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}{separator}{value}" for name, value in headers)]
    return (end.join(lines) + end + end).encode("latin-1") + body


def _inserted(text: str, random_: random.Random) -> str:
    at = random_.randrange(len(text) + 1)
    return text[:at] + random_.choice(["#", ";", "?", "+", "/", "%2F", "%", "%00", "\\", "%252F", ".", ","]) + text[at:]


def signed(data: bytes, now: float, service: str) -> bytes:
    """The request with a signature that is right for whoever reads it as the sandbox does."""
    text, _, body = data.partition(b"\r\n\r\n")
    time = datetime.fromtimestamp(now, timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    extra = [f"x-amz-date: {time}", "x-amz-security-token: token"]
    if b"x-amz-content-sha256" not in text.lower() and service == "s3":
        extra.append("x-amz-content-sha256: UNSIGNED-PAYLOAD")
    text = text + b"\r\n" + "\r\n".join(extra).encode()
    scope = sigv4.Scope(SESSION.access_key, time[:8], REGION, service)
    try:
        head = parse_head(text + b"\r\n\r\n")
        request = _with_body(head, body)
    except AwsError:
        credential = f"Credential={SESSION.access_key}/{scope}, SignedHeaders=host, Signature={'0' * 64}"
        return text + f"\r\nAuthorization: {sigv4.ALGORITHM} {credential}\r\n\r\n".encode() + body
    names = tuple(sorted(head.headers))
    payload = head.headers.get("x-amz-content-sha256")
    signature = sigv4.Signature(scope, names, "", time, "token", payload)
    value = sigv4.Signer(signature, SESSION.secret).sign(
        f"{sigv4.ALGORITHM}\n{{}}\n{sigv4._canonical_hash(request, signature)}"
    )
    credential = f"Credential={SESSION.access_key}/{scope}, SignedHeaders={';'.join(names)}, Signature={value}"
    return text + f"\r\nAuthorization: {sigv4.ALGORITHM} {credential}\r\n\r\n".encode() + body


def _with_body(head: Head, body: bytes) -> HttpRequest:
    length = body_length(head)
    return HttpRequest(head.method, head.segments, head.query, head.headers, read_body(BytesIO(body), length))


def requests(random_: random.Random, count: int, now: float) -> Iterator[bytes]:
    others = s3_backends[ACCOUNT]["aws"].buckets[BUCKET].multiparts
    uploads = {"UPLOAD": _upload(MINE), "OTHERS": _upload(OTHERS)}
    for _ in range(count):
        data = mutated(random_.choice(SEEDS), random_)
        for name, upload in uploads.items():
            if upload not in others:
                uploads[name] = upload = _upload(MINE if name == "UPLOAD" else OTHERS)
            data = data.replace(b"=" + name.encode(), b"=" + quote(upload, safe="").encode())
        if random_.random() < 0.7:
            service = "dynamodb" if b"DynamoDB_" in data else "s3"
            data = signed(data, now, service if random_.random() < 0.9 else "sts")
        yield data


def _upload(key: str) -> str:
    backend = s3_backends[ACCOUNT]["aws"]
    acl = backend.buckets[BUCKET].acl
    upload: Any = backend.create_multipart_upload(BUCKET, key, {}, "STANDARD", {}, acl, "", "")  # type: ignore[arg-type]
    return str(upload.id)


def new_front(sandbox: Sandbox, data: bytes) -> int:
    text, _, body = data.partition(b"\r\n\r\n")
    try:
        request = _with_body(parse_head(text + b"\r\n\r\n"), body)
    except AwsError as error:
        return error.status
    return sandbox.respond(request).status


OLD_MOTO = DomainDispatcherApplication(create_backend_app)


def old_front(sandbox: Sandbox, data: bytes) -> int:
    """The front as it was: both the authorizer and moto parse the bytes, each in its own way."""
    text, _, body = data.partition(b"\r\n\r\n")
    first, *lines = text.decode("latin-1").splitlines()
    method, _, target = first.removesuffix(" HTTP/1.1").partition(" ")
    path, _, query = target.removeprefix("http://127.0.0.1").partition("?")
    pairs = (item.partition("=") for item in query.split("&") if item)
    last = {unquote(key): unquote(value.replace("+", " ")) for key, _, value in pairs}
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower().replace("_", "-")] = value.strip()
    request = HttpRequest(method, tuple(unquote(path).lstrip("/").split("/")), tuple(last.items()), headers, body)
    public = headers.get("x-amz-target", "").startswith(f"{_IDP}InitiateAuth") or ".well-known/" in path
    try:
        if "authorization" in headers and "/s3/" in headers["authorization"]:
            service = s3.S3(ACCOUNT)
            for permission in service.required_permissions(service.operation(request, REGION)):
                Authorization(ACCOUNT).refusal(SESSION, permission, REGION, {}, 0)
        elif "authorization" in headers and b"GetCallerIdentity" in body:
            pass
        elif not public:
            return 403
    except AwsError as error:
        return error.status
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote(path),
        "RAW_URI": target,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
    }
    try:
        b"".join(OLD_MOTO(environ, lambda *_: None))
    except Exception:
        return 500
    return 200


def found(
    front: Callable[[Sandbox, bytes], int],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    count: int,
) -> tuple[list[tuple[bytes, tuple[str, ...]]], dict[int, int]]:
    """What moto did unasked, with the request; and how many requests ended in each status."""
    ways, statuses = [], dict.fromkeys((200, 403, 500), 0)
    with watching(monkeypatch) as seen:
        for data in requests(random.Random(seed), count, sandbox.now()):
            seen.clear()
            status = front(sandbox, data)
            statuses[status] = statuses.get(status, 0) + 1
            ways += [(data, effect) for effect in seen.unasked()]
    return ways, statuses


def test_moto_does_what_was_authorized_and_nothing_else(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    ways, statuses = found(new_front, sandbox, monkeypatch, seed=18, count=4000 * SCALE)
    assert ways == []
    assert statuses[200] > 400 * SCALE, "the grammar makes too few requests that are served"
    assert statuses[500] == 0


def test_the_old_front_is_found_out(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The known ways: another key or prefix than was authorized, an open user pool, moto's own API."""
    ways, _ = found(old_front, sandbox, monkeypatch, seed=18, count=5000)
    kinds = {effect[0] for _, effect in ways}
    assert {"s3:ListBucket", "s3:PutObject", "cognito-idp", "moto"} <= kinds


def test_the_request_for_moto_reads_as_what_was_authorized(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Field by field: reading the rebuilt request again gives the operation that was authorized."""
    operations: list[Operation] = []
    for service in (s3.S3, dynamodb.DynamoDb):
        monkeypatch.setattr(service, "answer", lambda _, operation, __: _noted(operations, operation))
    with watching(monkeypatch):
        for data in requests(random.Random(19), 2000 * SCALE, sandbox.now()):
            operations.clear()
            new_front(sandbox, data)
            for operation in operations:
                assert _reread(operation) == operation, data


def _noted(operations: list[Operation], operation: Operation) -> Response:
    operations.append(operation)
    return Response(200)


def _reread(operation: Operation) -> Operation:
    request = rebuild(operation.service, operation.name, operation.region, operation.parameters)
    target = request.raw_path + (f"?{request.query_string.decode()}" if request.query_string else "")
    lines = [f"{request.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items() if name.lower() != "authorization"]
    body = request.get_data()
    head = parse_head(("\r\n".join(lines) + "\r\n\r\n").encode())
    service: Any = {"s3": s3.S3, "dynamodb": dynamodb.DynamoDb}[operation.service](ACCOUNT)
    read: Operation = service.operation(_with_body(head, body), operation.region)
    return read


def test_over_the_wire_every_request_gets_one_response(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raw sockets: one response, never a server's error, and what was served was authorized."""
    with watching(monkeypatch) as seen:
        for data in requests(random.Random(20), 300 * SCALE, sandbox.now()):
            seen.clear()
            with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda c=connection: c.recv(65536), b""))  # type: ignore[misc]
            assert answer.startswith(b"HTTP/1.1 "), data
            assert int(answer[9:12]) < 500, (data, answer)
            assert seen.unasked() == [], data


SMUGGLED = "GET /b2 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        ("POST / HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(SMUGGLED)}", "Transfer-Encoding: chunked"),
        ("POST / HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 0", f"Content-Length: {len(SMUGGLED)}"),
        ("POST / HTTP/1.1", "Host: 127.0.0.1", "Transfer-Encoding: gzip, chunked"),
        ("POST / HTTP/1.1", "Host: 127.0.0.1", "Transfer-Encoding : chunked"),
        ("POST / HTTP/1.1", "Host: 127.0.0.1", "X: a\r\n b"),
        ("POST / HTTP/1.1", "Host: 127.0.0.1", "Host: localhost"),
        ("POST / HTTP/1.1", "Host: 127.0.0.1", "no colon"),
        ("POST / HTTP/1.1", "Host: 127.0.0.1", "Content-Length: +3"),
        ("POST / HTTP/1.1", "Host: 127.0.0.1", "X\x00: 1"),
        ("POST / HTTP/2.0", "Host: 127.0.0.1"),
        ("POST http://127.0.0.1/ HTTP/1.1", "Host: 127.0.0.1"),
        ("POST /#x HTTP/1.1", "Host: 127.0.0.1"),
        ("POST  / HTTP/1.1", "Host: 127.0.0.1"),
        ("POST / HTTP/1.1",),
    ],
)
def test_a_request_that_can_be_read_in_two_ways_is_refused_and_ends_the_connection(
    sandbox: Sandbox, lines: tuple[str, ...]
) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + SMUGGLED).encode("latin-1"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_repeated_key_of_json_is_refused() -> None:
    body = json.dumps({"MaxResults": 1})[:-1] + ',"MaxResults":1}'
    with pytest.raises(AwsError, match="repeated"):
        json_object(body.encode())
