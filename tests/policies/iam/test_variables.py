"""What `*`, `?` and `${…}` in a document are read as."""

from __future__ import annotations

import pytest

from policies.identity_scope.automata.globs import Wild
from policies.identity_scope.iam.variables import Variable, arn_template, template

UNREADABLE = Variable("")


@pytest.mark.parametrize(
    ("inner", "variable"),
    [
        ("aws:x", Variable("aws:x")),
        (" AWS:X ", Variable("aws:x")),
        ("aws:x, 'd'", Variable("aws:x", "d")),
        ("aws:x,'a,b'", Variable("aws:x", "a,b")),
        ("aws:x, ''", Variable("aws:x", "")),
        ("aws:x, '", UNREADABLE),
        ("aws:x, d", UNREADABLE),
        ("aws:x,", UNREADABLE),
        ("aws:x, 'd", UNREADABLE),
        ("aws:x, d'", UNREADABLE),
        ("", UNREADABLE),
        (" ", UNREADABLE),
        (", 'd'", UNREADABLE),
        ("aws: x", UNREADABLE),
        ("aws:\tx", UNREADABLE),
        ("aws:*", UNREADABLE),
        ("aws:?", UNREADABLE),
        ("aws:$", UNREADABLE),
        ("aws:'x", UNREADABLE),
        ("{aws:x", UNREADABLE),
        ("X}", None),
    ],
)
def test_a_variable_is_one_key_and_at_most_a_default(inner: str, variable: Variable | None) -> None:
    read = template(f"${{{inner}}}", expands=True)
    assert read == ((variable,) if variable else (Variable("x"), "}"))


def test_what_is_escaped_is_a_letter() -> None:
    assert template("${*}${?}${$}", expands=True) == ("*", "?", "$")
    assert template("${", expands=True) == (UNREADABLE,)
    assert template("a${b", expands=True) == ("a", UNREADABLE)
    assert template("${x}", expands=False) == ("$", "{", "x", "}")


def test_wildcards_are_letters_in_an_equality() -> None:
    assert template("a**?", expands=True) == ("a", Wild.ANY, Wild.ONE)
    assert template("a*?", expands=True, wildcards=False) == ("a", "*", "?")


def test_an_arn_of_fewer_fields_is_padded_and_its_first_five_take_no_variable() -> None:
    any_field = (":", Wild.ANY)
    assert arn_template("arn:aws:s3", True) == (*"arn:aws:s3", *any_field, *any_field, *any_field)
    assert arn_template("arn:aws:s3:::bkt", True) == tuple("arn:aws:s3:::bkt")
    assert arn_template("arn:aws:s3::${x}:${x}", True) == (*"arn:aws:s3::", UNREADABLE, ":", Variable("x"))
    assert arn_template("*", True) == (Wild.ANY,)
    assert arn_template("bkt", True) == tuple("bkt")
