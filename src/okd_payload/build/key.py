# SPDX-License-Identifier: Apache-2.0
"""Build keys: equal keys promise equal images.

A key is a hash over everything that decides the content of an image. It is a label of the
image and a tag ``build-<key>`` of the repository, so that any machine finds an image that was
built before, wherever the stream's own tag points now. The ingredients are a second label:
comparing them says *why* something is built again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from okd_payload.build.engine import BuildStep
from okd_payload.catalog.component import Argument
from okd_payload.oci.digest import Digest

KEY_LABEL = "io.okd-payload.build.key"
INPUTS_LABEL = "io.okd-payload.build.inputs"
KEY_TAG_PREFIX = "build-"


class BuildInputs(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The ingredients of a key; long or secret-looking ones only as hashes."""

    engine: str
    platform: str
    timestamp: int
    layering: str
    dockerfile: str
    """Hash of the final text, environment included."""
    context: str = "."
    commit: str = ""
    tree: str = ""
    arguments: dict[str, str] = {}
    """Hash of the value by name."""
    images: dict[str, Digest] = {}
    """Digest by operand."""
    copies: tuple[str, ...] = ()
    """``digest:source -> destination`` of each copied file."""
    labels: str = ""
    """Hash of the labels that the definition sets."""


def inputs_of(step: BuildStep, *, format_version: str) -> BuildInputs:
    """The ingredients of ``step`` when built by an engine with ``format_version``."""
    return BuildInputs(
        engine=format_version,
        platform=str(step.platform),
        timestamp=step.timestamp,
        layering=step.layering.value,
        dockerfile=_short_hash(step.dockerfile),
        # A default is left out only when it is the very same object, which a decoded one is not.
        context="." if step.context_directory == "." else step.context_directory,
        commit=step.commit.id if step.commit else "",
        tree=step.commit.tree if step.commit else "",
        arguments={item.name: _short_hash(item.value) for item in step.build_arguments},
        images=dict(sorted(step.images.items())),
        copies=tuple(
            f"{files.image}:{copy.source} -> {copy.destination}"
            for files in step.copied_files
            for copy in files.copies
        ),
        labels=_short_hash(repr(sorted((item.name, item.value) for item in step.labels))),
    )


def key_of(inputs: BuildInputs) -> str:
    """The key: 64 hexadecimal digits over a canonical encoding of ``inputs``."""
    return hashlib.sha256(msgspec.json.encode(inputs, order="sorted")).hexdigest()


def key_tag(key: str) -> str:
    """The repository tag under which the image with ``key`` is found."""
    return KEY_TAG_PREFIX + key


def key_labels(inputs: BuildInputs) -> tuple[Argument, ...]:
    """The two labels that every built image carries."""
    return (
        Argument(INPUTS_LABEL, msgspec.json.encode(inputs, order="sorted").decode()),
        Argument(KEY_LABEL, key_of(inputs)),
    )


def read_inputs(labels: Mapping[str, str]) -> BuildInputs | None:
    """The ingredients an image was built from, None when it carries none we can read."""
    try:
        return msgspec.json.decode(labels.get(INPUTS_LABEL, ""), type=BuildInputs)
    except msgspec.DecodeError:
        return None


def explain_change(before: BuildInputs, after: BuildInputs) -> list[str]:
    """What differs, as short phrases for people; empty when the keys are equal."""
    reasons = []
    if before.commit != after.commit or before.tree != after.tree:
        reasons.append(f"changed commit {before.commit[:10]} -> {after.commit[:10]}")
    reasons += _explain_names("argument", before.arguments, after.arguments)
    reasons += [
        f"changed parent {operand}" if operand in before.images else f"new parent {operand}"
        for operand, digest in after.images.items()
        if before.images.get(operand) != digest
    ]
    reasons += [f"parent {name} is gone" for name in before.images if name not in after.images]
    if before.copies != after.copies:
        reasons.append("changed copied files")
    if before.dockerfile != after.dockerfile and not reasons:
        reasons.append("changed Dockerfile or environment")
    for name in ("engine", "platform", "timestamp", "layering", "context", "labels"):
        if getattr(before, name) != getattr(after, name) and not reasons:
            reasons.append(f"changed {name}")
    return reasons


def _explain_names(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    changed = [name for name in after if name in before and before[name] != after[name]]
    return (
        [f"changed {kind} {name}" for name in changed]
        + [f"new {kind} {name}" for name in after if name not in before]
        + [f"{kind} {name} is gone" for name in before if name not in after]
    )


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
