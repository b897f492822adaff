# SPDX-License-Identifier: Apache-2.0
"""Build keys: what changes them, and how a change is explained."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from okd_payload.build.engine import BuildStep, CopiedFiles
from okd_payload.build.key import (
    INPUTS_LABEL,
    KEY_LABEL,
    explain_change,
    inputs_of,
    key_labels,
    key_of,
    key_tag,
    read_inputs,
)
from okd_payload.catalog.component import Argument, Copy, Layering, Resources
from okd_payload.oci.digest import digest_of
from okd_payload.oci.manifest import Platform
from okd_payload.source.model import Commit, FolderSource

BASE, OTHER = digest_of(b"base"), digest_of(b"other")
STEP = BuildStep(
    component="etcd",
    tag="etcd",
    source=FolderSource(path="/somewhere/etcd"),
    commit=Commit(id="a" * 40, tree="b" * 40, time=7, location=""),
    context_directory=".",
    dockerfile="FROM base\n",
    images={"base": BASE},
    copied_files=(CopiedFiles(image=OTHER, copies=(Copy("/x", "."),)),),
    build_arguments=(Argument("TAGS", "scos"), Argument("TOKEN", "hunter2")),
    labels=(Argument("a", "b"),),
    platform=Platform(architecture="amd64"),
    timestamp=7,
)


def _key(step: BuildStep, version: str = "1") -> str:
    return key_of(inputs_of(step, format_version=version))


def test_a_step_that_was_sent_elsewhere_has_its_key():
    """A step that was written down and read again has the key that it had before."""
    again = msgspec.json.decode(msgspec.json.encode(STEP), type=BuildStep)
    assert _key(again) == _key(STEP)


CHANGES: list[tuple[dict[str, Any], str]] = [
    (
        {"commit": Commit(id="c" * 40, tree="b" * 40, time=7, location="")},
        "changed commit aaaaaaaaaa -> cccccccccc",
    ),
    ({"images": {"base": OTHER}}, "changed parent base"),
    ({"images": {"base": BASE, "cli": OTHER}}, "new parent cli"),
    ({"images": {}}, "parent base is gone"),
    (
        {"build_arguments": (Argument("TAGS", "fcos"), Argument("TOKEN", "hunter2"))},
        "changed argument TAGS",
    ),
    ({"build_arguments": (Argument("TAGS", "scos"),)}, "argument TOKEN is gone"),
    ({"dockerfile": "FROM base\nENV A=B\n"}, "changed Dockerfile or environment"),
    ({"copied_files": ()}, "changed copied files"),
    ({"context_directory": "sub"}, "changed context"),
    ({"layering": Layering.EACH}, "changed layering"),
    ({"platform": Platform(architecture="arm64")}, "changed platform"),
    ({"timestamp": 8}, "changed timestamp"),
    ({"labels": ()}, "changed labels"),
]


@pytest.mark.parametrize(("change", "reason"), CHANGES, ids=[reason for _, reason in CHANGES])
def test_whatever_decides_the_image_decides_the_key(change: dict[str, Any], reason: str):
    """A change of any ingredient changes the key, and is explained in one phrase."""
    changed = msgspec.structs.replace(STEP, **change)
    assert _key(changed) != _key(STEP)
    before, after = (inputs_of(step, format_version="1") for step in (STEP, changed))
    assert explain_change(before, after) == [reason]


def test_a_new_engine_format_changes_the_key():
    """Images of an engine that builds differently are not taken for equal."""
    assert _key(STEP, "1") != _key(STEP, "2")


def test_place_and_resources_do_not_change_the_key():
    """Where the folder lies and how much memory a build may use decide no content."""
    moved = msgspec.structs.replace(
        STEP,
        source=FolderSource(path="/elsewhere"),
        resources=Resources(memory_limit="4Gi"),
    )
    assert _key(moved) == _key(STEP)


def test_labels_carry_the_key_and_its_ingredients_but_no_value():
    """The ingredients are read back from the labels; argument values do not stand there."""
    inputs = inputs_of(STEP, format_version="1")
    labels = {label.name: label.value for label in key_labels(inputs)}
    assert labels[KEY_LABEL] == _key(STEP)
    assert read_inputs(labels) == inputs
    assert "hunter2" not in labels[INPUTS_LABEL]
    assert key_tag(labels[KEY_LABEL]) == "build-" + _key(STEP)


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"engine": 1}'])
def test_foreign_labels_are_no_ingredients(text: str):
    """Labels that somebody else wrote count as none."""
    assert read_inputs({INPUTS_LABEL: text}) is None
