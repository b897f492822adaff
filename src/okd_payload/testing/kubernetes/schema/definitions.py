# SPDX-License-Identifier: Apache-2.0
"""Definitions of kinds: CustomResourceDefinitions, and OpenAPI documents of other API servers."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from okd_payload.cluster import ObjectKind
from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.resources import ALL_VERBS, Resource
from okd_payload.testing.kubernetes.schema.node import (
    ANYTHING,
    ListType,
    Node,
    compile_bounds,
    compile_schema,
)
from okd_payload.testing.kubernetes.schema.schema import Schema

_OPENSHIFT_PREFIX = "com.github.openshift.api"
_OPENSHIFT_NAME = re.compile(
    re.escape(_OPENSHIFT_PREFIX) + r"\.(?P<group>\w+)\.(?P<version>v\w+)\.(?P<kind>\w+)"
)
_IDENTITY = {"apiVersion", "kind", "metadata"}
_REFERENCE = "#/definitions/"
_OPENSHIFT_SUBRESOURCES: Mapping[str, tuple[str, ...]] = {
    "BuildConfig": ("instantiate", "instantiatebinary", "webhooks"),
    "Build": ("clone", "details", "log"),
    "ImageStream": ("layers", "secrets", "status"),
}
_CLUSTER_WIDE = frozenset({"Image", "ImageSignature"})
_ONLY_CREATED = frozenset({"ImageStreamImport", "ImageStreamMapping"})
_NO_RESOURCE = frozenset(
    {
        "BuildRequest",
        "BinaryBuildRequestOptions",
        "BuildLog",
        "BuildLogOptions",
        "ImageStreamLayers",
    }
)
_META_PREFIX = "io.k8s.apimachinery.pkg.apis.meta.v1."


class Definition(msgspec.Struct, frozen=True):
    """A kind, and what is known of its objects in each version."""

    resource: Resource
    schemas: Mapping[str, Schema]
    """By version."""


def read_definitions(path: Path) -> list[Definition]:
    """The definitions in a file of YAML or JSON, or in all such files of a folder."""
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix in (".yaml", ".yml", ".json"))
        return [definition for each in files for definition in read_definitions(each)]
    return _read_file(path, path.stat().st_mtime_ns)


@functools.cache
def _read_file(path: Path, stamp: int) -> list[Definition]:
    """As ``read_definitions``; ``stamp`` changes with the file."""
    del stamp
    if path.suffix == ".json":
        return list(read_open_api(msgspec.json.decode(path.read_bytes())))
    documents = yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader)
    return [
        read_custom(each)
        for each in documents
        if isinstance(each, dict) and each.get("kind") == "CustomResourceDefinition"
    ]


def read_custom(document: JsonObject) -> Definition:
    """What a CustomResourceDefinition defines."""
    spec = document["spec"]
    served = [each for each in spec["versions"] if each.get("served")]
    storage = next(each["name"] for each in spec["versions"] if each.get("storage"))
    names = spec["names"]
    below = {
        name for each in served for name in (each.get("subresources") or {}) if name == "status"
    }
    return Definition(
        Resource(
            group=spec["group"],
            versions=tuple(each["name"] for each in served),
            storage=storage,
            kind=names["kind"],
            plural=names["plural"],
            singular=names.get("singular") or names["kind"].lower(),
            namespaced=spec.get("scope") == "Namespaced",
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            subresources=tuple(below),
            custom=True,
        ),
        {each["name"]: Schema(_root(each)) for each in served},
    )


def _root(version: JsonObject) -> Node:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    return compile_schema(schema) if schema else ANYTHING


def read_open_api(document: JsonObject) -> Iterator[Definition]:
    """The kinds of OpenShift's groups that an OpenAPI document defines."""
    definitions = document["definitions"]
    compiler = _Compiler(definitions)
    for name, schema in definitions.items():
        found = _OPENSHIFT_NAME.fullmatch(name)
        if found is None or not set(schema.get("properties") or ()) >= _IDENTITY:
            continue
        group, version, kind = f"{found['group']}.openshift.io", found["version"], found["kind"]
        if not kind.endswith("List") and kind not in _NO_RESOURCE:
            yield Definition(
                Resource(
                    group=group,
                    versions=(version,),
                    storage=version,
                    kind=kind,
                    plural=f"{kind.lower()}s",
                    singular=kind.lower(),
                    namespaced=kind not in _CLUSTER_WIDE,
                    subresources=_OPENSHIFT_SUBRESOURCES.get(kind, ()),
                    verbs=("create",) if kind in _ONLY_CREATED else ALL_VERBS,
                ),
                {version: Schema(compiler.node(name))},
            )


def open_api_schema(document: JsonObject, kind: ObjectKind) -> Schema:
    """The schema of ``kind``, which need not be stored anywhere, in such a document."""
    group = kind.group.partition(".")[0]
    name = f"{_OPENSHIFT_PREFIX}.{group}.{kind.version}.{kind.kind}"
    return Schema(_Compiler(document["definitions"]).node(name))


class _Compiler:
    """Nodes of the definitions of an OpenAPI document, which refer to each other."""

    def __init__(self, definitions: JsonObject) -> None:
        self._definitions = definitions
        self._nodes: dict[str, Node] = {}

    def node(self, name: str) -> Node:
        """The node of the definition ``name``."""
        if name not in self._nodes:
            self._nodes[name] = ANYTHING  # where a definition refers to itself
            self._nodes[name] = self._compile(self._definitions.get(name, {}), name)
        return self._nodes[name]

    def _compile(self, schema: Any, name: str = "") -> Node:
        reference = schema.get("$ref", "")
        if reference:
            return self.node(reference.removeprefix(_REFERENCE))
        if name.endswith((".IntOrString", ".Quantity", ".RawExtension")) or name in (
            f"{_META_PREFIX}Time",
            f"{_META_PREFIX}FieldsV1",
        ):
            return ANYTHING
        items, additional = schema.get("items"), schema.get("additionalProperties")
        return Node(
            type=schema.get("type", ""),
            nullable=True,
            preserve=not schema.get("properties") and not additional,
            properties={
                field: self._compile(each)
                for field, each in (schema.get("properties") or {}).items()
            },
            additional=self._compile(additional) if isinstance(additional, dict) else None,
            items=self._compile(items) if isinstance(items, dict) else None,
            required=_required(schema),
            bounds=compile_bounds(
                {key: value for key, value in schema.items() if key in ("enum", "pattern")}
            ),
            list_type=_list_type(schema),
            list_keys=_list_keys(schema),
            atomic=schema.get("x-kubernetes-map-type") == "atomic",
        )


def _required(schema: JsonObject) -> tuple[str, ...]:
    """The fields that must be given; of whole objects the server fills in all but ``spec``."""
    names = schema.get("required") or ()
    if set(schema.get("properties") or ()) >= _IDENTITY:
        names = [name for name in names if name == "spec"]
    return tuple(names)


def _list_type(schema: JsonObject) -> ListType:
    if schema.get("x-kubernetes-list-type"):
        return ListType(schema["x-kubernetes-list-type"])
    if schema.get("x-kubernetes-patch-strategy") == "merge":
        return ListType.MAP if schema.get("x-kubernetes-patch-merge-key") else ListType.SET
    return ListType.ATOMIC


def _list_keys(schema: JsonObject) -> tuple[str, ...]:
    if schema.get("x-kubernetes-list-map-keys"):
        return tuple(schema["x-kubernetes-list-map-keys"])
    key = schema.get("x-kubernetes-patch-merge-key")
    return (key,) if key else ()
