"""Cases as resources, and the pack asked about them over gRPC, as the engine asks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from sandbox.engine.in_process import Registration
from sandbox.engine.policy_pack import Analyzer, Diagnostic

CASES = Path(__file__).resolve().parents[1] / "cases"
ISSUER = "cognito-identity.amazonaws.com"
ME = f"${{{ISSUER}:sub}}"
POOL = "us-east-1:aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
SHORT = {
    "isolated": "s3-isolated-by-identity",
    "own": "s3-own-folder",
    "escalate": "vended-role-cannot-escalate",
    "trust": "trust-bound-to-pool",
    "guests": "guests-are-declared",
    "classic": "classic-flow-off",
    "tokens": "server-side-token-check",
    "api": "api-invoke-scoped",
    "other": "other-access-is-declared",
}
OF_ROLES = {"isolated", "own", "escalate", "trust", "api", "other"}
NOTICES = "identity-scope"
"""The policy that reports what is no violation of a rule."""
Document = dict[str, Any]


def document(statements: Sequence[Mapping[str, Any]], version: str | None = "2012-10-17") -> Document:
    found: Document = {"Statement": [dict(s) for s in statements]}
    return found if version is None else {"Version": version, **found}


def allow(resource: str | Sequence[str], action: str | Sequence[str] = "s3:GetObject", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(pool: str = POOL, issuer: str = ISSUER, amr: str = "authenticated") -> Document:
    conditions = {"StringEquals": {f"{issuer}:aud": pool}, "ForAnyValue:StringLike": {f"{issuer}:amr": amr}}
    return trust_of({"Federated": issuer}, conditions)


def trust_of(principal: Any, conditions: Mapping[str, Any] | None = None, negated: bool = False) -> Document:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity"}
    statement["NotPrincipal" if negated else "Principal"] = principal
    if conditions is not None:
        statement["Condition"] = conditions
    return document([statement])


def resource(kind: str, called: str, inputs: Mapping[str, Any], **depends: Sequence[str]) -> Registration:
    urn = f"urn:pulumi:test::pack::{kind}::{called}"
    needs = {key: tuple(urns) for key, urns in depends.items()}
    every = tuple(urn for urns in needs.values() for urn in urns)
    return Registration(urn, kind, called, True, inputs, inputs, "", False, False, every, needs)


STACK = Registration(
    "urn:pulumi:test::pack::pulumi:pulumi:Stack::pack",
    "pulumi:pulumi:Stack",
    "pack",
    False,
    {},
    {},
    "",
    False,
    False,
    (),
    {},
)


def role(called: str = "role", trusting: Document | None = None, **props: Any) -> Registration:
    inputs = {"name": called, "assumeRolePolicy": json.dumps(trusting or trust()), **props}
    return resource("aws:iam/role:Role", called, inputs)


def policy(text: str | Document, of: str = "role", called: str = "access") -> Registration:
    source = text if isinstance(text, str) else json.dumps(text)
    return resource("aws:iam/rolePolicy:RolePolicy", called, {"role": of, "name": called, "policy": source})


def told(found: Sequence[Diagnostic]) -> list[tuple[str, str]]:
    """(rule, message) of each finding."""
    return [(d.policy, d.text) for d in found]


def ask(pack: Analyzer, resources: Sequence[Registration], config: Mapping[str, Any] | None = None) -> list[Diagnostic]:
    """Each resource and then the stack, as the engine asks; each finding comes once."""
    pack.configure(configured(config or {}))
    found = pack.analyze(STACK)
    for each in resources:
        found += pack.analyze(each)
    return found + pack.analyze_stack([(r, r.wire) for r in resources])


def ask_stack(
    pack: Analyzer, resources: Sequence[Registration], config: Mapping[str, Any] | None = None
) -> list[Diagnostic]:
    """The stack alone."""
    pack.configure(configured(config or {}))
    pack.analyze(STACK)
    return pack.analyze_stack([(r, r.wire) for r in resources])


def configured(config: Mapping[str, Any]) -> dict[str, Any]:
    """A case's config, given to every rule whose schema knows its keys."""
    takes = {
        "shared": {"isolated", "own"},
        "folders": {"own"},
        "guests": {"guests"},
        "apis": {"api"},
        "access": {"other"},
        "pools": {"trust"},
        "tenants": {"isolated", "own"},
        "fixedClaims": {"isolated", "own"},
        "exemptions": set(SHORT),
    }
    found: dict[str, Any] = {}
    for short, rule in SHORT.items():
        mine = {k: v for k, v in config.items() if short in takes.get(k, OF_ROLES)}
        found[rule] = mine
    return found


