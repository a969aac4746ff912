"""The pack as the engine uses it: what it says of itself, when it decides, how it is configured, what it needs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2

from sandbox.aws.server import Sandbox
from sandbox.engine import in_process, stack_files
from sandbox.engine.in_process import Registration
from sandbox.engine.policy_gate import PolicyGate, PolicyViolation
from sandbox.engine.policy_pack import UNKNOWN, Analyzer, AnalyzerFailed
from sandbox.scenario import account
from scripts import catalogue
from tests.conftest import ROOT
from tests.policies.pack.engine import (
    HALVES,
    ISSUER,
    ME,
    POOL,
    SHORT,
    STACK,
    allow,
    ask,
    ask_stack,
    document,
    policy,
    resource,
    role,
    told,
    trust_of,
)

MANDATORY = {
    "s3-isolated-by-identity",
    "vended-role-cannot-escalate",
    "trust-bound-to-pool",
    "guests-are-declared",
}
ADVISORY = {"s3-own-folder", "classic-flow-off", "server-side-token-check", "api-invoke-scoped"}
WIDE = document([allow("arn:aws:s3:::bkt/*")])


@pytest.fixture(scope="module")
def pack() -> Iterator[Analyzer]:
    with Analyzer(ROOT / "policies") as running:
        yield running


@pytest.fixture
def fresh(pack: Analyzer) -> Analyzer:
    """The pack at the beginning of a program, without configuration."""
    pack.configure({})
    pack.analyze(STACK)
    return pack


def test_names_levels_and_pages(pack: Analyzer) -> None:
    info = pack.info()
    assert info.name == "identity-scope"
    rules = {p.name: p for p in info.policies}
    halves = MANDATORY | ADVISORY
    assert {name.removesuffix("-in-stack") for name in rules} == halves
    readme = (ROOT / "policies" / "README.md").read_text()
    for name, rule in rules.items():
        base = name.removesuffix("-in-stack")
        level = analyzer_pb2.EnforcementLevel.MANDATORY if base in MANDATORY else analyzer_pb2.EnforcementLevel.ADVISORY
        assert rule.enforcementLevel == level
        assert rule.severity != analyzer_pb2.POLICY_SEVERITY_UNSPECIFIED
        assert rule.tags
        assert rule.remediation_steps
        assert rule.url.endswith(f"policies/README.md#{base}")
        assert f"### {base}\n" in readme
        for schema in rule.configSchema.properties.values():
            assert schema["description"]


def test_the_resource_half_alone_stops_the_step_that_would_open_the_bucket(fresh: Analyzer) -> None:
    assert fresh.analyze(role()) == []
    (finding, _) = fresh.analyze(policy(WIDE))
    assert finding.mandatory
    assert finding.policy == "s3-isolated-by-identity"


@pytest.mark.parametrize("secret", ["policy", "role", "name"])
def test_a_secret_document_is_judged_like_any_other(fresh: Analyzer, secret: str) -> None:
    """The engine hands secrets over in a wrapping, so that a stack could hide behind one."""
    plain = policy(document([allow("arn:aws:s3:::bkt/*")]))
    inputs = {**plain.inputs, secret: rpc.wrap_rpc_secret(plain.inputs[secret])}
    assert "s3-isolated-by-identity" in dict(told(ask(fresh, [role(), replace(plain, inputs=inputs, wire=inputs)])))


@pytest.mark.parametrize("secret", ["assumeRolePolicy", "inlinePolicies"])
def test_a_role_with_a_secret_part_is_judged_like_any_other(fresh: Analyzer, secret: str) -> None:
    text = json.dumps(document([allow("arn:aws:s3:::bkt/*")]))
    plain = role(inlinePolicies=[{"name": "access", "policy": rpc.wrap_rpc_secret(text)}])
    inputs = {**plain.inputs, secret: rpc.wrap_rpc_secret(plain.inputs[secret])}
    assert "s3-isolated-by-identity" in dict(told(ask(fresh, [replace(plain, inputs=inputs, wire=inputs)])))


def _granting(called: str, action: str, on: str) -> Registration:
    return role(called, inlinePolicies=[{"name": "p", "policy": json.dumps(document([allow(on, action)]))}])


def _pool(called: str, **settings: Any) -> Registration:
    every = {"allowUnauthenticatedIdentities": False, "allowClassicFlow": False}
    return resource("aws:cognito/identityPool:IdentityPool", called, {"identityPoolName": called, **every, **settings})


UNCHECKED = {"clientId": "c", "providerName": "cognito-idp.us-east-1.amazonaws.com/us-east-1_A"}
DEFECTS: dict[str, Callable[[str], Registration]] = {
    "s3-isolated-by-identity": lambda called: _granting(called, "s3:GetObject", "arn:aws:s3:::bkt/*"),
    "s3-own-folder": lambda called: _granting(called, "s3:GetObject", f"arn:aws:s3:::bkt/{ME}*"),
    "vended-role-cannot-escalate": lambda called: _granting(called, "s3:PutBucketPolicy", "arn:aws:s3:::bkt"),
    "trust-bound-to-pool": lambda called: role(called, trust_of({"Federated": ISSUER})),
    "guests-are-declared": lambda called: _pool(called, allowUnauthenticatedIdentities=True),
    "classic-flow-off": lambda called: _pool(called, allowClassicFlow=True),
    "server-side-token-check": lambda called: _pool(called, cognitoIdentityProviders=[UNCHECKED]),
    "api-invoke-scoped": lambda called: _granting(called, "execute-api:Invoke", "*"),
}


@pytest.mark.parametrize("rule", DEFECTS)
def test_the_same_mistake_twice_is_found_twice(fresh: Analyzer, rule: str) -> None:
    """Each when its resource is analysed, before it exists; and each by the stack half alone."""
    both = [DEFECTS[rule](called) for called in ("one", "two")]
    for each in both:
        said = [d.text for d in fresh.analyze(each) if d.policy == rule]
        assert said
        assert all(f"`{each.name}" in text for text in said)
    assert fresh.analyze_stack([(r, r.wire) for r in both]) == []
    if rule in {SHORT[short] for short in HALVES}:
        said = [text for name, text in told(ask_stack(fresh, both)) if name == rule]
        assert all(any(f"`{each.name}" in text for text in said) for each in both)


def test_a_finding_is_reported_once(fresh: Analyzer) -> None:
    resources = [role(), policy(WIDE), policy(document([allow(f"arn:aws:s3:::bkt/{ME}/*")]), called="fine")]
    first = [fresh.analyze(r) for r in resources]
    assert [len(found) for found in first] == [0, 2, 0]
    assert fresh.analyze_stack([(r, r.wire) for r in resources]) == []


def test_a_resource_that_is_analysed_again_is_judged_again(fresh: Analyzer) -> None:
    fresh.analyze(role())
    assert len(fresh.analyze(policy(WIDE))) == len(fresh.analyze(policy(WIDE))) == 2
    assert fresh.analyze(policy(document([allow(f"arn:aws:s3:::bkt/{ME}/*")]))) == []


def test_a_new_program_forgets_the_one_before(fresh: Analyzer) -> None:
    fresh.analyze(role())
    fresh.analyze(STACK)
    assert fresh.analyze(policy(WIDE)) == []


def test_a_preview_with_unknown_ids_is_decided_by_dependencies(fresh: Analyzer) -> None:
    """A first preview: the role's trust and name are not known, nor the role that the policy names."""
    made = resource("aws:iam/role:Role", "role", {"assumeRolePolicy": UNKNOWN})
    access = resource(
        "aws:iam/rolePolicy:RolePolicy", "access", {"role": UNKNOWN, "policy": json.dumps(WIDE)}, role=[made.urn]
    )
    attached = resource(
        "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
        "attachment",
        {"identityPoolId": UNKNOWN, "roles": {"authenticated": UNKNOWN}},
        roles=[made.urn],
    )
    resources = [made, access, attached]
    assert [fresh.analyze(r) for r in resources] == [[], [], []]
    found = fresh.analyze_stack([(r, r.wire) for r in resources])
    mandatory = [d for d in found if d.mandatory]
    assert [d.policy for d in mandatory] == ["s3-isolated-by-identity-in-stack"]
    assert mandatory[0].urn == access.urn
    (waiting,) = [d for d in found if d.policy == "trust-bound-to-pool-in-stack"]
    assert not waiting.mandatory
    assert "decided at update" in waiting.message


