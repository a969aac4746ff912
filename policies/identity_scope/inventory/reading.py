"""A document's source as a parsed document, or as the reason why it could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..iam.documents import MAX_DEPTH, Document, DocumentError, DocumentKind, Effect, parse
from .facts import SECRET, SECRET_PROBLEM, UNKNOWN, Reference, Source, Unreadable
from .vended import Obstacle, Reason

_SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key by which Pulumi tells a secret's wrapping from an object.

Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go
"""


def read(source: Source, kind: DocumentKind) -> tuple[Document | None, Obstacle | None]:
    """Read a document; exactly one of the two is not None."""
    text = source.source
    if isinstance(text, Unreadable):
        return None, Obstacle(source.urn, source.label, text.reason, reason=Reason.NOT_KNOWN)
    if _holds(text, UNKNOWN):
        problem = "its document is not known at preview; it will be decided at update, before it is created"
        return None, Obstacle(source.urn, source.label, problem, pending=True)
    if is_secret(text):
        return None, Obstacle(source.urn, source.label, f"its document is {SECRET_PROBLEM}", reason=Reason.SECRET)
    if text is None:
        return None, Obstacle(source.urn, source.label, "it has no document")
    try:
        return parse(text, kind), None
    except DocumentError as error:
        return None, Obstacle(source.urn, source.label, f"malformed: {error}", reason=Reason.MALFORMED)


def is_secret(source: object) -> bool:
    """Whether a document, or a part of it, is secret."""
    return _holds(source, SECRET)


def is_hidden(source: object) -> bool:
    """Whether there is a document that cannot be read, because it, or a part of it, is secret or not known."""
    return isinstance(source, Unreadable) or _holds(source, UNKNOWN) or is_secret(source)


def without_denies(document: Document) -> Document:
    """A document that may be overwritten or detached: its Allows may apply, its Denies guard nothing."""
    allows = tuple(s for s in document.statements if s.effect is Effect.ALLOW)
    return document if len(allows) == len(document.statements) else replace(document, statements=allows)


def unreadable(urn: str, label: str, reference: Reference, what: str) -> Obstacle:
    """Why a role or policy that is meant is not known."""
    if reference.malformed:
        return Obstacle(urn, label, f"malformed: the {what} must be a text", reason=Reason.MALFORMED)
    if reference.secret:
        return Obstacle(urn, label, f"the name of the {what} is {SECRET_PROBLEM}", reason=Reason.SECRET)
    return Obstacle(urn, label, f"which {what} it means is not known at preview; decided at update", pending=True)


def _holds(value: object, marker: object) -> bool:
    """Whether a value, or a part of an object or a list, is UNKNOWN or secret."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        following: list[object] = []
        for item in level:
            if item is marker or (isinstance(item, str) and item == marker):
                return True
            if isinstance(item, Mapping):
                if marker is SECRET and _SECRET_SIGNATURE in item:
                    return True
                following.extend(item.values())
            elif isinstance(item, list | tuple):
                following.extend(item)
        if not following:
            return False
        level = following
    return False
