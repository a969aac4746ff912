"""The picture of a stack: pools, how users sign in, the roles that they get, and what these reach; leaks stand out.

Two forms of one picture. On a wide page the columns stand side by side, drawn as SVG; on a narrow one they are an indented
list. Both take their colours from the page, so that they follow its theme.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from .views import EVERYTHING, Access, Kind, Request, Stack

_COLUMNS = ((0, 200), (250, 190), (490, 230), (780, 400))
"""Where a column begins, and how wide it is, in SVG units, which are pixels at full width."""
_HEADS = ("Identity pools", "Sign-in", "Roles", "What users reach")
_WIDTH = 1180
_TOP = 34
_GAP = 12
_LINE = 17
_PADDING = 12
_LETTER = 7.4
"""The width of a letter of the picture's fonts, at most for nearly all texts; longer ones are cut."""
_MOST = 7
"""How much of one role's access is drawn; the rest is counted."""

_ROOM = int((_COLUMNS[3][1] - 2 * _PADDING) / _LETTER)
"""How many letters a line of what is reached has."""

CLASSES = {
    Kind.OWN: "own",
    Kind.API: "api",
    Kind.SHARED: "shared",
    Kind.OTHER: "other",
    Kind.ESCALATION: "leak",
    Kind.LEAK: "leak",
}
"""The style of each kind of access."""


@dataclass
class _Node:
    column: int
    style: str
    lines: list[str]
    y: float = 0
    to: list[_Node] = field(default_factory=list)

    @property
    def height(self) -> int:
        return 2 * _PADDING + _LINE * len(self.lines) - 4

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def drawn(stack: Stack) -> str:
    """The picture as SVG; empty where there is nothing to draw."""
    columns = _nodes(stack)
    if not any(columns):
        return ""
    height = _placed(columns)
    shapes: list[str] = []
    for column in columns:
        for node in column:
            shapes += [_edge(node, target) for target in node.to]
    for (x, _), head in zip(_COLUMNS, _HEADS, strict=True):
        shapes.append(f'<text class="head" x="{x}" y="14">{head}</text>')
    for column in columns:
        shapes += [_box(node) for node in column]
    label = escape(
        f"Identity pools, sign-in, roles and what users reach in {stack.name}; the same as text is below", True
    )
    return (
        f'<svg class="picture" viewBox="-2 0 {_WIDTH + 4} {height:.0f}" role="img" aria-label="{label}">'
        f"{''.join(shapes)}</svg>"
    )


def listed(stack: Stack) -> str:
    """The picture as an indented list, for a narrow page."""
    roles = {role.name: role for role in stack.roles}
    named = {name for pool in stack.pools for name in pool.roles}
    parts: list[str] = []

    def of(name: str) -> str:
        role = roles[name]
        rows = "".join(_row(stack, each, role.name) for each in shown(stack, role.name))
        return f'<li class="role"><b>{_breakable(role.name)}</b> <small>{escape(role.who)}</small><ul>{rows}</ul></li>'

    for pool in stack.pools:
        logins = "".join(f"<span>{_breakable(login)}</span>" for login in _logins(pool.logins, pool.guests))
        inside = "".join(of(name) for name in pool.roles if name in roles)
        parts.append(
            f'<li class="pool"><b>{_breakable(pool.name)}</b><div class="logins">{logins}</div><ul>{inside}</ul></li>'
        )
    parts += [of(role.name) for role in stack.roles if role.name not in named]
    return f'<ul class="tree">{"".join(parts)}</ul>' if parts else ""


def _row(stack: Stack, access: Access, role: str) -> str:
    request = _request(stack, access, role)
    example = (
        f"<br><small>{escape(request.who)} may {escape(request.action)} {_breakable(request.place)}</small>"
        if request is not None
        else ""
    )
    return (
        f'<li class="{CLASSES[access.kind]}"><span>{access.kind.value}:</span> {escape(access.words)} '
        f"<b>{_breakable(access.place)}</b>{example}</li>"
    )


def shown(stack: Stack, role: str) -> list[Access]:
    """A role's access, each place once, leaks first."""
    order = list(Kind)
    access = next(each.access for each in stack.roles if each.name == role)
    merged: dict[tuple[Kind, str], list[str]] = {}
    for each in access:
        words = merged.setdefault((each.kind, each.place), [])
        words += [word for word in each.words.split(", ") if word not in words]
    rows = [Access(kind, ", ".join(words), place, "") for (kind, place), words in merged.items()]
    return sorted(rows, key=lambda each: order.index(each.kind))


def _logins(logins: tuple[str, ...], guests: bool) -> list[str]:
    return [*logins, *(["guests, without signing in"] if guests else [])] or ["sign-in is not in these files"]