UNDECIDED: list[tuple[dict[str, Any], str, str]] = [
    ({"allowUnauthenticatedIdentities": UNKNOWN}, "guests-are-declared", "whether guests are let in is"),
    (
        {"allowUnauthenticatedIdentities": True, "identityPoolName": UNKNOWN},
        "guests-are-declared",
        "whether the guests of a pool of its name are declared is",
    ),
    ({"allowClassicFlow": UNKNOWN}, "classic-flow-off", "whether the classic flow is on is"),
    ({"cognitoIdentityProviders": UNKNOWN}, "server-side-token-check", "whether tokens are checked"),
    ({"cognitoIdentityProviders": [UNKNOWN]}, "server-side-token-check", "whether tokens are checked"),
    (
        {"cognitoIdentityProviders": [{"providerName": "p", "serverSideTokenCheck": UNKNOWN}]},
        "server-side-token-check",
        "whether tokens are checked",
    ),
]


@pytest.mark.parametrize(("unknown", "rule", "words"), UNDECIDED)
def test_a_pool_that_is_not_known_yet_is_decided_at_update(
    fresh: Analyzer, unknown: dict[str, Any], rule: str, words: str
) -> None:
    props = {"identityPoolName": "notes", "allowClassicFlow": False, **unknown}
    (found,) = fresh.analyze(resource("aws:cognito/identityPool:IdentityPool", "users", props))
    assert (found.policy, found.mandatory) == (rule, False)
    assert f"decided at update: `users`: {words}" in found.message


