"""The plugin: `pulumi package add` gives the component to every Pulumi language."""

from pulumi.provider.experimental import component_provider_host
from scoped_identity import ScopedIdentityPool
from scoped_identity.component import PACKAGE

component_provider_host(name=PACKAGE, components=[ScopedIdentityPool], version="0.1.0")
