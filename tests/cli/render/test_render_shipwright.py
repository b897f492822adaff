# SPDX-License-Identifier: Apache-2.0
"""``render shipwright`` as users meet it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from small_stream import STREAM, write_stream

Cli = Callable[..., Any]


def test_a_stream_is_written(tmp_path: Path, run_cli: Cli) -> None:
    """Strategies, a Build for each component, and the order in which people run them."""
    write_stream(tmp_path / "stream")
    to = tmp_path / "out"
    words = ("--repository", "quay.test/me/okd", "--plain-http", "quay.test")
    ended = run_cli("render", "shipwright", tmp_path / "stream", "--to", to, *words)
    assert ended.code == 0, ended.err
    assert str(to / "builds" / "etcd.yaml") in ended.out.splitlines()
    build = yaml.safe_load((to / "builds" / "etcd.yaml").read_text())
    assert build["spec"]["output"] == {"image": "quay.test/me/okd:etcd", "insecure": True}
    strategies = list(yaml.safe_load_all((to / "strategy" / "okd-payload.yaml").read_text()))
    assert [each["metadata"]["name"] for each in strategies] == [
        "okd-payload",
        "okd-payload-component",
    ]
    example = (to / "buildrun-example.yaml").read_text()
    assert "Shipwright knows no order between Builds" in example
    assert example.index("base") < example.index("etcd")


def test_declared_edges_know_the_repository(tmp_path: Path, run_cli: Cli) -> None:
    """Where images go is no source: it may be said without any Dockerfile being read."""
    write_stream(tmp_path / "stream")
    to = tmp_path / "out"
    words = ("--declared-edges", "--repository", "quay.test/me/okd", "--to", to)
    ended = run_cli("render", "shipwright", tmp_path / "stream", *words)
    assert ended.code == 0, ended.err
    build = yaml.safe_load((to / "builds" / "etcd.yaml").read_text())
    assert build["spec"]["output"]["image"] == "quay.test/me/okd:etcd"


def test_without_a_repository(tmp_path: Path, run_cli: Cli) -> None:
    """When neither the stream nor an option says where images go, that is the error."""
    lines = [line for line in STREAM.splitlines() if not line.startswith("publish:")]
    write_stream(tmp_path / "stream", stream="\n".join(lines))
    ended = run_cli("render", "shipwright", tmp_path / "stream", "--to", tmp_path / "out")
    assert ended.code == 2
    assert "nobody says where the images go" in ended.err
    assert not (tmp_path / "out").exists()
