"""Preview, deployment and changes in place: what is kept, what is replaced, and that nobody is locked out on the way."""

from __future__ import annotations

from tests.engine.conftest import CLIENT, GUESTS, GUESTS_DECLARED, POOL, Stack


def test_a_preview_makes_nothing_an_update_everything_and_a_second_one_nothing(stack: Stack) -> None:
    assert "5 to create" in " ".join(stack.preview().split())
    assert stack.sandbox.identity.pools == {}
    stack.up()
    assert set(stack.outputs()["roleArns"]) == {"authenticated"}
    assert stack.refused() == []
    calls = len(stack.operations)
    stack.preview("--expect-no-changes")
    stack.up("--expect-no-changes")
    assert stack.operations == [], calls


def test_guests_come_and_go_in_place_and_the_pool_is_never_without_roles(stack: Stack) -> None:
    stack.up()
    pool = stack.pool().id
    for guests in (GUESTS, {}):
        stack.up(*stack.pack_config(GUESTS_DECLARED), guests=guests)
        assert "SetIdentityPoolRoles" in stack.operations
        assert all("authenticated" in roles for roles in stack.roles_seen)
        assert stack.pool().id == pool
        assert set(stack.pool().roles) == {"authenticated", *(["unauthenticated"] if guests else [])}
        assert stack.refused(guests=guests) == []
    assert [name for name in stack.role_names() if "guest" in name] == []


def test_a_grant_a_mapping_a_group_a_tag_and_a_user_pool_are_added_in_place(stack: Stack) -> None:
    stack.up()
    pool, role = stack.pool().id, stack.role()
