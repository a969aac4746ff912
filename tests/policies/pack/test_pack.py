"""The pack as the engine uses it: what it says of itself, when it decides, how it is configured, what it needs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2

from policies.identity_scope.pack.configuration import Exemption, read
from policies.identity_scope.pack.rules import RULES, Rule
from sandbox.aws.server import Sandbox
from sandbox.engine import in_process, stack_files
from sandbox.engine.in_process import Registration
from sandbox.engine.policy_gate import PolicyGate, PolicyViolation
from sandbox.engine.policy_pack import UNKNOWN, Analyzer, AnalyzerFailed
from sandbox.scenario import account
from scripts import catalogue
from tests.conftest import ROOT
from tests.policies.pack.engine import (
    ISSUER,
    ME,
    NOTICES,
    OF_ROLES,
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
ADVISORY = {
    "s3-own-folder",
    "classic-flow-off",
    "server-side-token-check",
    "api-invoke-scoped",
    "other-access-is-declared",
}
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
    assert info.displayName
    assert info.provider == "AWS"
    assert info.tags
    rules = {p.name: p for p in info.policies}
    notices = rules.pop(NOTICES)
    assert notices.enforcementLevel == analyzer_pb2.ADVISORY
    assert notices.policy_type == analyzer_pb2.POLICY_TYPE_STACK
    assert set(rules) == MANDATORY | ADVISORY
    readme = (ROOT / "policies" / "README.md").read_text()
    for name, rule in rules.items():
        assert rule.enforcementLevel == (analyzer_pb2.MANDATORY if name in MANDATORY else analyzer_pb2.ADVISORY)
        assert rule.severity != analyzer_pb2.POLICY_SEVERITY_UNSPECIFIED
        assert rule.policy_type == analyzer_pb2.POLICY_TYPE_RESOURCE
        assert rule.displayName
        assert rule.tags
        assert rule.remediation_steps
        assert rule.framework.name
        assert rule.framework.reference.startswith("https://")
        assert rule.url == ""  # until the project has an address
        assert f"### {name}\n" in readme
        for schema in rule.configSchema.properties.values():
            assert schema["description"]


def test_the_resource_alone_stops_the_step_that_would_open_the_bucket(fresh: Analyzer) -> None:
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
    "other-access-is-declared": lambda called: _granting(called, "dynamodb:Query", "*"),
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
    if rule in {SHORT[short] for short in OF_ROLES}:
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


def test_a_new_run_begins_when_the_engine_configures_the_pack(fresh: Analyzer) -> None:
    fresh.analyze(role())
    fresh.configure({})
    assert fresh.analyze(policy(WIDE)) == []


@pytest.mark.parametrize(("called", "parent"), [("fake", ""), ("pack-test", ""), ("fake", STACK.urn)])
def test_nothing_that_a_program_registers_makes_the_pack_forget(fresh: Analyzer, called: str, parent: str) -> None:
    fresh.analyze(role())
    urn = f"urn:pulumi:test::pack::pulumi:pulumi:Stack::{called}"
    fresh.analyze(replace(STACK, urn=urn, name=called, parent=parent))
    assert any(d.mandatory for d in fresh.analyze(policy(WIDE)))


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
    assert [d.policy for d in mandatory] == ["s3-isolated-by-identity"]
    assert mandatory[0].urn == access.urn
    (waiting,) = [d for d in found if d.policy == NOTICES]
    assert not waiting.mandatory
    assert "decided at update" in waiting.message


UNDECIDED: list[tuple[dict[str, Any], str, str]] = [
    ({"allowUnauthenticatedIdentities": UNKNOWN}, "guests-are-declared", "whether guest access is enabled"),
    (
        {"allowUnauthenticatedIdentities": True, "identityPoolName": UNKNOWN},
        "guests-are-declared",
        "whether the guest access of a pool of its name is declared",
    ),
    ({"allowClassicFlow": UNKNOWN}, "classic-flow-off", "whether the classic flow is on"),
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
    pool = resource("aws:cognito/identityPool:IdentityPool", "users", props)
    (found,) = ask(fresh, [pool])
    assert (found.policy, found.mandatory) == (NOTICES, False)
    assert found.message.startswith("decided at update: `users`: ")
    assert words in found.message
    assert f"({rule})" in found.message
    assert "\n" not in found.message


def test_what_is_known_of_providers_is_said_whatever_else_is_not(fresh: Analyzer) -> None:
    providers = [
        {"providerName": "p", "serverSideTokenCheck": UNKNOWN},
        {"providerName": UNKNOWN, "serverSideTokenCheck": False},
        {"providerName": "q"},
        {"providerName": "r", "serverSideTokenCheck": True},
    ]
    props = {"identityPoolName": "notes", "allowClassicFlow": False, "cognitoIdentityProviders": providers}
    (found,) = fresh.analyze(resource("aws:cognito/identityPool:IdentityPool", "users", props))
    assert found.text.startswith("`users`: tokens of provider 2, `q` stay valid after")


def test_a_wholly_unknown_document_is_decided_at_update_and_no_violation(fresh: Analyzer) -> None:
    resources = [role(), resource("aws:iam/rolePolicy:RolePolicy", "access", {"role": "role", "policy": UNKNOWN})]
    found = ask(fresh, resources)
    (notice,) = found
    assert not notice.mandatory
    assert notice.message.count("decided at update") == 1
    assert notice.message.count("`access`") == 1


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
    (
        "s3-isolated-by-identity",
        {"sharde": []},
        "sharde: is not a setting of this rule; its settings are shared, tenants, fixedClaims, managedPolicies",
    ),
    ("s3-isolated-by-identity", {"shared": "x"}, "shared: must be a list of objects with pattern, actions, why"),
    ("s3-isolated-by-identity", {"shared": [{"pattern": "b/*", "actions": ["s3:*"]}]}, "shared[0].why: is required"),
    (
        "s3-isolated-by-identity",
        {"shared": [{"pattern": "arn:aws:s3:::b/*", "actions": ["s3:*"], "why": "x"}]},
        "must be BUCKET/KEY, such as `notes/public/*`",
    ),
    ("s3-isolated-by-identity", {"tenants": [{"tag": "tenant"}]}, "tenants[0].why: is required"),
    (
        "s3-isolated-by-identity",
        {"tenants": [{"tag": "aws:PrincipalTag/tenant", "why": "one company"}]},
        "tenants[0].tag: `aws:PrincipalTag/tenant` must be the key of a principal tag, as `tenant` in",
    ),
    (
        "s3-own-folder",
        {"tenants": [{"tag": "tenant", "why": "one company"}, {"tag": "Tenant", "why": "one company"}]},
        "tenants[1].tag: `Tenant` is listed twice; remove the duplicate",
    ),
    (
        "s3-own-folder",
        {"fixedClaims": [{"claim": "email", "why": "x", "is": "y"}]},
        "fixedClaims[0].is: is not a property; the properties are claim, why",
    ),
    ("s3-own-folder", {"folders": ["notes"]}, "folders[0]: `notes` must be `BUCKET/` or `BUCKET/PREFIX/`"),
    (
        "trust-bound-to-pool",
        {"exemptions": [{"urn": "urn:pulumi:x", "reason": "because of the move", "expires": "soon"}]},
        "exemptions[0].expires: `soon` must be a date, YYYY-MM-DD",
    ),
    (
        "trust-bound-to-pool",
        {"exemptions": [{"urn": "urn:pulumi:x", "reason": "x", "expires": "2999-01-01"}]},
        "exemptions[0].reason: `x` must be a sentence",
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


WRONG_TYPES: list[Any] = [5, True, {"a": 1}, [5], [None], [[]], "text", [{"x": 1}]]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_wrong_type_is_an_error_with_its_key(rule: Rule) -> None:
    for setting in rule.settings:
        for value in WRONG_TYPES:
            problems: list[str] = []
            read(rule.settings, {setting.name: value}, problems)
            assert problems, (setting.name, value)
            assert all(problem.startswith(setting.name) and "\n" not in problem for problem in problems)


def test_one_entry_of_the_configuration_governs_a_rule_wherever_it_is_decided(fresh: Analyzer) -> None:
    shared = {"shared": [{"pattern": "bkt/*", "actions": ["s3:GetObject"], "why": "all read all"}]}
    both = {"s3-isolated-by-identity": shared, "s3-own-folder": shared}
    fresh.configure(both)
    assert fresh.analyze_stack([(r, r.wire) for r in (role(), policy(WIDE))]) == []
    fresh.configure(both)
    assert [fresh.analyze(r) for r in (role(), policy(WIDE))] == [[], []]


@pytest.mark.parametrize("level", ["advisory", "mandatory", "remediate", "disabled"])
def test_a_rules_level_governs_its_findings_wherever_they_are_decided(fresh: Analyzer, level: str) -> None:
    """Each rule at each level: while resources are registered, and in the stack alone."""
    stacks = [[DEFECTS[name]("one")] for name in DEFECTS]
    for name, resources in zip(DEFECTS, stacks, strict=True):
        fresh.configure({name: {"enforcementLevel": level}})
        registered = [d for r in resources for d in fresh.analyze(r) if d.policy == name]
        fresh.configure({name: {"enforcementLevel": level}})
        found = [d for d in fresh.analyze_stack([(r, r.wire) for r in resources]) if d.policy == name]
        for half in (registered, found):
            assert bool(half) is (level != "disabled"), (name, level)
            assert all(d.mandatory is (level != "advisory") for d in half), (name, level)


def test_a_rule_that_does_not_exist_is_an_error(fresh: Analyzer) -> None:
    request = analyzer_pb2.ConfigureAnalyzerRequest()
    request.policyConfig["s3-isolated"].enforcementLevel = analyzer_pb2.ADVISORY
    fresh.send_configuration(request)
    (error,) = fresh.analyze(role("one"))
    assert error.mandatory
    assert error.message.startswith("configuration error: `s3-isolated` is not a rule of this pack; its rules are s3-")
    assert fresh.analyze(role("two")) == []


def test_the_level_of_all_rules_is_no_rule(fresh: Analyzer) -> None:
    """The engine has given it to every rule, and hands the entry over with them."""
    request = analyzer_pb2.ConfigureAnalyzerRequest()
    request.policyConfig["all"].enforcementLevel = analyzer_pb2.ADVISORY
    fresh.send_configuration(request)
    assert fresh.analyze(role("one")) == []
    request.policyConfig["all"].properties.update({"shared": []})
    fresh.send_configuration(request)
    (error,) = fresh.analyze(role("one"))
    assert (error.mandatory, error.message) == (True, "configuration error: `all` has no settings; configure the rules")


def test_a_resource_that_is_none_of_a_rules_business_is_not_applicable(fresh: Analyzer) -> None:
    queue = fresh.not_applicable(resource("aws:sqs/queue:Queue", "queue", {}))
    assert queue == MANDATORY | ADVISORY
    service = trust_of({"Service": "lambda.amazonaws.com"})
    assert fresh.not_applicable(role("worker", service)) == MANDATORY | ADVISORY
    of_pools = {"guests-are-declared", "classic-flow-off", "server-side-token-check"}
    assert fresh.not_applicable(role()) == of_pools
    assert fresh.not_applicable(_pool("users")) == (MANDATORY | ADVISORY) - of_pools


def test_a_finding_that_is_exempt_does_not_hide_one_that_is_not(fresh: Analyzer) -> None:
    """Both documents leak; a proof that shows the simplest example alone would show the exempt one."""
    wide = [
        policy(document([allow(f"arn:aws:s3:::{on}")]), called=called)
        for called, on in (("a", "bkt/a/*"), ("c", "bkt/cc/*"))
    ]
    exempt = {"exemptions": [{"urn": wide[0].urn, "reason": "is being moved to folders", "expires": "2999-12-31"}]}
    found = ask(fresh, [role(), *wide], exempt)
    for rule in ("s3-isolated-by-identity", "s3-own-folder"):
        texts = [d.text for d in found if d.policy == rule]
        assert len(texts) == 1
        assert texts[0].startswith("`c` statement 1"), texts
    notices = [d for d in found if d.policy == NOTICES]
    assert [d.message.partition(": exempt until 2999-12-31 (is being moved to folders): `a`")[0] for d in notices] == [
        "s3-isolated-by-identity",
        "s3-own-folder",
    ]
    assert {d.urn for d in notices} == {wide[0].urn}
    assert not any(d.mandatory for d in notices)


@pytest.mark.parametrize(
    ("pattern", "urn", "covers"),
    [
        ("urn:pulumi:*::docs[1]", "urn:pulumi:s::p::t::docs[1]", True),
        ("urn:pulumi:*::docs[1]", "urn:pulumi:s::p::t::docs1", False),
        ("urn:pulumi:*::doc?", "urn:pulumi:s::p::t::docs", False),
        ("urn:pulumi:*::doc.", "urn:pulumi:s::p::t::docs", False),
        ("urn:pulumi:s::*", "urn:pulumi:s::p::t::a\nb", True),
        ("urn:pulumi:s::p", "urn:pulumi:s::p::t::a", False),
    ],
)
def test_an_exemption_is_matched_literally_but_for_its_stars(pattern: str, urn: str, covers: bool) -> None:
    assert Exemption(pattern, "for a reason", date.max).covers(urn, date(2026, 1, 1)) is covers


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
            assert waiting == ({NOTICES} if preview else set())


@pytest.mark.process
def test_a_widened_program_is_stopped_in_preview(fresh: Analyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    from components.scoped_identity import documents

    monkeypatch.setattr(documents, "own_folder", lambda *_: [allow("arn:aws:s3:::notes-dev-uploads/*")])
    files = stack_files.read(ROOT, "dev")
    with Sandbox().running() as sandbox:
        enforced = PolicyGate(fresh)
        run = in_process.run(sandbox, ROOT / "__main__.py", files.project, "dev", files.config, enforced, preview=True)
        with pytest.raises(PolicyViolation, match="lets every signed-in user read other users' files"):
            enforced.finish(run)
        assert sandbox.identity.pools == {}


def test_the_catalogue_is_awss_own_list() -> None:
    assert catalogue.TARGET.read_text() == catalogue.text()


def test_the_pack_says_that_it_is_pythons() -> None:
    text = (ROOT / "policies" / "PulumiPolicy.yaml").read_text()
    assert yaml.safe_load(text)["runtime"]["name"] == "python"
