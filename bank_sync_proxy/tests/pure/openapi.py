"""What an adapter asks and what its fixtures answer, held to the document that the provider publishes (OpenAPI 3).

Why with ``jsonschema`` and no library for OpenAPI: the tests have it already, and of OpenAPI only the path, the query
and the schemas of answers are needed.
"""

import re
from functools import cached_property
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import yaml

from .contract import CASES
from .published import FOLDER
from .scripted import Case


class Published:
    """:param str code: of the provider, whose document is ``tests/published/<code>.yaml``"""

    def __init__(self, code):
        self.code = code
        self.document = yaml.safe_load((FOLDER / f"{code}.yaml").read_text(encoding="utf-8"))

    @cached_property
    def paths(self):
        """:return: list of (expression, path, operations), paths without parameters first"""
        found = [
            (re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))), path, operations)
            for path, operations in self.document["paths"].items()
        ]
        return sorted(found, key=lambda item: item[1].count("{"))

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            reference = node["$ref"]
            node = self.document
            for step in reference.removeprefix("#/").split("/"):
                node = node[step.replace("~1", "/")]
        return node

    def operation(self, method, path):
        """:raise AssertionError: for a request that is not in the document"""
        for expression, _path, operations in self.paths:
            if expression.fullmatch(path) and method.lower() in operations:
                return operations[method.lower()]
        raise AssertionError(f"{method} {path} is not published")

    def check(self, exchange, leave_out=()):
        """:param leave_out: names of required things that are not compared, such as a header"""
        method, _blank, url = exchange["ask"].partition(" ")
        parts = urlsplit(url)
        operation = self.operation(method, parts.path)
        self._check_query(operation, parse_qsl(parts.query, keep_blank_values=True), leave_out)
        if "with" in exchange and (body := self.resolve(operation.get("requestBody"))):
            self._check_schema(body["content"]["application/json"]["schema"], exchange["with"])
        status = str(exchange.get("status", 200))
        answers = operation["responses"]
        assert status in answers or "default" in answers, f"{method} {parts.path} never answers {status}"
        answer = self.resolve(answers.get(status) or answers["default"])
        if content := answer.get("content", {}).get("application/json"):
            self._check_schema(content["schema"], exchange.get("answer"))

    def _check_query(self, operation, query, leave_out):
        parameters = {
            parameter["name"]: parameter
            for parameter in map(self.resolve, operation.get("parameters", ()))
            if parameter["in"] == "query"
        }
        for name, value in query:
            assert name in parameters, f"the parameter {name} is not published"
            schema = self.resolve(parameters[name]["schema"])
            kind = schema.get("items", schema)
            self._check_schema(kind, int(value) if self.resolve(kind).get("type") == "integer" else value)
        required = {name for name, parameter in parameters.items() if parameter.get("required")} - set(leave_out)
        assert required <= {name for name, _value in query}, f"{required} are required"

    def _check_schema(self, schema, value):
        """OpenAPI 3.0 says ``nullable`` where JSON Schema has a type."""
        jsonschema.Draft202012Validator(
            {"components": self.translated, **_translate(schema)}, format_checker=jsonschema.FormatChecker()
        ).validate(value)

    @cached_property
    def translated(self):
        return _translate(self.document["components"])

    def values(self, *path):
        """:return: set of the values that an enumeration of the document lists"""
        node = self.document["components"]["schemas"]
        for step in path:
            node = self.resolve(node[step])
        return set(node["enum"])

    def exchanges(self):
        """:return: (name of the case, exchange) of all its fixtures"""
        for name in CASES:
            case = Case(self.code, name)
            for exchange in case.exchanges:
                yield name, exchange

    def statuses(self, asked):
        """
        :param asked: (method, path) of what the adapter asks
        :return: all HTTP statuses of failures that the document knows there
        """
        return {
            status
            for method, path in asked
            for status in self.operation(method, path)["responses"]
            if status.isdigit() and status >= "400"
        }


def _translate(node):
    if isinstance(node, list):
        return [_translate(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _translate(item) for key, item in node.items() if key not in ("example", "examples", "description")}
    if node.pop("nullable", False) is True and "type" in node:
        node["type"] = [node["type"], "null"]
    return node
