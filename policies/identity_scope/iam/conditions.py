"""Condition blocks, in three values.

Decides whether a condition holds for a request, may hold, or does not. A request's context says for each key whether it
has values, certainly lacks it, or is not known; a condition about something unknown may hold.

Operators are ANDed, keys are ANDed, values are ORed (ANDed for the negated operators). `...IfExists` holds when the key
is absent; `ForAllValues` holds when it is absent or empty; `ForAnyValue` does not hold when it is absent; `Null` tests
presence; negated operators match an absent key.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import datetime, timezone
from enum import IntEnum

from ..automata.globs import Pattern, Wild, matches
from .documents import Condition
from .variables import Concrete, Free, Lookup, Missing, concretise, template


class Truth(IntEnum):
    """Ordered so that AND is min and OR is max."""

    NO = 0
    MAYBE = 1
    YES = 2

    @staticmethod
    def of(known: bool) -> Truth:
        return Truth.YES if known else Truth.NO

    def negated(self) -> Truth:
        return Truth(2 - self)


def holds(condition: Condition, lookup: Lookup, expands: bool) -> Truth:
    """Whether one operator-and-key test holds in a request's context."""
    found = lookup(condition.key)
    if condition.operator == "Null":
        if found is Missing.UNKNOWN:
            return Truth.MAYBE
        wanted = {value.lower() for value in condition.values}
        absent = found is Missing.ABSENT
        return Truth.of(("true" if absent else "false") in wanted)
    if found is Missing.UNKNOWN:
        return Truth.MAYBE
    if found is Missing.ABSENT or found == ():
        if condition.qualifier == "ForAllValues" or condition.if_exists:
            return Truth.YES
        if condition.qualifier == "ForAnyValue":
            return Truth.NO
        return Truth.of(negates(condition.operator))
    if isinstance(found, Free):
        return _of_any(condition, found, lookup, expands)
    test = _test(condition, lookup, expands)
    results = [test(value) for value in found]
    if condition.qualifier == "ForAllValues":
        # Whether one empty string counts as no value, for which it holds, is left open.
        return max(min(results), Truth.MAYBE) if found == ("",) else min(results)
    if condition.qualifier == "ForAnyValue" or len(results) == 1:
        return max(results)
    # A single-valued test of several values is not something AWS defines.
    return Truth.MAYBE if len(set(results)) > 1 else results[0]


def _of_any(condition: Condition, value: Free, lookup: Lookup, expands: bool) -> Truth:
    """A condition on a key whose value is not known: it may hold, unless every value, or none, is one that it names."""
    if not condition.operator.startswith("String"):
        return Truth.MAYBE
    wanted = [
        concretise(template(each, expands, condition.operator in LIKE_OPERATORS), lookup, widen=True)
        for each in condition.values
    ]
    options = [option for option in wanted if option.pattern is not None]
    negated = negates(condition.operator)
    if any(_takes_any(option) or (value.slash and _takes_slashes(option)) for option in options):
        return Truth.of(not negated)
    fold = "IgnoreCase" in condition.operator
    if all(
        (value.slash is False and "/" in (option.pattern or ())) or (not fold and _is_one_of(option, value.besides))
        for option in options
    ):
        return Truth.of(negated)
    return Truth.MAYBE


def _takes_any(option: Concrete) -> bool:
    """Whether a pattern takes every string that is not empty."""
    pattern = option.pattern or ()
    return option.exact and Wild.ANY in pattern and set(pattern) <= {Wild.ANY, Wild.ONE} and pattern.count(Wild.ONE) < 2


def _takes_slashes(option: Concrete) -> bool:
    """Whether a pattern takes every string that has a `/`."""
    return option.exact and option.pattern == (Wild.ANY, "/", Wild.ANY)


def _is_one_of(option: Concrete, texts: frozenset[str]) -> bool:
    pattern = option.pattern or ()
    literal = [token for token in pattern if isinstance(token, str)]
    return option.exact and len(literal) == len(pattern) and (not pattern or "".join(literal) in texts)


def negates(operator: str) -> bool:
    """Whether an operator is a negated one, which matches an absent key."""
    return "Not" in operator


