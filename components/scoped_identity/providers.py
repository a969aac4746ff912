"""Identity providers: who vouches that somebody is who they are, and under which key AWS knows each.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/external-identity-providers.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from . import formats
from .aws import partition_of
from .formats import Check, region_of_user_pool
from .reader import PENDING, Section, shown


class ProviderKind(Enum):
    SOCIAL = "social"
    OIDC = "oidc"
    SAML = "saml"
    DEVELOPER = "developer"


@dataclass(frozen=True)
class PrincipalTags:
    """Claims that become tags of the session, or AWS's defaults, `username` from `sub` and `client` from `aud`, or none.

    Source: https://docs.aws.amazon.com/cognito/latest/developerguide/attributes-for-access-control.html
    """

    claims: tuple[tuple[str, str], ...]
    defaults: bool


@dataclass(frozen=True)
class UserPool:
    id: str
    clients: tuple[str, ...]
    region: str
    server_side_token_check: bool = True
    tags: PrincipalTags | None = None

    @property
    def name(self) -> str:
        """The key of `logins` for this pool: no scheme, the pool's own region.

        Source: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-integrating-user-pools-with-identity-pools.html
        """
        suffix = partition_of(self.region).dns_suffix
        return f"cognito-idp.{self.region}.{suffix}/{self.id}"


@dataclass(frozen=True)
class Provider:
    """A provider that is not a user pool.

    Attributes:
        ref: how the settings call it: `google`, …, or its ARN.
        name: how AWS calls it: the key of SupportedLoginProviders, the ARN, or the developer provider's name.
        app: the app's id there; None for providers that are IAM's.
    """

    kind: ProviderKind
    ref: str
    name: str
    app: str | None = None
    tags: PrincipalTags | None = None

    @property
    def login(self) -> str:
        """The key under which a client hands its token over."""
        if self.kind is ProviderKind.OIDC:
            return self.name.partition(":oidc-provider/")[2]
        return self.name


SOCIAL: dict[str, tuple[str, str, Check]] = {
    "facebook": ("graph.facebook.com", "app_id", formats.facebook_app),
    "google": ("accounts.google.com", "client_id", formats.google_client),
    "apple": ("appleid.apple.com", "services_id", formats.apple_services),
    "amazon": ("www.amazon.com", "app_id", formats.amazon_app),
}
"""Key in the settings to AWS's name, the key of the app's id, and what such an id looks like."""

TWITTER = "api.twitter.com"


def user_pools(top: Section) -> tuple[UserPool, ...]:
    return tuple(_user_pool(item) for item in top.sections("user_pools", "{id: …, clients: […]}"))


def _user_pool(section: Section) -> UserPool:
    pool_id = section.text("id", formats.user_pool_id)
    clients = section.texts("clients", formats.client_id, "a list of app client IDs")
    region = PENDING if pool_id == PENDING else region_of_user_pool(pool_id)
    check = section.flag("server_side_token_check", True)
    tags = _principal_tags(section)
    section.close()
    return UserPool(pool_id, clients, region, check, tags)


def others(top: Section) -> tuple[Provider, ...]:
    """The providers that are not user pools."""
    section = top.optional_section("providers", "{google: {clientId: …}, oidc: [{arn: …}], …}")
    if section is None:
        return ()
    providers: list[Provider] = []
    for ref, (name, key, check) in SOCIAL.items():
        item = section.optional_section(ref, f"{{{shown(key)}: …}}")
        if item is not None:
            providers.append(Provider(ProviderKind.SOCIAL, ref, name, item.text(key, check), _principal_tags(item)))
            item.close()
    twitter = section.optional_section("twitter", "{consumerKey: …, consumerSecret: …}")
    if twitter is not None:
        parts = [twitter.text(key, formats.twitter_key) for key in ("consumer_key", "consumer_secret")]
        providers.append(Provider(ProviderKind.SOCIAL, "twitter", TWITTER, ";".join(parts), _principal_tags(twitter)))
        twitter.close()
    for kind, check in ((ProviderKind.OIDC, formats.oidc_arn), (ProviderKind.SAML, formats.saml_arn)):
        for item in section.sections(kind.value, "{arn: …}"):
            arn = item.text("arn", check)
            providers.append(Provider(kind, arn, arn, None, _principal_tags(item)))
            item.close()
    developer = section.optional_section("developer", "{name: …}")
    if developer is not None:
        name = developer.text("name", formats.developer_provider)
        providers.append(Provider(ProviderKind.DEVELOPER, "developer", name, None))
        developer.close()
    section.close()
    return tuple(providers)


def _principal_tags(section: Section) -> PrincipalTags | None:
    """`{claims: {TAG: CLAIM}}`, or `{defaults: true}`, or `{defaults: false}` for no tags."""
    tags = section.optional_section("principal_tags", "{claims: {TAG: CLAIM}} or {defaults: true}")
    if tags is None:
        return None
    claims = tags.texts_by_key("claims", "a map from tag to claim", 50)
    defaults = tags.flag("defaults", False)
    tags.close()
    unset = not claims and not tags.has("defaults")
    if (unset or (claims and defaults)) and not tags.reader.failed(tags.path):
        tags.reader.report(
            tags.path, "must be either {claims: {TAG: CLAIM}} or {defaults: true}; {defaults: false} sends no tags"
        )
    return PrincipalTags(claims, defaults)
