# SPDX-License-Identifier: Apache-2.0
"""The recorded verdicts of the cluster-version operator's own loader, held against ours.

Every field of every case counts; of messages, what the parsers of Go say is left out.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from pathlib import Path

import pytest

from okd_payload.release.cluster.apply import decide_action
from okd_payload.release.cluster.capabilities import CapabilityChoice, resolve_capabilities
from okd_payload.release.cluster.order import (
    order_install,
    order_update,
    stages_of,
)
from okd_payload.release.cluster.payload import (
    LoadedPayload,
    Refusal,
    hash_manifests,
    load_payload,
)
from okd_payload.release.cluster.settings import CapabilityStatus, ClusterSettings, Override
from okd_payload.release.cluster.tree import PayloadFolder, PayloadTree
from okd_payload.release.naming import run_level_of

_ROOT = Path(__file__).resolve().parents[4] / "shared" / "data" / "payload-vectors" / "cases"
_CASES = {path.stem: json.loads(path.read_text()) for path in sorted(_ROOT.glob("*.json"))}
_LOADED = [name for name, case in _CASES.items() if case["verdict"] == "ok"]
_WITH_CAPABILITIES = [name for name in _LOADED if "capabilities_status" in _CASES[name]]
_PARSERS = re.compile(
    r"(error parsing:|unmarshal Cincinnati metadata:|json parse error:"
    r"|unmarshal image-references: (?=json:|parsing time|[a-zA-Z.]+: ))"
)
"""Behind these, messages are those of Go's parsers."""


def _tree(case):
    return PayloadTree(own=_folder(case, "manifests"), release=_folder(case, "release-manifests"))


def _folder(case, name):
    paths = {*case["dirs"], *case["files"], *case.get("symlinks", {})}
    if not any(path == name or path.startswith(f"{name}/") for path in paths):
        return None
    inside = {path.removeprefix(f"{name}/") for path in paths if path.startswith(f"{name}/")}
    files, broken = {}, {}
    for path in inside:
        target = case.get("symlinks", {}).get(f"{name}/{path}", path)
        text = case["files"].get(f"{name}/{target}")
        if "/" in path or f"{name}/{path}" in case["dirs"]:
            continue
        if text is None:
            broken[path] = "no such file or directory"
        else:
            files[path] = (
                text.encode() if isinstance(text, str) else base64.b64decode(text["base64"])
            )
    folders = {path.partition("/")[0] for path in inside if "/" in path}
    folders |= {path for path in inside if f"{name}/{path}" in case["dirs"]}
    return PayloadFolder(files=files, broken=broken, folders=frozenset(folders))


@functools.cache
def _load(name):
    case = _CASES[name]
    options = case["options"]
    known, gates = options["known_capabilities"], options["enabled_feature_gates"]
    status = None
    if known is not None:
        status = CapabilityStatus(known=frozenset(known), enabled=frozenset(known))
    settings = ClusterSettings(
        profile=options["profile"],
        feature_set=options["feature_set"],
        exclude_identifier=options["exclude_identifier"],
        enabled_gates=None if gates is None else frozenset(gates),
        capabilities=status,
    )
    image = options["release_image"]
    return load_payload(_tree(case), settings, release_image=image, folder="$DIR")


def _capabilities(options):
    spec = options["capabilities_spec"] or {}
    return resolve_capabilities(
        CapabilityChoice(
            baseline=spec.get("baselineCapabilitySet", ""),
            additional=frozenset(spec.get("additionalEnabledCapabilities", ())),
        ),
        enabled_gates=frozenset(options["enabled_feature_gates"] or ()),
        implicitly_enabled=options["implicitly_enabled_capabilities"],
    )


def _told(message):
    """A message without what Go's parsers say at its end."""
    text = message.replace("$SRC/", "")
    found = _PARSERS.search(text)
    return text[: found.end()] if found else text


@pytest.fixture
def case(name):
    """The recording."""
    return _CASES[name]


@pytest.fixture
def loaded(name):
    """What we load where the operator loaded."""
    found = _load(name)
    assert isinstance(found, LoadedPayload), found
    return found


