"""Amazon API Gateway: calls of a REST or HTTP API whose methods require `AWS_IAM`.

moto creates APIs but does not serve them under IAM. Here a session may call `/execute-api/API_ID/STAGE/PATH` if it has
`execute-api:Invoke` on the method's ARN. The response shows the caller as a Lambda proxy handler would see it.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

import re

from moto.apigateway.models import apigateway_backends
from moto.apigatewayv2.models import apigatewayv2_backends

from .errors import AwsError
from .http import HttpRequest, Response, json_response
from .regions import partition_of
from .service import Caller, Operation, RequiredPermission, Service
from .sessions import Session

PREFIX = "execute-api"
"""First segment of the path of a call."""
_NAME = re.compile(r"[A-Za-z0-9_$-]{1,128}")


class ApiGateway(Service):
    """Requests below `/execute-api/`."""

    admits = frozenset({Caller.SESSION})

    def __init__(self, account: str) -> None:
        self._account = account

    def operation(self, request: HttpRequest, region: str) -> Operation:
        prefix, *rest = request.segments
        if prefix != PREFIX or len(rest) < 2 or not all(_NAME.fullmatch(name) for name in rest[:2]):
            raise AwsError("NotFound", f"the path of a call is /{PREFIX}/API_ID/STAGE/PATH", 404)
        api, stage, *path = rest
        # A policy's resource is a path, in which such segments could stand for another one.
        if any("/" in segment or segment in (".", "..") for segment in path) or "" in path[:-1]:
            raise AwsError("BadRequest", "the path must not have empty segments, dot segments or encoded slashes", 400)
        parameters = {"api": api, "stage": stage, "method": request.method, "path": "/".join(path)}
        return Operation("Invoke", region, self.admits, parameters, "execute-api")

    def required_permissions(self, operation: Operation) -> list[RequiredPermission]:
        region, parts = operation.region, operation.parameters
        method = f"{parts['api']}/{parts['stage']}/{parts['method']}/{parts['path']}"
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
            "caller": session.user_id,
            "cognitoAuthenticationProvider": session.provider or None,
            "cognitoAuthenticationType": session.amr[0],
            "cognitoIdentityId": session.identity,
            "cognitoIdentityPoolId": session.pool,
            "sourceIp": "127.0.0.1",
            "userArn": session.user_arn,
        }
        context = {"apiId": api, "stage": stage, "httpMethod": operation.parameters["method"], "identity": identity}
        body = {"path": f"/{operation.parameters['path']}", "requestContext": context}
        return json_response(body, content_type="application/json")

    def refusal(self, caller: Caller, name: str) -> AwsError:
        return AwsError("MissingAuthenticationToken", "Missing Authentication Token", 403)
