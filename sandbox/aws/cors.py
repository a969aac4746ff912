"""Which web pages may read a response: what a bucket or an API configures; for Cognito, pages of this machine.

AWS lets every page call Cognito. Here only pages that this machine serves may, since a call without a signature changes
something: another page would sign users up in somebody's sandbox.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html,
        https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from moto.apigateway.models import apigateway_backends
from moto.apigatewayv2.models import apigatewayv2_backends
from moto.s3.models import s3_backends

from .api_gateway import PREFIX
from .dispatch import is_metadata
from .errors import AwsError
from .http import HttpRequest, Response

_LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")


@dataclass(frozen=True)
class Rule:
    """One rule: what pages of these origins may do."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: str = ""

    def allows(self, origin: str, method: str, headers: Iterable[str] = ()) -> bool:
        patterns = [pattern.lower() for pattern in self.headers]
        return (
            any(_matches(pattern, origin) for pattern in self.origins)
            and any(allowed in ("*", method) for allowed in self.methods)
            and all(any(_matches(pattern, header.lower()) for pattern in patterns) for header in headers)
        )

    def response_headers(self, origin: str, requested: Iterable[str] = ()) -> dict[str, str]:
        everybody = "*" in self.origins
        found = {
            "Access-Control-Allow-Origin": "*" if everybody else origin,
            "Access-Control-Allow-Methods": ", ".join(self.methods),
            "Access-Control-Allow-Headers": ", ".join(requested),
            "Access-Control-Expose-Headers": ", ".join(self.exposed),
            "Access-Control-Max-Age": self.max_age,
            "Vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
        }
        return {name: value for name, value in found.items() if value}


class Cors:
    """The CORS rules of one account."""

    def __init__(self, account: str) -> None:
        self._account = account

    def preflight(self, request: HttpRequest) -> Response:
        """The response to a browser that asks before it sends a request.

        Raises:
            AwsError: AccessForbidden.
        """
        origin, method = request.headers.get("origin"), request.headers.get("access-control-request-method")
        names = request.headers.get("access-control-request-headers", "")
        headers = [name.strip() for name in names.split(",") if name.strip()]
        to_cognito = request.segments == ("",)
        if to_cognito and method is None:
            method = "POST"
        if origin is None or method is None:
            raise AwsError("BadRequest", "Insufficient information. Origin request header needed.", 400)
        for rule in self._rules(request, to_cognito):
            if rule.allows(origin, method, headers):
                return Response(200, b"", rule.response_headers(origin, headers))
        raise AwsError("AccessForbidden", "CORSResponse: This CORS request is not allowed.", 403)

    def headers(self, request: HttpRequest) -> dict[str, str]:
        """What is added to the response to a web page's request.

        Raises:
            AwsError: AccessForbidden, if the page may not send a request that needs no signature.
        """
        origin = request.headers.get("origin")
        if origin is None:
            return {}
        for rule in self._rules(request, bool(request.target)):
            if rule.allows(origin, request.method):
                return rule.response_headers(origin)
        if request.target and "authorization" not in request.headers:
            raise AwsError("AccessForbidden", f"the sandbox accepts no requests of web pages of {origin[:100]}", 403)
        return {}

    def _rules(self, request: HttpRequest, is_json: bool) -> list[Rule]:
        if request.segments[0] == PREFIX:
            return self._of_api(request.segments)
        if is_metadata(request):
            return [Rule(("*",), ("GET",))]
        if is_json:
            origin = request.headers.get("origin", "")
            exposed = ("x-amzn-RequestId", "x-amzn-ErrorType", "x-amzn-ErrorMessage", "Date")
            return [Rule(("*",), ("POST",), ("*",), exposed, "600")] if _LOOPBACK.fullmatch(origin) else []
        return self._of_bucket(request.segments[0])

    def _of_bucket(self, name: str) -> list[Rule]:
        buckets = (backend.buckets.get(name) for backend in s3_backends[self._account].values())
        bucket = next((bucket for bucket in buckets if bucket is not None), None)
        return [
            Rule(
                _texts(rule.allowed_origins),
                _texts(rule.allowed_methods),
                _texts(rule.allowed_headers),
                _texts(rule.exposed_headers),
                str(rule.max_age_seconds or ""),
            )
            for rule in (bucket.cors if bucket is not None else [])
        ]

    def _of_api(self, segments: tuple[str, ...]) -> list[Rule]:
        api, path = segments[1] if len(segments) > 1 else "", "/" + "/".join(segments[3:])
        for rest in (backend.apis.get(api) for backend in apigateway_backends[self._account].values()):
            if rest is not None:
                return [rule for resource in rest.resources.values() for rule in _of_resource(resource, path)]
        for http in (backend.apis.get(api) for backend in apigatewayv2_backends[self._account].values()):
            if http is not None:
                settings: Any = http.cors_configuration or {}
                return _of_http_api(settings)
        return []


def _of_http_api(settings: Mapping[str, Any]) -> list[Rule]:
    values = {name[0].lower() + name[1:]: value for name, value in settings.items()}
    lists = [_texts(values.get(name)) for name in ("allowOrigins", "allowMethods", "allowHeaders", "exposeHeaders")]
    return [Rule(lists[0], lists[1], lists[2], lists[3], str(values.get("maxAge") or ""))] if lists[0] else []


def _of_resource(resource: Any, path: str) -> list[Rule]:
    """The rule of a REST API's resource: what its OPTIONS method responds."""
    pattern = re.sub(r"\\\{[^/]*?\\\+\\\}", ".+", re.escape(resource.get_path()))
    pattern = re.sub(r"\\\{[^/]*?\\\}", "[^/]+", pattern)
    method = resource.resource_methods.get("OPTIONS")
    integration = getattr(method, "method_integration", None)
    if not re.fullmatch(pattern, path) or integration is None:
        return []
    found: dict[str, str] = {}
    for response in (integration.integration_responses or {}).values():
        for name, value in (response.response_parameters or {}).items():
            found[name.lower().rpartition("access-control-")[2]] = str(value).strip("'")
    parts = [tuple(filter(None, re.split(r"\s*,\s*", found.get(name, "")))) for name in _OF_OPTIONS]
    return [Rule(parts[0], parts[1] or ("*",), parts[2], parts[3], found.get("max-age", ""))] if parts[0] else []


_OF_OPTIONS = ("allow-origin", "allow-methods", "allow-headers", "expose-headers")


def _texts(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(item) for item in value)


def _matches(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern, in which only `*` has a meaning."""
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))