def _test(condition: Condition, lookup: Lookup, expands: bool) -> Callable[[str], Truth]:
    """The positive test of one context value against the condition's values, negated where the operator is."""
    compare = comparison(condition.operator)
    wildcards = condition.operator in LIKE_OPERATORS
    fold = "IgnoreCase" in condition.operator
    arns = condition.operator.startswith("Arn")
    textual = arns or condition.operator.startswith("String")
    wanted: list[Concrete] = [
        concretise(template(value, expands and textual, wildcards), lookup, widen=True) for value in condition.values
    ]

    def one(value: str, option: Concrete) -> Truth:
        if option.pattern is None:
            return Truth.NO
        if not fits(condition.operator, value):
            return Truth.MAYBE
        if textual:
            text = value.lower() if fold else value
            pattern = tuple(t.lower() if fold and isinstance(t, str) else t for t in option.pattern)
            if not matches(pattern, text) and not (arns and matches(_padded(pattern), text)):
                return Truth.NO  # whatever stands in the place of what is not known
            return Truth.YES if option.exact and (not arns or _by_fields(pattern, text)) else Truth.MAYBE
        return compare(value, "".join(str(t) for t in option.pattern))

    def positive(value: str) -> Truth:
        return max((one(value, option) for option in wanted), default=Truth.NO)

    if negates(condition.operator):
        return lambda value: positive(value).negated()
    return positive


_FIELDS = 6
"""How many fields an ARN has."""


def _fields(pattern: Pattern) -> list[Pattern]:
    """The parts of an ARN's pattern between its first colons."""
    ends = [at for at, token in enumerate(pattern) if token == ":"][: _FIELDS - 1]
    return [pattern[begin:end] for begin, end in zip([0, *(at + 1 for at in ends)], [*ends, len(pattern)], strict=True)]


def _by_fields(pattern: Pattern, arn: str) -> bool:
    """Whether an ARN matches as Arn operators compare it, each field by itself: a `*` does not span the `:` of two."""
    fields, values = _fields(pattern), arn.split(":", _FIELDS - 1)
    return len(fields) == len(values) == _FIELDS and all(map(matches, fields, values))


def _padded(pattern: Pattern) -> Pattern:
    """A pattern of fewer fields with any others, as a Resource of fewer is read; of Arn operators it is not stated."""
    return (*pattern, *((":", Wild.ANY) * (_FIELDS - len(_fields(pattern)))))


def fits(operator: str, value: str) -> bool:
    """Whether an operator is one for values such as a request's; what IAM makes of any other value is not stated."""
    if operator.startswith("Arn"):
        return value.startswith("arn:")
    if operator == "Bool":
        return value.lower() in ("true", "false")
    return operator != "BinaryEquals"


LIKE_OPERATORS = frozenset({"StringLike", "StringNotLike", "ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals"})
"""Operators whose values are patterns; ArnEquals behaves as ArnLike does."""


def comparison(operator: str) -> Callable[[str, str], Truth]:
    """The comparison behind a non-textual operator, as value × wanted → Truth; a value it cannot read is a MAYBE."""
    if operator.startswith("Numeric"):
        return _ordered(operator.removeprefix("Numeric"), float)
    if operator.startswith("Date"):
        return _ordered(operator.removeprefix("Date"), _moment)
    if operator == "Bool":
        return lambda value, wanted: Truth.of(value.lower() == wanted.lower())
    if operator in ("IpAddress", "NotIpAddress"):
        return _address
    return lambda value, wanted: Truth.of(value == wanted)


def _ordered(relation: str, read: Callable[[str], float]) -> Callable[[str, str], Truth]:
    def compare(value: str, wanted: str) -> Truth:
        try:
            left, right = read(value), read(wanted)
        except (ValueError, OverflowError):
            return Truth.MAYBE
        return Truth.of(
            {
                "Equals": left == right,
                "NotEquals": left == right,  # the caller negates
                "LessThan": left < right,
                "LessThanEquals": left <= right,
                "GreaterThan": left > right,
                "GreaterThanEquals": left >= right,
            }[relation]
        )

    return compare


def _moment(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _address(value: str, wanted: str) -> Truth:
    try:
        return Truth.of(ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False))
    except ValueError:
        return Truth.MAYBE
