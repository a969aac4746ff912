"""The text that `make serve` prints for a front-end developer: where things are, and an example to paste."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .world import PASSWORD, App

_EXAMPLE = """\
// npm install @aws-sdk/client-cognito-identity-provider @aws-sdk/credential-providers @aws-sdk/client-s3
// save as upload.mjs, run with: node upload.mjs
import {{ CognitoIdentityProviderClient, InitiateAuthCommand }} from "@aws-sdk/client-cognito-identity-provider";
import {{ fromCognitoIdentityPool }} from "@aws-sdk/credential-providers";
import {{ S3Client, PutObjectCommand, ListObjectsV2Command }} from "@aws-sdk/client-s3";

const at = {{ region: "{region}", endpoint: "{endpoint}" }};
const signIn = await new CognitoIdentityProviderClient(at).send(new InitiateAuthCommand({{
  AuthFlow: "USER_PASSWORD_AUTH",
  ClientId: "{client}",
  AuthParameters: {{ USERNAME: "alice", PASSWORD: "{password}" }},
}}));
const credentials = await fromCognitoIdentityPool({{
  identityPoolId: "{pool}",
  logins: {{ "{login}": signIn.AuthenticationResult.IdToken }},
  clientConfig: at,
}})();
const s3 = new S3Client({{ ...at, credentials, forcePathStyle: true }});
const folder = `{prefix}${{credentials.identityId}}/`;
await s3.send(new PutObjectCommand({{ Bucket: "{bucket}", Key: `${{folder}}hello.txt`, Body: "hello" }}));
const listed = await s3.send(new ListObjectsV2Command({{ Bucket: "{bucket}", Prefix: folder }}));
console.log(listed.Contents.map((file) => file.Key));
"""


def text(endpoint: str, app: App, outputs: Mapping[str, Any]) -> str:
    """What a front end needs, with this run's own endpoint and ids."""
    pool_id, clients = app.user_pools[0]
    facts = {
        "endpoint": f"{endpoint}   (every AWS service; CORS is open)",
        "region": app.region,
        "user pool": f"{pool_id}, app client {clients[0]}",
        "identity pool": outputs["identityPoolId"],
        "bucket": f"{app.bucket}, a user's folder is {app.prefix}IDENTITY_ID/",
        "API": f"{endpoint}/execute-api/{app.api}/{app.stage}/PATH, signed for execute-api in {app.api_region}",
        "a user": f"alice, password {PASSWORD}",
    }
    example = _EXAMPLE.format(
        endpoint=endpoint,
        region=app.region,
        client=clients[0],
        password=PASSWORD,
        pool=outputs["identityPoolId"],
        login=outputs["logins"][0],
        bucket=app.bucket,
        prefix=app.prefix,
    )
    lines = "\n".join(f"  {name:<13}  {value}" for name, value in facts.items())
    return f"{lines}\n\n{example}"
