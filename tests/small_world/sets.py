"""Random sets of documents that are made of coincidences.

What a document says about keys and identities is put together from the IDs of a small world, their parts, IDs glued to
text, capitals, variables that are absent and have a default, runs of `?`, and stars; most of it around a folder that is
right, so that one thing is wrong at a time. A set is plain JSON: it can be printed, shrunk, and pasted into a test.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from policies.identity_scope.iam.documents import Document, DocumentKind, parse

from .keys import Keys
from .oracle import ACCOUNT, FOREIGN, ISSUER, LISTING, OBJECT_ACTIONS, Oracle, Place, Role, SharedSpace
from .people import CLAIMS, TEXTS, Person, SmallLogin, people, uuids
from .shape import FULL, SHAPES, SmallShape

ME = f"${{{ISSUER}:sub}}"
SUB = f"{ISSUER}:sub"
BUCKET, DOTTED, OTHER = "bkt", "b.t", "b0t"
FAR, NEAR = 18, 10
"""How far the keys of the first bucket go, and of the others; less far where an ID has 46 letters."""
BUCKET_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
Json = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class DocumentSet:
    """Roles, with their documents and boundary; bucket policies by bucket; what is declared: shared spaces, and the only
    folders; and the names of the roles that are asked about, where it is not all of them.

    Attributes:
        other: the form of IDs of a second region that the pools may be in.
    """

    shape: SmallShape
    roles: list[Json]
    policies: dict[str, Json] = field(default_factory=dict)
    shared: list[Json] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    focus: list[str] = field(default_factory=list)
    other: SmallShape | None = None
    tenants: list[str] = field(default_factory=list)

    @property
    def raw(self) -> Json:
        return {
            "tenants": self.tenants,
            "roles": self.roles,
            "policies": self.policies,
            "shared": self.shared,
            "folders": self.folders,
            "focus": self.focus,
        }

    @cached_property
    def text(self) -> str:
        return json.dumps(self.raw)

    @property
    def shapes(self) -> tuple[SmallShape, ...]:
        return (self.shape,) if self.other is None else (self.shape, self.other)

    @property
    def has_unknowns(self) -> bool:
        """Whether something in it is not known, so that it may rightly be neither proven nor refuted."""
        text = self.text if any("logins" not in role for role in self.roles) else _TAG.sub("", self.text)
        return _UNKNOWN.search(text) is not None

    @property
    def has_texts(self) -> bool:
        """Whether some tag is a text: what needs two values of it to be equal, or not to be, may rightly not be proven."""
        return any(not CLAIMS[c].uuid for login in self.logins for _, c in login.tags if not c.startswith("="))

    @cached_property
    def logins(self) -> tuple[SmallLogin, ...]:
        """The logins that can get some role."""
        return tuple(dict.fromkeys(login for role in self.parsed[0] for login in role.logins or ()))

    @cached_property
    def parsed(self) -> tuple[tuple[Role, ...], dict[str, Document], tuple[SharedSpace, ...]]:
        roles = tuple(
            Role(
                f"role{n}",
                tuple(parse(d) for d in role["documents"]),
                parse(role["boundary"]) if role.get("boundary") else None,
                tuple(map(SmallLogin.of, role["logins"])) if "logins" in role else None,
            )
            for n, role in enumerate(self.roles)
        )
        policies = {bucket: parse(d, DocumentKind.RESOURCE) for bucket, d in self.policies.items()}
        return roles, policies, tuple(SharedSpace(s["pattern"], tuple(s["actions"])) for s in self.shared)

    def oracles(self, far: int = FAR) -> list[Oracle]:
        """One for each form of IDs."""
        return [self._oracle(shape, far) for shape in self.shapes]

    def _oracle(self, shape: SmallShape, far: int) -> Oracle:
        far = min(far, FAR - 4) if shape.some else far
        roles, policies, shared = self.parsed
        text = self.text
        letters = set(":xz")
        if not shape.some:
            letters |= {*shape.region, *shape.digits, *("-" if len(shape.groups) > 1 else "")}
        if "${*}" in text or "Equals" in text:
            letters.add("*")
        names = list(shape.identities)
        if self.logins:
            letters.add("a")
            names += uuids(shape)
            far -= 2
        if "IgnoreCase" in text or shape.region.upper() + ":" in text:
            # There are more keys of each length, so shorter ones have to do.
            far -= 2
            letters |= {letter.upper() for letter in letters}
            names += [name.upper() for name in names]
        if shape.some:
            # Of an ID's parts, those that the documents speak of.
            parts = {p for p in re.split(r"[/*?}'\"]", text) if len(p) > 1 and any(p in i for i in names)}
            names += sorted(parts - {*names})[:8]
        if '"2012-10-17"' not in text or text.count('"Statement"') > text.count('"2012-10-17"'):
            names.append(ME)  # as it stands, in a document whose Version does not expand it
        named = [bucket for bucket in ("bat", "bZt") if bucket in text or "bQt" in text]
        others = (b for b in (DOTTED, OTHER, *named, *self.policies) if b != BUCKET)
        places = {Place(BUCKET): far, **{Place(bucket): min(NEAR, far) for bucket in others}}
        keys = _keys("".join(sorted(letters)), tuple(names))
        people_: tuple[Person, ...] = ()
        if self.logins:
            texts = dict.fromkeys((*TEXTS, *(t for t in re.findall(r'"([a-z/]{1,4})"', text))))
            people_ = people(shape, self.logins, list(texts), self.tenants)
        every = keys, places, people_, tuple(self.tenants), text.lower()
        return Oracle(shape, roles, policies, shared, tuple(self.folders), tuple(self.focus), *every)


_UNKNOWN = re.compile(
    r"aws:SourceIp|aws:SecureTransport|aws:PrincipalTag|:aud|:amr|NotPrincipal|\$\{s3:prefix|\$\{\}"
    r"|(?:Arn|Numeric|Date|Binary)\w*\": \{|\"(?:\w+:)?Bool\w*\": \{|IpAddress",
    re.IGNORECASE,
)
"""What is not known of a request, or not stated for a value that is no number, ARN or the like."""


_TAG = re.compile("aws:PrincipalTag", re.IGNORECASE)


@lru_cache(maxsize=8)
def _keys(letters: str, names: tuple[str, ...]) -> Keys:
    return Keys(letters, names)


def role_arns(shape: SmallShape) -> list[str]:
    """ARNs of roles that an escalation may be about."""
    return [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("x", "role0", *shape.identities)]


class Maker:
    """Makes sets from a stream of random numbers."""

    def __init__(self, random_: random.Random, shape: SmallShape, other: SmallShape | None = None) -> None:
        self._random = random_
        self.shape = shape
        self.other = other

    def _some(self, *choices: tuple[float, T | Callable[[], T]]) -> T:
        """One of some, by weight; what can be called is called."""
        (found,) = self._random.choices([c for _, c in choices], [w for w, _ in choices])
        return found() if callable(found) else found

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _few(self, make: Any, *weights: float) -> list[Any]:
        """One of something, or two, or three, by weight."""
        (count,) = self._random.choices(range(1, len(weights) + 1), weights)
        return [make() for _ in range(count)]

    # A whole set

    def make_tagged(self) -> DocumentSet:
        """A set in which tags take the place of some IDs, with the logins that send them."""
        made = self.make() if self._chance(0.5) else DocumentSet(self.shape, [self._one_statement()])
        logins = self._few(self._login, 60, 30, 10)
        if self._chance(0.3):
            # Another provider of the same kind, with the same claims.
            twin = {"p": "q", "q": "p", "o": "i", "i": "o"}[logins[0]["provider"]]
            logins.append({**logins[0], "provider": twin})
        names = {login["provider"]: login for login in logins}  # a provider has one map
        raw = json.loads(self._tagged(json.dumps({**made.raw, "tenants": []})))
        for role in raw["roles"]:
            some = [login for login in names.values() if self._chance(0.8)]
            role["logins"] = some or [next(iter(names.values()))]
        if self._chance(0.2):
            raw["tenants"] = ["t"]
        return DocumentSet(self.shape, other=None, **raw)

    def _one_statement(self) -> Json:
        listing = {"StringLike": {"s3:prefix": self._few(self._prefix, 8, 1)}}
        statements: list[Json] = [
            self._objects(),
            self._listing(),
            {**self._allow(["s3:ListBucket"], [f"arn:aws:s3:::{BUCKET}"]), "Condition": listing},
            {**self._allow(["s3:GetObject"], [self._resource()]), **self._conditions(1)},
        ]
        statement = self._random.choice(statements)
        return {"documents": [{"Version": "2012-10-17", "Statement": [statement]}]}

    def _login(self) -> Json:
        kind, provider = self._some(
            (4, ("USER_POOL", "p")), (2, ("USER_POOL", "q")), (2, ("OIDC", "o")), (1, ("OIDC", "i"))
        )
        claims = ["sub", "name", "mail", "team"] if kind == "USER_POOL" else ["id", "mail", "team"]
        tags: Json = {}
        for key, chance in (("t", 0.85), ("u", 0.3)):
            if self._chance(chance):
                tags[key] = self._some((3, claims[0]), (5, self._random.choice(claims)), (0.7, "=x"))
        return {"provider": provider, "kind": kind, "tags": tags}

    def _tagged(self, text: str) -> str:
        def variable(match: re.Match[str]) -> str:
            return self._some(
                (4, match[0]),
                (8, "${aws:PrincipalTag/t}"),
                (2, "${aws:PrincipalTag/u}"),
                (2, "${aws:PrincipalTag/t, 'x'}"),
            )

        def key(match: re.Match[str]) -> str:
            return self._some((3, match[0]), (4, '"aws:PrincipalTag/t":'), (1, '"aws:principaltag/U":'))

        def value(match: re.Match[str]) -> str:
            some = self._random.choice([*uuids(self.shape)[:2], "a", "a/x", "x", "?*", "*/*", "a*"])
            return self._some((1, match[0]), (1, f'"{some}"'))

        def file(match: re.Match[str]) -> str:
            """A file for each value in the place of a folder, which a text with a slash is not enough to leave."""
            return match[1] + (self._some((2, ""), (1, "/x")) if self._chance(0.4) else "/*")

        text = re.sub(re.escape(ME), variable, text)
        text = re.sub(r"(\$\{aws:PrincipalTag/[tu]\})/\*", file, text)
        text = re.sub(f'"{re.escape(SUB)}":', key, text)
        return re.sub("|".join(f'"{re.escape(identity)}"' for identity in self.shape.identities), value, text)

    def make(self) -> DocumentSet:
        if self._chance(0.01):
            return self._every_other_letter()
        if self._chance(0.15):
            return self._guarded()
        if self._chance(0.15):
            return self._one_thing_more()
        if self._chance(0.06):
            return self._split()
        if self._chance(0.02):
            return self._declared()
        roles = self._few(self._role, 80, 17, 3)
        policies = {self._some((5, BUCKET), (1, OTHER)): self._bucket_policy()} if self._chance(0.25) else {}
        if policies and self._chance(0.2):
            roles[0]["boundary"] = self._document(self._boundary_statement)
        if policies and self._chance(0.15):
            # Nothing of its own.
            roles[0]["documents"] = [self._document(lambda: self._allow(["s3:GetObject"], ["arn:aws:s3:::abc/x"]))]
        shared = self._few(self._shared, 3, 1) if self._chance(0.12) else []
        folders = (
            self._few(lambda: self._some((3, f"{BUCKET}/"), (2, f"{BUCKET}/x/")), 2, 1) if self._chance(0.05) else []
        )
        focus = ["role0"] if len(roles) > 1 and self._chance(0.3) else []
        return DocumentSet(self.shape, roles, policies, shared, folders, focus, self.other)

    def _declared(self) -> DocumentSet:
        """A space that is shared for actions that exist, of which a wildcard names more."""
        wildcard = self._some((3, "s3:?etObject"), (1, "s3:*Object"), (1, "s3:*"))
        resource = f"arn:aws:s3:::{BUCKET}/{self._some((2, 'x/*'), (1, self.key))}"
        actions = ["s3:GetObject"] if wildcard == "s3:?etObject" else list(OBJECT_ACTIONS)
        pattern = f"{BUCKET}/{self._some((2, '*'), (1, 'x/*'), (1, self._part() + '*'))}"
        document = {"Version": "2012-10-17", "Statement": [self._allow([wildcard], [resource])]}
        return DocumentSet(
            self.shape, [{"documents": [document]}], shared=[{"pattern": pattern, "actions": actions}], other=self.other
        )

    def _split(self) -> DocumentSet:
        """Actions that are granted together, and that a condition on the ID, a Deny or another document tells apart."""
        several = self._some((2, ["s3:GetObject", "s3:PutObject"]), (2, ["s3:*Object"]), (1, ["s3:*"]), (1, ["s3:Zz*"]))
        together = {**self._allow(several, [f"arn:aws:s3:::{BUCKET}/{self.key()}"]), **self._conditions(0.3)}
        one = self._some((3, ["s3:PutObject"]), (1, ["s3:Put*"]), (1, ["s3:GetObject", "s3:ZzTop"]))
        effect = self._some((1, "Allow"), (1, "Deny"))
        conditions = self._conditions(0.9)
        key = self._key_of_another if effect == "Allow" else self.key
        apart = {"Effect": effect, "Action": one, "Resource": [self._resource(key)], **conditions}
        if effect == "Deny" and self._chance(0.5):
            apart["NotResource"] = apart.pop("Resource")
        statements = [together, apart, *([self._statement()] if self._chance(0.3) else [])]
        documents = [{"Version": "2012-10-17", "Statement": statements}]
        if self._chance(0.3):
            documents = [{"Version": "2012-10-17", "Statement": [s]} for s in statements]
        return DocumentSet(self.shape, [{"documents": documents}], other=self.other)

    def _every_other_letter(self) -> DocumentSet:
        """A bucket, or an object, that every letter but one is denied for."""
        left = self._random.choice("k.0aZ")
        others = [c for c in BUCKET_LETTERS if c != left]
        first = self._random.choice([f"arn:aws:s3:::b?t/{self.key()}", f"arn:aws:s3:::b?t/x/{ME}/*"])
        statements = [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": first},
            {"Effect": "Deny", "Action": "s3:*", "Resource": [f"arn:aws:s3:::b{c}t/*" for c in others]},
        ]
        return DocumentSet(self.shape, [{"documents": [{"Version": "2012-10-17", "Statement": statements}]}])

    def _one_thing_more(self) -> DocumentSet:
        """The own folder, as it should be, and one statement."""
        own = self._allow(["s3:GetObject"], [f"arn:aws:s3:::{BUCKET}/{ME}/*"])
        more: Json = self._some((2, lambda: self._objects()), (2, lambda: self._listing()), (1, self._widening))
        return DocumentSet(
            self.shape, [{"documents": [{"Version": "2012-10-17", "Statement": [own, more]}]}], other=self.other
        )

    def _guarded(self) -> DocumentSet:
        """Too wide a grant, and a Deny somewhere that takes the rest away, or nearly."""
        wide: Json = self._allow(["s3:GetObject"], [f"arn:aws:s3:::{BUCKET}/{self._some((3, '*'), (1, self.key))}"])
        kept = [f"arn:aws:s3:::{BUCKET}/{key}" for key in self._few(self.key, 70, 25, 5)]
        guard: Json = {"Effect": "Deny", "Action": "s3:*", "NotResource": kept, **self._conditions(0.3)}
        if self._chance(0.1):
            guard["Condition"] = self._unknown_condition()
        elif self._chance(0.06):
            # It is not valid where the variable has no value.
            absent = self._some((2, "${s3:prefix}"), (1, "${aws:PrincipalTag/team}"))
            guard["Condition"] = {"StringNotEquals": {SUB: [absent]}}
        if self._chance(0.2):
            guard["Resource"] = guard.pop("NotResource")
        elif self._chance(0.2):
            # The Deny says what the Allow says, but its `*` may not span a colon.
            wide["Resource"] = [f"arn:aws:s3:::{BUCKET}/{self._some((1, '*x'), (1, '*/x'), (1, '*?x*'), (1, '*/*/x'))}"]
            guard["Resource"] = [*wide["Resource"]]
            del guard["NotResource"]
        role: Json = {"documents": [{"Version": "2012-10-17", "Statement": [wide]}]}
        if self._chance(0.3):
            role["documents"] += [self._document()]
        found = DocumentSet(self.shape, [role], other=self.other)
        version = {"Version": "2012-10-17"} if self._chance(0.9) else {}
        place = self._some((2, "own"), (1, "boundary"), (3, "bucket policy"))
        if place == "own":
            role["documents"].append({**version, "Statement": [guard]})
        elif place == "boundary":
            role["boundary"] = {**version, "Statement": [self._all(), guard]}
        else:
            found.policies[BUCKET] = {**version, "Statement": [{"Principal": self._principal(), **guard}]}
        if self._chance(0.25):
            # Open to whoever has no credentials, whatever the role is denied.
            opened = {
                "Principal": "*",
                **self._allow(["s3:GetObject"], [self._resource(self._key_of_another)]),
                **self._for_nobody(),
            }
            policy = found.policies.setdefault(BUCKET, {"Version": "2012-10-17", "Statement": []})
            policy["Statement"].append(opened)
        return found

    def _for_nobody(self) -> Json:
        """Conditions that may hold where there is no identity."""
        blocks: Json = self._some(
            (2, {}),
            (1, {"Null": {SUB: "true"}}),
            (1, {"StringNotLike": {SUB: "*"}}),
            (1, {"StringEqualsIfExists": {SUB: [self._part()]}}),
            (1, {"ForAnyValue:StringNotEquals": {SUB: [self._identity()]}}),
        )
        return {"Condition": blocks} if blocks else {}

    def _role(self) -> Json:
        role: Json = {"documents": self._few(self._document, 80, 20)}
        if self._chance(0.12):
            role["boundary"] = self._document(self._boundary_statement)
        return role

    def _document(self, statement: Any = None) -> Json:
        version = {"Version": "2012-10-17"} if self._chance(0.95) else {}
        return {**version, "Statement": self._few(statement or self._statement, 55, 32, 13)}

    def _bucket_policy(self) -> Json:
        def statement() -> Json:
            made: Json = self._statement()
            principal = self._principal()
            negated = "*" not in json.dumps(principal) and self._chance(0.03)
            return {"NotPrincipal" if negated else "Principal": principal, **made}

        return self._document(statement)

    def _principal(self) -> Any:
        role = f"arn:aws:iam::{ACCOUNT}:role"
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role"
        return self._some(
            (5, {"AWS": f"{role}/role0"}),
            (2, {"AWS": f"{role}/role1"}),
            (3, {"AWS": f"{session}/role0/CognitoIdentityCredentials"}),
            (1, {"AWS": f"{session}/role0/somebody"}),
            (2, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
            (2, {"AWS": ACCOUNT}),
            (1, {"AWS": [f"{role}/other", f"{role}/role0"]}),
            (1, {"AWS": f"{role}/other"}),
            (1, {"AWS": "999988887777"}),
            (4, "*"),
            (2, {"AWS": "*"}),
            (1, {"Federated": ISSUER}),
            (1, {"Service": "cloudfront.amazonaws.com"}),
        )

    def _shared(self) -> Json:
        pattern = self._some(
            (3, f"{BUCKET}/x/*"),
            (2, f"{BUCKET}/{self._identity()}/*"),
            (1, f"{BUCKET}/{self._part()}*"),
            (1, f"{BUCKET}/*/x"),
            (1, f"b?t/{self._text()}*"),
            (1, f"{BUCKET}/x"),
            (1, "*/x/*"),
        )
        actions = [*OBJECT_ACTIONS, *LISTING]
        return {"pattern": pattern, "actions": self._random.sample(actions, self._random.choice([1, 3, 5]))}

    # Statements

    def _allow(self, actions: list[str], resources: list[str]) -> Json:
        return {"Effect": "Allow", "Action": actions, "Resource": resources}

    def _statement(self) -> Json:
        return self._some((60, self._objects), (22, self._listing), (15, self._deny), (7, self._widening))

    def _boundary_statement(self) -> Json:
        return self._some(
            (2, self._objects), (1, self._listing), (1, self._deny), (2, self._all), (0.7, self._tomorrow)
        )

    def _tomorrow(self) -> Json:
        """All of what some wildcard names, of which nothing exists today."""
        return {"Effect": "Allow", "Action": self._some((2, "s3:Zz*"), (2, "s3:*Qx"), (1, "s3:??")), "Resource": "*"}

    def _all(self) -> Json:
        return {"Effect": "Allow", "Action": "*", "Resource": "*", **self._conditions(0.2)}

    def _objects(self, effect: str = "Allow") -> Json:
        actions = self._some(
            (8, ["s3:GetObject"]),
            (3, ["s3:PutObject"]),
            (1.5, ["s3:GetObject", "s3:PutObject"]),
            (1, ["S3:getobject"]),
            (2, ["s3:*Object"]),
            (1, ["s3:*"]),
            (0.5, ["*"]),
            (0.5, ["s3:Zz*"]),
            (0.3, ["s3:Zz?Object", "s3:Get*Qx"]),
            (0.5, ["s3:*Qx"]),
            (0.3, ["s3:?etObject"]),
        )
        negated = self._chance(0.05 if effect == "Allow" else 0.4)
        conditions = self._conditions(0.3)
        key = self._key_of_another if conditions and self._chance(0.5) else self.key
        resources = self._few(lambda: self._resource(key), 70, 25, 5)
        statement: Json = {"Effect": effect}
        if self._chance(0.04):
            statement["NotAction"] = self._some(
                (1, ["s3:GetObject"]),
                (1, ["s3:Put*"]),
                (1, ["iam:*", "s3:*Bucket*"]),
                (1, ["s3:*Object"]),
                (0.5, ["s3:*"]),
                (0.5, ["s3:GetObject", "s3:Zz*"]),
            )
        else:
            statement["Action"] = actions
        statement["NotResource" if negated else "Resource"] = resources
        return {**statement, **conditions}

    def _deny(self) -> Json:
        return self._some(
            (15, lambda: self._objects("Deny")), (5, lambda: self._listing("Deny")), (2, self._everybodys_deny)
        )

    def _everybodys_deny(self) -> Json:
        """One of a single action, which a condition that every ID meets restricts to nobody."""
        condition = {"StringLike": {SUB: self._some((1, f"{self.shape.region}:*"), (1, "?*"))}}
        return {"Effect": "Deny", "Action": ["s3:GetObject"], "Resource": "*", "Condition": condition}

    def _listing(self, effect: str = "Allow") -> Json:
        actions = self._some((4, ["s3:ListBucket"]), (1, ["s3:List*"]), (1, ["s3:ListBucketVersions", "s3:ListBucket"]))
        bucket = self._some(
            (12, f"arn:aws:s3:::{BUCKET}"),
            (1, "arn:aws:s3:::b?t"),
            (1, "*"),
            (1, f"arn:aws:s3:::{BUCKET}*"),
            (0.5, f"arn:aws:s3:::{BUCKET}${{{FOREIGN[0]}:sub, ''}}"),
            (0.3, "arn:aws:s3:::${s3:prefix}"),
            (0.3, f"arn:aws:s3:::{BUCKET}${{s3:prefix,''}}"),
        )
        statement: Json = {"Effect": effect, "Action": actions, "Resource": [bucket]}
        if self._chance(0.03):
            statement["NotResource"] = statement.pop("Resource")
        blocks: Json = {}
        for _ in range(self._some((10, 1), (3, 2), (1, 0))):
            operator = self._some(
                (8, "StringLike"),
                (3, "StringEquals"),
                (2, "StringEqualsIgnoreCase"),
                (1, "StringNotLike"),
                (1, "StringNotEquals"),
                (0.5, "StringNotEqualsIgnoreCase"),
                (1, "StringLikeIfExists"),
                (0.5, "StringNotEqualsIfExists"),
                (0.5, "StringEqualsIgnoreCaseIfExists"),
                (0.2, self._odd_operator),
                (1, "ForAnyValue:StringLike"),
                (1, "ForAllValues:StringLike"),
                (0.5, "ForAnyValue:StringNotLike"),
                (0.5, "ForAllValues:StringEqualsIgnoreCase"),
            )
            blocks.setdefault(operator, {})["s3:prefix"] = self._few(self._prefix, 60, 30, 10)
        if self._chance(0.05):
            blocks["Null"] = {"s3:prefix": self._some((1, "true"), (3, "false"))}
        conditions = self._conditions(0.2).get("Condition", {})
        for operator, block in conditions.items():
            blocks.setdefault(operator, {}).update(block)
        return {**statement, **({"Condition": blocks} if blocks else {})}

    def _widening(self) -> Json:
        """What lets a role widen its reach."""
        actions, resources = self._some(
            (2, (["s3:PutBucketPolicy"], [f"arn:aws:s3:::{BUCKET}"])),
            (1, (["s3:PutBucket*"], [f"arn:aws:s3:::{BUCKET}", "arn:aws:s3:::b.?"])),
            (2, (["s3:ListBucketMultipartUploads"], [f"arn:aws:s3:::{BUCKET}"])),
            (2, (["iam:PutRolePolicy"], ["*"])),
            (1, (["iam:PutRolePolicy"], [f"arn:aws:iam::{ACCOUNT}:role/{ME}"])),
            (1, (["iam:PutRolePolicy"], [f"arn:aws:iam::{ACCOUNT}:role/{self._identity()}"])),
            (1, (["iam:Attach*"], ["arn:aws:iam::*:role/x"])),
            (1, (["cognito-identity:*"], ["*"])),
            (1, (["s3:PutBucketPolicy"], [self._resource()])),
        )
        effect = self._some((5, "Allow"), (1, "Deny"))
        return {"Effect": effect, "Action": actions, "Resource": resources, **self._conditions(0.7)}

    def _conditions(self, probability: float) -> Json:
        """Conditions that name identities; now and then one of which nothing is known."""
        if not self._chance(probability):
            return {}
        if self._chance(0.12):
            return {"Condition": self._unknown_condition()}
        blocks: Json = {}
        for _ in range(self._some((6, 1), (1, 2))):
            base = self._some(
                (5, "StringEquals"),
                (5, "StringLike"),
                (3, "StringNotEquals"),
                (3, "StringNotLike"),
                (2, "StringEqualsIgnoreCase"),
                (1, "StringNotEqualsIgnoreCase"),
                (0.6, self._odd_operator),
            )
            operator = self._some((8, ""), (1, "ForAnyValue:"), (1, "ForAllValues:")) + base
            operator += self._some((5, ""), (1, "IfExists"))
            key = self._some((12, SUB), (1, "Cognito-Identity.amazonaws.com:Sub"), (1, f"{FOREIGN[0]}:sub"))
            blocks.setdefault(operator, {})[key] = self._few(self._pattern_of_id, 60, 30, 10)
        if self._chance(0.08):
            blocks["Null"] = {self._some((3, SUB), (1, f"{FOREIGN[0]}:sub")): self._some((1, "true"), (2, "false"))}
        for block in blocks.values():
            if len({key.lower() for key in block}) < len(block):  # keys ignore case
                block.pop(next(iter(block)))
        return {"Condition": blocks}

    def _odd_operator(self) -> str:
        """One that does not fit text."""
        return self._some(
            (1, "ArnLike"),
            (1, "ArnEquals"),
            (1, "ArnNotLike"),
            (1, "ArnNotEquals"),
            (1, "NumericEquals"),
            (1, "NumericNotEquals"),
            (1, "NumericLessThan"),
            (1, "DateGreaterThan"),
            (1, "DateNotEquals"),
            (1, "Bool"),
            (1, "BinaryEquals"),
            (1, "IpAddress"),
            (1, "NotIpAddress"),
        )

    def _unknown_condition(self) -> Json:
        return self._some(
            (1, {"ForAnyValue:StringLike": {f"{ISSUER}:amr": self._some((1, "unauthenticated"), (1, "*auth*"))}}),
            (1, {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
            (1, {"StringEquals": {"aws:PrincipalTag/team": "red"}}),
            (1, {"Bool": {"aws:SecureTransport": "false"}}),
            (1, {"StringEquals": {f"{ISSUER}:aud": "r:pool"}}),
        )

    # Text

    def _resource(self, key: Callable[[], str] | None = None) -> str:
        if self._chance(0.02):
            return self._some(
                (1, "*"), (1, "arn:aws:s3:::*"), (1, "arn:aws:s3"), (1, f"arn:*:s3:::{BUCKET}/{self.key()}")
            )
        bucket = self._some((14, BUCKET), (1, "b?t"), (1, OTHER), (0.5, DOTTED), (0.5, "b*"))
        if self._chance(0.01):
            return f"arn:aws:s3:r:{ACCOUNT}:accesspoint/{self._some((1, 'p'), (1, '*'))}/object/{(key or self.key)()}"
        return f"arn:aws:s3:::{bucket}/{(key or self.key)()}"

    def _key_of_another(self) -> str:
        """What somebody whom a condition names may reach beside the own folder."""
        return self._some(
            (3, lambda: f"{self._identity()}/*"),
            (2, lambda: f"{self._part()}*"),
            (1, lambda: f"*{self._part()}/x"),
            (1, "*"),
            (1, lambda: f"{self._questions()}/*"),
            (1, "x/*"),
        )

    def key(self) -> str:
        """Mostly the own folder, or something right beside it."""
        return self._some(
            (30, f"{ME}/*"),
            (6, f"x/{ME}/*"),
            (4, f"{ME}/x"),
            (3, f"{ME}*"),
            (3, lambda: f"{self._identity()}/*"),
            (30, lambda: self._segments() + self._some((3, "/*"), (2, ""), (2, "*"), (1, "/x"), (1, "/"))),
        )

    def _prefix(self) -> str:
        return self._some(
            (20, f"{ME}/*"),
            (10, f"{ME}/"),
            (5, f"x/{ME}/*"),
            (3, f"{ME}"),
            (1, ""),
            (1, "*"),
            (1, "?*"),
            (20, lambda: self._segments() + self._some((2, "/"), (2, "/*"), (2, ""), (1, "*"))),
        )

    def _segments(self) -> str:
        return "/".join(self._few(self._segment, 40, 45, 15))

    def _segment(self) -> str:
        if self._chance(0.4):
            return self._text()
        return self._text() + self._text()

    def _text(self) -> str:
        return self._some(
            (12, ME),
            (5, self._identity),
            (5, self._part),
            (4, "*"),
            (2, "?"),
            (3, self._questions),
            (4, "x"),
            (2, self._default),
            (2, lambda: self._identity().upper()),
            (2, self._elsewhere),
            (0.5, "${s3:prefix}"),
            (0.3, "${S3:Prefix, 'x'}"),
            (1, "${*}"),
            (1, "z"),
            (0.5, ":"),
            (0.3, "${aws:PrincipalTag/t}"),
            (0.3, f"${{{ISSUER}:aud}}"),
            (0.3, f"${{{FOREIGN[0]}:sub}}"),
        )

    def _pattern_of_id(self) -> str:
        """What a condition on the ID compares it with."""
        return self._some(
            (8, self._identity),
            (3, lambda: self._identity().upper()),
            (4, lambda: self._part() + "*"),
            (4, lambda: "*" + self._part()),
            (2, lambda: "*" + self._part() + "*"),
            (2, self._with_questions),
            (2, self._default),
            (1, ME),
            (0.5, "${s3:prefix}"),
            (1, f"{self.shape.region}:*"),
            (1, self._elsewhere),
            (1, self._part),
            (1, "*"),
        )

    def _identity(self) -> str:
        shape = self.other if self.other is not None and self._chance(0.3) else self.shape
        return self._random.choice(shape.identities)

    def _part(self) -> str:
        """The beginning, the end or the middle of an ID."""
        identity = self._identity()
        start, end = sorted(self._random.sample(range(len(identity) + 1), 2))
        return self._some((2, identity[:end]), (2, identity[start:]), (1, identity[start:end])) or identity

    def _questions(self) -> str:
        """A run of `?` that is as long as an ID, or nearly."""
        return "?" * (len(self._identity()) + self._some((4, 0), (1, -1), (1, 1)))

    def _with_questions(self) -> str:
        return "".join("?" if self._chance(0.4) else letter for letter in self._identity())

    def _default(self) -> str:
        """An ID, or what completes a part of one, as the default of a variable that is absent."""
        foreign = f"{self._random.choice(FOREIGN)}:sub"
        identity = self._identity()
        at = self._random.randrange(len(identity))
        return self._some(
            (2, f"${{{foreign}, '{identity}'}}"),
            (3, f"{identity[:at]}${{{foreign}, '{identity[at:]}'}}"),
            (1, f"${{{foreign}, '{identity[:at]}'}}{identity[at:]}"),
            (1, f"${{{ISSUER}:sub, '{identity}'}}"),
            (0.5, f"${{{foreign}, 'x'}}"),
            (0.5, f"{identity[:at]}${{{foreign.upper()},'{identity[at:]}'}}"),
            (0.5, f"{identity[:at]}${{ {foreign} , '{identity[at:]}' }}"),
        )

    def _elsewhere(self) -> str:
        """An ID of another region, whose name ends as this one's does, or with which this one's ends."""
        identity = self._identity()
        return self._some((2, f"x{identity}"), (2, identity[1:]), (1, f"z:{identity.partition(':')[2]}"))


def make(random_: random.Random, shapes: Sequence[SmallShape] = (*SHAPES * 10, FULL)) -> DocumentSet:
    """Mostly of a small world; one set in thirty has IDs as AWS makes them, and a few have IDs of two regions."""
    shape = random_.choice(shapes)
    if not shape.some and random_.random() < 0.3:
        return Maker(random_, shape).make_tagged()
    others = [other for other in SHAPES if other is not shape and not shape.some]
    return Maker(random_, shape, random_.choice(others) if others and random_.random() < 0.06 else None).make()
