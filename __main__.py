"""The program: stack config → scoped identity pool → outputs."""

import pulumi

from components.scoped_identity import ScopedIdentityPool
from components.scoped_identity.config import pool_args

pool = ScopedIdentityPool("users", pool_args())

pulumi.export("identityPoolId", pool.identity_pool_id)
pulumi.export("identityPoolArn", pool.identity_pool_arn)
pulumi.export("roleArns", pool.role_arns)
pulumi.export("uncheckedRoles", pool.unchecked_roles)
pulumi.export("region", pool.region)
pulumi.export("logins", pool.logins)
pulumi.export("folder", pool.folder)
pulumi.export("packConfig", pool.pack_config)
pulumi.export("amplify", pool.amplify)
