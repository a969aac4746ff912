"""Parameters of an operation, read strictly from JSON, XML, or a REST request, by AWS's own model of the operation.

What the model does not have is refused: an unknown or repeated member, a value of another type, an XML element of another
namespace. The result holds plain Python values, from which the request to moto is written (see `moto_backend`).
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn
from xml.parsers import expat

from botocore.exceptions import ParamValidationError
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.utils import parse_timestamp
from botocore.validate import ParamValidator

from .errors import AwsError

MAX_DEPTH = 100
"""Deepest nesting of a JSON or XML body. DynamoDB, which nests deepest, allows 32 levels, each of them two objects here.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""
S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
XSI_NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance"

_INTEGER = re.compile("-?[0-9]{1,18}")


class _Wrong(Exception):
    """A value does not fit its shape; the message says where."""


def json_object(body: bytes) -> dict[str, Any]:
    """The object of a JSON body, without repeated keys.

    Raises:
        AwsError: SerializationException.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            raise ValueError("a key is repeated")
        return value

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    try:
        value = json.loads(
            body.decode("utf-8") or "{}",
            object_pairs_hook=unique,
            parse_constant=refuse,
            parse_int=_bounded_integer,
            parse_float=_finite,
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        raise _serialization("the body is not JSON, or a key in it is repeated") from None
    if not isinstance(value, dict):
        raise _serialization("the body is not a JSON object")
    return value


def _bounded_integer(text: str) -> int:
    if len(text) > 40:
        raise ValueError("the number is too long")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    return number


def from_json(operation: OperationModel, value: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a JSON request.

    Raises:
        AwsError: SerializationException for a wrong type, ValidationException for what is missing.
    """
    shape = operation.input_shape
    try:
        parameters = _json(shape, value, "", 0) if shape is not None else _nothing(value)
    except _Wrong as wrong:
        raise _serialization(str(wrong)) from None
    assert isinstance(parameters, dict)
    validate(operation, parameters, "ValidationException")
    return parameters


def validate(operation: OperationModel, parameters: Mapping[str, Any], code: str) -> None:
    """Check what is required, and the ranges of numbers.

    Raises:
        AwsError: with this code.
    """
    if operation.input_shape is None:
        return
    try:
        report = ParamValidator().validate(parameters, operation.input_shape)
    except ParamValidationError as error:
        raise AwsError(code, str(error), 400) from None
    if report.has_errors():
        raise AwsError(code, report.generate_report(), 400)


def _nothing(value: Mapping[str, Any]) -> dict[str, Any]:
    if value:
        raise _Wrong("the operation has no parameters")
    return {}


