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
}
HALVES = {"isolated", "own", "escalate", "trust", "api"}
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
    """(rule, message) of each finding, the rule without its half."""
    return [(d.policy.removesuffix("-in-stack"), d.text) for d in found]


def ask(pack: Analyzer, resources: Sequence[Registration], config: Mapping[str, Any] | None = None) -> list[Diagnostic]:
    """Both halves, in the engine's order; each finding comes once."""
    pack.configure(configured(config or {}))
    found = pack.analyze(STACK)
    for each in resources:
        found += pack.analyze(each)
    return found + pack.analyze_stack([(r, r.wire) for r in resources])


def ask_stack(
    pack: Analyzer, resources: Sequence[Registration], config: Mapping[str, Any] | None = None
) -> list[Diagnostic]:
    """The stack half alone."""
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
        "exemptions": set(SHORT),
    }
    found: dict[str, Any] = {}
    for short, rule in SHORT.items():
        mine = {k: v for k, v in config.items() if short in takes.get(k, HALVES)}
        found[rule] = mine
        if short in HALVES:
            found[f"{rule}-in-stack"] = mine
    return found


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(CASES.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield path.stem, case


def built(kind: str, case: Mapping[str, Any]) -> list[Registration]:
    """A case's resources."""
    if "resources" in case and any(isinstance(r, Mapping) for r in case["resources"]):
        return [_placed(item) for item in case["resources"]]
    if kind == "trust":
        return _trust(case)
    props: dict[str, Any] = {}
    before: list[Registration] = []
    if "boundary" in case:
        arn = "arn:aws:iam::123456789012:policy/boundary"
        text = json.dumps(document([_statement(s) for s in case["boundary"]]))
        before = [resource("aws:iam/policy:Policy", "boundary", {"name": "boundary", "arn": arn, "policy": text})]
        props["permissionsBoundary"] = arn
    if "boundary_arn" in case:
        props["permissionsBoundary"] = case["boundary_arn"]
    found = [*before, role(**props)]
    for index, text in enumerate(_documents(case)):
        found.append(policy(text, called=f"access{index or ''}"))
    return found


def _documents(case: Mapping[str, Any]) -> Iterator[str]:
    version = case.get("version", "2012-10-17")
    if "text" in case:
        yield case["text"]
    elif "document" in case:
        yield json.dumps(case["document"])
    elif "policies" in case:
        for each in case["policies"]:
            own = each.get("version", version) if isinstance(each, Mapping) else version
            statements = each["statements"] if isinstance(each, Mapping) else each
            yield json.dumps(document([_statement(s) for s in statements], own))
    elif "statements" in case:
        yield json.dumps(document([_statement(s) for s in case["statements"]], version))
    elif "list" in case:
        condition = {op: {case.get("list_key", "s3:prefix"): _me(value)} for op, value in case["list"].items()}
        statement = allow(_arn(case.get("list_resource", "bkt")), case.get("list_action", "s3:ListBucket"))
        yield json.dumps(document([{**statement, **({"Condition": condition} if condition else {})}], version))
    else:
        yield json.dumps(document([_short(case)], version))


def _short(case: Mapping[str, Any]) -> dict[str, Any]:
    raw = bool(case.get("raw"))
    statement: dict[str, Any] = {"Effect": "Allow"}
    key = "NotAction" if "not_action" in case else "Action"
    statement[key] = case.get("not_action", case.get("action", "s3:GetObject"))
    if "not_resource" in case:
        statement["NotResource"] = _arn(case["not_resource"], raw)
    else:
        given = case.get("resources", case.get("resource"))
        statement["Resource"] = [_arn(r, raw) for r in given] if isinstance(given, list) else _arn(given, raw)
    return statement


def _statement(given: Mapping[str, Any]) -> dict[str, Any]:
    raw = bool(given.get("raw"))
    found = {k: v for k, v in given.items() if k != "raw"}
    if "NotAction" not in found:
        found.setdefault("Action", "s3:GetObject")
    found.setdefault("Effect", "Allow")
    for key in ("Resource", "NotResource"):
        if key in found:
            given_arns = found[key]
            found[key] = [_arn(r, raw) for r in given_arns] if isinstance(given_arns, list) else _arn(given_arns, raw)
    if "Condition" in found:
        found["Condition"] = {op: {k: _me(v) for k, v in block.items()} for op, block in found["Condition"].items()}
    return found


def _arn(path: str, raw: bool = False) -> str:
    return str(_me(path)) if raw else f"arn:aws:s3:::{_me(path)}"


def _me(value: Any) -> Any:
    """S, alone between other names, is the own identity's variable."""
    if isinstance(value, list):
        return [_me(item) for item in value]
    if not isinstance(value, str):
        return value
    parts = value.split("/")
    return "/".join(ME + p[1:] if p in ("S", "S*") else (p[:-1] + ME if p == "*S" else p) for p in parts)


def _trust(case: Mapping[str, Any]) -> list[Registration]:
    issuer, pool = case.get("issuer", ISSUER), case.get("pool", POOL)
    conditions = case.get(
        "conditions", {"StringEquals": {"aud": "POOL"}, "ForAnyValue:StringLike": {"amr": "authenticated"}}
    )
    named = {
        op: {f"{issuer}:{key}": pool if value == "POOL" else value for key, value in block.items()}
        for op, block in conditions.items()
    }
    principal = case.get("not_principal", case.get("principal", {"Federated": issuer}))
    text = case.get("trust_text") or json.dumps(trust_of(principal, named, "not_principal" in case))
    arn = "arn:aws:iam::123456789012:role/role"
    found = [resource("aws:iam/role:Role", "role", {"name": "role", "arn": arn, "assumeRolePolicy": text})]
    if case.get("attached"):
        vending = pool if case["attached"] is True else case["attached"]
        inputs = {"identityPoolId": vending, "roles": {"authenticated": arn}}
        kind = "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment"
        found.append(resource(kind, "attachment", inputs))
    return found


_TEXTS: dict[str, Document] = {
    "WIDE": document([allow("arn:aws:s3:::bkt/*")]),
    "SCOPED": document([allow(f"arn:aws:s3:::bkt/{ME}/*")]),
    "TRUST": trust(),
    "GOV_TRUST": trust("us-gov-west-1:aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb", "cognito-identity-us-gov.amazonaws.com"),
    "OTHER": trust_of({"Service": "lambda.amazonaws.com"}),
}


def _placed(item: Mapping[str, Any]) -> Registration:
    def fill(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {k: fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [fill(v) for v in value]
        if value == "POOL":
            return POOL
        if isinstance(value, str) and value.removesuffix("_OBJECT") in _TEXTS:
            found = _TEXTS[value.removesuffix("_OBJECT")]
            return found if value.endswith("_OBJECT") else json.dumps(found)
        return value

    return resource(item["type"], item.get("name", "r"), fill(item["props"]))