def _nodes(stack: Stack) -> tuple[list[_Node], ...]:
    pools: list[_Node] = []
    logins: list[_Node] = []
    roles: list[_Node] = []
    reached: list[_Node] = []
    by_role: dict[str, _Node] = {}
    for role in stack.roles:
        node = _Node(2, "role", [role.name, role.who])
        by_role[role.name] = node
        roles.append(node)
        rows = shown(stack, role.name)
        for row in rows[:_MOST]:
            node.to.append(_reached(stack, reached, row, role.name))
        if len(rows) > _MOST:
            more = _Node(3, "other", [f"and {len(rows) - _MOST} more, below"])
            reached.append(more)
            node.to.append(more)
    for pool in stack.pools:
        node = _Node(0, "pool", [pool.name, *([pool.id] if pool.id and pool.id != pool.name else [])])
        pools.append(node)
        mine = [by_role[name] for name in pool.roles if name in by_role]
        guest_roles = [by_role[r.name] for r in stack.roles if r.name in pool.roles and "guests" in r.who]
        signed_in = [each for each in mine if each not in guest_roles]
        for login in _logins(pool.logins, False) if pool.logins or not pool.guests else []:
            kind, _, id_ = login.rpartition("/")
            way = _Node(1, "login", ["User pool", id_] if kind.startswith("cognito-idp.") else [login])
            way.to += signed_in
            logins.append(way)
            node.to.append(way)
        if pool.guests:
            way = _Node(1, "login guests", ["Guests", "without signing in"])
            way.to += guest_roles
            logins.append(way)
            node.to.append(way)
    return pools, logins, roles, reached


def _reached(stack: Stack, nodes: list[_Node], row: Access, role: str) -> _Node:
    style = CLASSES[row.kind]
    lines = [row.place, f"{row.kind.value}: {row.words}"]
    request = _request(stack, row, role)
    if request is not None:
        lines += _lines(request)
    for node in nodes:
        if node.style == style and node.lines == lines:
            return node
    node = _Node(3, style, lines)
    nodes.append(node)
    return node


def _lines(request: Request) -> list[str]:
    """A request as two lines, of which the first is as long as there is room for it."""
    place = "" if request.place == EVERYTHING else request.place
    if len(request.who) + len(request.action) <= _ROOM - 8:
        return [f"{request.who} may {request.action}", *([place] if place else [])]
    return [f"{request.who} may", f"{request.action} {place}".rstrip()]


def _request(stack: Stack, row: Access, role: str) -> Request | None:
    """The request that shows what is wrong with some access of a role."""
    rule = {Kind.LEAK: "s3-isolated-by-identity", Kind.ESCALATION: "vended-role-cannot-escalate"}.get(row.kind)
    sources = {
        each.source
        for one in stack.roles
        if one.name == role
        for each in one.access
        if (each.kind, each.place) == (row.kind, row.place)
    }
    found = (f.request for f in stack.about(role) if f.request and f.rule == rule and f.source in sources)
    return next(found, None)


def _placed(columns: tuple[list[_Node], ...]) -> float:
    """Give every node its place: what is reached one under the other, all else beside the middle of what it leads to."""
    bottom: float = _TOP
    y: float = _TOP
    for node in columns[3]:
        node.y = y
        y += node.height + _GAP
    bottom = max(bottom, y)
    for column in (columns[2], columns[1], columns[0]):
        y = _TOP
        for node in column:
            middles = [target.middle for target in node.to]
            wish = sum(middles) / len(middles) - node.height / 2 if middles else y
            node.y = max(y, wish)
            y = node.y + node.height + _GAP
        bottom = max(bottom, y)
    return bottom


def _edge(source: _Node, target: _Node) -> str:
    x1 = _COLUMNS[source.column][0] + _COLUMNS[source.column][1]
    x2 = _COLUMNS[target.column][0]
    half = (x1 + x2) / 2
    style = "edge leak" if target.style == "leak" else "edge"
    return (
        f'<path class="{style}" d="M{x1} {source.middle:.1f}C{half:.1f} {source.middle:.1f} {half:.1f} '
        f'{target.middle:.1f} {x2} {target.middle:.1f}"/>'
    )


def _box(node: _Node) -> str:
    x, width = _COLUMNS[node.column]
    most = int((width - 2 * _PADDING) / _LETTER)
    texts = "".join(
        f'<text class="{"title" if number == 0 else "sub"}" x="{x + _PADDING}" '
        f'y="{node.y + _PADDING + 9 + _LINE * number:.1f}">{escape(_cut(line, most))}</text>'
        for number, line in enumerate(node.lines)
    )
    return (
        f'<g class="node {node.style}"><title>{escape(chr(10).join(node.lines))}</title>'
        f'<rect x="{x}" y="{node.y:.1f}" width="{width}" height="{node.height}" rx="7"/>{texts}</g>'
    )


def _cut(text: str, most: int) -> str:
    """A text of at most so many letters; of a long one, its beginning and its end."""
    if len(text) <= most:
        return text
    tail = most // 3
    return f"{text[: most - tail - 1]}…{text[-tail:]}"


def _breakable(text: str) -> str:
    """A text that may be broken after each slash, colon and comma."""
    out = escape(text)
    for letter in "/:,":
        out = out.replace(letter, letter + "<wbr>")
    return out
