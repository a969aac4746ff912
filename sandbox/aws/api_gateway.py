"""API Gateway's side of a signed call: a REST or HTTP API whose methods ask for `AWS_IAM`.

moto makes APIs but does not answer for them under IAM. This endpoint lets a vended session call
`/execute-api/API_ID/STAGE/PATH`, asks IAM for `execute-api:Invoke` on the method's ARN, and answers with what a Lambda
proxy handler would see of the caller.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

from dataclasses import dataclass

from moto.apigateway.models import apigateway_backends
from moto.apigatewayv2.models import apigatewayv2_backends

from .errors import AwsError, Response, json_answer
from .identity_pools import Session
from .s3 import RequiredPermission
from .sigv4 import HttpRequest

PREFIX = "/execute-api/"


@dataclass(frozen=True)
class Call:
    """A call's parts."""

    api: str
    stage: str
    method: str
    path: str


def read_call(request: HttpRequest) -> Call:
    """Raises: Fault, where the path is not API/STAGE/PATH."""
    api, _, rest = request.decoded_path().removeprefix(PREFIX).partition("/")
    stage, _, path = rest.partition("/")
    if not api or not stage:
        raise AwsError("NotFound", f"write {PREFIX}API_ID/STAGE/PATH", 404)
    return Call(api, stage, request.method, path)


def question(call: Call, partition: str, region: str, account: str) -> RequiredPermission:
    arn = f"arn:{partition}:execute-api:{region}:{account}:{call.api}/{call.stage}/{call.method}/{call.path}"
    return RequiredPermission("execute-api:Invoke", arn)


def answer(call: Call, session: Session, account: str, region: str) -> Response:
    """What the API's handler says: the request context it was given.

    Raises:
        Fault: there is no such API or stage.
    """
    api = apigateway_backends[account][region].apis.get(call.api)
    http = apigatewayv2_backends[account][region].apis.get(call.api)
    if (api is None or call.stage not in api.stages) and (http is None or call.stage not in http.stages):
        raise AwsError("Forbidden", "Forbidden", 403)
    identity = {
        "accessKey": session.access_key,
        "accountId": account,
        "caller": f"{session.role_id}:CognitoIdentityCredentials",
        "cognitoAuthenticationProvider": session.provider or None,
        "cognitoAuthenticationType": session.amr[0],
        "cognitoIdentityId": session.identity,
        "cognitoIdentityPoolId": session.pool,
        "sourceIp": "127.0.0.1",
        "userArn": session.user_arn,
    }
    context = {"apiId": call.api, "stage": call.stage, "httpMethod": call.method, "identity": identity}
    return json_answer({"path": f"/{call.path}", "requestContext": context}, content_type="application/json")
