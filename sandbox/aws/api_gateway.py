"""Amazon API Gateway: calls of a REST or HTTP API whose methods require `AWS_IAM`.

moto creates APIs but does not serve them under IAM. Here a session may call `/execute-api/API_ID/STAGE/PATH` if it has
`execute-api:Invoke` on the method's ARN. The response shows the caller as a Lambda proxy handler would see it.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

from moto.apigateway.models import apigateway_backends
from moto.apigatewayv2.models import apigatewayv2_backends

from .errors import AwsError
from .http import HttpRequest, Response, json_response
from .regions import partition_of
from .service import Caller, Operation, RequiredPermission, Service
from .sessions import Session
from .sigv4 import Signature

PREFIX = "/execute-api/"


class ApiGateway(Service):
    """Requests below `/execute-api/`."""

    def __init__(self, account: str) -> None:
        self._account = account

    def handles(self, request: HttpRequest, signature: Signature | None) -> bool:
        return request.path.startswith(PREFIX)

    def operation(self, request: HttpRequest, signature: Signature | None) -> Operation:
        api, _, rest = request.decoded_path().removeprefix(PREFIX).partition("/")
        stage, _, path = rest.partition("/")
        if not api or not stage:
            raise AwsError("NotFound", f"the path of a call is {PREFIX}API_ID/STAGE/PATH", 404)
        signed = signature is not None and signature.service == "execute-api"
        callers = frozenset({Caller.SESSION} if signed else ())
        parameters = {"api": api, "stage": stage, "path": path}
        return Operation("Invoke", signature.region if signature else "", callers, request, parameters)

    def required_permissions(self, operation: Operation) -> list[RequiredPermission]:
        region, parts = operation.region, operation.parameters
        method = f"{parts['api']}/{parts['stage']}/{operation.request.method}/{parts['path']}"
        arn = f"arn:{partition_of(region).name}:execute-api:{region}:{self._account}:{method}"
        return [RequiredPermission("execute-api:Invoke", arn)]

    def answer(self, operation: Operation, session: Session | None) -> Response:
        api, stage = operation.parameters["api"], operation.parameters["stage"]
        rest = apigateway_backends[self._account][operation.region].apis.get(api)
        http = apigatewayv2_backends[self._account][operation.region].apis.get(api)
        if session is None or not any(model is not None and stage in model.stages for model in (rest, http)):
            raise AwsError("Forbidden", "Forbidden", 403)
        identity = {
            "accessKey": session.access_key,
            "accountId": self._account,
            "caller": f"{session.role_id}:CognitoIdentityCredentials",
            "cognitoAuthenticationProvider": session.provider or None,
            "cognitoAuthenticationType": session.amr[0],
            "cognitoIdentityId": session.identity,
            "cognitoIdentityPoolId": session.pool,
            "sourceIp": "127.0.0.1",
            "userArn": session.user_arn,
        }
        context = {"apiId": api, "stage": stage, "httpMethod": operation.request.method, "identity": identity}
        body = {"path": f"/{operation.parameters['path']}", "requestContext": context}
        return json_response(body, content_type="application/json")

    def refusal(self, caller: Caller, operation: Operation) -> AwsError:
        return AwsError("MissingAuthenticationToken", "Missing Authentication Token", 403)
