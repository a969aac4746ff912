"""AWS refuses one call of a run, each in turn: the run fails, and the next one leaves what a run without a fault leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.http import HttpRequest, Response
from sandbox.aws.server import Sandbox
from tests.engine.conftest import CLIENT, GUESTS, POOL, Stack, in_sandbox
from tests.scale import SCALE

BEFORE: dict[str, Any] = {
    "userPools": [{"id": POOL, "clients": [CLIENT], "principalTags": {"defaults": True}}],
    "groups": [{"name": "editors"}],
}
AFTER: dict[str, Any] = {
    "userPools": [{"id": POOL, "clients": [CLIENT], "principalTags": {"claims": {"team": "custom:team"}}}],
    "authenticated": {"grants": [{"ownRows": {"table": "notes"}}]},
    "guests": GUESTS,
    "roles": {"path": "/app/"},
}
"""An update that creates, updates, replaces and deletes."""


class Refusing(Sandbox):
    """A sandbox that refuses one call of the deployer.

    Attributes:
        refused: the number of that call, counted from 1 since it was set; 0 for none.
        calls: the calls since then.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0
        self.calls: list[str] = []

    def refuse(self, number: int) -> None:
        self.refused = number
        self.calls = []

    def respond(self, request: HttpRequest) -> Response:
        if self.admin_key not in request.headers.get("authorization", ""):
            return super().respond(request)
        self.calls.append(request.target or request.body.decode(errors="replace").partition("&")[0])
        if len(self.calls) != self.refused:
            return super().respond(request)
        if request.target:
            return Response(400, b'{"__type": "AccessDeniedException", "message": "refused once"}')
        error = b"<Error><Code>AccessDenied</Code><Message>refused once</Message></Error>"
        return Response(403, b"<ErrorResponse>%s</ErrorResponse>" % error)


@pytest.fixture
def refusing(binary: Path, tmp_path: Path) -> Iterator[tuple[Stack, Refusing]]:
    sandbox = Refusing()
    with in_sandbox(binary, tmp_path, sandbox=sandbox) as stack:
        yield stack, sandbox


def _account(stack: Stack) -> str:
    """What the account has, without IDs, dates and the suffixes of names."""
    iam = stack.client("iam").get_account_authorization_details()
    pools = [(pool.config, pool.roles, pool.principal_tags) for pool in stack.sandbox.identity.pools.values()]
    groups = stack.client("cognito-idp").list_groups(UserPoolId=POOL)["Groups"]
    found = [iam["RoleDetailList"], iam["Policies"], pools, groups]
    text = json.dumps(_stable(found), sort_keys=True, default=str)
    return re.sub(r"us-east-1:[0-9a-f-]{36}", "POOL", re.sub(r"-[0-9a-f]{7}\b", "", text))


def _stable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _stable(v) for k, v in value.items() if not re.search(r"Date|RoleId|PolicyId|LastUsed", str(k))}
    if isinstance(value, list | tuple):
        return sorted((_stable(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True, default=str))
    return value


def _up(stack: Stack, settings: Mapping[str, Any], *, fails: bool = False) -> str:
    return stack.up(pack=False, fails=fails, **settings)


def _destroy(stack: Stack, *, fails: bool = False) -> str:
    return stack.run("destroy", "--yes", "--skip-preview", fails=fails)


def test_a_deployment_that_aws_refuses_at_any_call_goes_on_from_there(refusing: tuple[Stack, Refusing]) -> None:
    stack, sandbox = refusing
    empty = _account(stack)
    sandbox.refuse(0)
    _up(stack, BEFORE)
    calls, deployed = len(sandbox.calls), _account(stack)
    assert calls >= 10
    _destroy(stack)
    for number in range(1, calls + 1):
        sandbox.refuse(number)
        assert "refused once" in _up(stack, BEFORE, fails=True), number
        _up(stack, BEFORE)
        assert _account(stack) == deployed, number
        _destroy(stack)
        assert _account(stack) == empty, number


def test_an_update_that_aws_refuses_at_any_call_goes_on_from_there(refusing: tuple[Stack, Refusing]) -> None:
    """There and back in turn, of which each call is refused once; in `make search`, in both directions."""
    stack, sandbox = refusing
    _up(stack, BEFORE)
    settings, accounts, counts = [AFTER, BEFORE], ["", ""], [0, 0]
    for turn in (0, 1):
        sandbox.refuse(0)
        _up(stack, settings[turn])
        counts[turn], accounts[turn] = len(sandbox.calls), _account(stack)
    calls = max(counts)
    assert calls >= 10
    assert accounts[0] != accounts[1]
    for step in range(calls if SCALE == 1 else 2 * calls):
        turn = step % 2
        number = 1 + (step if SCALE == 1 else step // 2)
        sandbox.refuse(number)
        _up(stack, settings[turn], fails=number <= counts[turn])
        _up(stack, settings[turn])
        assert _account(stack) == accounts[turn], step
        assert all(roles.get("authenticated") for roles in stack.roles_seen), step


def test_a_destroy_that_aws_refuses_at_any_call_goes_on_from_there(refusing: tuple[Stack, Refusing]) -> None:
    stack, sandbox = refusing
    empty = _account(stack)
    _up(stack, BEFORE)
    deployed = _account(stack)
    sandbox.refuse(0)
    _destroy(stack)
    calls = len(sandbox.calls)
    assert calls >= 5
    for number in range(1, calls + 1):
        _up(stack, BEFORE)
        assert _account(stack) == deployed, number
        sandbox.refuse(number)
        assert "refused once" in _destroy(stack, fails=True), number
    _destroy(stack)
    assert _account(stack) == empty
