# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.release.labels import DISPLAY_NAMES, VERSIONS
from okd_payload.release.versions import (
    ComponentVersion,
    declared_by,
    format_versions,
    make_table,
    merge_for_display,
    parse_versions,
)


def test_labels_are_read():
    """Versions lose build metadata, blanks around pairs do not matter, names are optional."""
    declared = parse_versions(
        "kubernetes=1.33.5, crio=1.33.4+meta ", "kubernetes=Kubernetes (upstream)"
    )
    assert declared.problems == ()
    assert declared.versions == {
        "kubernetes": ComponentVersion("1.33.5", "Kubernetes (upstream)"),
        "crio": ComponentVersion("1.33.4"),
    }


def test_no_label_is_no_version():
    """Without versions, display names mean nothing, however wrong they are."""
    assert parse_versions(" ", "nonsense") == parse_versions("")


@pytest.mark.parametrize(
    ("versions", "names", "problem"),
    [
        ("kubernetes", "", 'the version pair "kubernetes" must be NAME=VERSION'),
        ("kubernetes=1.33", "", "must have a valid semantic version: No Major.Minor.Patch"),
        ("kubernetes=1.0.0,", "", 'the version pair "" must be NAME=VERSION'),
        ("k=1.0.0", "", "must be at least 2 characters"),
        ("Kube=1.0.0", "", "must only be ASCII alphanumerics and internal hyphens"),
        ("kube-=1.0.0", "", "must only be ASCII alphanumerics and internal hyphens"),
        ("kube=1.0.0", "CoreOS", 'the display name pair "CoreOS" must be NAME=DISPLAYNAME'),
        ("kube=1.0.0", "kube=a_b", 'the display name "a_b" must only be alphanumerics'),
        ("kube=1.0.0", "k=a", "must be at least 2 characters"),
    ],
)
def test_problems(versions, names, problem):
    """Each mistake is named."""
    assert any(problem in text for text in parse_versions(versions, names).problems)


def test_all_problems_are_told():
    """One mistake does not hide another."""
    assert len(parse_versions("a=1,b,kube=x", "c,d=_").problems) == 5


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_label_is_read_or_explained(versions, names):
    """Whatever labels say, reading them gives versions and sentences, never an exception."""
    declared = parse_versions(versions, names)
    assert declared.versions or declared.problems or not versions.strip()


def test_written_and_read_again():
    """What is written as annotations is read as it was."""
    versions = {"crio": ComponentVersion("1.0.0"), "machine-os": ComponentVersion("9.6.1", "SCOS")}
    labels = format_versions(versions)
    assert declared_by({VERSIONS: labels[0], DISPLAY_NAMES: labels[1]}) == versions


def test_agreeing_images():
    """A version that several images declare alike can be used."""
    one = {"kubernetes": ComponentVersion("1.0.0")}
    table = make_table([("a", one), ("b", one)], defaults={})
    assert table.versions == one
    assert not table.ambiguous
    assert not table.conflicts


def test_disagreeing_images():
    """Different versions are a conflict, but of the operating system, which must not be used."""
    table = make_table(
        [
            (
                "a",
                {"kubernetes": ComponentVersion("1.0.0"), "machine-os": ComponentVersion("9.0.0")},
            ),
            (
                "b",
                {"kubernetes": ComponentVersion("1.0.1"), "machine-os": ComponentVersion("8.0.0")},
            ),
        ],
        defaults={"crio": ComponentVersion("1.2.3")},
    )
    assert "a has 1.0.0; b has 1.0.1" in table.conflicts[0]
    assert list(table.ambiguous) == ["machine-os"]
    assert table.versions["crio"].version == "1.2.3"


def test_kubectl_comes_from_cli():
    """Nobody but cli and cli-artifacts says which kubectl it is."""
    table = make_table(
        [
            ("cli", {"kubectl": ComponentVersion("1.33.3")}),
            ("tools", {"kubectl": ComponentVersion("1.32.0")}),
        ],
        defaults={},
    )
    assert table.versions == {"kubectl": ComponentVersion("1.33.3")}


def test_display_of_disagreeing_images():
    """Of several values the first by text is shown, no name among them, and the key is disputed."""
    shown, disagreeing = merge_for_display(
        [
            ("a", {"kubernetes": ComponentVersion("1.33.10")}),
            (
                "b",
                {
                    "kubernetes": ComponentVersion("1.33.9", "B"),
                    "kernel": ComponentVersion("5.1.0", "L"),
                },
            ),
            ("c", {"kubernetes": ComponentVersion("1.33.9", "C")}),
            ("d", {"machine-os": ComponentVersion("9.0.0")}),
            ("e", {"machine-os": ComponentVersion("8.0.0")}),
        ]
    )
    assert shown["kubernetes"] == ComponentVersion("1.33.10")
    assert shown["kernel"] == ComponentVersion("5.1.0", "L")
    assert disagreeing == ["kubernetes"]
