"""A bounded run of the fuzzer: nothing escapes as an exception, and nothing takes long."""

from __future__ import annotations

import random

import pytest

from tests.fuzz import ENTRIES, Entry, fuzz
from tests.scale import SCALE


@pytest.mark.random
@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_nothing_escapes(entry: Entry) -> None:
    count, defect = fuzz(entry, random.Random(20261123), 1500 * SCALE, 60 * SCALE)
    assert defect is None, defect
    assert count == 1500 * SCALE


def test_the_fuzzer_finds_what_escapes() -> None:
    broken = Entry("broken", lambda r: r.random(), lambda v: 1 / int(v * 4), (ValueError,))
    _, defect = fuzz(broken, random.Random(1), 1000, 10)
    assert defect is not None
    assert defect.startswith("ZeroDivisionError")
