"""An exemption takes away only what it names: what a question as a whole leaves open is not one resource's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pytest

from policies.identity_scope.pack import session
from policies.identity_scope.pack.configuration import Config, Exemption
from policies.identity_scope.pack.judges import JUDGES
from policies.identity_scope.pack.rules import RULES
from policies.identity_scope.pack.session import Session, judge_rule
from policies.identity_scope.pack.settings import RuleSettings, Settings
from policies.identity_scope.sources.pulumi import Resource
from tests.policies.inventory.stack import OWN_FOLDER, WIDE, inventory, resource, role, role_policy
from tests.policies.pack.engine import ME, allow, document, trust

ISOLATION = next(rule for rule in RULES if rule.name == "s3-isolated-by-identity")
OWN = [role("a"), role_policy(OWN_FOLDER, of="a", label="own")]
CHINA = trust("cn-north-1:aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb")


def endless() -> Resource:
    """A document about which nothing is decided within the budget."""
    granted, kept = (f"arn:aws:s3:::bkt/{stars * 60}{ME}{'*a?b??' * 60}/x" for stars in ("*a?b??", "*b?a??"))
    guard = {"Effect": "Deny", "Action": "s3:*", "NotResource": kept}
    return role_policy(document([allow(granted), guard]), of="b", label="endless")


def judged(stack: Iterable[Resource], *exempt: Resource) -> tuple[list[str], list[str]]:
    """The first lines of the findings on isolation, and of those that are exempt."""
    found = inventory(stack)
    config = Config(exemptions=tuple(Exemption(each.urn, "is being moved to folders", date.max) for each in exempt))
    judgement = judge_rule(ISOLATION, found, found.vended(config.known), config, None)
    return [each.text.split("\n")[0] for each in judgement.findings], [each.text for each, _ in judgement.exempt]


@pytest.mark.long
def test_a_role_that_is_exempt_does_not_hide_that_another_was_not_decided() -> None:
    hard = endless()
    stack = [*OWN, role("b"), hard]
    for exempt in ([], [OWN[0]], OWN, [stack[2]], [*OWN, stack[2]]):
        findings, _ = judged(stack, *exempt)
        assert len(findings) == 1
        assert "not decided within 50000 steps" in findings[0]
    for exempt in ([hard], stack):
        findings, hidden = judged(stack, *exempt)
        assert findings == []
        assert len(hidden) == 1


def test_a_role_that_is_exempt_does_not_hide_that_anothers_issuer_is_not_known() -> None:
    stack = [role("a", assumeRolePolicy=CHINA), role("b", assumeRolePolicy=CHINA)]
    policies = [role_policy(OWN_FOLDER, of="a", label="own"), role_policy(WIDE, of="b", label="wide")]
    for exempt in ([], stack[:1], [stack[0], policies[0]], stack, policies[:1]):
        findings, _ = judged([*stack, *policies], *exempt)
        assert len(findings) == 1
        assert "the identity issuer of cn-north-1 is not known" in findings[0]
    findings, hidden = judged([*stack, *policies], *stack, *policies)
    assert findings == []
    assert len(hidden) == 1


def test_a_failure_of_the_pack_is_never_exempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(session, "JUDGES", dict.fromkeys(JUDGES, failing))
    config = Config(exemptions=(Exemption("urn:pulumi:*", "is being moved to folders", date.max),))
    asked = Session(Settings({rule.name: RuleSettings(rule.level, config) for rule in RULES}))
    assert ISOLATION.name in {violation.rule.name for violation in asked.resource(role()).violations}
    assert ISOLATION.name in {violation.rule.name for violation in asked.stack([role()]).violations}


def test_a_finding_of_a_document_does_not_hide_that_of_another_with_its_label() -> None:
    """Resources of different types can have one name; which of their documents is marked changes as they come."""
    made = role(arn="arn:aws:iam::123456789012:role/role")
    grant = allow("arn:aws:s3:::bkt/*", "s3:PutObject", Principal={"AWS": made.props["arn"]})
    stack = [
        made,
        role_policy(WIDE, label="same"),
        resource("aws:s3/bucketPolicy:BucketPolicy", "same", bucket="bkt", policy=document([grant])),
        resource("aws-native:iam:RolePolicy", "same", roleName="role", policyName="more", policyDocument=WIDE),
    ]
    asked = Session(Settings())
    found = [
        [violation.text for violation in asked.resource(each).violations if violation.rule is ISOLATION]
        for each in stack
    ]
    assert [len(texts) for texts in found] == [0, 1, 1, 1]
    assert "read other users' files" in found[1][0]
    assert "overwrite other users' files" in found[2][0]
    assert asked.stack(stack).violations == []
