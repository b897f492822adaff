# SPDX-License-Identifier: Apache-2.0
"""Releases are signed before they are published, by us or by others."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from publishing_rig import DONE, TAG, Documents, context_of, follower, log_of, make, tagged
from rig import STREAM, Rig

from okd_payload.controller import actions
from okd_payload.controller.configuration.model import Gate, PublishAction
from okd_payload.controller.publishing.signing import SignPublisher
from okd_payload.errors import InputError
from okd_payload.oci.documents import DocumentAnswer
from okd_payload.testing.memory_signer import MemorySigner


async def test_a_release_is_signed_before_it_is_tagged(rig: Rig, tmp_path: Path) -> None:
    """By a key of ours, into every store; signing again adds nothing."""
    signer = MemorySigner()
    key, store = tmp_path / "key.asc", tmp_path / "signatures"
    key.write_bytes(signer.secret_key)
    sign = PublishAction(
        name="signature",
        kind="sign",
        key=str(key),
        targets=(str(store), "https://signatures.test/okd"),
    )
    gated = msgspec.structs.replace(TAG, gate=Gate(signed=True))
    stream = rig.configure(publications=(gated, sign))
    release = await make(rig, "4.20.0-0.test-1")
    documents = Documents()
    follows = follower(rig.surroundings, documents)
    await follows.advance(stream)
    assert await tagged(rig) == release.name
    place = f"sha256={str(release.digest)[7:]}/signature-1"
    signature = (store / place).read_bytes()
    assert documents.documents[f"https://signatures.test/okd/{place}"] == DocumentAnswer(
        200, signature
    )
    with pytest.raises(InputError, match="cannot be taken back"):
        await actions.roll_back(
            rig.surroundings, STREAM, publication="signature", actor="ann", reason=""
        )


async def test_a_signature_that_others_made_opens_the_gate(rig: Rig, tmp_path: Path) -> None:
    """Where it is good by a key that the gate names, and in a store that it names."""
    ours, theirs = MemorySigner(), MemorySigner("Others <others@example.com>")
    public, store = tmp_path / "public.asc", tmp_path / "signatures"
    public.write_bytes(ours.public_key)
    gate = Gate(signed=True, keys=(str(public),), stores=(store.as_uri(),))
    stream = rig.configure(publications=(msgspec.structs.replace(TAG, gate=gate),))
    await make(rig, "4.20.0-0.test-1")
    follows = follower(rig.surroundings)
    for signer in (theirs, ours):
        await follows.advance(stream)
        assert (await log_of(rig))[-1].message == "it is not signed"
        key = tmp_path / "key.asc"
        key.write_bytes(signer.secret_key)
        sign = PublishAction(name="x", kind="sign", key=str(key), targets=(str(store),))
        publisher = SignPublisher(rig.surroundings, Documents())
        context = await context_of(rig, sign)
        await publisher.publish(context)
        await publisher.publish(context)
        rig.clock.advance(301)
    await follows.advance(stream)
    assert (await log_of(rig))[-1].state is DONE
    assert sorted(path.name for path in store.rglob("signature-*")) == [
        "signature-1",
        "signature-2",
    ]


async def test_a_signature_that_others_made_is_found_for_what_was_asked_for(
    rig: Rig, tmp_path: Path
) -> None:
    """A release that is older than what is published is no candidate, and counts all the same."""
    ours = MemorySigner()
    public, key, store = tmp_path / "public.asc", tmp_path / "key.asc", tmp_path / "signatures"
    public.write_bytes(ours.public_key)
    key.write_bytes(ours.secret_key)
    gate = Gate(signed=True, keys=(str(public),), stores=(store.as_uri(),))
    stream = rig.configure(publications=(msgspec.structs.replace(TAG, gate=gate),))
    publisher = SignPublisher(rig.surroundings, Documents())
    sign = PublishAction(name="x", kind="sign", key=str(key), targets=(str(store),))
    for name in ("4.20.0-0.test-1", "4.20.0-0.test-2"):
        await make(rig, name, change=name)
        await publisher.publish(await context_of(rig, sign))
    follows = follower(rig.surroundings)
    await follows.advance(stream)
    assert await tagged(rig) == "4.20.0-0.test-2"
    await actions.publish(
        rig.surroundings, "4.20.0-0.test-1", publication="newest", actor="ann", reason="worked"
    )
    await follows.advance(stream)
    assert await tagged(rig) == "4.20.0-0.test-1"
