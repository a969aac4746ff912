"""Updates of a stack that is there: what is kept, what is replaced, and that nobody is locked out on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.http import Response
from sandbox.aws.server import Sandbox
from sandbox.aws.service import Operation
from sandbox.aws.sessions import Session
from sandbox.engine import in_process, stack_files
from sandbox.engine.in_process import Protected, Run, Step
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
        self.roles_seen: list[dict[str, str]] = []
        self._watch()

    def _files(self, changes: Mapping[str, Any]) -> stack_files.StackFiles:
        return stack_files.read(ROOT, "dev", {f"scoped-identity:{k}": v for k, v in changes.items()})

    def _watch(self) -> None:
        """Note the pool's roles after every call of the identity service."""
        answer = self.sandbox.identity.answer

        def watched(operation: Operation, session: Session | None) -> Response:
            response = answer(operation, session)
            self.roles_seen += [dict(pool.roles) for pool in self.sandbox.identity.pools.values()]
            return response

        self.sandbox.identity.answer = watched  # type: ignore[method-assign]

    def up(self, **changes: Any) -> Run:
        files = self._files(changes)
        main = ROOT / "__main__.py"
        self.roles_seen = []
        self.run = in_process.run(self.sandbox, main, files.project, "dev", files.config, previous=self.run)
        return self.run

    def steps(self) -> dict[str, str]:
        """What was done, by the last part of the type and the name."""
        assert self.run is not None
        kinds = {r.urn: f"{r.type_.rpartition(':')[2]} {r.name}" for r in self.run.registrations if r.custom}
        return {kinds[urn]: step.value for urn, step in self.run.steps.items() if urn in kinds}

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


def test_the_same_again_changes_nothing() -> None:
    with stack() as dev:
        dev.up()
        pool = dev.pool()
        dev.up()
        assert set(dev.steps().values()) == {Step.SAME.value}
        assert dev.pool() == pool
        assert dev.roles_seen == [], "not a single call"


def test_guests_come_and_go_and_the_pool_is_never_without_roles() -> None:
    with stack() as dev:
        dev.up()
        pool, me = dev.pool(), dev.access_checks().sign_in("alice")
        for guests in (GUESTS, {}):
            dev.up(guests=guests)
            assert dev.steps()["IdentityPool users"] == "update"
            assert dev.steps()["IdentityPoolRoleAttachment users"] == "replace"
            assert dev.roles_seen
            assert all("authenticated" in roles for roles in dev.roles_seen)
            assert dev.pool() == pool
            roles = dev.sandbox.identity.pools[pool].roles
            assert ("unauthenticated" in roles) is bool(guests)
        names = [role["RoleName"] for role in dev.sandbox.client("iam", "us-east-1").list_roles()["Roles"]]
        assert len(names) == 1, "the guests' role is gone"
        s3 = dev.sandbox.client("s3", "us-east-1", me.credentials)
        s3.put_object(Bucket=dev.app.bucket, Key=f"{me.identity}/a", Body=b"a")


def test_another_role_takes_the_place_of_the_old_one_before_that_goes() -> None:
    with stack() as dev:
        dev.up()
        before = dev.sandbox.identity.pools[dev.pool()].roles["authenticated"]
        dev.up(roles={"path": "/app/"})
        after = dev.sandbox.identity.pools[dev.pool()].roles["authenticated"]
        assert before != after
        assert ":role/app/" in after
        assert all(roles.get("authenticated") in (before, after) for roles in dev.roles_seen)
        assert dev.steps()["Role users-authenticated"] == "replace"
        assert [row for row in dev.access_checks().rows() if not row.ok] == []
        roles = dev.sandbox.client("iam", "us-east-1").list_roles()["Roles"]
        assert [role["Arn"] for role in roles] == [after]


def test_a_mapping_is_added_in_place() -> None:
    rule = {"claim": "custom:plan", "value": "pro", "role": "pro"}
    changes = {
        "mappedRoles": [{"name": "pro"}],
        "mappings": [{"provider": POOL, "rules": [rule], "ambiguous": "authenticated"}],
    }
    with stack(**changes) as dev:
        dev.up()
        dev.up(**changes)
        assert dev.steps()["IdentityPoolRoleAttachment users"] == "update"
        assert dev.steps()["Role users-authenticated"] == "same"
        person = dev.access_checks().sign_in("alice")
        assert "mapped-pro" in dev.sandbox.identity.sessions[person.credentials[0]].role_arn


