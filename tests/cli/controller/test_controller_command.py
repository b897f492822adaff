# SPDX-License-Identifier: Apache-2.0
"""A controller is asked and told from the command line: on its database, and over a server."""

from __future__ import annotations

import asyncio
import json
import socketserver
import sys
import threading
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "controller"))
sys.path.insert(0, str(Path(__file__).parents[2] / "web"))

from asking import add_release
from rig import STREAM, Rig

from okd_payload.cli.controller.asking import SERVER_VARIABLE, TOKEN_VARIABLE
from okd_payload.cli.main import main
from okd_payload.controller.model import Phase, RunState, VerificationRun
from okd_payload.controller.records import (
    audit,
    open_database,
    releases,
    runs,
    tokens,
    uses,
    webhooks,
)
from okd_payload.controller.records.webhooks import Webhook, WebhookProgress, WebhookTry
from okd_payload.testing.document_server import Answer, DocumentServer

RELEASE = f"{STREAM}-0000"


@pytest.fixture
def database(tmp_path, monkeypatch) -> str:
    """A database with one release that is ready."""
    monkeypatch.setenv("OKD_PAYLOAD_STATE", str(tmp_path / "state"))
    monkeypatch.delenv(SERVER_VARIABLE, raising=False)
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    url = f"sqlite:///{tmp_path / 'records.db'}"

    async def fill() -> None:
        rig = Rig(tmp_path, open_database(url))
        await add_release(rig, phase=Phase.READY)
        await rig.database.close()

    asyncio.run(fill())
    return url


def read(url: str, unit):
    """What the records hold."""

    async def ask():
        opened = open_database(url)
        try:
            return await opened.read(unit)
        finally:
            await opened.close()

    return asyncio.run(ask())


def write(url: str, unit) -> None:
    """Change what the records hold."""

    async def ask() -> None:
        opened = open_database(url)
        try:
            await opened.write(unit)
        finally:
            await opened.close()

    asyncio.run(ask())


def test_a_release_is_judged_on_the_database(database, capsys):
    """The name of who did it and why stand there, the audit log too, and no token stays."""
    arguments = ["controller", "reject", RELEASE, "--reason", "it breaks"]
    assert main([*arguments, "--database", database]) == 0
    assert capsys.readouterr().out == f"{RELEASE}: Rejected\n"
    release = read(database, lambda unit: releases.find(unit, RELEASE))
    assert (release.phase, release.message) == (Phase.REJECTED, "it breaks")
    steps = read(database, lambda unit: releases.read_transitions(unit, RELEASE))
    assert steps[-1].actor.endswith("@database")
    entries = read(database, audit.read_last)
    assert [(each.action, each.status) for each in entries] == [
        (f"POST /api/v2/releases/{RELEASE}/reject", 200)
    ]
    assert read(database, tokens.list_all) == []


def test_a_person_says_how_a_run_went(database, capsys):
    """Saying the same again changes nothing, and something else is refused."""
    run = VerificationRun(
        id=f"{RELEASE}-look",
        release=RELEASE,
        verification="look",
        runner="manual",
        state=RunState.RUNNING,
        queued=1.0,
        started=1.0,
    )
    write(database, lambda unit: runs.write(unit, run, time=1.0))
    asked = [run.id, "--database", database]
    for _ in range(2):
        assert main(["controller", "finish", *asked, "--succeeded", "--reason", "it boots"]) == 0
        assert capsys.readouterr().out == f"{run.id}: Succeeded\n"
    assert read(database, lambda unit: runs.find(unit, run.id)).message == "it boots"
    assert main(["controller", "finish", *asked, "--failed"]) == 2
    assert "has ended already" in capsys.readouterr().err


def test_a_release_is_used_and_not_any_more(database, capsys):
    """For a time or until that is taken back; twice taken back says so."""
    asked = [RELEASE, "--database", database]
    assert main(["controller", "use", *asked, "--for", "30d", "--reason", "the lab"]) == 0
    assert "@database until " in capsys.readouterr().out
    [use] = read(database, uses.list_of)
    assert (use.release, use.message) == (RELEASE, "the lab")
    assert round(use.until - use.time) == 30 * 86400
    assert main(["controller", "use", *asked]) == 0
    assert capsys.readouterr().out.endswith("@database\n")
    assert [each.until for each in read(database, uses.list_of)] == [None]
    assert main(["controller", "stop-using", *asked, "--reason", "the lab moved"]) == 0
    assert capsys.readouterr().out == f"{RELEASE}: not used by you any more\n"
    assert read(database, uses.list_of) == []
    assert main(["controller", "events", "--database", database]) == 0
    assert "the lab moved" in capsys.readouterr().out
    assert main(["controller", "stop-using", *asked]) == 0
    assert capsys.readouterr().out == f"{RELEASE}: you had not said that you use it\n"
    assert main(["controller", "use", *asked, "--for", "a while"]) == 2
    assert "'a while' is no duration" in capsys.readouterr().err


