# SPDX-License-Identifier: Apache-2.0
"""What clusters are told of a mirror."""

from __future__ import annotations

import pytest
import yaml

from okd_payload.release.mirror.instructions import (
    MirrorSet,
    find_mirrors,
    install_config,
    instruction_files,
    instructions,
    mirror_set,
)

FOUND = find_mirrors(
    ["quay.test/okd/release", "quay.test/okd/content", "quay.test/okd/content"],
    ["r.test:5000/a", "s.test/b", "r.test:5000/a"],
)


def test_sources_are_sorted_and_mirrors_keep_their_order():
    """The same mirror always gives the same text, each repository once."""
    assert [each.source for each in FOUND] == ["quay.test/okd/content", "quay.test/okd/release"]
    assert FOUND[0].mirrors == ("r.test:5000/a", "s.test/b")


@pytest.mark.parametrize("kind", list(MirrorSet))
def test_objects_are_what_clusters_read(kind):
    """Each kind of object names every source and its mirrors."""
    value = yaml.safe_load(mirror_set(kind, FOUND, name="x"))
    assert (value["apiVersion"], value["kind"]) == (kind.api_version, kind.kind)
    assert value["metadata"] == {"name": "x"}
    assert value["spec"][kind.field] == [
        {"source": each.source, "mirrors": list(each.mirrors)} for each in FOUND
    ]


def test_the_text_of_the_reference_is_ours():
    """The part of install-config is as in the reference, line by line."""
    found = find_mirrors(
        [
            "quay.io/openshift-release-dev/ocp-v4.0-art-dev",
            "quay.io/openshift-release-dev/ocp-release",
        ],
        ["registry.example.com/ocp/release"],
    )
    assert install_config(MirrorSet.IDMS, found) == (
        "imageDigestSources:\n"
        "- mirrors:\n"
        "  - registry.example.com/ocp/release\n"
        "  source: quay.io/openshift-release-dev/ocp-release\n"
        "- mirrors:\n"
        "  - registry.example.com/ocp/release\n"
        "  source: quay.io/openshift-release-dev/ocp-v4.0-art-dev\n"
    )
    assert "use the following to create an ImageTagMirrorSet:" in instructions(
        MirrorSet.ITMS, found
    )


def test_files_stand_alone():
    """Each file is one document, and objects are named by the mirror."""
    files = {name: yaml.safe_load(content) for name, content in instruction_files(FOUND).items()}
    assert files["image-digest-mirror-set.yaml"]["metadata"]["name"] == "mirror-r-test-5000-a"
    assert files["image-tag-mirror-set.yaml"]["kind"] == "ImageTagMirrorSet"
    assert set(files["install-config-image-digest-sources.yaml"]) == {"imageDigestSources"}


def test_names_of_objects_fit():
    """A long repository gives a name that Kubernetes takes."""
    found = find_mirrors(["a.test/b"], ["registry.test/" + "very-long/" * 12 + "end"])
    name = yaml.safe_load(instruction_files(found)["image-tag-mirror-set.yaml"])["metadata"]["name"]
    assert len(name) <= 63
    assert not name.endswith("-")
