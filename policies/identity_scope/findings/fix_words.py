"""The words of a fix, made from its edits."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .escaping import escaped_value
from .fix import EACH, Declaration, Edit, Fix, Json, Setting, listed

Subject = tuple[str, "int | None"]
"""The document and the statement that a finding is about, which its fix need not name again."""

_MOST = 4
"""How many values are shown of a long list."""


def sentence(fix: Fix, subject: Subject = ("", None)) -> str:
    """What to do, as one sentence."""
    parts = _changes(fix.edits, subject) + [_setting(setting) for setting in fix.settings]
    if fix.declare is not None:
        parts.append(f"add to the configuration of the pack: {line(fix.declare)}")
    if not parts:
        return f"{fix.advice}."
    text = parts[0] if len(parts) == 1 else f"{'; '.join(parts[:-1])}; and {parts[-1]}"
    for each in fix.placeholders:
        text += f", with {each.meaning} in place of {each.name}"
    # A line to paste ends where it ends.
    return text if text.endswith("}") and fix.declare is not None else f"{text}."


def lines(fix: Fix, subject: Subject = ("", None), alternative: str = "") -> list[str]:
    """The fix, and the configuration that declares what is reported as meant, as a finding ends with them."""
    found = [f"  Fix: {sentence(fix, subject)}"]
    if fix.instead is not None:
        found.append(f"  {alternative}: {line(fix.instead)}")
    return found


def line(declaration: Declaration) -> str:
    """The configuration as one line to paste."""
    return escaped_value(declaration.line)


def _changes(edits: Sequence[Edit], subject: Subject) -> list[str]:
    found: list[str] = []
    by_place: dict[Subject, list[Edit]] = {}
    for edit in edits:
        by_place.setdefault((edit.document, edit.statement), []).append(edit)
    for place, group in by_place.items():
        text = " and ".join(_phrases(group, place, subject))
        whole = not group[0].element or group[0].statement is None
        found.append(text if place == subject or whole else f"in {_called(place)}, {text}")
    return found


def _called(place: Subject) -> str:
    document, statement = place
    name = f"`{escaped_value(document)}`" if document else "the document"
    return name if statement is None else f"{name} statement {statement + 1}"


def _phrases(edits: Sequence[Edit], place: Subject, subject: Subject) -> list[str]:
    """The phrases for the edits of one statement."""
    if edits[0].statement is None:
        return [_of_document(edit, place) for edit in edits]
    if not edits[0].element:
        edit = edits[0]
        if edit.new is None:
            return ["remove the statement" if place == subject else f"remove {_called(place)}"]
        where = "" if edit.document == subject[0] else f" to `{escaped_value(edit.document)}`"
        return [f"add the statement {_json(edit.new)}{where}"]
    found: list[str] = []
    done: set[tuple[str, ...]] = set()
    by_path = {edit.element: edit for edit in edits}
    for path, edit in by_path.items():
        if path in done:
            continue
        opposite = by_path.get((f"Not{path[0]}",)) if len(path) == 1 else None
        if opposite is None and path[0].startswith("Not"):
            opposite = by_path.get((path[0][3:],))
        if opposite is not None:
            done |= {path, opposite.element}
            gone, come = (edit, opposite) if edit.new is None else (opposite, edit)
            found.append(f"replace {gone.element[0]} with {_member(come.element[0], come.new)}")
            continue
        renamed = _renamed(edit, [other for other in edits if other.element not in done])
        if renamed is not None:
            done |= {path, renamed.element}
            gone, come = (edit, renamed) if edit.new is None else (renamed, edit)
            found.append(f"replace {_object(gone.element[1:], gone.old)} with {_object(come.element[1:], come.new)}")
            continue
        found.append(_of_element(edit))
    return found


def _renamed(edit: Edit, others: Sequence[Edit]) -> Edit | None:
    """The edit that adds what another removes: the same condition under another operator or key."""
    if edit.element[0] != "Condition" or len(edit.element) < 3 or (edit.new is None) is (edit.old is None):
        return None
    opposite = [
        other
        for other in others
        if len(other.element) == len(edit.element)
        and (other.new is None) is not (other.old is None)
        and (other.old is None) is (edit.new is None)
    ]
    same_key = [other for other in opposite if other.element[2].lower() == edit.element[2].lower()]
    same_name = [other for other in opposite if _name(other) == _name(edit)]
    alone = [other for other in opposite if other.element[1] == edit.element[1]] if len(opposite) == 1 else []
    return next(iter([*same_key, *same_name, *alone]), None)


def _name(edit: Edit) -> str:
    """The last part of a condition key, which stays where the issuer before it changes."""
    return edit.element[2].rpartition(":")[2].lower()


def _of_document(edit: Edit, place: Subject) -> str:
    if not edit.element:
        return f"remove the policy {_called(place)}, which has no other statement"
    if edit.old is None:
        return f'add "Version": "{edit.new}" to {_called(place)}'
    return f'set "Version" of {_called(place)} to "{edit.new}"'


def _of_element(edit: Edit) -> str:
    path, old, new = edit.element, edit.old, edit.new
    name = path[-1]
    if old is None:
        return f"add {_object(path, new)}"
    if new is None:
        return f"remove {_object(path, old)}"
    if any(isinstance(value, dict) for value in (old, new)):
        return f"set {_json(name)} to {_json(new)}"
    before, after = listed(old), listed(new)
    gone = [value for value in before if value not in after]
    come = [value for value in after if value not in before]
    where = f" in `{escaped_value(name)}`" if path[0] == "Condition" else ""
    called = f"`{escaped_value(name)}`" if where else name
    if gone and not come and len(gone) <= _MOST:
        return f"remove {_values(gone)} from {called}"
    if come and not gone and len(come) <= _MOST:
        return f"add {_values(come)} to {called}"
    if len(gone) == len(come) <= _MOST:
        pairs = [f"`{_shown(one)}` with `{_shown(other)}`" for one, other in zip(gone, come, strict=True)]
        return f"replace {', '.join(pairs)}{where}"
    if len(come) <= 1 and len(gone) <= _MOST:
        return f"replace {_values(gone)} with {_values(come)}{where}"
    return f"set {_json(name)} to {_json(new)}"


def _setting(setting: Setting) -> str:
    name = setting.path[-1]
    where = f" of each of {setting.path[0]}" if EACH in setting.path else ""
    if len(setting.path) > 1 and not where:
        name, where = f"`{escaped_value(name)}`", f" in {setting.path[0]} of `{_label(setting)}`"
    elif isinstance(setting.new, list):
        where = f" of `{_label(setting)}`"
    return f"set {name}{where} to {_json(setting.new)}"


def _label(setting: Setting) -> str:
    """How a resource is called in messages."""
    return escaped_value(setting.urn.rpartition("::")[2])


def _member(name: str, value: Json) -> str:
    return f"{_json(name)}: {_json(value)}"


def _object(path: Sequence[str], value: Json) -> str:
    """A value at a path, as it stands in a document."""
    for name in reversed(path[1:]):
        value = {name: value}
    return _member(path[0], value)


def _json(value: Json) -> str:
    return escaped_value(json.dumps(value, ensure_ascii=False))


def _shown(value: Json) -> str:
    return '""' if value == "" else escaped_value(str(value))


def _values(values: Sequence[Json]) -> str:
    return ", ".join(f"`{_shown(value)}`" for value in values)
