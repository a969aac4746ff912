"""What the CDK and Amplify really write: templates synthesised from the programs beside them.

By aws-cdk-lib 2.276.0 and @aws-amplify/backend 1.25.1, without metadata, rules of the toolkit and assets.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.policies.command.run import check

HERE = Path(__file__).parent / "synthesized"
CDK = {
    ("s3-isolated-by-identity", "star-before-identity", "AuthDefaultPolicyEDC83759", 2),
    ("s3-isolated-by-identity", "no-identity", "AuthDefaultPolicyEDC83759", 3),
    ("s3-isolated-by-identity", "no-identity", "PoolAuthenticatedRoleDefaultPolicy1324E5FE", 2),
    ("vended-role-cannot-escalate", "escalation", "AuthDefaultPolicyEDC83759", 1),
    ("vended-role-cannot-escalate", "escalation", "AuthDefaultPolicyEDC83759", 2),
    ("vended-role-cannot-escalate", "escalation", "AuthDefaultPolicyEDC83759", 3),
    ("vended-role-cannot-escalate", "escalation", "PoolAuthenticatedRoleDefaultPolicy1324E5FE", 2),
    ("guests-are-declared", "guests", None, None),
}
STORAGE = "storage0EC3F24A.amplifynotesmesandboxd911e82344storageAccess"
AMPLIFY = {
    ("s3-isolated-by-identity", "no-identity", f"{STORAGE}38FBBF2CC", 1),
    ("s3-isolated-by-identity", "listing", f"{STORAGE}38FBBF2CC", 2),
    ("s3-isolated-by-identity", "no-identity", f"{STORAGE}4D3FC2C81", 1),
    ("s3-isolated-by-identity", "listing", f"{STORAGE}4D3FC2C81", 2),
    ("s3-isolated-by-identity", "no-identity", f"{STORAGE}4D3FC2C81", 3),
    ("s3-isolated-by-identity", "no-identity", f"{STORAGE}5E9198ED1", 1),
    ("s3-isolated-by-identity", "listing", f"{STORAGE}5E9198ED1", 2),
    ("s3-isolated-by-identity", "no-identity", f"{STORAGE}5E9198ED1", 3),
    ("guests-are-declared", "guests", None, None),
}


@pytest.mark.parametrize(("folder", "expected", "roles", "pools"), [("cdk", CDK, 3, 2), ("amplify", AMPLIFY, 3, 1)])
def test_mandatory_findings(
    folder: str, expected: set[object], roles: int, pools: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = check(capsys, HERE / folder)
    assert (found.code, found.err) == (1, "")
    assert '"notes": []' in found.out, "everything is known"
    mandatory = [each for each in found.findings if each["level"] == "mandatory"]
    assert {(f["rule"], f["kind"], f.get("document"), f.get("statement")) for f in mandatory} == expected
    assert all(each["place"]["line"] > 1 for each in found.findings)
    (verdict,) = json.loads(found.out)["verdicts"]
    assert (len(verdict["roles"]), len(verdict["identityPools"])) == (roles, pools)
