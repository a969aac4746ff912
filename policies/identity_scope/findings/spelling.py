"""Names of condition keys, variables and issuers that are misspelt: close to one that exists, and none themselves.

Case does not matter in them, so another case is no misspelling.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..iam.issuers import COMMERCIAL_ISSUER, ISSUERS

_KEYS = ("sub", "aud", "amr")
GLOBAL_KEYS = frozenset(
    {
        *("aws:username", "aws:userid", "aws:principaltype", "aws:principalarn", "aws:principalaccount"),
        *(
            "aws:principalorgid",
            "aws:sourceip",
            "aws:sourcevpc",
            "aws:sourcevpce",
            "aws:sourcearn",
            "aws:sourceaccount",
        ),
        *(
            "aws:securetransport",
            "aws:currenttime",
            "aws:epochtime",
            "aws:useragent",
            "aws:referer",
            "aws:viaawsservice",
        ),
        *("aws:requestedregion", "aws:resourceaccount", "aws:federatedprovider", "aws:tokenissuetime", "aws:tagkeys"),
        *("aws:multifactorauthpresent", "aws:multifactorauthage", "aws:calledvia", "aws:resourceorgid"),
    }
)
"""Condition keys of every service.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""
S3_KEYS = frozenset(
    {
        *("s3:prefix", "s3:delimiter", "s3:max-keys", "s3:versionid", "s3:authtype", "s3:signatureage"),
        *("s3:signatureversion", "s3:tlsversion", "s3:resourceaccount", "s3:x-amz-acl", "s3:x-amz-storage-class"),
        *("s3:x-amz-server-side-encryption", "s3:x-amz-grant-read", "s3:x-amz-grant-full-control"),
        *("s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:x-amz-copy-source", "s3:x-amz-metadata-directive"),
        *("s3:x-amz-content-sha256", "s3:x-amz-grant-write", "s3:dataaccesspointarn", "s3:dataaccesspointaccount"),
        *("s3:object-lock-mode", "s3:if-match", "s3:if-none-match"),
    }
)
"""Condition keys of S3.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""
_OTHER_SERVICES = ("cognito-idp.", "cognito-sync")
"""What begins names of other services, which are not near misses of an identity pool's issuer."""


def misspelt(key: str, issuers: Iterable[str] = (), issuer: str | None = None) -> str | None:
    """The key that an author meant by one that does not exist; None where there is no such key, or it exists.

    Args:
        key: a condition key or a variable's name.
        issuers: issuers of identity pools.
        issuer: the issuer of the pool in question, which is what is meant where several are as close.
    """
    written = key.lower().strip()
    known = {COMMERCIAL_ISSUER, *ISSUERS.values(), *issuers}
    keys = {f"{each}:{name}" for each in known for name in _KEYS} | GLOBAL_KEYS | S3_KEYS
    tagged = (
        "aws:principaltag/",
        "aws:requesttag/",
        "aws:resourcetag/",
        "s3:existingobjecttag/",
        "s3:requestobjecttag/",
    )
    if written in keys or written.startswith((*tagged, *_OTHER_SERVICES)) or not written:
        return None
    head, _, name = written.rpartition(":")
    if head in known:
        return f"{head}:{_nearest(name, _KEYS) or 'sub'}"
    preferred = [f"{issuer}:{name}" for name in _KEYS] if issuer else []
    found = _nearest(written, [*preferred, *sorted(keys)])
    # Of a key that has the form of an issuer's, the name says which one is meant.
    if found is None and written.startswith("cognito") and issuer:
        named = next((each for each in _KEYS if written.endswith(each)), None)
        return f"{issuer}:{named}" if named else None
    return found


def misspelt_issuer(name: str, issuers: Iterable[str], issuer: str | None) -> str | None:
    """The issuer that an author meant by a Federated principal that is none."""
    written = name.lower()
    known = [*([issuer] if issuer else []), *sorted({COMMERCIAL_ISSUER, *ISSUERS.values(), *issuers})]
    if name in known or written.startswith(_OTHER_SERVICES) or "/" in written or ":" in written:
        return None
    if written in known:
        return written  # a principal's case does matter
    return _nearest(written, known)


def _nearest(written: str, known: Iterable[str]) -> str | None:
    best: tuple[int, str] | None = None
    for key in known:
        most = max(1, min(5, len(key) // 5))
        if abs(len(key) - len(written)) > most:
            continue
        distance = edit_distance(written, key)
        if distance <= most and (best is None or distance < best[0]):
            best = distance, key
    return best[1] if best else None


def edit_distance(one: str, other: str) -> int:
    """How many letters have to be inserted, removed, replaced, or exchanged with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