def _json(shape: Shape, value: Any, where: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _Wrong(f"{where or 'the body'} is nested too deeply")
    if isinstance(shape, StructureShape):
        return _json_structure(shape, value, where, depth)
    if isinstance(shape, MapShape):
        if not isinstance(value, dict):
            raise _Wrong(f"{where} must be an object")
        return {key: _json(shape.value, item, f"{where}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            raise _Wrong(f"{where} must be a list")
        return [_json(shape.member, item, f"{where}[{index}]", depth + 1) for index, item in enumerate(value)]
    return _json_scalar(shape, value, where)


def _json_structure(shape: StructureShape, value: Any, where: str, depth: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(f"{where or 'the body'} must be an object")
    members = {member.serialization.get("name", name): name for name, member in shape.members.items()}
    parsed = {}
    for key, item in value.items():
        if key not in members:
            raise _Wrong(f"{where or 'the operation'} has no parameter {key[:100]}")
        if item is not None:
            name = members[key]
            parsed[name] = _json(shape.members[name], item, f"{where}.{key}".lstrip("."), depth + 1)
    return parsed


def _json_scalar(shape: Shape, value: Any, where: str) -> Any:
    kind = shape.type_name
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind in ("integer", "long") and isinstance(value, int) and number:
        return value
    if kind in ("float", "double") and number:
        return float(value)
    if kind == "string" and isinstance(value, str):
        return value
    if kind == "timestamp" and (number or isinstance(value, str)):
        return _timestamp(value, where)
    if kind == "blob" and isinstance(value, str):
        return _blob(value, where)
    raise _Wrong(f"{where} must be a {kind}")


def _timestamp(value: str | float, where: str) -> datetime:
    try:
        moment = parse_timestamp(value)
    except (ValueError, OverflowError, TypeError):
        raise _Wrong(f"{where} must be a timestamp") from None
    assert isinstance(moment, datetime)
    if moment.tzinfo is None or not 1970 <= moment.year <= 9998:
        raise _Wrong(f"{where} must be a timestamp with its zone")
    return moment


def _blob(value: str, where: str) -> bytes:
    try:
        return base64.b64decode(value.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise _Wrong(f"{where} must be base64") from None


def from_text(shape: Shape, value: str, where: str) -> Any:
    """A value of a header or a query parameter.

    Raises:
        AwsError: InvalidArgument.
    """
    try:
        return _text(shape, value, where)
    except _Wrong as wrong:
        raise AwsError("InvalidArgument", str(wrong), 400) from None


def _text(shape: Shape, value: str, where: str) -> Any:
    kind = shape.type_name
    if kind == "string":
        return value
    if kind == "boolean" and value in ("true", "false", "True", "False"):
        return value.lower() == "true"
    if kind in ("integer", "long") and _INTEGER.fullmatch(value):
        return int(value)
    if kind == "timestamp":
        return _timestamp(value, where)
    if isinstance(shape, ListShape):
        return [_text(shape.member, item.strip(), where) for item in value.split(",")]
    if kind == "blob":
        return _blob(value, where)
    if kind in ("float", "double") and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return float(value)
    raise _Wrong(f"{where} must be a {kind}")


class _Element:
    """An XML element: its children and attributes by local name, or its text."""

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[_Element] = []
        self.text: list[str] = []


def from_xml(shape: Shape, body: bytes) -> Any:
    """The value of an XML body of S3.

    Raises:
        AwsError: MalformedXML.
    """
    root_name = shape.serialization.get("name")
    try:
        root = _xml_tree(body)
        if root.name != root_name:
            raise _Wrong(f"the root element must be {root_name}")
        return _xml(shape, [root], root.name)
    except (_Wrong, expat.ExpatError, UnicodeDecodeError, ValueError, LookupError):
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        raise AwsError("MalformedXML", message, 400) from None


def _xml_tree(body: bytes) -> _Element:
    """Parse XML 1.0 in UTF-8 without a document type, processing instructions or foreign namespaces."""
    body.decode("utf-8")
    stack: list[_Element] = []
    roots: list[_Element] = []

    def declaration(version: str, encoding: str | None, standalone: int) -> None:
        if version != "1.0" or (encoding or "utf-8").lower() != "utf-8":
            raise _Wrong("the encoding must be UTF-8")

    def begin(name: str, attributes: dict[str, str]) -> None:
        element = _Element(_local(name), {_local(key): value for key, value in attributes.items()})
        if any(key != f"{XSI_NAMESPACE} type" for key in attributes) or len(stack) >= MAX_DEPTH:
            raise _Wrong("an attribute is unknown, or the elements are nested too deeply")
        (stack[-1].children if stack else roots).append(element)
        stack.append(element)

    def end(_: str) -> None:
        stack.pop()

    def text(data: str) -> None:
        # A carriage return would not survive being written and read again.
        if "\r" in data:
            raise _Wrong("text must not have a carriage return")
        stack[-1].text.append(data)

    def refuse(*_: object) -> NoReturn:
        raise _Wrong("a document type or a processing instruction")

    parser = expat.ParserCreate("UTF-8", " ")
    parser.XmlDeclHandler = declaration
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, text
    parser.StartDoctypeDeclHandler = parser.ProcessingInstructionHandler = parser.EntityDeclHandler = refuse
    parser.Parse(body, True)
    return roots[0]


def _local(name: str) -> str:
    """The local name of a name in S3's namespace, or in none."""
    namespace, _, local = name.rpartition(" ")
    if namespace not in ("", S3_NAMESPACE, XSI_NAMESPACE):
        raise _Wrong("a foreign namespace")
    return f"xsi:{local}" if namespace == XSI_NAMESPACE else local


def _xml(shape: Shape, elements: list[_Element], where: str) -> Any:
    """The value of the elements of one name: several for a flattened list, else one."""
    if isinstance(shape, ListShape):
        if shape.serialization.get("flattened"):
            return [_xml(shape.member, [element], where) for element in elements]
        element = _only(elements, where)
        item_name = shape.member.serialization.get("name", "member")
        if any(child.name != item_name for child in element.children) or _words(element):
            raise _Wrong(where)
        return [_xml(shape.member, [child], item_name) for child in element.children]
    element = _only(elements, where)
    if isinstance(shape, StructureShape):
        return _xml_structure(shape, element, where)
    if element.children or element.attributes or isinstance(shape, MapShape):
        raise _Wrong(where)
    return _text(shape, "".join(element.text), where)


def _xml_structure(shape: StructureShape, element: _Element, where: str) -> dict[str, Any]:
    children: dict[str, list[_Element]] = {}
    for child in element.children:
        children.setdefault(child.name, []).append(child)
    attributes = dict(element.attributes)
    parsed: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire = _wire_name(name, member)
        if member.serialization.get("xmlAttribute"):
            if wire in attributes:
                parsed[name] = attributes.pop(wire)
        elif wire in children:
            parsed[name] = _xml(member, children.pop(wire), wire)
    if children or attributes or _words(element):
        raise _Wrong(where)
    return parsed


def _wire_name(name: str, member: Shape) -> str:
    return str(member.serialization.get("name", name))


def _only(elements: list[_Element], where: str) -> _Element:
    if len(elements) != 1:
        raise _Wrong(f"{where} is repeated")
    return elements[0]


def _words(element: _Element) -> bool:
    return bool("".join(element.text).strip())


def _serialization(message: str) -> AwsError:
    return AwsError("SerializationException", message, 400)
