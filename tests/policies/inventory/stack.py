"""Resources of small stacks, and what the inventory and the rules say of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policies.identity_scope.iam.documents import Effect
from policies.identity_scope.inventory.accounts import Origin
from policies.identity_scope.inventory.inventory import Inventory
from policies.identity_scope.inventory.vended import Declared, Obstacle, VendedRole
from policies.identity_scope.pack.configuration import Config
from policies.identity_scope.pack.judges import JUDGES
from policies.identity_scope.sources.pulumi import Resource, facts
from tests.policies.pack.engine import ME, POOL, allow, document, trust, trust_of

ACCOUNT, OTHER_ACCOUNT = "123456789012", "999999999999"
OTHER_POOL = "us-east-1:cccccccc-1111-4222-8333-dddddddddddd"
ATTACHMENT = "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment"
LAMBDA = trust_of({"Service": "lambda.amazonaws.com"})
READ = allow("arn:aws:s3:::bkt/*")
OWN = allow(f"arn:aws:s3:::bkt/{ME}/*")
DENY = {"Effect": "Deny", "Action": "s3:*", "NotResource": f"arn:aws:s3:::bkt/{ME}/*"}
WIDE, OWN_FOLDER, GUARD = document([READ]), document([OWN]), document([DENY])
GUARDED = document([READ, DENY])


def resource(type_: str, label: str, /, depends: Mapping[str, Iterable[str]] | None = None, **props: Any) -> Resource:
    place = props.pop("origin", Origin())
    inputs = props.pop("inputs", None)
    urn = f"urn:pulumi:test::pack::{type_}::{label}"
    return Resource(urn, type_, label, props, {k: tuple(v) for k, v in (depends or {}).items()}, place, inputs)


def role(name: str = "role", /, **props: Any) -> Resource:
    label = props.pop("label", name)
    return resource("aws:iam/role:Role", label, **{"name": name, "assumeRolePolicy": trust(), **props})


def role_arn(name: str = "role", account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def policy_arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:policy/{name}"


def role_policy(text: Any, of: Any = "role", label: str = "access", **props: Any) -> Resource:
    return resource("aws:iam/rolePolicy:RolePolicy", label, **{"name": label, "role": of, "policy": text, **props})


def policy(text: Any, name: str = "managed", /, **props: Any) -> Resource:
    label = props.pop("label", name)
    arn = policy_arn(name)
    return resource("aws:iam/policy:Policy", label, **{"name": name, "arn": arn, "policy": text, **props})


def attach(arn: Any, of: Any = "role", label: str = "attach", **props: Any) -> Resource:
    type_ = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    return resource(type_, label, **{"role": of, "policyArn": arn, **props})


def vend(arn: Any, pool: Any = POOL, label: str = "vend", **props: Any) -> Resource:
    return resource(ATTACHMENT, label, **{"identityPoolId": pool, "roles": {"authenticated": arn}, **props})


def pool(label: str = "pool", **props: Any) -> Resource:
    settings = {"identityPoolName": label, "allowUnauthenticatedIdentities": False, "allowClassicFlow": False}
    return resource("aws:cognito/identityPool:IdentityPool", label, **{**settings, **props})


def inventory(resources: Iterable[Resource]) -> Inventory:
    return Inventory.of(facts(each) for each in resources)


def vended(resources: Iterable[Resource], declared: Declared | None = None) -> dict[str, VendedRole]:
    """The vended roles, by label."""
    return {each.label: each for each in inventory(resources).vended(declared or Declared())}


def documents(role: VendedRole) -> dict[str, str]:
    """The labels of a role's documents, each with the effects of its statements: `A` and `D`."""
    return {
        label: "".join("A" if s.effect is Effect.ALLOW else "D" for s in text.statements)
        for label, text in role.principal.documents
    }


def problems(obstacles: Iterable[Obstacle]) -> list[tuple[str, str, bool]]:
    return [(each.label, each.problem, each.pending) for each in obstacles]


def findings(resources: Iterable[Resource], config: Config | None = None) -> set[tuple[str, str, bool]]:
    """What the rules say of a whole stack: (rule, text, whether it is decided at update)."""
    config = config or Config()
    stack = inventory(resources)
    roles = stack.vended(config.known)
    return {
        (name, finding.text, finding.pending)
        for name, judge in JUDGES.items()
        for finding in judge(stack, roles, config, None)
    }
