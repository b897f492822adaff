# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from okd_payload.release.naming import PayloadNames, is_manifest

_NAMES = st.text(alphabet="ab0._2/", min_size=1, max_size=6)


def test_default_place():
    """A file that has not chosen its place gets the default level and the name of its operator."""
    names = PayloadNames()
    assert names.take(tag="etcd", source="crd.yaml") == "0000_50_etcd_crd.yaml"
    assert names.take(tag="etcd", source="0000_10_crd.yaml") == "0000_10_crd.yaml"


def test_equal_names_are_numbered():
    """Later files of the same name are numbered before their ending."""
    names = PayloadNames()
    taken = [names.take(tag="x", source="0000_10_crd.yaml") for _ in range(3)]
    assert taken == ["0000_10_crd.yaml", "0000_10_crd_2.yaml", "0000_10_crd_3.yaml"]
    assert [names.take(tag="x", source="0000_a") for _ in range(2)] == ["0000_a", "0000_a_2"]


@given(st.lists(_NAMES, max_size=12))
def test_no_name_is_given_twice(sources):
    """However files are called, no two of them get the same name."""
    names = PayloadNames()
    taken = [names.take(tag="t", source=source) for source in sources]
    assert len(set(taken)) == len(taken)


def test_manifests():
    """The cluster reads three endings, in lower case."""
    assert [
        name
        for name in ("a.yaml", "b.yml", "c.json", ".yaml", "d.YAML", "e.txt", "yaml")
        if is_manifest(name)
    ] == ["a.yaml", "b.yml", "c.json", ".yaml"]
