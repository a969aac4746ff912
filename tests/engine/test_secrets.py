"""Secrets stay secret: in the output, in the state, and before the pack."""

from __future__ import annotations

from tests.engine.conftest import Stack

SECRET = "exampleExampleExampleExample"
TWITTER = {"twitter": {"consumerKey": "aBcDeFgHiJkLmNoPqRsTuVwXy", "consumerSecret": SECRET}}


def test_a_provider_secret_is_in_neither_the_output_nor_the_state(stack: Stack) -> None:
    assert SECRET not in stack.preview("--diff", providers=TWITTER)
    assert SECRET not in stack.up("--diff", providers=TWITTER)
    assert SECRET not in stack.run("stack", "export", "--stack", stack.name)
    assert SECRET in stack.run("stack", "export", "--stack", stack.name, "--show-secrets")
    stack.run("refresh", "--yes")
    assert SECRET not in stack.run("stack", "export", "--stack", stack.name)
