# SPDX-License-Identifier: Apache-2.0
"""Two servers with a disk each and one database show the same, whichever of them acts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from serving import Server, Streams, wait_for

from okd_payload.testing.postgresql import PostgresqlServer

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Serve = Callable[..., Server]

NAME = "4.20.0-0.okd"
PROGRAM = """\
echo begun
while [ ! -e {gate} ]; do sleep 0.1; done
cat >$ARTIFACT_DIR/junit.xml <<END
<testsuite><testcase name="updates from the last one"><failure message="etcd lost its quorum"/>
</testcase></testsuite>
END
head -c 700000 /dev/zero | tr '\\0' a
echo; echo the end
exit 1
"""
CHECKED = """\
verify:
  slow: {{runner: command, command: [sh, {program}]}}
"""


@pytest.fixture
async def pair(
    serve: Serve, streams: Streams, postgresql: PostgresqlServer, tmp_path: Path
) -> tuple[Server, Server]:
    """The one that acts, and the one that does not; a release is being verified."""
    program = tmp_path / "check.sh"
    program.write_text(PROGRAM.format(gate=tmp_path / "gate"))
    streams.add(NAME, more=CHECKED.format(program=program))
    await streams.push(NAME, "one")
    place = {"OKD_PAYLOAD_DATABASE": postgresql.url}
    servers = [serve(home=home, **place).wait_until_it_answers() for home in ("one", "two")]
    acting = wait_for(lambda: next((each for each in servers if each.acts), None), what="acting")
    (other,) = (each for each in servers if each is not acting)
    return acting, other


def test_both_show_a_log_while_it_grows_and_what_was_left(
    pair: tuple[Server, Server], tmp_path: Path
) -> None:
    """Log, results and files: the same bytes from either, also when their maker is gone."""
    acting, other = pair
    run = wait_for(lambda: find_run(other), what="a run")
    wait_for(lambda: "begun" in other.get(f"/run/{run}/log").text, what="the live log")
    (tmp_path / "gate").touch()
    wait_for(lambda: release(other)[1] == "Rejected", what="the verdict")
    paths = [
        f"/run/{run}/log.txt",
        f"/api/v2/runs/{run}/log?offset=600000",
        f"/api/v2/runs/{run}/artifacts/artifacts/junit.xml",
    ]
    told = [acting.get(path) for path in paths]
    assert [answer.status for answer in told] == [200] * len(paths)
    assert told[0].text.endswith("the end\n")
    assert len(told[0].text) > 700_000
    acting.kill()
    assert [other.get(path).text for path in paths] == [answer.text for answer in told]
    assert "etcd lost its quorum" in other.get(f"/run/{run}").text
    page = other.get(f"/releasetag/{release(other)[0]}").text
    assert "the end" in page
    assert "etcd lost its quorum" in page
    folder = acting.program.state / "controller" / "runs"
    assert list(folder.iterdir()) == []  # its disk does not fill


def find_run(server: Server) -> str:
    """The one run that there is."""
    runs = ask(server, f"/api/v2/releases/{name}")["runs"] if (name := release(server)[0]) else ()
    return str(runs[0]["id"]) if runs else ""


def release(server: Server) -> tuple[str, str]:
    """Name and phase of the one release; empty before there is one."""
    listed = ask(server, f"/api/v2/releases?stream={NAME}")["items"]
    return (str(listed[0]["name"]), str(listed[0]["phase"])) if listed else ("", "")


def ask(server: Server, path: str) -> dict[str, Any]:
    """What the interface answers."""
    told: dict[str, Any] = msgspec.json.decode(server.get(path).text)
    return told
