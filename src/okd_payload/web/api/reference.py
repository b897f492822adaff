# SPDX-License-Identifier: Apache-2.0
"""The interface as a page for people, made from what it says of itself.

``docs/reference`` keeps a copy, which a test holds against this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Document = Mapping[str, Any]

REFERENCE_FILE = "api.md"
_METHODS = ("get", "post", "put", "delete")
_TITLES = {
    "streams": "Streams",
    "releases": "Releases",
    "runs": "Runs",
    "components": "Components",
    "search": "Search",
    "events": "Events",
    "actions": "Actions",
    "notifications": "Notifications",
    "administration": "Administration",
}
_HEAD = """\
# Interface for programs

<!-- Made by okd_payload.web.api.reference: change the routes, and let the test say what is new. -->

What a controller answers below `/api/v2`; [how to use it](../how-to/use-the-api.md) has examples.
The server describes itself in OpenAPI 3.1 at `/api/schema/openapi.json`.

- Names are in camelCase, moments in RFC 3339, and what is not known is left out: no field is null.
- Answers carry an `ETag`; with `If-None-Match` what is unchanged is answered with 304.
- Errors are `application/problem+json` (RFC 9457): `status`, `title`, `detail`, and a `hint`.
- Additions break nobody: leave alone what you do not know.
"""


def write_reference(description: Document) -> str:
    """The page for the interface that ``description`` describes in OpenAPI."""
    schemas = description["components"]["schemas"]
    lines = [_HEAD]
    for tag, title in _TITLES.items():
        lines.append(f"## {title}\n")
        for path, method, operation in _operations(description):
            if tag in operation.get("tags", ()):
                lines += _describe(path, method, operation)
    lines.append("## What is answered\n")
    for name in sorted(schemas):
        lines += _describe_type(name, schemas[name])
    return "\n".join(lines).rstrip() + "\n"


def _operations(description: Document) -> Iterable[tuple[str, str, Document]]:
    for path, item in sorted(description["paths"].items()):
        for method in _METHODS:
            if method in item:
                yield path, method.upper(), item[method]


def _describe(path: str, method: str, operation: Document) -> Iterable[str]:
    yield f"### {method} {path}\n"
    text = operation.get("description", "")
    yield " ".join(text.replace("``", "`").split()) + "\n"
    parameters = [each for each in operation.get("parameters", ()) if each["in"] != "path"]
    if parameters:
        yield "| parameter | in | what it takes |"
        yield "| --- | --- | --- |"
        for each in parameters:
            needed = "" if not each.get("required") else ", needed"
            yield f"| `{each['name']}` | {each['in']}{needed} | {_type_of(each['schema'])} |"
        yield ""
    body = operation.get("requestBody")
    if body:
        yield f"Takes {_content(body['content'])}.\n"
    answers = sorted(operation["responses"].items())
    said = [each.get("content") for status, each in answers if status < "300"]
    for content in dict.fromkeys(_content(each) for each in said if each):
        yield f"Answers {content}.\n"


def _content(content: Document) -> str:
    media_type, described = next(iter(content.items()))
    schema = described.get("schema", {})
    if "$ref" in schema:
        return _type_of(schema)
    return f"`{media_type}`"


def _describe_type(name: str, schema: Document) -> Iterable[str]:
    yield f"### {name}\n"
    if "enum" in schema:
        yield f"One of {', '.join(f'`{value}`' for value in schema['enum'])}.\n"
        return
    needed = set(schema.get("required", ()))
    yield "| field | type |"
    yield "| --- | --- |"
    for field, described in schema.get("properties", {}).items():
        optional = "" if field in needed else ", may be left out"
        yield f"| `{field}` | {_type_of(described)}{optional} |"
    yield ""


def _type_of(schema: Document) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for key in ("oneOf", "anyOf"):
        if key in schema:
            kinds = [_type_of(each) for each in schema[key] if each.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        kind = " or ".join(each for each in kind if each != "null")
    if kind == "array":
        return f"list of {_type_of(schema.get('items', {}))}"
    if "additionalProperties" in schema:
        return f"map of {_type_of(schema['additionalProperties'])}"
    return f"{kind}, {schema['format']}" if "format" in schema else str(kind)
