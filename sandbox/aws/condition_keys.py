"""Condition keys: which of them the sandbox knows the value of, and which statements it can therefore decide.

INVARIANT (undecided is refused): a key that is not here may have any value in AWS. A statement that tests or inserts one
allows nothing, and a Deny that would match but for it refuses the request; the refusal names the key.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html,
        https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys,
        https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from policies.identity_scope.iam.conditions import Truth
from policies.identity_scope.iam.documents import Document, Effect, Statement
from policies.identity_scope.iam.evaluator import Applicable, Reading, Request, applies
from policies.identity_scope.iam.variables import Variable, arn_template, template

_GLOBAL = (
    *("currenttime", "epochtime", "federatedprovider", "multifactorauthage", "multifactorauthpresent"),
    *("principalaccount", "principalarn", "principalisawsservice", "principalservicename", "principalservicenameslist"),
    *(
        "principaltag/.+",
        "principaltype",
        "referer",
        "requestedregion",
        "requesttag/.+",
        "resourceaccount",
        "securetransport",
    ),
    *("sourceaccount", "sourcearn", "sourceidentity", "sourceip", "sourceorgid", "sourceorgpaths", "sourcevpc"),
    *("sourcevpcarn", "sourcevpce", "tagkeys", "tokenissuetime", "useragent", "userid", "username", "viaawsservice"),
    *("calledvia", "calledviafirst", "calledvialast", "vpcsourceip", "ec2instancesourcevpc"),
    "ec2instancesourceprivateipv4",
)
_S3 = (
    *("authtype", "dataaccesspointaccount", "dataaccesspointarn", "accesspointnetworkorigin", "delimiter"),
    *(
        "existingobjecttag/.+",
        "if-match",
        "if-none-match",
        "max-keys",
        "object-lock-legal-hold",
        "object-lock-mode",
        "prefix",
    ),
    *(
        "requestobjecttag/.+",
        "requestobjecttagkeys",
        "resourceaccount",
        "signatureage",
        "signatureversion",
        "tlsversion",
    ),
    *("versionid", "x-amz-acl", "x-amz-content-sha256", "x-amz-copy-source", "x-amz-grant-(read|write)(-acp)?"),
    *("x-amz-grant-full-control", "x-amz-metadata-directive", "x-amz-object-ownership", "x-amz-server-side-encryption"),
    *("x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-customer-algorithm"),
    *("x-amz-storage-class", "x-amz-website-redirect-location"),
)
_DYNAMODB = ("attributes", "enclosingoperation", "leadingkeys", "returnconsumedcapacity", "returnvalues", "select")
_KMS = ("calleraccount", "encryptioncontext:.+", "encryptioncontextkeys", "viaservice")

DECIDED = {"aws": _GLOBAL, "s3": _S3, "dynamodb": _DYNAMODB, "kms": _KMS, "iam": ("passedtoservice",)}
"""Keys that a request's context has whenever AWS's has them, as patterns, by their prefix."""
_PATTERN = re.compile(
    "|".join(
        [
            *(f"{prefix}:({'|'.join(keys)})" for prefix, keys in DECIDED.items()),
            # The identity that the session stands for; another provider's keys are absent.
            "[^:]+:(sub|aud|amr)",
        ]
    )
)


@lru_cache(maxsize=4096)
def undecided_keys(statement: Statement) -> frozenset[str]:
    """The keys of a statement, in conditions and variables, whose value the sandbox does not know."""
    keys = {condition.key for condition in statement.conditions}
    templates = [arn_template(text, statement.expands) for text in statement.resources]
    templates += [template(value, statement.expands) for c in statement.conditions for value in c.values]
    keys |= {part.key for parts in templates for part in parts if isinstance(part, Variable)}
    return frozenset(key for key in keys if not _PATTERN.fullmatch(key))


def decidable(documents: Applicable) -> Applicable:
    """The documents without the Allow statements that cannot be decided."""
    return Applicable(
        _decidable(documents.identity),
        None if documents.boundary is None else _decidable(documents.boundary),
        _decidable(documents.resource),
    )


def _decidable(documents: tuple[tuple[str, Document], ...]) -> tuple[tuple[str, Document], ...]:
    if not any(undecided_keys(statement) for _, document in documents for statement in document.statements):
        return documents
    return tuple(
        (name, replace(document, statements=tuple(s for s in document.statements if not undecided_keys(s))))
        for name, document in documents
    )


def obstacles(documents: Applicable, request: Request) -> Mapping[Effect, frozenset[str]]:
    """The keys that keep statements from being decided which apply to a request but for them, by the statements' effect."""
    found: dict[Effect, frozenset[str]] = {}
    for _, document in (*documents.identity, *documents.resource, *(documents.boundary or ())):
        for statement in document.statements:
            keys = undecided_keys(statement)
            if keys and not _may_apply(statement, request, keys):
                continue
            if not keys:
                # A value that AWS's documentation does not say how to compare, such as a malformed date.
                truth, assumed = applies(statement, request, Reading.PLAIN)
                keys = frozenset(condition.key for condition in assumed) if truth is Truth.MAYBE else keys
            if keys:
                found[statement.effect] = found.get(statement.effect, frozenset()) | keys
    return found


def _may_apply(statement: Statement, request: Request, keys: frozenset[str]) -> bool:
    """Whether a statement applies to a request, whatever the values of these keys are."""

    def names_one(text: str) -> bool:
        parts = arn_template(text, statement.expands)
        return any(isinstance(part, Variable) and part.key in keys for part in parts)

    conditions = tuple(
        condition
        for condition in statement.conditions
        if condition.key not in keys and not any(names_one(value) for value in condition.values)
    )
    resources = () if any(names_one(text) for text in statement.resources) else statement.resources
    rest = replace(statement, conditions=conditions, resources=resources)
    return bool(applies(rest, request, Reading.PLAIN)[0])