def test_what_cannot_be_done_says_why(database, capsys):
    """With the words and the exit code of errors of ours."""
    assert main(["controller", "reject", RELEASE, "--database", database]) == 2
    assert "without a reason" in capsys.readouterr().err
    assert main(["controller", "accept", "nobody", "--database", database]) == 1
    assert "unknown release" in capsys.readouterr().err
    assert main(["controller", "accept", RELEASE]) == 2
    assert SERVER_VARIABLE in capsys.readouterr().err


def test_what_is_known_is_shown(database, capsys):
    """As tables for people and documents for programs."""
    asked = ["--database", database]
    assert main(["controller", "releases", "--phase", "Ready", *asked]) == 0
    assert RELEASE in capsys.readouterr().out
    assert main(["controller", "releases", "--phase", "Failed", "-o", "json", *asked]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["controller", "show", RELEASE, *asked]) == 0
    assert capsys.readouterr().out == f"{RELEASE}: Ready\n"
    assert main(["controller", "show", RELEASE, "-o", "json", *asked]) == 0
    assert len(json.loads(capsys.readouterr().out)["inputs"]) == 2
    assert main(["controller", "events", "--release", RELEASE, *asked]) == 0
    assert "release.phase" in capsys.readouterr().out
    assert main(["controller", "streams", *asked]) == 0
    assert capsys.readouterr().out.startswith("STREAM")


def test_why_nothing_is_new_is_told_of_paused_streams(capsys):
    """Who paused a stream and why, unless it could not go on anyway."""
    row = {"health": "paused", "waiting": "", "paused": "the disk is full", "pausedBy": "ada"}
    items = [row | {"name": "a", "error": ""}, row | {"name": "b", "error": "no registry"}]
    with DocumentServer({"/api/v2/streams": msgspec.json.encode({"items": items})}) as server:
        assert main(["controller", "streams", "--server", server.url]) == 0
    _, first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("  paused by ada: the disk is full")
    assert second.endswith("  no registry")