def test_a_user_pool_is_added_and_no_provider_is_lost() -> None:
    pools = [
        {"id": POOL, "clients": ["1h57kf5cpq17m0eml12notesde"]},
        {"id": "us-east-1_Staff0001", "clients": ["staff"]},
    ]
    with stack(userPools=pools) as dev:
        dev.up()
        dev.up(userPools=pools)
        assert dev.steps()["IdentityPool users"] == "update"
        found = dev.sandbox.client("cognito-identity", "us-east-1").describe_identity_pool(IdentityPoolId=dev.pool())
        assert [p["ClientId"] for p in found["CognitoIdentityProviders"]] == ["1h57kf5cpq17m0eml12notesde", "staff"]
        assert found["AllowClassicFlow"] is False


def test_principal_tags_come_after_the_trust_that_allows_them() -> None:
    tagged = [{"id": POOL, "clients": ["1h57kf5cpq17m0eml12notesde"], "principalTags": {"defaults": True}}]
    with stack() as dev:
        dev.up()
        run = dev.up(userPools=tagged)
        order = [r.type_.rpartition(":")[2] for r in run.registrations]
        assert order.index("Role") < order.index("IdentityPoolProviderPrincipalTag")
        person = dev.access_checks().sign_in("alice")
        tags = dict(dev.sandbox.identity.sessions[person.credentials[0]].tags)
        assert tags["client"] == "1h57kf5cpq17m0eml12notesde"


def test_another_name_is_refused_until_the_config_says_that_identities_may_be_lost() -> None:
    with stack() as dev:
        dev.up(protect=True)
        pool = dev.pool()
        with pytest.raises(Protected, match="cannot be replaced, as a change of identityPoolName requires"):
            dev.up(protect=True, poolName="renamed")
        assert list(dev.sandbox.identity.pools) == [pool]
        dev.up(protect=False)
        assert dev.pool() == pool
        dev.up(protect=False, poolName="renamed")
        assert list(dev.sandbox.identity.pools) == [dev.pool()]
        assert dev.pool() != pool
        assert [row for row in dev.access_checks().rows() if not row.ok] == []


def test_another_developer_provider_is_refused_in_the_same_way() -> None:
    with stack() as dev:
        dev.up(protect=True, providers={"developer": {"name": "login.example.app"}})
        with pytest.raises(Protected, match="developerProviderName"):
            dev.up(protect=True, providers={"developer": {"name": "login.example.com"}})


def test_destroying_leaves_nothing_and_a_protected_pool_stays() -> None:
    with stack() as dev:
        protected = dev.up(protect=True)
        with pytest.raises(Protected, match="cannot be deleted"):
            in_process.destroy(dev.sandbox, protected, "us-east-1")
        assert list(dev.sandbox.identity.pools) == [dev.pool()]
        in_process.destroy(dev.sandbox, dev.up(protect=False, guests=GUESTS), "us-east-1")
        assert dev.sandbox.identity.pools == {}
        assert dev.sandbox.client("iam", "us-east-1").list_roles()["Roles"] == []


def test_grants_that_outgrow_an_inline_policy_become_managed_ones_and_back() -> None:
    """IAM's limits, which moto does not know: the documents are measured here."""
    paths = [f"/a-rather-long-resource-name/{n:04}/with/more/of/it" for n in range(150)]
    grants = {"grants": [{"api": {"id": "a1b2c3d4", "paths": paths, "methods": ["GET", "POST"]}}]}
    with stack(authenticated=grants) as dev:
        dev.up()
        run = dev.up(authenticated=grants)
        policies = [r for r in run.registrations if r.type_ == "aws:iam/policy:Policy"]
        assert 2 <= len(policies) <= 10
        assert all(len("".join(p.inputs["policy"].split())) <= 6144 for p in policies)
        assert not [r for r in run.registrations if r.type_ == "aws:iam/rolePolicy:RolePolicy"]
        assert [row for row in dev.access_checks().rows() if not row.ok] == []
        dev.up()
        assert "RolePolicy users-authenticated" in dev.steps()
        role = dev.sandbox.identity.pools[dev.pool()].roles["authenticated"].rpartition("/")[2]
        attached = dev.sandbox.client("iam", "us-east-1").list_attached_role_policies(RoleName=role)
        assert attached["AttachedPolicies"] == []


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