def test_what_is_known_of_providers_is_said_whatever_else_is_not(fresh: Analyzer) -> None:
    providers = [
        {"providerName": "p", "serverSideTokenCheck": UNKNOWN},
        {"providerName": UNKNOWN, "serverSideTokenCheck": False},
        {"providerName": "q"},
        {"providerName": "r", "serverSideTokenCheck": True},
    ]
    props = {"identityPoolName": "notes", "allowClassicFlow": False, "cognitoIdentityProviders": providers}
    (found,) = fresh.analyze(resource("aws:cognito/identityPool:IdentityPool", "users", props))
    assert found.text.startswith("`users`: tokens of provider 2, `q` are good after")


def test_a_wholly_unknown_document_is_decided_at_update_and_no_violation(fresh: Analyzer) -> None:
    resources = [role(), resource("aws:iam/rolePolicy:RolePolicy", "access", {"role": "role", "policy": UNKNOWN})]
    found = ask(fresh, resources)
    assert found
    assert not any(d.mandatory for d in found)
    assert all("decided at update" in d.message for d in found)


def test_in_an_audit_everything_is_known_and_nothing_depends(fresh: Analyzer) -> None:
    """Discovered accounts have no dependencies: roles are resolved by name and ARN."""
    arn = "arn:aws:iam::123456789012:role/found"
    found = resource(
        "aws:iam/role:Role", "found", {"name": "found", "arn": arn, "assumeRolePolicy": json.dumps(document([]))}
    )
    attached = resource(
        "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
        "attachment",
        {"identityPoolId": POOL, "roles": {"authenticated": arn}},
    )
    said = told(ask_stack(fresh, [attached, found, policy(WIDE, of="found")]))
    assert "s3-isolated-by-identity" in {rule for rule, _ in said}


BAD_CONFIG: list[tuple[str, dict[str, Any], str]] = [
    ("s3-isolated-by-identity", {"sharde": []}, "sharde: unknown; known here: shared, managedPolicies"),
    ("s3-isolated-by-identity", {"shared": "x"}, "shared: must be a list of {pattern, actions, why}"),
    ("s3-isolated-by-identity", {"shared": [{"pattern": "b/*", "actions": ["s3:*"]}]}, "shared[0].why: is missing"),
    (
        "s3-isolated-by-identity",
        {"shared": [{"pattern": "arn:aws:s3:::b/*", "actions": ["s3:*"], "why": "x"}]},
        "must be BUCKET/KEY, such as `notes/public/*`",
    ),
    ("s3-own-folder", {"folders": ["notes"]}, "folders[0]: `notes` must be `BUCKET/` or `BUCKET/PREFIX/`"),
    (
        "trust-bound-to-pool",
        {"exemptions": [{"urn": "urn:pulumi:x", "reason": "because of the move", "expires": "soon"}]},
        "exemptions[0].expires: `soon` must be a day, YYYY-MM-DD",
    ),
    (
        "trust-bound-to-pool",
        {"exemptions": [{"urn": "urn:pulumi:x", "reason": "x", "expires": "2999-01-01"}]},
        "exemptions[0].reason: a sentence is needed, not `x`",
    ),
    (
        "s3-isolated-by-identity",
        {"managedPolicies": {"arn:aws:iam::1:policy/p": "{"}},
        "managedPolicies.arn:aws:iam::1:policy/p: line 1, column 2: not JSON",
    ),
]


