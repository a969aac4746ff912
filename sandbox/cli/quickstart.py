"""The text that `make serve` prints for a front-end developer: endpoints, IDs, and an example to paste."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..scenario.account import PASSWORD, AppConfig

_SIGN_IN = """\
const signIn = await new CognitoIdentityProviderClient(at).send(new InitiateAuthCommand({{
  AuthFlow: "USER_PASSWORD_AUTH",
  ClientId: "{client}",
  AuthParameters: {{ USERNAME: "alice", PASSWORD: "{password}" }},
}}));
const token = signIn.AuthenticationResult.IdToken;
"""
_IMPORT = (
    'import { CognitoIdentityProviderClient, InitiateAuthCommand } from "@aws-sdk/client-cognito-identity-provider";\n'
)
_CLAIMS = 'const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));\n'
_EXAMPLE = """\
// npm install {packages}@aws-sdk/credential-providers @aws-sdk/client-s3
// save as upload.mjs, run with: node upload.mjs
{imports}import {{ fromCognitoIdentityPool }} from "@aws-sdk/credential-providers";
import {{ S3Client, PutObjectCommand, ListObjectsV2Command }} from "@aws-sdk/client-s3";

const at = {{ region: "{region}", endpoint: "{endpoint}" }};
{sign_in}const credentials = await fromCognitoIdentityPool({{
  identityPoolId: "{pool}",
{logins}  clientConfig: at,
}})();
const s3 = new S3Client({{ ...at, credentials, forcePathStyle: true }});
{owner}const folder = `{prefix}${{{name}}}/`;
await s3.send(new PutObjectCommand({{ Bucket: "{bucket}", Key: `${{folder}}hello.txt`, Body: "hello" }}));
const listed = await s3.send(new ListObjectsV2Command({{ Bucket: "{bucket}", Prefix: folder }}));
console.log(listed.Contents.map((file) => file.Key));
"""


def text(endpoint: str, app: AppConfig, outputs: Mapping[str, Any], token: str | None) -> str:
    """The settings of a front end, with this run's endpoint and IDs.

    Args:
        token: a user's token of the first provider, if that is not a user pool; None if the pool has only guests.
    """
    facts = {
        "endpoint": f"{endpoint}   (for all services)",
        "region": app.region,
        "identity pool": outputs["identityPoolId"],
        "bucket": f"{app.bucket}, a user's folder is {app.prefix}{_owner(app)}/",
        "API": f"{endpoint}/execute-api/{app.api}/{app.stage}/PATH, signed for execute-api in {app.api_region}",
    }
    packages = imports = sign_in = logins = ""
    if app.user_pools:
        pool_id, (client, *_) = app.user_pools[0]
        facts |= {"user pool": f"{pool_id}, app client {client}", "user": f"alice, password {PASSWORD}"}
        packages, imports = "@aws-sdk/client-cognito-identity-provider ", _IMPORT
        sign_in = _SIGN_IN.format(client=client, password=PASSWORD)
    elif token is not None:
        sign_in = f'const token = "{token}"; // alice\'s token, valid for an hour\n'
    if sign_in:
        logins = f'  logins: {{ "{outputs["logins"][0]}": token }},\n'
    example = _EXAMPLE.format(
        packages=packages,
        imports=imports,
        sign_in=sign_in,
        logins=logins,
        endpoint=endpoint,
        region=app.region,
        pool=outputs["identityPoolId"],
        bucket=app.bucket,
        prefix=app.prefix,
        owner=_CLAIMS if app.folder_claim else "",
        name=f'claims["{app.folder_claim}"]' if app.folder_claim else "credentials.identityId",
    )
    lines = "\n".join(f"  {name:<13}  {value}" for name, value in facts.items())
    return f"{lines}\n\n{example if sign_in else ''}"


def _owner(app: AppConfig) -> str:
    """What names a user's folder: a claim of the ID token, or the identity ID."""
    return f"CLAIM[{app.folder_claim}]" if app.folder_claim else "IDENTITY_ID"
