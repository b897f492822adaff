# SPDX-License-Identifier: Apache-2.0
"""Image configurations: read leniently, changed without losing what is unknown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import ContentError, TooLarge
from okd_payload.oci.config import (
    MAX_CONFIG_BYTES,
    AddedLayer,
    HistoryEntry,
    ImageConfig,
    change_config,
    read_config,
)
from okd_payload.oci.digest import digest_of
from okd_payload.oci.manifest import Platform

DIFF_ID = digest_of(b"layer")
FULL = {
    "created": "2025-01-02T03:04:05Z",
    "architecture": "arm64",
    "variant": "v8",
    "os": "linux",
    "config": {
        "User": "1001",
        "ExposedPorts": {"8443/tcp": {}},
        "Env": ["PATH=/bin"],
        "Entrypoint": ["/bin/app"],
        "Cmd": ["--help"],
        "Volumes": {"/data": {}},
        "WorkingDir": "/work",
        "Labels": {"io.openshift.release.operator": "true"},
        "StopSignal": "SIGTERM",
        "OnBuild": None,
    },
    "rootfs": {"type": "layers", "diff_ids": [DIFF_ID]},
    "history": [{"created": "2025-01-02T03:04:05Z", "created_by": "COPY", "empty_layer": True}],
    "moby.buildkit.cache.v0": {"anything": [1, 2.50]},
}


def test_every_field_is_read():
    """A full configuration arrives in typed fields."""
    config = read_config(json.dumps(FULL).encode())
    assert config.platform == Platform("arm64", variant="v8")
    assert str(config.platform) == "linux/arm64/v8"
    assert config.created == "2025-01-02T03:04:05Z"
    assert config.config.user == "1001"
    assert list(config.config.exposed_ports) == ["8443/tcp"]
    assert config.config.env == ("PATH=/bin",)
    assert config.config.entrypoint == ("/bin/app",)
    assert config.config.cmd == ("--help",)
    assert list(config.config.volumes) == ["/data"]
    assert config.config.working_dir == "/work"
    assert config.labels == {"io.openshift.release.operator": "true"}
    assert config.config.stop_signal == "SIGTERM"
    assert config.diff_ids == (DIFF_ID,)
    assert config.history[0].created_by == "COPY"
    assert config.history[0].empty_layer


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b'{"config":null}',
        b'{"config":{}}',
        b'{"config":{"Labels":null,"Env":null,"ExposedPorts":null,"Volumes":null}}',
        b'{"rootfs":null,"history":null,"created":null,"os":null}',
        b'{"rootfs":{"diff_ids":null}}',
    ],
)
def test_what_is_absent_or_null_is_empty(content):
    """Every builder leaves out something else; none of it matters."""
    assert read_config(content) == ImageConfig()


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b"\xff", b'{"config":[]}', b'{"history":[null]}', b"[" * 99999]
)
def test_damaged_configurations_are_refused(content):
    """What is no configuration raises ContentError, for reading and for changing."""
    with pytest.raises(ContentError):
        read_config(content)
    with pytest.raises(ContentError):
        read_config(change_config(content, labels={}, added=[AddedLayer(diff_id=DIFF_ID)]))


def test_configurations_are_bounded():
    """More than the bound is refused before it is decoded."""
    content = b" " * (MAX_CONFIG_BYTES + 1)
    for work in (read_config, change_config):
        with pytest.raises(TooLarge):
            work(content)


def test_a_change_replaces_only_what_it_names():
    """Labels and creation time are new, a layer is on top, all else keeps bytes and order."""
    content = (
        b'{ "z" : {"keep":  [1.50, 1e3]},"created":"old","config":{"Env":["A=b"],'
        b'"Labels":{"old":"1"},"Healthcheck":{"Test":["x"]}},"rootfs":{"type":"layers",'
        b'"diff_ids":["one"]},"history":[{"created":"old","unknown":1}],"variant":"v8"}'
    )
    added = AddedLayer(diff_id=DIFF_ID, history=HistoryEntry(created="new", comment="payload"))
    changed = change_config(content, created="new", labels={"b": "2", "a": "1"}, added=[added])
    assert changed == (
        b'{"z":{"keep":  [1.50, 1e3]},"created":"new","config":{"Env":["A=b"],'
        b'"Labels":{"b":"2","a":"1"},"Healthcheck":{"Test":["x"]}},"rootfs":{"type":"layers",'
        b'"diff_ids":["one","' + DIFF_ID.encode() + b'"]},"history":[{"created":"old","unknown":1},'
        b'{"created":"new","comment":"payload"}],"variant":"v8"}'
    )


def test_nothing_asked_changes_nothing_that_counts():
    """Without arguments the fields stay as they are."""
    content = json.dumps(FULL).encode()
    assert json.loads(change_config(content)) == FULL


@pytest.mark.parametrize("content", [b"{}", b'{"config":null,"rootfs":null,"history":null}'])
def test_missing_parts_are_made(content):
    """An image from nothing gets its labels, its layer and its history."""
    config = read_config(
        change_config(content, labels={"a": "1"}, added=[AddedLayer(diff_id=DIFF_ID)])
    )
    assert config.labels == {"a": "1"}
    assert config.rootfs.type == "layers"
    assert config.diff_ids == (DIFF_ID,)
    assert config.history == (HistoryEntry(),)


_parts = st.sampled_from(["config", "rootfs", "history", "created", "Labels", "diff_ids"])
_values = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_parts, inner, max_size=3),
    max_leaves=6,
)


@given(st.binary(max_size=30) | _values.map(lambda value: json.dumps(value).encode()))
def test_foreign_bytes_raise_nothing_but_content_errors(content):
    """Whatever an image brings, it is a configuration or a ContentError."""
    for work in (read_config, lambda given: change_config(given, labels={}, created="x")):
        try:
            work(content)
        except ContentError:
            continue


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4))
def test_labels_read_back(labels):
    """Any text may be a label's name and value."""
    changed = change_config(json.dumps(FULL).encode(), labels=labels)
    assert read_config(changed).labels == labels
    assert json.loads(changed)["moby.buildkit.cache.v0"] == FULL["moby.buildkit.cache.v0"]
