"""The body of a signed request, verified: its hash, the signature of each chunk, and its checksums.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html,
        https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from .errors import AwsError
from .http import HttpRequest
from .sigv4 import UNSIGNED_PAYLOAD, Signature, Signer

SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_CHUNKS_AND_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_CHUNKS_AND_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_STREAMING = (SIGNED_CHUNKS, SIGNED_CHUNKS_AND_TRAILER, UNSIGNED_CHUNKS_AND_TRAILER)

_EMPTY = hashlib.sha256(b"").hexdigest()
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?\r\n")
_TRAILER = re.compile(rb"(x-amz-checksum-[a-z0-9]+):([A-Za-z0-9+/=]+)\r?\n")

_CHECKSUMS: Mapping[str, Callable[[bytes], bytes]] = {
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
    "md5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
}


def verified(request: HttpRequest, signature: Signature, secret: str) -> HttpRequest:
    """The request with its body as it is meant, and without what describes how it was sent.

    Raises:
        AwsError: the body is not what was signed.
    """
    stated = signature.payload
    headers = dict(request.headers)
    body = request.body
    if stated in _STREAMING and signature.service == "s3" and signature.expires is None:
        body, trailer = _unchunked(request, signature, secret)
        repeated = trailer.keys() & headers.keys()
        if repeated:
            raise AwsError("InvalidRequest", f"{', '.join(repeated)} is both a header and a trailer", 400)
        headers.update(trailer)
        _remove_chunk_headers(headers)
    elif stated == UNSIGNED_PAYLOAD and signature.service == "s3":
        pass
    elif stated is None and signature.service == "s3":
        raise AwsError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400)
    elif stated is not None and not hmac.compare_digest(stated, hashlib.sha256(body).hexdigest()):
        raise AwsError("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match", 400)
    if "aws-chunked" in headers.get("content-encoding", "").lower():
        raise AwsError("InvalidRequest", "Content-Encoding says aws-chunked, x-amz-content-sha256 does not", 400)
    return replace(request, headers=headers, body=body)


def _remove_chunk_headers(headers: dict[str, str]) -> None:
    """Remove what says that a body came in chunks; other content encodings are the object's own."""
    codings = [coding.strip() for coding in headers.pop("content-encoding", "").split(",")]
    rest = [coding for coding in codings if coding and coding != "aws-chunked"]
    if rest:
        headers["content-encoding"] = ",".join(rest)
    for name in ("x-amz-decoded-content-length", "x-amz-trailer"):
        headers.pop(name, None)


def _unchunked(request: HttpRequest, signature: Signature, secret: str) -> tuple[bytes, dict[str, str]]:
    """The body of an aws-chunked request, and its trailer."""
    kind, signer, previous = signature.payload, Signer(signature, secret), signature.signature
    stream, chunks = io.BytesIO(request.body), []
    while True:
        match = _CHUNK.fullmatch(stream.readline(128))
        if not match or (match[2] is None) != (kind == UNSIGNED_CHUNKS_AND_TRAILER):
            raise _incomplete()
        chunk = stream.read(int(match[1], 16))
        if len(chunk) != int(match[1], 16):
            raise _incomplete()
        if match[2] is not None:
            digest = hashlib.sha256(chunk).hexdigest()
            previous = _next(signer, match[2], f"AWS4-HMAC-SHA256-PAYLOAD\n{{}}\n{previous}\n{_EMPTY}\n{digest}")
        if not chunk:
            break
        if stream.read(2) != b"\r\n":
            raise _incomplete()
        chunks.append(chunk)
    body = b"".join(chunks)
    if request.headers.get("x-amz-decoded-content-length") != str(len(body)):
        raise _incomplete()
    rest = stream.read()
    trailer = {} if kind == SIGNED_CHUNKS else _trailer(rest, request, kind, signer, previous)
    if kind == SIGNED_CHUNKS and (rest not in (b"", b"\r\n") or "x-amz-trailer" in request.headers):
        raise _incomplete()
    return body, trailer


def _trailer(text: bytes, request: HttpRequest, kind: str | None, signer: Signer, previous: str) -> dict[str, str]:
    name = request.headers.get("x-amz-trailer", "").lower()
    match = _TRAILER.match(text)
    if not match or match[1].decode() != name:
        raise AwsError("MalformedTrailerError", "The trailing header does not match x-amz-trailer", 400)
    rest = text[match.end() :]
    if kind == SIGNED_CHUNKS_AND_TRAILER:
        signed = re.fullmatch(rb"x-amz-trailer-signature:([0-9a-f]{64})\r\n(?:\r\n)?", rest)
        if not signed:
            raise AwsError("MalformedTrailerError", "The trailer is not signed", 400)
        digest = hashlib.sha256(match[1] + b":" + match[2] + b"\n").hexdigest()
        _next(signer, signed[1], f"AWS4-HMAC-SHA256-TRAILER\n{{}}\n{previous}\n{digest}")
    elif rest not in (b"", b"\r\n"):
        raise AwsError("MalformedTrailerError", "The body goes on after its trailer", 400)
    return {name: match[2].decode()}


def _next(signer: Signer, stated: bytes, text: str) -> str:
    expected = signer.sign(text)
    if not hmac.compare_digest(expected, stated.decode()):
        raise AwsError("SignatureDoesNotMatch", "The signature of a chunk does not match", 403)
    return expected


def verify_checksums(headers: Mapping[str, str], body: bytes) -> None:
    """Verify the checksums of a body that the headers state.

    Raises:
        AwsError: BadDigest; NotImplemented for an algorithm that the sandbox does not have.
    """
    stated = {name.removeprefix("x-amz-checksum-"): value for name, value in headers.items() if is_checksum(name)}
    if "content-md5" in headers:
        stated["md5"] = headers["content-md5"]
    for algorithm, value in stated.items():
        compute = _CHECKSUMS.get(algorithm)
        if compute is None:
            raise AwsError(
                "NotImplemented", f"the sandbox verifies no {algorithm} checksums; use CRC32 or SHA-256", 400
            )
        if not hmac.compare_digest(base64.b64encode(compute(body)).decode(), value):
            raise AwsError("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.", 400)


def is_checksum(name: str) -> bool:
    """Whether a header states a checksum, which any request with a body may do."""
    return name.startswith("x-amz-checksum-") and name not in (
        "x-amz-checksum-algorithm",
        "x-amz-checksum-mode",
        "x-amz-checksum-type",
    )


def _incomplete() -> AwsError:
    return AwsError(
        "IncompleteBody", "The request body is not what its chunks and x-amz-decoded-content-length say", 400
    )
