# SPDX-License-Identifier: Apache-2.0
"""Git over HTTP: credentials, failures of the server and of the way to it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
import time
from pathlib import Path

import pytest

from okd_payload.errors import SourceError
from okd_payload.locations import Locations
from okd_payload.progress import Delayed
from okd_payload.source.git import Git
from okd_payload.source.model import GitSource
from okd_payload.source.remote import Remote
from okd_payload.source.tree import Sources

pytestmark = pytest.mark.integration


def remote(server, ref: str = "main") -> GitSource:
    """The repository of the test, over HTTP."""
    return GitSource(url=f"{server.url}/repository/.git", ref=ref)


async def test_partial_fetches_over_http(repository, server, sources, tmp_path) -> None:
    """What works with files works over HTTP: one commit, then the contents that are read."""
    commit = repository.commit(file="x", folder__other="y")
    found = await sources.resolve(remote(server))
    assert found.id == commit
    assert found.location == f"{server.url}/repository/.git"
    assert await sources.read_file(remote(server), found, "file") == b"x"
    await sources.check_out(remote(server), found, tmp_path / "out")
    assert (tmp_path / "out" / "folder" / "other").read_text() == "y"


async def test_dumb_servers_are_read(repository, server, sources, tmp_path) -> None:
    """A server that has nothing but files gives everything, and that is enough."""
    repository.commit(file="x")
    commit = repository.commit(file="y")
    repository.git("update-server-info")
    server.dumb = True
    found = await sources.resolve(remote(server))
    assert found.id == commit
    await sources.check_out(remote(server), found, tmp_path / "out")
    assert (tmp_path / "out" / "file").read_text() == "y"


async def test_a_server_in_trouble_is_asked_again(repository, server, locations, clock) -> None:
    """Answers 503 and 429 are waited out, longer each time, and listeners hear of it."""
    heard = []
    sources = Sources(locations, clock=clock, progress=heard.append)
    commit = repository.commit(file="x")
    server.failures = [503, 429]
    assert (await sources.resolve(remote(server))).id == commit
    assert clock.waits == [1.0, 2.0]
    waited = [event for event in heard if isinstance(event, Delayed)]
    assert {event.subject for event in waited} == {f"{server.url}/repository/.git"}
    assert ["503" in waited[0].reason, "429" in waited[1].reason] == [True, True]


async def test_a_server_that_stays_in_trouble_is_named(repository, server, sources, clock) -> None:
    """In the end the error names URL, branch and what git said, and what to do."""
    server.failures = [500] * 9
    with pytest.raises(SourceError) as failed:
        await sources.resolve(remote(server))
    assert failed.value.message.startswith(f"cannot resolve main of {server.url}/repository/.git: ")
    assert "returned error: 500" in failed.value.message
    assert "run the same command again" in failed.value.hint
    assert clock.waits == [1.0, 2.0, 4.0]


async def test_trouble_while_contents_are_fetched(repository, server, sources, clock) -> None:
    """A server that fails when a file is read is asked again too, and the mirror stays."""
    repository.commit(file="x")
    commit = await sources.resolve(remote(server))
    server.failures = [503]
    assert await sources.read_file(remote(server), commit, "file") == b"x"
    assert clock.waits == [1.0]


async def test_nobody_listens(sources, clock) -> None:
    """A server that does not run is an error with advice, after some patience."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a"
    with pytest.raises(SourceError, match=r"cannot resolve the default branch of http://127") as no:
        await sources.resolve(GitSource(url=url))
    assert "check the network" in no.value.hint
    assert len(clock.waits) == 3


