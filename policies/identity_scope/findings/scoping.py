"""Resources and prefixes as their author meant them, with the identity ID where it belongs.

The name of a folder stays; a wildcard that stands for the user becomes the identity ID; a wildcard before the ID goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..iam.issuers import NAMED

BUCKET, NAME = "BUCKET", "NAME"
"""Placeholders: for a bucket of which nothing is known, and for what a wildcard stands for in a bucket's name."""

_VARIABLE = re.compile(r"\$\{[^}]*\}?")
_SEGMENTS = re.compile(r"(?:^|(?<=/))(?:\$\{[^}]*\}?|[^/])*")
"""The parts of a key between its slashes; one in a variable's name is none."""
_ESCAPES = ("${*}", "${?}", "${$}")
_ID = re.compile(rf"{NAMED.pattern}|[a-z]{{2,4}}(?:-[a-z]+){{1,2}}-\d(?::|%3A)[0-9a-fA-F?*-]*", re.IGNORECASE)
"""An identity ID that is written out, or its beginning with wildcards for the rest."""
_POINT = re.compile(r"accesspoint[:/]([^/]*)(?:/object)?")
"""The beginning of what an access point's ARN names."""
_SEPARATORS = "-_=.@:+~"


@dataclass(frozen=True)
class Names:
    """What a fix has to know of the place that it is for.

    Attributes:
        own: the identity ID as a variable, `${ISSUER:sub}`.
        partition: the partition of ARNs.
        buckets: names of buckets that the role's documents or the stack know.
        points: whether grants through an access point stay with it; else they name the bucket.
    """

    own: str
    partition: str
    buckets: tuple[str, ...] = ()
    points: bool = True

    def bucket(self, pattern: str = "*") -> str:
        """The bucket that a pattern means, with a placeholder where that is not known."""
        if not re.search(r"[*?$]", pattern) and pattern:
            return pattern
        if not _VARIABLE.search(pattern):
            glob = re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern))
            meant = [bucket for bucket in self.buckets if glob.fullmatch(bucket)]
            if len(meant) == 1:
                return meant[0]
            if re.search(r"[a-zA-Z0-9]", pattern):
                return re.sub(r"[*?]+", NAME, pattern)
        return BUCKET


def arn_fields(resource: str) -> list[str]:
    """The fields of an ARN, six where it is whole. A colon in a variable's name ends none."""
    return _split(resource, ":", 5)


def _split(text: str, separator: str, most: int) -> list[str]:
    """The parts of a text between its first separators, of which those in the name of a variable are none."""
    plain = _VARIABLE.sub(lambda variable: "x" * len(variable.group()), text)
    parts, start = list[str](), 0
    while len(parts) < most and (end := plain.find(separator, start)) >= 0:
        parts.append(text[start:end])
        start = end + 1
    return [*parts, text[start:]]


def own_resource(resource: str, names: Names) -> str:
    """A resource of objects, with the identity ID in it."""
    fields = arn_fields(resource)
    if 3 < len(fields) < 6 and fields[2] == "s3" and fields[-1].strip("*"):
        fields = [*fields[:3], "", "", fields[-1]]  # a colon is missing: what stands last is the bucket with the key
    if len(fields) < 6 or fields[2] != "s3":
        return f"arn:{names.partition}:s3:::{names.bucket()}/{names.own}/*"
    partition = names.partition if re.search(r"[*?$]", fields[1]) else fields[1]
    place = fields[5]
    point = _POINT.match(place)
    if point is not None:
        key = own_key(place[point.end() :].lstrip("/") or "*", names.own)
        if names.points and not re.search(r"[*?$]", ":".join([*fields[3:5], point[1]])):
            head = ":".join(["arn", partition, *fields[2:5]])
            return f"{head}:accesspoint/{point[1]}/object/{key}"
        return f"arn:{partition}:s3:::{names.bucket()}/{key}"
    bucket, *keys = _split(place, "/", 1)
    bucket, key = (bucket, keys[0]) if keys else _without_slash(bucket)
    return f"arn:{partition}:s3:::{names.bucket(bucket or '*')}/{own_key(key, names.own)}"


def _without_slash(name: str) -> tuple[str, str]:
    """The bucket and the key of an entry without a `/`, of which a `*` spans into the key."""
    head = name.partition("*")[0]
    # A name that ends as names do is most likely whole: `notes*` is the bucket `notes` with its contents.
    if name == f"{head}*" and len(head) >= 3 and head[-1].isalnum() and "?" not in head:
        return head, "*"
    return name, "*"


def own_key(key: str, own: str) -> str:
    """A pattern of keys, with the identity ID in it, behind a literal prefix."""
    segments = _SEGMENTS.findall(key)
    at = next((i for i, segment in enumerate(segments) if own in segment), None)
    if at is None:
        at = next((i for i, segment in enumerate(segments) if _says_who(segment)), None)
    if at is not None:
        return _by_variable(segments, at, own)
    at = next((i for i, segment in enumerate(segments) if _wild(segment)), None)
    if at is None:
        return "/".join([*segments[:-1], own, segments[-1]])
    before, segment, rest = segments[:at], segments[at], segments[at + 1 :]
    if rest:
        head, _, tail = _around_wildcards(segment)
        return "/".join([*before, *_joined(head, own), *_named(tail), *rest])
    if segment.strip("*") == "":
        return "/".join([*before, own, "*"])
    if segment == f"{segment[:-1].rstrip('*')}*" and not _wild(segment[:-1]):
        return "/".join([*before, *_joined(segment[:-1], own), "*"])
    return "/".join([*before, own, segment])