@pytest.mark.parametrize("name", _CASES)
def test_refused(name, case):
    """What the operator refuses we refuse, for its reason and in its words, and nothing else."""
    found = _load(name)
    assert isinstance(found, Refusal) == (case["verdict"] == "error"), found
    if isinstance(found, Refusal):
        assert found.reason == case.get("reason", "")
        assert _told(found.message) == _told(case["error"])


@pytest.mark.parametrize("name", _LOADED)
def test_facts(case, loaded):
    """The files about the release say the same to us, and warn in the same words."""
    facts = loaded.facts
    created = loaded.created
    images = {
        tag.name: f"{tag.origin.kind}:{tag.origin.name}" if tag.origin else ""
        for tag in loaded.images.stream.spec.tags
    }
    assert {
        "version": loaded.version,
        "architecture": facts.architecture or "amd64",
        "url": facts.url,
        "channels": list(facts.channels),
        "created": f"{created:%Y-%m-%dT%H:%M:%SZ}" if created else "",
        "images": images,
        "warnings": list(loaded.warnings),
    } == {
        key: case[key]
        for key in ("version", "architecture", "url", "channels", "created", "images", "warnings")
    }


@pytest.mark.parametrize("name", _LOADED)
def test_included(case, loaded):
    """The same objects are kept, in the same order, and the same happens to each."""
    options = case["options"]
    capabilities = _capabilities(options)
    overrides = tuple(Override(**override) for override in options["overrides"])
    total = len(loaded.manifests)
    found = []
    for number, manifest in enumerate(loaded.manifests, 1):
        item = manifest.item
        turn = decide_action(item, capabilities, overrides)
        name = f"{item.key.namespace}/{item.key.name}" if item.key.namespace else item.key.name
        found.append(
            {
                "file": manifest.file,
                "apiVersion": item.api_version,
                "kind": item.key.kind,
                "namespace": item.key.namespace,
                "name": item.key.name,
                "task": f'{item.key.kind.lower()} "{name}" ({number} of {total})',
                "action": turn.action.value,
                "reason": turn.reason,
                "raw": item.raw.decode(),
            }
        )
    expected = [
        {"namespace": "", "reason": "", "raw": mine["raw"], **theirs}
        for mine, theirs in zip(found, case["included"], strict=True)
    ]
    assert found == expected


@pytest.mark.parametrize("name", _LOADED)
def test_excluded(case, loaded):
    """The same objects are left out, each for the operator's reason."""
    found = [
        {"object": str(excluded.manifest), "reason": excluded.reason}
        for excluded in loaded.excluded
    ]
    assert found == case["excluded"]


@pytest.mark.parametrize("name", _LOADED)
def test_hash(case, loaded):
    """The operator would write the same hash into its log."""
    assert hash_manifests(loaded.manifests) == case["manifest_hash"]


@pytest.mark.parametrize(("way", "order"), [("update", order_update), ("install", order_install)])
@pytest.mark.parametrize("name", _LOADED)
def test_order(case, loaded, way, order):
    """Nodes and stages of the graph are the operator's."""
    labels = [
        f"{number}:{manifest.file}:{manifest.item.key.kind}/{manifest.item.key.name}"
        for number, manifest in enumerate(loaded.manifests, 1)
    ]
    nodes = order(loaded.manifests)
    assert [
        {
            "in": list(node.before),
            "tasks": [labels[task] for task in node.tasks],
            "out": list(node.after),
        }
        for node in nodes
    ] == case["order"][way]["nodes"]
    stages = [[[labels[task] for task in series] for series in stage] for stage in stages_of(nodes)]
    assert stages == case["order"][way]["stages"]


@pytest.mark.parametrize("name", _LOADED)
def test_no_run_level(case, loaded):
    """The same names give no run level."""
    files = {manifest.file for manifest in loaded.manifests}
    found = sorted((file for file in files if not run_level_of(file)), key=str.encode)
    assert found == case["no_run_level"]


@pytest.mark.parametrize("name", _WITH_CAPABILITIES)
def test_capabilities(case):
    """The same capabilities are known and enabled."""
    expected = case["capabilities_status"]
    status = _capabilities(case["options"])
    assert sorted(status.known) == expected["knownCapabilities"]
    assert sorted(status.enabled) == (expected.get("enabledCapabilities") or [])
