# SPDX-License-Identifier: Apache-2.0
"""What people need before they can act: gates, publications, tokens, tools, runs, webhooks."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import msgspec
from past import MAIN

from okd_payload.controller.configuration.model import Gate, PublishAction
from okd_payload.controller.model import Publication, PublicationState, VerificationRun
from okd_payload.controller.records import runs, streams, webhooks
from okd_payload.controller.records.webhooks import Webhook, WebhookProgress, WebhookTry
from okd_payload.web.access.tokens import mint_token

NASTY = "<script>alert(1)</script>"
ARCHIVES = (
    "openshift-client-linux-4.20.0.tar.gz",
    "openshift-client-linux-amd64-rhel8-4.20.0.tar.gz",
    "openshift-client-linux-arm64-4.20.0.tar.gz",
    "openshift-client-mac-4.20.0.tar.gz",
    "openshift-client-mac-arm64-4.20.0.tar.gz",
    "openshift-client-windows-4.20.0.zip",
    "openshift-install-linux-4.20.0.tar.gz",
    "openshift-install-mac-arm64-4.20.0.tar.gz",
    "ccoctl-linux-rhel9-4.20.0.tar.gz",
    "release.txt",
)


def wait_for_approvals(rig: Any) -> None:
    """Let a publication of the main stream wait for two approvals."""
    gate = Gate(signed=True, approvals=2, soak=7200.0)
    gated = PublishAction(
        name="fast", kind="tag", targets=("quay.test/okd/fast:latest",), gate=gate
    )
    known = rig.streams[MAIN]
    rig.streams[MAIN] = msgspec.structs.replace(known, publications=(*known.publications, gated))


async def publish_two(rig: Any, older: str, newer: str) -> None:
    """Write that the publication ``next`` of the main stream went from the one to the other."""

    def unit(connection: Any, name: str, replaced: str) -> None:
        line = Publication(
            release=name,
            name="next",
            state=PublicationState.DONE,
            time=rig.clock.now() - 60,
            replaced=replaced,
            target="quay.test/okd/next:latest",
        )
        streams.add_publication(connection, line, stream=MAIN)

    for name, replaced in ((older, ""), (newer, older)):
        await rig.database.write(functools.partial(unit, name=name, replaced=replaced))


async def mint_text(rig: Any, *roles: str) -> str:
    """A new token of ada's."""
    minted = await mint_token(rig.surroundings, "ada", roles=roles, seconds=None, actor="tests")
    return minted.text


async def add_manual_run(rig: Any, release: str) -> str:
    """A run of the release that waits for a person; its id."""
    run = VerificationRun(
        id=f"{release}-by-hand",
        release=release,
        verification="by-hand",
        runner="manual",
        queued=rig.clock.now() - 500,
    )
    await rig.database.write(lambda unit: runs.write(unit, run, time=run.queued))
    return run.id


def write_tools(state: Path, digest: str) -> None:
    """Tools of the release with this digest, as if somebody had asked for them."""
    folder = state / "tools" / digest.removeprefix("sha256:")
    folder.mkdir(parents=True)
    sums = []
    for number, name in enumerate(ARCHIVES):
        content = name.encode() * (60_000 * number + 40)
        (folder / name).write_bytes(content)
        sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
    (folder / "sha256sum.txt").write_text("".join(sums), encoding="utf-8")
    (folder / "sha256sum.txt.asc").write_text("signature\n", encoding="utf-8")


async def give_up_a_webhook(rig: Any) -> None:
    """Write a webhook ``ci`` that took nothing for a day, and ``new``, each with nasty words."""
    now = rig.clock.now()
    before = WebhookProgress(name="ci", position=1, attempts=27)
    after = msgspec.structs.replace(before, attempts=28, disabled=now - 7200, message=NASTY)
    tried = WebhookTry(
        name="ci", event=2, kind=NASTY, attempt=28, time=now, seconds=10.0, message=NASTY
    )

    def unit(connection: Any) -> None:
        for name in ("ci", "new"):
            url = f"https://{name}.test/{NASTY}"
            webhook = Webhook(name=name, url=url, secret="0123456789abcdef", created_by=NASTY)
            webhooks.write(connection, webhook)
        webhooks.write_progress(connection, before)
        assert webhooks.advance(connection, before, after, tried)

    await rig.database.write(unit)