def own_prefix(prefix: str, own: str, exact: bool) -> str:
    """A value of `s3:prefix`, with the identity ID in it; `exact` says that `*` is no wildcard in it."""
    if exact:
        key = own_key(f"{prefix}*" if prefix.endswith("/") or not prefix else f"{prefix}/*", own)
        return key[: key.index(own) + len(own)] + "/"
    if not prefix:
        return f"{own}/*"
    if "*" in prefix:
        return own_key(prefix, own)
    return own_key(prefix + ("*" if prefix.endswith("/") else "/*"), own)


def folder_of(key: str, own: str) -> str | None:
    """What stands before the identity ID in a key of an own folder; None where the key is of none."""
    before, found, after = key.partition(own)
    if not found or not after.startswith("/") or _wild(before) or _variables(before):
        return None
    return before


def folder_name(resource: str) -> str | None:
    """The literal folder in which everything lies that a resource means, if it says nothing of who: `public/`."""
    fields = arn_fields(resource)
    if len(fields) < 6 or fields[2] != "s3":
        return None
    bucket, *keys = _split(fields[5], "/", 1)
    key = "".join(keys)
    head = key.partition("/")[0]
    if (
        bucket.startswith("accesspoint")
        or _wild(bucket)
        or "$" in bucket
        or _variables(key)
        or _ID.search(key)
        or not re.search(r"\w", head)
        or _wild(head)
    ):
        return None
    return f"{head}/" if "/" in key else head


def objects_of(resource: str) -> bool:
    """Whether an entry of Resource may match objects."""
    fields = arn_fields(resource)
    if len(fields) < 6 or re.search(r"[*?$]", fields[2]):
        return True
    if fields[5].startswith("accesspoint/"):
        return fields[5].count("/") > 1 or "*" in fields[5]
    return fields[2] == "s3" and ("/" in fields[5] or "*" in fields[5])


def buckets_of(resources: Iterable[str], names: Names) -> list[str]:
    """The ARNs of the buckets that resources mean."""
    found: dict[str, None] = {}
    for resource in resources:
        fields = arn_fields(resource)
        point = len(fields) == 6 and fields[5].startswith("accesspoint/")
        if len(fields) == 6 and fields[2] == "s3" and ((point and names.points) or not objects_of(resource)):
            found[resource] = None
        elif objects_of(resource):
            place = own_resource(resource, names).split(":", 5)
            found[":".join([*place[:5], place[5].partition("/")[0]])] = None
    return list(found)


def literal_buckets(resources: Iterable[str]) -> Iterable[str]:
    """Names of buckets that stand in resources without wildcards."""
    for resource in resources:
        fields = arn_fields(resource)
        if len(fields) == 6 and fields[2] == "s3" and not any(fields[3:5]):
            bucket = fields[5].partition("/")[0]
            if len(bucket) >= 3 and re.fullmatch(r"[a-zA-Z0-9._-]+", bucket):
                yield bucket


def placeholders(text: str) -> list[str]:
    """The placeholders for buckets that stand in a text."""
    return [name for name in (BUCKET, NAME) if re.search(rf":::[^/\"]*\b{name}\b", text)]


def _variables(text: str) -> list[str]:
    return [each for each in _VARIABLE.findall(text) if each not in _ESCAPES]


def _says_who(segment: str) -> bool:
    """Whether a part of a key holds a variable or an identity ID."""
    return bool([v for v in _variables(segment) if not v.lower().endswith(":aud}")] or _ID.search(segment))


def _wild(text: str) -> bool:
    return bool(re.search(r"[*?]", re.sub(r"\$\{[*?$]\}", "", text)))


def _open(segment: str) -> bool:
    """Whether a part of a key is not one literal name."""
    return _wild(segment) or _says_who(segment)


def _by_variable(segments: Sequence[str], at: int, own: str) -> str:
    spots = [m for m in _VARIABLE.finditer(segments[at]) if m.group() not in _ESCAPES]
    spot = next((m for m in spots if m.group() == own), spots[0] if spots else _ID.search(segments[at]))
    assert spot is not None
    head, tail = segments[at][: spot.start()], segments[at][spot.end() :]
    head = _ID.sub("", re.sub(r"[*?]+", "", _VARIABLE.sub("", head)))
    before = [segment for segment in segments[:at] if not _open(segment)]
    moved = [segment for segment in segments[:at] if _open(segment) and segment.strip("*?")]
    rest = [*moved, *segments[at + 1 :]]
    tail = _VARIABLE.sub("*", tail).strip() if _VARIABLE.search(tail) else tail
    if tail.strip("*?"):
        rest = [f"*{tail}" if tail.startswith(".") else tail.lstrip(_SEPARATORS + "*?") or "*", *rest]
    return "/".join([*before, f"{head}{own}", *(rest or ["*"])])


def _around_wildcards(segment: str) -> tuple[str, str, str]:
    """What stands before the first and behind the last wildcard; an ID's beginning that is written out goes with them."""
    found = list(re.finditer(r"[*?]", segment))
    return segment[: found[0].start()], "", segment[found[-1].end() :]


def _joined(head: str, own: str) -> list[str]:
    """What a name begins with, and the identity ID: in one segment where the name asks for more, else in two."""
    if not head:
        return [own]
    return [f"{head}{own}"] if head[-1] in _SEPARATORS else [head, own]


def _named(tail: str) -> list[str]:
    tail = tail.lstrip(_SEPARATORS)
    return [tail] if tail else []
