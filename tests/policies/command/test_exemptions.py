"""Exemptions of what the command reads: a resource of any source is named by the URN that its findings have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.policies.command.run import check, write
from tests.policies.command.test_check import LEAK
from tests.policies.sources import test_terraform as terraform
from tests.policies.sources.mistakes import Setup
from tests.policies.sources.test_cloudformation import template

RULE = "s3-isolated-by-identity"


@pytest.mark.parametrize("source", ["cloudformation", "terraform", "iam"])
def test_a_resource_of_any_source_can_be_exempt(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup = Setup(LEAK)
    inputs = {"cloudformation": template(setup), "terraform": terraform.state(terraform.resources(setup)), "iam": LEAK}
    path = write(tmp_path / "input.json", inputs[source])
    (urn,) = {each["urn"] for each in check(capsys, path).findings if each["rule"] == RULE}
    assert urn.startswith(f"urn:{source}:")
    pattern = urn.replace(str(tmp_path), "*")
    exemption = {"urn": pattern, "reason": "is being moved to folders", "expires": "2999-01-01"}
    config = write(tmp_path / "config" / "c.json", {RULE: {"exemptions": [exemption]}})
    found = check(capsys, "--config", config, path)
    assert RULE not in found.rules
    assert json.loads(found.out)["verdicts"][0]["exempt"]