@pytest.mark.parametrize(("rule", "config", "message"), BAD_CONFIG)
def test_wrong_configuration_is_refused_with_its_key_and_decides_nothing(
    fresh: Analyzer, rule: str, config: dict[str, Any], message: str
) -> None:
    fresh.configure({rule: config})
    fresh.analyze(STACK)
    found = [d for d in fresh.analyze(role()) if d.policy == rule]
    assert any(message in d.text for d in found), found
    assert all(d.mandatory == (rule in MANDATORY) for d in found)


def test_the_stack_half_takes_the_resource_halfs_configuration(fresh: Analyzer) -> None:
    shared = {"shared": [{"pattern": "bkt/*", "actions": ["s3:GetObject"], "why": "all read all"}]}
    fresh.configure({"s3-isolated-by-identity": shared, "s3-own-folder": shared})
    fresh.analyze(STACK)
    assert fresh.analyze_stack([(r, r.wire) for r in (role(), policy(WIDE))]) == []


def test_remediation_mends_what_needs_no_judgement_and_is_off_by_default(fresh: Analyzer) -> None:
    pool = resource(
        "aws:cognito/identityPool:IdentityPool",
        "pool",
        {"identityPoolName": UNKNOWN, "cognitoIdentityProviders": [{"providerName": "p", "clientId": "c"}]},
    )
    assert fresh.remediate(pool) == []
    level = {"enforcementLevel": "remediate"}
    fresh.configure({"classic-flow-off": level, "server-side-token-check": level})
    mended = fresh.remediate(pool)[-1]
    assert mended["allowClassicFlow"] is False
    assert mended["cognitoIdentityProviders"] == [{"providerName": "p", "clientId": "c", "serverSideTokenCheck": True}]
    assert mended["identityPoolName"] == UNKNOWN


@pytest.mark.process
def test_a_copy_of_the_pack_alone_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "pack", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    with Analyzer(tmp_path / "pack") as alone:
        assert alone.info().name == "identity-scope"
        assert len(ask(alone, [role(), policy(WIDE)])) == 2


def test_the_pack_imports_nothing_from_outside_its_folder() -> None:
    for path in (ROOT / "policies").rglob("*.py"):
        text = path.read_text()
        for foreign in ("components", "sandbox", "tests", "boto", "moto"):
            assert f"import {foreign}" not in text
            assert f"from {foreign}" not in text


@pytest.mark.process
def test_a_pack_that_dies_is_an_error_and_never_a_pass() -> None:
    with Analyzer(ROOT / "policies") as dying:
        dying.configure({})
        dying.kill()
        with pytest.raises(AnalyzerFailed, match="the policy pack failed"):
            dying.analyze(role())


@pytest.mark.process
def test_a_pack_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("raise SystemExit('no such module')\n")
    with pytest.raises(AnalyzerFailed, match="the policy pack did not start: no such module"):
        Analyzer(tmp_path)


@pytest.mark.process
def test_the_program_passes_in_preview_and_in_update(fresh: Analyzer) -> None:
    files = stack_files.read(ROOT, "dev")
    with Sandbox().running() as sandbox:
        account.build(sandbox, account.read_app(files.app_config()))
        for preview in (True, False):
            enforced = PolicyGate(fresh)
            run = in_process.run(
                sandbox, ROOT / "__main__.py", files.project, "dev", files.config, enforced, preview=preview
            )
            enforced.finish(run)
            waiting = {d.policy for d in enforced.advisories}
            assert waiting == ({"trust-bound-to-pool-in-stack"} if preview else set())


@pytest.mark.process
def test_a_widened_program_is_stopped_in_preview(fresh: Analyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    from components.scoped_identity import documents

    monkeypatch.setattr(documents, "own_folder", lambda *_: [allow("arn:aws:s3:::notes-dev-uploads/*")])
    files = stack_files.read(ROOT, "dev")
    with Sandbox().running() as sandbox:
        enforced = PolicyGate(fresh)
        run = in_process.run(sandbox, ROOT / "__main__.py", files.project, "dev", files.config, enforced, preview=True)
        with pytest.raises(PolicyViolation, match="lets every signed-in identity read another's files"):
            enforced.finish(run)
        assert sandbox.identity.pools == {}


def test_the_catalogue_is_awss_own_list() -> None:
    assert catalogue.TARGET.read_text() == catalogue.text()


def test_the_pack_says_that_it_is_pythons() -> None:
    text = (ROOT / "policies" / "PulumiPolicy.yaml").read_text()
    assert yaml.safe_load(text)["runtime"]["name"] == "python"