def test_a_stream_that_nobody_has_is_no_empty_list(database, capsys):
    """A name that was mistyped is told from a stream without releases."""
    assert main(["controller", "releases", "--stream", "4.99", "--database", database]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "unknown release stream '4.99'" in told.err


def test_an_address_without_a_controller_is_told_as_such(capsys):
    """Some other server may answer there, or the address may have a path too much."""
    with DocumentServer({}) as server:
        assert main(["controller", "streams", "--server", server.url]) == 1
    told = capsys.readouterr().err
    assert "answers 404" in told
    assert "hint: is there a controller at this address?" in told


def test_a_release_that_is_withdrawn_or_kept_is_told_as_such(database, capsys):
    """Not as one that is accepted and nothing else."""
    asked = [RELEASE, "--database", database, "--reason", "broken"]
    assert main(["controller", "withdraw", *asked]) == 0
    assert capsys.readouterr().out.startswith(f"{RELEASE}: Ready, withdrawn since 20")
    assert main(["controller", "keep", *asked]) == 0
    assert capsys.readouterr().out.endswith("Z, kept\n")
    assert main(["controller", "show", RELEASE, "--database", database]) == 0
    assert ", withdrawn since 20" in capsys.readouterr().out
    assert main(["controller", "restore", *asked]) == 0
    assert capsys.readouterr().out == f"{RELEASE}: Ready, kept\n"


def test_tokens_are_printed_once(database, capsys):
    """Alone on standard output when made, and never in the list."""
    asked = ["--database", database]
    arguments = ["controller", "token", "create", "alice", "--role", "manager", *asked]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    text = printed.out.strip()
    assert text.startswith("okdp_")
    assert text not in printed.err
    assert main(["controller", "token", "list", *asked]) == 0
    listed = capsys.readouterr().out
    assert "alice" in listed
    assert text not in listed
    identity = text.split("_")[1]
    assert main(["controller", "token", "revoke", identity, *asked]) == 0
    assert read(database, lambda unit: tokens.find(unit, identity)).revoked is not None


def test_a_webhook_in_trouble_is_seen_and_told_again(database, capsys):
    """From where it was, or past the event that it never takes; each is on record."""

    def give_up(unit) -> None:
        for name in ("ci", "new"):
            secret = "0123456789abcdef"
            webhooks.write(unit, Webhook(name=name, url=f"https://{name}.test/", secret=secret))
        before = WebhookProgress(name="ci", position=1, attempts=27)
        webhooks.write_progress(unit, before)
        after = msgspec.structs.replace(
            before, attempts=28, disabled=1e9, message="it is\x1b[2J off"
        )
        tried = WebhookTry(
            name="ci", event=2, kind="release.phase", attempt=28, time=1e9, seconds=10.0,
            message=after.message,
        )  # fmt: skip
        assert webhooks.advance(unit, before, after, tried)

    write(database, give_up)
    asked = ["--database", database]
    assert main(["controller", "webhook", "list", *asked]) == 0
    listed = capsys.readouterr().out
    assert "given up since 2001-09-09T01:46:40Z" in listed
    assert "it is\\x1b[2J off" in listed
    assert "good" in listed
    assert "0123456789abcdef" not in listed
    assert main(["controller", "webhook", "list", "-o", "json", *asked]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == ["ci", "new"]
    assert main(["controller", "webhook", "tries", "ci", *asked]) == 0
    assert "10.00 s" in capsys.readouterr().out
    assert main(["controller", "webhook", "resume", "ci", *asked]) == 0
    assert capsys.readouterr().out == "ci: is told what follows on event 1\n"
    assert main(["controller", "webhook", "resume", "ci", "--after", "2", *asked]) == 0
    assert capsys.readouterr().out == "ci: is told what follows on event 2\n"
    progress = read(database, webhooks.read_progress)["ci"]
    assert (progress.position, progress.attempts, progress.disabled) == (2, 0, None)
    assert main(["controller", "webhook", "resume", "ci", "--after", "4711", *asked]) == 2
    assert "there is no event 4711 yet" in capsys.readouterr().err
    assert main(["controller", "webhook", "tries", "cy", *asked]) == 1
    assert "unknown webhook 'cy'" in capsys.readouterr().err
    noted = [each.status for each in read(database, audit.read_last)]
    assert sorted(noted) == [200, 200, 400]


def test_a_server_is_asked_with_the_token(monkeypatch, tmp_path, capsys):
    """Its answers are shown, its errors told, and its redirects not followed."""
    monkeypatch.setenv(TOKEN_VARIABLE, "okdp_a_secret")
    told = msgspec.json.encode({"items": [], "status": 403})
    problem = b'{"status": 403, "title": "no", "detail": "alice has not the role", "hint": ""}'
    documents = {
        "/api/v2/releases?limit=20": told,
        "/api/v2/history?limit=20": Answer(status=403, body=problem),
        "/api/v2/streams": Answer(status=302, headers={"Location": "/api/v2/elsewhere"}),
        "/api/v2/elsewhere": told,
    }
    with DocumentServer(documents) as server:
        asked = ["--server", server.url]
        assert main(["controller", "releases", *asked]) == 0
        assert main(["controller", "events", *asked]) == 1
        errors = capsys.readouterr().err
        assert "alice has not the role" in errors
        assert "--token-file" in errors
        assert main(["controller", "streams", *asked]) == 1
        assert "/api/v2/elsewhere" not in server.requests
    assert main(["controller", "streams", *asked]) == 1
    assert "does not answer" in capsys.readouterr().err


def test_what_speaks_no_http_is_no_controller(capsys):
    """The port of something else answers in words that mean nothing here."""

    class Banner(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1024)
            self.request.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Banner) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        assert main(["controller", "streams", "--server", address]) == 1
        thread.join()
    assert f"{address} does not answer" in capsys.readouterr().err


def test_a_token_is_not_sent_in_the_clear(monkeypatch, capsys):
    """Nor anything to what is no address."""
    monkeypatch.setenv(TOKEN_VARIABLE, "okdp_a_secret")
    assert main(["controller", "streams", "--server", "http://releases.test"]) == 2
    assert "in the clear" in capsys.readouterr().err
    assert main(["controller", "streams", "--server", "ftp://releases.test"]) == 2
    assert "okdp_a_secret" not in capsys.readouterr().err
