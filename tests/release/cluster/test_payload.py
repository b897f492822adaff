# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from okd_payload.release.cluster.order import order_install, order_update, stages_of
from okd_payload.release.cluster.payload import (
    LoadedManifest,
    LoadedPayload,
    Refusal,
    load_payload,
)
from okd_payload.release.cluster.settings import ClusterSettings
from okd_payload.release.cluster.tree import PayloadFolder, PayloadTree
from okd_payload.release.objects import ManifestObject, ObjectKey, read_objects

_REFERENCES = json.dumps(
    {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": "4.20.0"},
        "spec": {"tags": [{"name": "cli", "from": {"kind": "DockerImage", "name": "q.test/cli"}}]},
    }
).encode()
_METADATA = b'{"kind": "cincinnati-metadata-v0", "version": "4.20.0"}'
_OBJECT = (
    b"kind: ConfigMap\nmetadata:\n  name: %s\n"
    b'  annotations: {include.release.openshift.io/self-managed-high-availability: "true"}\n'
)


def _load(own, release):
    files = {"image-references": _REFERENCES, "release-metadata": _METADATA, **release}
    tree = PayloadTree(own=PayloadFolder(files=own), release=PayloadFolder(files=files))
    return load_payload(tree, ClusterSettings(), release_image="q.test/release", folder="/p")


def test_all_bad_files_are_told():
    """A payload is refused for all its bad files at once, in the brackets of Kubernetes."""
    found = _load({"a.yaml": b"- x\n"}, {"b.yaml": (_OBJECT % b"b") + b"---\n" + _OBJECT % b"b"})
    assert isinstance(found, Refusal)
    assert found.message.startswith("Error loading manifests from /p: [parse a.yaml: error parsing")
    assert found.message.endswith(
        'parse b.yaml: duplicate resource: (Group: "" Kind: "ConfigMap" Name: "b")]'
    )


def test_own_manifests_come_first_and_are_rendered():
    """The operator's own manifests are rendered, those of the release are not."""
    own = _OBJECT % b"own" + b"data: {x: '{{.Images.cli}}'}\n"
    theirs = _OBJECT % b"theirs" + b"data: {x: '{{.Images.cli}}'}\n"
    found = _load({"0000_90_x_1.yaml": own}, {"0000_00_x_1.yaml": theirs})
    assert isinstance(found, LoadedPayload)
    assert [
        (manifest.item.key.name, manifest.item.value["data"]["x"]) for manifest in found.manifests
    ] == [("own", "q.test/cli"), ("theirs", "{{.Images.cli}}")]


@given(st.dictionaries(st.sampled_from(["a.yaml", "b.json", "c.yml", "d.txt"]), st.binary()))
def test_any_files(files):
    """Any bytes are loaded or refused, in words, and never anything else."""
    found = _load(files, files)
    assert isinstance(found, LoadedPayload) or found.reason == "UpdatePayloadIntegrity"


_LINES = st.sampled_from(
    [
        b"---", b"--- # c", b"---x", b"----", b"...", b"a: |", b"  ---", b"kind: X",
        b"metadata: {name: n}", b'{"kind":"X","metadata":{"name":"j"}}', b"", b"# c",
        b"\xef\xbb\xbf", b"- x", b"%YAML 1.1", b"\ta: b", b"a: [",
    ]
)  # fmt: skip


@given(st.lists(_LINES, max_size=12))
def test_any_documents(lines):
    """However a file is cut, its documents come in order and lie in the file."""
    content = b"\n".join(lines)
    places = [item.line for item in read_objects(content).documents]
    assert places == sorted(places)
    assert all(place <= content.count(b"\n") + 2 for place in places)


_FILES = st.builds(
    "0000_{}_{}_{}.yaml".format,
    st.sampled_from(["10", "20", "x"]),
    st.sampled_from(["a", "b", "a-b", "-"]),
    st.integers(0, 3),
)


@given(st.lists(st.tuples(_FILES, st.booleans()), max_size=14))
def test_any_order(files):
    """Every object has one place in each graph, and a Job meets nothing else."""
    manifests = [
        LoadedManifest(
            name,
            ManifestObject(
                ObjectKey("batch", "Job" if is_job else "X", "", str(number)),
                {"apiVersion": "batch/v1"},
                1,
            ),
        )
        for number, (name, is_job) in enumerate(files)
    ]
    for order in (order_update, order_install):
        nodes = order(manifests)
        assert sorted(task for node in nodes for task in node.tasks) == list(range(len(files)))
        stages = stages_of(nodes)
        placed = [
            (place, [task for series in stage for task in series])
            for place, stage in enumerate(stages)
        ]
        for _, tasks in placed:
            jobs = [task for task in tasks if files[task][1]]
            assert not jobs or len(tasks) == 1
        flat = [task for _, tasks in placed for task in tasks]
        barriers = [task for task in flat if files[task][1]]
        for job in barriers:
            assert set(flat[: flat.index(job)]) == set(range(job))
