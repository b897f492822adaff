# SPDX-License-Identifier: Apache-2.0
"""Schemas: what they find wrong, what they drop, what they fill in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.testing.kubernetes.schema import Schema
from okd_payload.testing.kubernetes.schema.builtin import built_in_schema
from okd_payload.testing.kubernetes.schema.definitions import read_custom, read_definitions
from okd_payload.testing.kubernetes.schema.formats import has_format
from okd_payload.testing.kubernetes.schema.node import compile_schema

_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("abcd"), below),
    max_leaves=8,
)


def _schema(spec):
    return Schema(compile_schema({"type": "object", "properties": {"spec": spec}}))


def _told(spec, value):
    return [cause.line for cause in _schema(spec).problems({"spec": value})]


_SET = {"type": "array", "x-kubernetes-list-type": "set", "items": {}}
_MAP = {**_SET, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"]}
_A_OR_B = [{"required": ["a"]}, {"required": ["b"]}]


def _in_body(shown, why):
    return f"spec: Invalid value: {shown}: spec in body {why}"


@pytest.mark.parametrize(
    ("spec", "value", "told"),
    [
        ({"type": "string"}, 1, _in_body(1, 'must be of type string: "integer"')),
        ({"type": "integer"}, "1", _in_body('"1"', 'must be of type integer: "string"')),
        ({"type": "integer"}, 1.5, _in_body(1.5, 'must be of type integer: "number"')),
        ({"type": "boolean"}, {}, _in_body('"object"', 'must be of type boolean: "object"')),
        ({"type": "object"}, None, _in_body('"null"', 'must be of type object: "null"')),
        (
            {"x-kubernetes-int-or-string": True},
            True,
            _in_body("true", 'must be of type integer,string: "boolean"'),
        ),
        ({"type": "string", "pattern": "^a+$"}, "b", _in_body('"b"', "should match '^a+$'")),
        (
            {"type": "string", "minLength": 2},
            "a",
            _in_body('"a"', "should be at least 2 chars long"),
        ),
        (
            {"type": "string", "format": "duration"},
            "five",
            _in_body('"five"', 'must be of type duration: "five"'),
        ),
        (
            {"type": "integer", "minimum": 1},
            0,
            _in_body(0, "should be greater than or equal to 1"),
        ),
        (
            {"type": "integer", "maximum": 1, "exclusiveMaximum": True},
            1,
            _in_body(1, "should be less than 1"),
        ),
        ({"type": "integer", "multipleOf": 2}, 3, _in_body(3, "should be a multiple of 2")),
        (
            {"type": "array", "minItems": 1, "items": {}},
            [],
            _in_body(0, "should have at least 1 items"),
        ),
        (
            {"type": "integer", "not": {"enum": [1]}},
            1,
            _in_body(1, "must not validate the schema (not)"),
        ),
        (
            {"type": "object", "oneOf": _A_OR_B},
            {"a": 1, "b": 2},
            _in_body('"object"', "must validate one and only one schema (oneOf)"),
        ),
        (
            {"type": "object", "anyOf": _A_OR_B},
            {},
            _in_body('"object"', "must validate at least one schema (anyOf)"),
        ),
        (
            {"type": "object", "additionalProperties": {"type": "string"}},
            {"k": 1},
            'spec.k: Invalid value: 1: spec.k in body must be of type string: "integer"',
        ),
        (
            {"type": "string", "enum": ["a", "b"]},
            "c",
            'spec: Unsupported value: "c": supported values: "a", "b"',
        ),
        (
            {"type": "string", "maxLength": 2},
            "abc",
            "spec: Too long: may not be more than 2 bytes",
        ),
        (
            {"type": "array", "maxItems": 1, "items": {}},
            [1, 2],
            "spec: Too many: 2: must have at most 1 items",
        ),
        ({"type": "object", "required": ["a"]}, {}, "spec.a: Required value"),
        (
            {"type": "array", "items": {"type": "object", "required": ["n"]}},
            [{"n": 1}, {}],
            "spec[1].n: Required value",
        ),
        (_SET, ["a", "a"], 'spec[1]: Duplicate value: "a"'),
        (_MAP, [{"n": 1}, {"n": 1, "m": 2}], 'spec[1]: Duplicate value: {"n":1}'),
    ],
)
def test_what_is_wrong_is_told_in_the_servers_words(spec, value, told):
    """One rule at a time."""
    assert _told(spec, value) == [told]


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ({"type": "object", "nullable": True}, None),
        ({"type": "number"}, 1),
        ({"type": "integer"}, 2.0),
        ({"x-kubernetes-int-or-string": True}, "50%"),
        ({"type": "string", "format": "nobody-knows"}, "x"),
        ({"type": "integer", "allOf": [{"minimum": 1}, {"maximum": 3}]}, 2),
    ],
)
def test_what_is_right(spec, value):
    """Nothing is told."""
    assert _told(spec, value) == []


def test_unknown_fields_are_named_and_dropped():
    """At every level, but where the schema keeps them; metadata is known to everybody."""
    schema = _schema(
        {
            "type": "object",
            "properties": {
                "steps": {"type": "array", "items": {"type": "object", "properties": {"n": {}}}},
                "kept": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            },
        }
    )
    document = {
        "metadata": {"name": "x", "odd": 1},
        "spec": {"odd": 1, "steps": [{"n": {"deep": 1}, "odd": 1}], "kept": {"odd": 1}},
    }
    assert schema.unknown(document) == ["metadata.odd", "spec.odd", "spec.steps[0].odd"]
    assert schema.shape(document)["spec"] == {
        "steps": [{"n": {"deep": 1}}],
        "kept": {"odd": 1},
    }


def test_defaults_fill_what_is_absent_or_null():
    """Also inside of defaults, of lists and of maps."""
    schema = _schema(
        {
            "type": "object",
            "default": {},
            "properties": {
                "a": {"type": "integer", "default": 1},
                "b": {"type": "integer", "default": 2, "nullable": True},
                "list": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"c": {"default": "d"}}},
                },
            },
        }
    )
    assert schema.shape({})["spec"] == {"a": 1, "b": 2}
    filled = schema.shape({"spec": {"a": None, "b": None, "list": [{}]}})
    assert filled["spec"] == {"a": 1, "b": None, "list": [{"c": "d"}]}


@given(before=_ANY_JSON, after=_ANY_JSON)
def test_what_did_not_change_is_not_judged_twice(before, after):
    """Beside an object that was right, the verdict is the same as without it."""
    below = {"type": "string", "maxLength": 2}
    spec = {
        "type": "object",
        "properties": {
            "a": {"type": "array", "items": below},
            "b": {"type": "object", "additionalProperties": below},
            "c": {"type": "integer", "default": 3},
        },
    }
    schema = _schema(spec)
    known = {"spec": before}
    if list(schema.problems(known)) or schema.shape(known) != known:
        known = None
    document = {"spec": after}
    assert list(schema.problems(document, before=known)) == list(schema.problems(document))
    assert schema.shape(document, before=known) == schema.shape(document)
    assert schema.unknown(document, before=known) == schema.unknown(document)


@pytest.mark.parametrize(
    ("value", "kind", "right"),
    [
        ("1h30m", "duration", True),
        ("3 days", "duration", True),
        ("1x", "duration", False),
        ("2025-01-01T00:00:00Z", "date-time", True),
        ("yesterday", "date-time", False),
        ("YQ==", "byte", True),
        ("???", "byte", False),
        ("10.0.0.0/8", "cidr", True),
        ("10.0.0.1", "cidr", False),
        ("10.0.0.1", "ipv4", True),
        ("::1", "ipv6", True),
        ("::1", "ipv4", False),
        ("2025-02-30", "date", False),
        ("f46b4916-87f0-4cb5-a874-37d9bf2c263a", "uuid", True),
    ],
)
def test_formats(value, kind, right):
    """Those that the server checks."""
    assert has_format(value, kind) is right


def test_real_definitions_are_read(definitions):
    """Versions, names and subresources of each kind; OpenShift's from its OpenAPI document."""
    found = {
        each.resource.name: each.resource for path in definitions for each in read_definitions(path)
    }
    task_run = found["taskruns.tekton.dev"]
    assert (task_run.versions, task_run.storage) == (("v1beta1", "v1"), "v1")
    assert (task_run.short_names, task_run.subresources) == (("tr", "trs"), ("status",))
    assert not found["clusterbuildstrategies.shipwright.io"].namespaced
    assert found["buildconfigs.build.openshift.io"].kind == "BuildConfig"
    assert found["imagestreams.image.openshift.io"].has_status


