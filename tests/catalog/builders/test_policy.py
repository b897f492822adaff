# SPDX-License-Identifier: Apache-2.0
"""The section ``builders`` as people write it, and the component that it leads to."""

from __future__ import annotations

import pytest

from okd_payload.catalog.builders import Builders, choose_builder, generate_builder
from okd_payload.catalog.builders.choice import BuilderChoice
from okd_payload.catalog.component import Argument, Component, Origin
from okd_payload.documents import convert, parse_documents
from okd_payload.errors import InvalidDocument


def read(text: str) -> Builders:
    """The section with this text."""
    (document,) = parse_documents(text.encode(), path="builders.yaml")
    return convert(document, Builders)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("images: [{name: b, definition: b, versions: {go: ['1']}}]", r"has no \{go\}"),
        ("images: [{name: 'b{go}', definition: b, versions: {go: []}}]", "lists no version"),
        ("images: [{name: 'b{go}{os}', definition: b, versions: {go: ['1']}}]", "not among"),
        (
            "images: [{name: 'b{go}', definition: b, versions: {go: ['1']}, base: 'c{os}'}]",
            "not among versions",
        ),
        ("images: [{name: 'b{go}', definition: b, versions: {go: [1.20]}}]", "str"),
        ("references: [{pattern: 'a{go}-{go}'}]", "twice"),
        ("references: [{pattern: 'a{go}', versions: {go: '1'}}]", "twice"),
        ("references: [{pattern: 'a:*'}]", "asks for no version"),
        ("references: [{pattern: 'a{1}'}]", "begins with a letter"),
        ("rules: {go: {nearest: lower}}", "lower"),
    ],
)
def test_what_can_never_work_is_refused(text: str, message: str) -> None:
    """A mistake in the section stops with its place, before anything is planned."""
    with pytest.raises(InvalidDocument, match=message):
        read(text)


def test_the_definition_is_built_with_the_versions() -> None:
    """Name, base and build arguments of the matrix are filled in; all else is the definition's."""
    builders = read(
        "images:\n"
        "  - name: builder-go{go}-el{os}\n"
        "    definition: builder\n"
        "    versions: {go: ['1.20', '1.21'], os: ['9']}\n"
        "    base: tools:centos{os}\n"
        "    buildArguments: {GO_VERSION: 'go{go}'}\n"
    )
    choice = choose_builder("openshift/origin-release:golang-1.12", builders)
    assert isinstance(choice, BuilderChoice)
    definition = Component(
        name="builder",
        tag="builder",
        origin=Origin("builder.yaml", 1),
        dockerfile="FROM scratch",
        base="centos",
        build_arguments=(Argument("GO_VERSION", "latest"), Argument("KEPT", "1")),
    )
    component = generate_builder(choice, definition)
    assert (component.name, component.tag) == ("builder-go1.20-el9", "builder-go1.20-el9")
    assert component.base == "tools:centos9"
    assert component.build_arguments == (Argument("KEPT", "1"), Argument("GO_VERSION", "go1.20"))
    assert component.dockerfile == definition.dockerfile
    assert component.origin == definition.origin
    assert [str(version) for version in choice.versions] == ["go 1.12 as 1.20", "os 9"]