ANY_MESSAGE = "any message"
"""What a case expects of a rule that must report something, whatever the words."""
KEYS = {"statements", "documents", "boundary", "boundaryArn", "trust", "vendedBy", "beside", "resources", "config"}
ROLE_ARN = "arn:aws:iam::123456789012:role/role"


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every case with its file's name: `why`, what is `given`, and the rules that must report it and some of their words.

    Given is a role that a pool vends, with `statements` (the policy `access`, of Version 2012-10-17) or whole `documents`
    (a string is a document's text as it stands), with the statements of its `boundary` (or a `boundaryArn` whose text is
    not in the stack), its `trust` in the place of the usual one, the pool that it is `vendedBy`, and other resources
    `beside` it, registered before its policies; or `resources` in full. A resource's policy document of the classic
    provider is written as the object that its JSON text means. `config` is the pack's.
    """
    for path in sorted(CASES.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for case in content["cases"] if isinstance(content, dict) else content:
            assert set(case) == {"why", "given", "expect"}, case
            assert set(case["given"]) <= KEYS, case
            yield path.stem, case


def expected(case: Mapping[str, Any]) -> dict[str, str]:
    """Each rule that reports the case, with a part of its message."""
    return {rule: "" if part == ANY_MESSAGE else part for rule, part in case["expect"].items()}


def built(case: Mapping[str, Any]) -> list[Registration]:
    """A case's resources."""
    given: Mapping[str, Any] = case["given"]
    if "resources" in given:
        return [_resource(item) for item in given["resources"]]
    before: list[Registration] = []
    props: dict[str, Any] = {}
    if "boundary" in given:
        arn = "arn:aws:iam::123456789012:policy/boundary"
        text = json.dumps(document(given["boundary"]))
        before = [resource("aws:iam/policy:Policy", "boundary", {"name": "boundary", "arn": arn, "policy": text})]
        props["permissionsBoundary"] = arn
    if "boundaryArn" in given:
        props["permissionsBoundary"] = given["boundaryArn"]
    if "trust" in given:
        trusting = given["trust"]
        props["arn"] = ROLE_ARN
        props["assumeRolePolicy"] = trusting if isinstance(trusting, str) else json.dumps(document(trusting))
    if "beside" in given:
        props["arn"] = ROLE_ARN
    documents = [document(given["statements"])] if "statements" in given else given.get("documents", [])
    policies = [policy(text, called=f"access{index or ''}") for index, text in enumerate(documents)]
    beside = [_resource(item) for item in given.get("beside", [])]
    return [*before, role(**props), *beside, *policies, *_attachment(given.get("vendedBy"))]


def _attachment(pool: str | None) -> list[Registration]:
    if pool is None:
        return []
    kind = "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment"
    return [resource(kind, "attachment", {"identityPoolId": pool, "roles": {"authenticated": ROLE_ARN}})]


def _resource(item: Mapping[str, Any]) -> Registration:
    text = item["type"].startswith("aws:")

    def fill(value: Any) -> Any:
        if isinstance(value, Mapping):
            return json.dumps(value) if text and "Statement" in value else {k: fill(v) for k, v in value.items()}
        return [fill(v) for v in value] if isinstance(value, list) else value

    return resource(item["type"], item.get("name", "r"), fill(item["props"]))