def test_openshift_schemas_judge(definitions):
    """A BuildConfig with a wrong type and an unknown field."""
    for definition in read_definitions(definitions[-1]):
        if definition.resource.kind == "BuildConfig":
            schema = definition.schemas["v1"]
    document = {"spec": {"strategy": {"type": 7}, "nosuch": 1}}
    assert schema.unknown(document) == ["spec.nosuch"]
    told = [cause.line for cause in schema.problems(document)]
    field = "spec.strategy.type"
    why = f'{field} in body must be of type string: "integer"'
    assert told == [f"{field}: Invalid value: 7: {why}"]


def test_a_definition_without_a_schema_takes_everything():
    """As the API server does with preserved unknown fields."""
    definition = read_custom(
        {
            "spec": {
                "group": "example.com",
                "scope": "Cluster",
                "names": {"kind": "Thing", "plural": "things"},
                "versions": [{"name": "v1", "served": True, "storage": True}],
            }
        }
    )
    schema = definition.schemas["v1"]
    document = {"spec": {"any": [1]}}
    assert schema.shape(document) == document
    assert (definition.resource.namespaced, definition.resource.singular) == (False, "thing")


def test_built_in_kinds_have_schemas():
    """With the fields of templates too; kinds that nobody knows have none."""
    schema = built_in_schema("CronJob")
    assert schema is not None
    container = {"name": "c", "image": "x", "imgae": "y"}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
    spec = {"schedule": "@daily", "jobTemplate": {"spec": {"template": template}}}
    path = "spec.jobTemplate.spec.template.spec.containers[0].imgae"
    assert schema.unknown({"spec": spec}) == [path]
    assert built_in_schema("Nosuch") is None
