"""Variants of the stack, each deployed once: what they create, and what stops them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.server import Sandbox
from sandbox.engine import in_process, stack_files
from sandbox.engine.in_process import Run
from sandbox.scenario import account, prerequisites
from sandbox.scenario.access_checks import AccessChecks
from sandbox.scenario.account import AppConfig, OffLimits
from tests.conftest import ROOT

GUESTS = {"reason": "Visitors look around before they sign up."}
POOL = "us-east-1_NotesDev1"


class Stack:
    """The dev stack in a sandbox, deployed again and again with other settings."""

    def __init__(self, sandbox: Sandbox, **changes: Any) -> None:
        self.sandbox = sandbox
        config = self._files(changes).app_config()
        self.app: AppConfig = account.read_app(config)
        self.off_limits: OffLimits = account.build(sandbox, self.app)
        prerequisites.create_prerequisites(sandbox, self.app, config)
        self.run: Run | None = None

    def _files(self, changes: Mapping[str, Any]) -> stack_files.StackFiles:
        return stack_files.read(ROOT, "dev", {f"scoped-identity:{k}": v for k, v in changes.items()})

    def up(self, **changes: Any) -> Run:
        files = self._files(changes)
        main = ROOT / "__main__.py"
        self.run = in_process.run(self.sandbox, main, files.project, "dev", files.config)
        return self.run

    def access_checks(self, app: AppConfig | None = None) -> AccessChecks:
        assert self.run is not None
        outputs = self.run.outputs
        return AccessChecks(
            self.sandbox, app or self.app, self.off_limits, outputs["identityPoolId"], outputs["logins"][0]
        )

    def pool(self) -> str:
        assert self.run is not None
        return str(self.run.outputs["identityPoolId"])


@contextmanager
def stack(**changes: Any) -> Iterator[Stack]:
    with Sandbox().running() as sandbox:
        yield Stack(sandbox, **changes)


def test_grants_that_outgrow_an_inline_policy_become_managed_ones() -> None:
    """IAM's limits, which moto does not know: the documents are measured here."""
    paths = [f"/a-rather-long-resource-name/{n:04}/with/more/of/it" for n in range(150)]
    grants = {"grants": [{"api": {"id": "a1b2c3d4", "paths": paths, "methods": ["GET", "POST"]}}]}
    with stack(authenticated=grants) as dev:
        run = dev.up(authenticated=grants)
        policies = [r for r in run.registrations if r.type_ == "aws:iam/policy:Policy"]
        assert 2 <= len(policies) <= 10
        assert all(len("".join(p.inputs["policy"].split())) <= 6144 for p in policies)
        assert not [r for r in run.registrations if r.type_ == "aws:iam/rolePolicy:RolePolicy"]
        assert [row for row in dev.access_checks().rows() if not row.ok] == []


def test_a_role_elsewhere_that_does_not_trust_the_pool_stops_everything() -> None:
    """For a pool that exists its id is known: the check needs nothing to be made first."""
    guests = {
        **GUESTS,
        "role": "arn:aws:iam::123456789012:role/visitors",
        "trust": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Federated": "cognito-identity.amazonaws.com"},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                }
            ],
        },
    }
    existing = {"id": "us-east-1:0a1b2c3d-1111-4222-8333-444455556666"}
    with stack(existingPool=existing, poolName="", guests=guests) as dev, pytest.raises(Exception) as error:
        dev.up(existingPool=existing, poolName="", guests=guests)
    assert "guests.trust: must require the identity pool `us-east-1:0a1b2c3d-1111-4222-8333-444455556666`" in str(
        error.value
    )
    assert "guests.trust: must require `unauthenticated`" in str(error.value)


def test_a_group_without_a_role_of_its_own_is_denied_by_default() -> None:
    groups = [{"name": "editors"}]
    with stack(groups=groups) as dev:
        dev.up(groups=groups)
        outside = AppConfig(
            dev.app.region, dev.app.user_pools, dev.app.bucket, "", dev.app.api, dev.app.api_region, "dev"
        )
        with pytest.raises(ClientError, match="Ambiguous role mapping rules"):
            dev.access_checks(outside).sign_in("nobody")
        member = dev.access_checks(account.read_app(dev._files({"groups": groups}).app_config())).sign_in("alice")
        assert "group-editors" in dev.sandbox.identity.sessions[member.credentials[0]].role_arn


def test_an_existing_pool_may_keep_its_roles() -> None:
    existing = {"id": "us-east-1:0a1b2c3d-1111-4222-8333-444455556666", "roles": "keep"}
    with stack(existingPool=existing, poolName="") as dev:
        run = dev.up(existingPool=existing, poolName="")
        assert [r for r in run.registrations if r.custom] == []
        assert run.outputs["roleArns"] == {}
        assert run.outputs["identityPoolId"] == existing["id"]
        assert run.outputs["amplify"]["Auth"]["Cognito"]["identityPoolId"] == existing["id"]
        named = {"role": "arn:aws:iam::123456789012:role/theirs"}
        run = dev.up(existingPool=existing, poolName="", authenticated=named)
        assert run.outputs["roleArns"] == {"authenticated": named["role"]}
        assert run.outputs["uncheckedRoles"] == [named["role"]]


def test_tags_wait_for_roles_that_have_no_grants() -> None:
    """Guests' role has no policy to wait for; its trust must be there all the same."""
    pools = [{"id": POOL, "clients": ["1h57kf5cpq17m0eml12notesde"], "principalTags": {"defaults": True}}]
    with stack(userPools=pools, guests=GUESTS) as dev:
        run = dev.up(userPools=pools, guests=GUESTS)
        roles = {r.urn for r in run.registrations if r.type_ == "aws:iam/role:Role"}
        (tags,) = (r for r in run.registrations if r.type_.endswith("PrincipalTag"))
        assert len(roles) == 2
        assert roles <= set(tags.dependencies)
