"""The attempts with a pool whose folders are named by a claim: what makes such folders leak in other stacks.

Two users of one tenant and of different ones, a username that begins with another's and a slash, a user who takes another's
e-mail address, and a user whose provider sends no tags.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..aws.regions import region_of_user_pool
from ..aws.server import Sandbox
from . import account
from .account import AppConfig
from .attempts import AccessCheck, Person, Result

if TYPE_CHECKING:
    from .access_checks import AccessChecks

EMAIL = "bob@example.com"
"""B's e-mail address, which another user takes."""


class ClaimChecks:
    """The attempts of A, B and users with odd names."""

    def __init__(self, checks: AccessChecks, sandbox: Sandbox, app: AppConfig, pool_id: str, provider: str) -> None:
        self._checks = checks
        self._sandbox = sandbox
        self._app = app
        self._pool_id = pool_id
        self._provider = provider

    def rows(self, a: Person, b: Person) -> Iterator[AccessCheck]:
        if self._app.by_tenant:
            yield from self._colleagues(a)
        yield from self._slash()
        if self._app.user_pools:
            yield from self._changes(b)
        yield from self._no_tags(a)

    def _colleagues(self, a: Person) -> Iterator[AccessCheck]:
        tenant = str(a.claims[self._app.tenant_claim])
        colleague = self._checks.sign_in("carol", tenant)
        yield self._gets("a colleague of A", "a file of their tenant", colleague, self._checks.folder(a), allowed=True)

    def _slash(self) -> Iterator[AccessCheck]:
        """Users, or tenants, of which one has a name within the folder of the other: it has no folder then."""
        ann, other = (self._checks.sign_in(name, name) for name in ("ann", "ann/x"))
        folder = self._checks.folder(other)
        who, name = ("a user of ann/x", "the tenant") if self._app.by_tenant else ("ann/x", "the user")
        yield self._puts(who, f"in the folder of {name} ann/x", other, folder, allowed="/" not in self._name(other))
        if "/" not in self._name(other):
            yield self._gets("ann", "the file of ann/x", ann, folder)
        yield self._gets(who, f"a file of {name} ann", other, self._checks.folder(ann))

    def _name(self, person: Person) -> str:
        return str(person.claims[self._app.folder_claim])

    def _changes(self, b: Person) -> Iterator[AccessCheck]:
        """What a user changes in the own profile."""
        pool, (client, *_) = self._app.user_pools[0]
        idp = self._sandbox.client("cognito-idp", region_of_user_pool(pool))
        self._checks.sign_in("eve", "tenant-of-eve")
        token = account.tokens(self._sandbox, pool, client, "eve")["AccessToken"]

        def change(name: str, value: str) -> Any:
            return idp.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": name, "Value": value}])

        yield self._checks.row("eve", "change the own e-mail address to B's", lambda: change("email", EMAIL))
        eve = self._checks.sign_in_again("eve")
        yield self._gets("eve", "B's file after that", eve, self._checks.folder(b))
        if self._app.tenant_claim:
            tenant, value = self._app.tenant_claim, str(b.claims[self._app.tenant_claim])
            yield self._checks.row("eve", "change the own tenant to B's", lambda: change(tenant, value), Result.REFUSED)

    def _no_tags(self, a: Person) -> Iterator[AccessCheck]:
        """A user of a provider that sends no tags: the provider of the others, without its tag map for a moment."""
        client = self._sandbox.client("cognito-identity", self._app.region)
        provider = self._tagging_provider()
        at = {"IdentityPoolId": self._pool_id, "IdentityProviderName": provider}
        tag_map = client.get_principal_tag_attribute_map(**at)
        client.set_principal_tag_attribute_map(**at, UseDefaults=False, PrincipalTags={})
        try:
            person = self._checks.sign_in("fay")
        finally:
            before = {key: tag_map[key] for key in ("UseDefaults", "PrincipalTags") if key in tag_map}
            client.set_principal_tag_attribute_map(**at, **before)
        yield self._gets("a user without tags", "A's file", person, self._checks.folder(a))

    def _tagging_provider(self) -> str:
        """The provider's name in the pool; for OpenID Connect, that is the ARN."""
        if self._app.user_pools:
            return self._provider
        return self._sandbox.identity.provider(self._sandbox.identity.pools[self._pool_id], self._provider)[0]

    def _gets(self, who: str, what: str, person: Person, folder: str, allowed: bool = False) -> AccessCheck:
        admin = self._sandbox.client("s3", self._app.region)
        s3 = self._sandbox.client("s3", self._app.region, person.credentials)
        at = {"Bucket": self._app.bucket, "Key": f"{folder}secret.txt"}
        admin.put_object(**at, Body=b"secret")
        expected = Result.ALLOWED if allowed else Result.DENIED
        return self._checks.row(who, f"get {what}", lambda: s3.get_object(**at), expected)

    def _puts(self, who: str, where: str, person: Person, folder: str, allowed: bool) -> AccessCheck:
        s3 = self._sandbox.client("s3", self._app.region, person.credentials)
        expected = Result.ALLOWED if allowed else Result.DENIED
        at = {"Bucket": self._app.bucket, "Key": f"{folder}secret.txt"}
        return self._checks.row(who, f"put a file {where}", lambda: s3.put_object(**at, Body=b"secret"), expected)
