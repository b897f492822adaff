# SPDX-License-Identifier: Apache-2.0
"""Objects of a payload are chosen, and keep their bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import InputError
from okd_payload.release.cluster.settings import CapabilityStatus, ClusterSettings
from okd_payload.release.extract.selection import (
    Selection,
    check_cloud,
    cut_documents,
    select_files,
)
from okd_payload.release.load import ReleaseContent

_INCLUDED = "include.release.openshift.io/self-managed-high-availability"


def request(name, provider, annotations=""):
    """A credentials request, with a comment."""
    return (
        f"# for {name}\napiVersion: cloudcredential.openshift.io/v1\nkind: CredentialsRequest\n"
        f"metadata:\n  name: {name}\n{annotations}"
        f"spec:\n  providerSpec: {{kind: {provider}ProviderSpec}}\n"
    )


def config_map(name, **annotations):
    """A config map."""
    lines = "".join(f"    {key}: {value!r}\n" for key, value in annotations.items())
    head = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n"
    return head + (f"  annotations:\n{lines}" if lines else "")


def select(selection, **files):
    """Names and contents of what is chosen, and the issues."""
    content = ReleaseContent(
        origin="here", files={f"{name}.yaml": text.encode() for name, text in files.items()}
    )
    selected = select_files(content, selection)
    return {file.name: file.content.decode() for file in selected.files}, selected.issues


def test_documents_are_cut_out_with_their_bytes():
    """Of several documents only the wanted ones are left, comments and quoting as they were."""
    aws, gcp = request("aws", "AWS"), request("gcp", "GCP")
    text = f"{aws}---\n{config_map('other')}--- # next\n{gcp}"
    found, _ = select(Selection(credentials_requests=True), a=text, b=config_map("b"))
    assert found == {"a.yaml": f"{aws}--- # next\n{gcp}"}


def test_a_file_of_which_everything_is_wanted_stays_as_it_is():
    """Empty documents and comments between separators stay, too."""
    text = f"---\n# first\n---\n{request('aws', 'AWS')}---\n---\n"
    found, _ = select(Selection(credentials_requests=True), a=text)
    assert found == {"a.yaml": text}


def test_one_cloud_is_chosen():
    """Only the requests whose provider is that of the cloud."""
    text = f"{request('aws', 'AWS')}---\n{request('gcp', 'GCP')}"
    found, _ = select(Selection(credentials_requests=True, cloud="gcp"), a=text)
    assert found == {"a.yaml": f"---\n{request('gcp', 'GCP')}"}


def test_requests_for_other_clouds_are_not_for_a_cluster():
    """Under --included, the platform of the cluster decides about requests and nothing else."""
    included = f"  annotations: {{{_INCLUDED}: 'true'}}\n"
    found, _ = select(
        Selection(cloud="aws", cluster=ClusterSettings()),
        a=request("aws", "AWS", included),
        g=request("gcp", "GCP", included),
        m=config_map("map", **{_INCLUDED: "true"}),
        n=config_map("none"),
    )
    assert set(found) == {"a.yaml", "m.yaml"}


def test_a_platform_without_credentials_wants_no_request():
    """A cluster on bare metal has no cloud to ask."""
    included = f"  annotations: {{{_INCLUDED}: 'true'}}\n"
    found, _ = select(
        Selection(cloud="none", cluster=ClusterSettings()), a=request("aws", "AWS", included)
    )
    assert found == {}


def test_requests_without_annotations_are_for_every_cluster():
    """Asking for credentials requests keeps those that say nothing, and not the excluded ones."""
    excluded = f"  annotations: {{{_INCLUDED}: 'false'}}\n"
    found, _ = select(
        Selection(credentials_requests=True, cloud="aws", cluster=ClusterSettings()),
        a=request("aws", "AWS"),
        b=request("aws", "AWS", excluded),
        c=request("aws", "AWS", f"  annotations: {{{_INCLUDED}: true}}\n"),
    )
    assert set(found) == {"a.yaml"}


def test_capabilities_decide():
    """What belongs to a capability that the cluster lacks is left out."""
    settings = ClusterSettings(
        capabilities=CapabilityStatus(
            known=frozenset({"Console", "Insights"}), enabled=frozenset({"Console"})
        )
    )
    annotations = {_INCLUDED: "true"}
    found, _ = select(
        Selection(cluster=settings),
        a=config_map("a", **annotations, **{"capability.openshift.io/name": "Console"}),
        b=config_map("b", **annotations, **{"capability.openshift.io/name": "Insights"}),
    )
    assert set(found) == {"a.yaml"}


def test_unreadable_documents_are_told_and_left_out():
    """The place is named, and what is readable is chosen."""
    text = f"{request('aws', 'AWS')}---\na: [\n---\nkind: NoName\napiVersion: v1\n"
    found, issues = select(Selection(credentials_requests=True), a=text)
    assert found == {"a.yaml": request("aws", "AWS")}
    assert [(issue.code, issue.file, issue.blocks) for issue in issues] == [
        ("invalid-manifest", "a.yaml", False)
    ] * 2
    assert [issue.line > 8 for issue in issues] == [True, True]


def test_json_objects_are_documents():
    """JSON objects one after another are told apart."""
    first = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ä"}}\n'
    second = (
        '{"apiVersion": "cloudcredential.openshift.io/v1", "kind": "CredentialsRequest",'
        ' "metadata": {"name": "b"}}\n'
    )
    found, _ = select(Selection(credentials_requests=True), a=first + second)
    assert found == {"a.yaml": second}


@given(
    st.lists(
        st.sampled_from(
            [
                b"---\n",
                b"--- # c\n",
                b"a: 1\n",
                b"----\n",
                b'{"a": "---"}',
                b"\n",
                b" ",
                b"\xff",
                b"{",
            ]
        ),
        max_size=12,
    ).map(b"".join)
)
def test_pieces_together_are_the_content(content):
    """Cutting loses no byte, whatever the content."""
    assert b"".join(cut_documents(content)) == content


def test_clouds_have_known_names():
    """Others are refused, with those that exist."""
    assert check_cloud("AWS") == "aws"
    with pytest.raises(InputError, match="'moon' is no cloud") as caught:
        check_cloud("moon")
    assert "powervs" in caught.value.hint
