"""Stack config gets the names of the component's arguments; the user's own keys keep theirs."""

from __future__ import annotations

from components.scoped_identity.config import python_names
from components.scoped_identity.reader import shown


def test_settings_are_renamed_at_every_depth_and_the_users_keys_are_not() -> None:
    config = {
        "poolName": "notes",
        "userPools": [{"principalTags": {"claims": {"costCenter": "custom:costCenter"}}}],
        "tags": {"costCenter": "4711"},
        "authenticated": {"grants": [{"ownFolder": {"kmsKey": "k"}}, {"statement": {"Sid": "Own", "notAction": "x"}}]},
        "guests": {"trust": {"Statement": [{"somethingElse": 1}]}},
    }
    assert python_names(config) == {
        "pool_name": "notes",
        "user_pools": [{"principal_tags": {"claims": {"costCenter": "custom:costCenter"}}}],
        "tags": {"costCenter": "4711"},
        "authenticated": {
            "grants": [{"own_folder": {"kms_key": "k"}}, {"statement": {"Sid": "Own", "notAction": "x"}}]
        },
        "guests": {"trust": {"Statement": [{"somethingElse": 1}]}},
    }


def test_a_name_that_is_shown_is_the_one_that_config_has() -> None:
    for name in ("poolName", "serverSideTokenCheck", "api", "id"):
        (python,) = python_names({name: 1})
        assert shown(python) == name
