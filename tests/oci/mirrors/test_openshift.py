# SPDX-License-Identifier: Apache-2.0
"""Mirror sets of OpenShift clusters, read from files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import InvalidDocument
from okd_payload.oci.mirrors.openshift import read_mirror_sets
from okd_payload.oci.mirrors.rules import Mirror, MirrorRule, Pulls

DIGESTS = """
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: example}
spec:
  imageDigestMirrors:
  - source: quay.test/okd/content
    mirrors: [mirror.test/okd, second.test/okd]
  - source: quay.test/okd/release
    mirrors: [mirror.test/release]
    mirrorSourcePolicy: NeverContactSource
"""
TAGS = """
apiVersion: config.openshift.io/v1
kind: ImageTagMirrorSet
spec:
  imageTagMirrors:
  - source: quay.test/okd/content
    mirrors: [tags.test/okd]
    mirrorSourcePolicy: AllowContactingSource
"""
POLICY = """
apiVersion: operator.openshift.io/v1alpha1
kind: ImageContentSourcePolicy
spec:
  repositoryDigestMirrors:
  - {source: '*.quay.test', mirrors: [old.test]}
"""


@pytest.fixture
def read(tmp_path):
    """Reads files with these texts, and gives the rules by their prefixes."""

    def read_texts(*texts):
        paths = []
        for number, text in enumerate(texts):
            paths.append(tmp_path / f"{number}.yaml")
            paths[-1].write_text(text)
        return {rule.prefix: rule for rule in read_mirror_sets(paths).rules}

    return read_texts


def test_digest_mirrors(read):
    """Mirrors keep their order, are for digests only, and the policy is followed."""
    assert list(read(DIGESTS).values()) == [
        MirrorRule(
            prefix="quay.test/okd/content",
            mirrors=(
                Mirror("mirror.test/okd", Pulls.BY_DIGEST),
                Mirror("second.test/okd", Pulls.BY_DIGEST),
            ),
        ),
        MirrorRule(
            prefix="quay.test/okd/release",
            mirrors=(Mirror("mirror.test/release", Pulls.BY_DIGEST),),
            blocked=True,
        ),
    ]


@pytest.mark.parametrize("joined", [True, False])
def test_several_sets(joined, read):
    """Documents of a file, and several files, are joined by their sources."""
    rules = read(f"{DIGESTS}---{TAGS}---{POLICY}") if joined else read(DIGESTS, TAGS, POLICY)
    assert rules["quay.test/okd/content"].mirrors[-1] == Mirror("tags.test/okd", Pulls.BY_TAG)
    assert rules["*.quay.test"].mirrors == (Mirror("old.test", Pulls.BY_DIGEST),)


def test_a_list_of_a_cluster(read):
    """What `oc get -o yaml` prints is understood."""
    item = POLICY.strip().replace("\n", "\n  ")
    rules = read(f"apiVersion: v1\nkind: List\nitems:\n- {item}\n")
    assert list(rules) == ["*.quay.test"]


def test_the_kind_between(read):
    """ImageContentPolicy could allow tags."""
    rules = read(
        "apiVersion: config.openshift.io/v1\nkind: ImageContentPolicy\nspec:\n"
        "  repositoryDigestMirrors:\n"
        "  - {source: a.test, mirrors: [b.test], allowMirrorByTags: true}\n"
    )
    assert rules["a.test"].mirrors == (Mirror("b.test"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no mirror set"),
        ("[]", "Expected"),
        ("kind: [", "not valid YAML"),
        ("kind: ConfigMap\napiVersion: v1", "ConfigMap in v1 is no mirror set"),
        (DIGESTS.replace("NeverContactSource", "Perhaps"), ":11: spec.imageDigestMirrors[1]"),
        (DIGESTS.replace("mirror.test/okd", "mirror"), ":7: spec.imageDigestMirrors[0]"),
        (DIGESTS.replace("quay.test/okd/release", "quay.test/r:1"), "spec.imageDigestMirrors[1]"),
    ],
)
def test_what_is_no_mirror_set(text, words, read):
    """Errors name the file, the line and the field."""
    with pytest.raises(InvalidDocument) as raised:
        read(text)
    assert words in str(raised.value)


@given(st.binary(max_size=100))
def test_any_bytes_are_mirror_sets_or_an_error(tmp_path_factory, content):
    """Whatever is in a file, nothing else than InvalidDocument leaves the reader."""
    path = tmp_path_factory.mktemp("sets") / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidDocument):
        read_mirror_sets([path])
