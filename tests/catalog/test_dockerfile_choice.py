# SPDX-License-Identifier: Apache-2.0
"""Which Dockerfile makes a component, out of the names that repositories have."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.dockerfile_choice import DOCKERFILES, choose_dockerfile

REFERENCES = (
    Path(__file__).resolve().parents[3]
    / "shared"
    / "data"
    / "component-dockerfiles"
    / "references.json"
)


def choose(component: str, repository: str, *files: str) -> str:
    """The path that is chosen."""
    return choose_dockerfile(files, component=component, repository=repository).path


@pytest.mark.parametrize("number", range(len(DOCKERFILES)))
def test_the_first_usual_name_counts(number: int) -> None:
    """Of all names the one made for OKD is preferred."""
    files = sorted(DOCKERFILES[number:])
    assert choose("etcd", "etcd", *files) == DOCKERFILES[number]


OLM = "operator-framework-olm"
SNAPSHOTTER = "csi-external-snapshotter"
FOR_TESTS = ["Dockerfile", "test/Dockerfile.okd", "vendor/x/Dockerfile.okd"]
INSTALLER, BAREMETAL = "images/installer/Dockerfile.ci", "images/baremetal/Dockerfile.ci"


@pytest.mark.parametrize(
    ("component", "repository", "expected", "others"),
    [
        ("cli", "oc", "images/cli/Dockerfile.rhel", ["images/cli-artifacts/Dockerfile.rhel"]),
        ("tools", "oc", "images/tools/Dockerfile", ["images/cli/Dockerfile.rhel", "Dockerfile"]),
        ("installer", "installer", INSTALLER, [BAREMETAL]),
        ("baremetal-installer", "installer", BAREMETAL, [INSTALLER]),
        ("operator-registry", OLM, "operator-registry.Dockerfile", ["olm.Dockerfile"]),
        ("ovn-kubernetes", "ovn-kubernetes", "Dockerfile", ["Dockerfile.microshift"]),
        ("csi-snapshot-webhook", SNAPSHOTTER, "Dockerfile.webhook.rhel7", ["Dockerfile.rhel7"]),
        ("etcd", "etcd", "openshift/Dockerfile.openshift", FOR_TESTS),
        ("driver", "driver", "Containerfile.ocp", ["Dockerfile", "x/.hidden/Dockerfile.okd"]),
    ],
)
def test_words_of_the_path_decide(
    component: str, repository: str, expected: str, others: list[str]
) -> None:
    """The path that names the component comes before suffixes, that of another one never."""
    assert choose(component, repository, *others, expected) == expected


@pytest.mark.parametrize("files", [(), ("README.md", "dockerfiles/a.txt", "vendor/a/Dockerfile")])
def test_no_dockerfile_is_told(files: tuple[str, ...]) -> None:
    """Files of others' code are none of ours."""
    found = choose_dockerfile(files, component="etcd", repository="etcd")
    assert (found.path, found.candidates) == ("", ())
    assert found.evidence == "the source has no Dockerfile."


def test_a_dockerfile_of_something_else_is_not_taken() -> None:
    """Better none than the wrong one; what is there is told."""
    found = choose_dockerfile(
        ["test/e2e/Dockerfile", "hack/Dockerfile.lint"], component="pod", repository="kubernetes"
    )
    assert found.path == ""
    assert found.candidates == ("hack/Dockerfile.lint", "test/e2e/Dockerfile")
    assert "nearest: hack/Dockerfile.lint" in found.evidence


def test_the_evidence_names_what_was_not_taken() -> None:
    """Whoever doubts the choice sees the others."""
    found = choose_dockerfile(["Dockerfile", "Dockerfile.ocp"], component="a", repository="a")
    assert found.evidence == "Dockerfile.ocp: made for ocp. There are also Dockerfile."
    alone = choose_dockerfile(["Dockerfile"], component="a", repository="a")
    assert alone.evidence == "Dockerfile: the usual name. There is no other."


@given(st.lists(st.sampled_from([*DOCKERFILES, "a/Dockerfile", "b/Dockerfile.ci"])), st.randoms())
def test_the_order_of_files_does_not_matter(files: list[str], random) -> None:
    """The same files give the same choice."""
    shuffled = random.sample(files, len(files))
    before = choose_dockerfile(sorted(files), component="a", repository="x")
    assert choose_dockerfile(shuffled, component="a", repository="x") == before


@pytest.mark.skipif(not REFERENCES.is_file(), reason="the facts of the Dockerfiles are not here")
def test_real_components_find_their_dockerfiles() -> None:
    """Among the Dockerfiles that definitions use in a repository nearly all find their own."""
    facts = {
        name: fact for name, fact in json.loads(REFERENCES.read_text()).items() if fact["found"]
    }
    files = defaultdict(lambda: {"test/e2e/Dockerfile", "vendor/example.com/x/Dockerfile.okd"})
    for fact in facts.values():
        files[fact["repository"]].add(fact["path"])
    wrong = {
        name
        for name, fact in facts.items()
        if choose(name, fact["repository"].rpartition("/")[2], *files[fact["repository"]])
        != fact["path"]
    }
    assert len(facts) == 184
    assert wrong == {
        *("agent-installer-csr-approver", "hypershift", "kube-storage-version-migrator"),
        *("kuryr-cni-rpm-base", "oc-mirror", "pod"),
    }