async def test_a_silent_server_does_not_hold_us(clock) -> None:
    """After the deadline the command is ended and the error says so."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a"
        with pytest.raises(SourceError, match=r"git ls-remote was not done after 0\.3 seconds"):
            await Git(clock, patience=0.3).ask(Remote(url), "ls-remote", url, purpose="read")


async def test_an_absent_repository(repository, server, sources, clock) -> None:
    """A repository that does not exist is not asked for again."""
    with pytest.raises(SourceError) as failed:
        await sources.resolve(GitSource(url=f"{server.url}/absent"))
    assert "no such repository" in failed.value.hint
    assert clock.waits == []


async def test_without_credentials(repository, server, sources) -> None:
    """A private repository is an error at once: nobody is asked for a password."""
    server.credentials = "me:secret"
    started = time.monotonic()
    with pytest.raises(SourceError, match="could not read Username") as failed:
        await sources.resolve(remote(server))
    assert "credential helper" in failed.value.hint
    assert time.monotonic() - started < 60


async def test_credential_helpers_are_asked(
    repository, server, sources, tmp_path, monkeypatch
) -> None:
    """What git's own helpers know opens private repositories."""
    commit = repository.commit(file="x")
    server.credentials = "me:secret"
    (tmp_path / "store").write_text(server.url.replace("//", "//me:secret@") + "\n")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "credential.helper")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"store --file={tmp_path}/store")
    assert (await sources.resolve(remote(server))).id == commit


async def test_passwords_of_urls_work_and_are_never_seen(
    repository, server, sources, locations, tmp_path, monkeypatch
) -> None:
    """A password in a URL opens the repository, and is in no command line, file or commit."""
    commit = repository.commit(file="x")
    server.credentials = "me:s3cret"
    spy = tmp_path / "bin" / "git"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/seen\nexec {shutil.which("git")} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}:{os.environ['PATH']}")
    private = GitSource(url=remote(server).url.replace("//", "//me:s3cret@"), ref="main")
    found = await sources.resolve(private)
    assert await sources.read_file(private, found, "file") == b"x"
    assert found.id == commit
    files = [path for path in locations.cache.rglob("*") if path.is_file()]
    seen = [(tmp_path / "seen").read_bytes(), *(path.read_bytes() for path in files)]
    assert len(seen) > 5
    assert not any(b"s3cret" in content for content in seen)
    assert "s3cret" not in found.location
    server.credentials = "me:changed"
    with pytest.raises(SourceError) as failed:
        await sources.resolve(GitSource(url=private.url, ref="other"))
    assert "s3cret" not in f"{failed.value.message} {failed.value.hint}"


async def test_programs_named_by_urls_do_not_run(sources, tmp_path, monkeypatch) -> None:
    """Neither a URL nor what the configuration turns it into starts a program."""
    with pytest.raises(SourceError, match="is not a git URL"):
        await sources.resolve(GitSource(url=f"ext::touch {tmp_path}/ran"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.ext::touch {tmp_path}/ran .insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://host.invalid/")
    with pytest.raises(SourceError, match="transport 'ext' not allowed"):
        await sources.resolve(GitSource(url="https://host.invalid/a"))
    assert not (tmp_path / "ran").exists()


KILLED = """
import asyncio, sys
from pathlib import Path
from okd_payload.clock import SystemClock
from okd_payload.locations import Locations
from okd_payload.source.model import GitSource
from okd_payload.source.tree import Sources
cache, url = sys.argv[1:]
sources = Sources(Locations(cache=Path(cache), state=Path(cache)), clock=SystemClock())
asyncio.run(sources.resolve(GitSource(url=url, ref="main")))
"""


async def test_a_killed_fetch_leaves_a_usable_mirror(
    repository, server, locations: Locations, clock
) -> None:
    """After SIGKILL in the middle of a fetch nothing runs any more and the next run fetches."""
    commit = repository.commit(file="x")
    server.held_back.clear()
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, locations.cache, remote(server).url
    )
    await asyncio.to_thread(server.asked.wait, 10)
    killed.kill()
    await killed.wait()
    server.held_back.set()
    found = await Sources(locations, clock=clock).resolve(remote(server))
    assert found.id == commit
    assert not [words for words in command_lines() if str(locations.cache) in words]
    names = {path.name.partition(".lock")[0] for path in locations.git.iterdir()}
    assert len(names) == 1


def command_lines() -> list[str]:
    """The command lines and environments of all processes of ours."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.name != str(os.getpid()):
                found.append((folder / "cmdline").read_text() + (folder / "environ").read_text())
        except (OSError, UnicodeDecodeError):
            continue
    return found
