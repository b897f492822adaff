# SPDX-License-Identifier: Apache-2.0
"""Releases and all their images are copied to where people pull from."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from publishing_rig import DONE, FAILED, follower, log_of, make
from rig import Rig

from okd_payload.controller.configuration.model import PublishAction
from okd_payload.errors import RegistryUnavailable
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.release.load import load_release


async def test_a_copy_that_is_partly_done_goes_on(rig: Rig) -> None:
    """A registry that is away keeps no other from being filled, and is filled later."""
    near, far = "quay.test/mirror/okd", "quay.test/away/okd"
    stream = rig.configure(
        publications=(PublishAction(name="newest", kind="copy", targets=(far, near)),)
    )
    release = await make(rig, "4.20.0-0.test-1")
    rig.errors[far] = RegistryUnavailable("away")
    follows = follower(rig.surroundings)
    due = await follows.advance(stream)
    assert due == rig.clock.now() + 60
    assert (await log_of(rig))[-1].message == f"{far}: away"
    tags = await rig.repository(near).manifests.tags()
    assert len(tags) == 4
    copied = next(tag for tag in tags if tag.startswith(f"{release.name}") and "etcd" not in tag)
    assert (await rig.repository(near).manifests.get(copied)).digest == release.digest
    rig.errors.clear()
    await follows.advance(stream)
    assert (await log_of(rig))[-1].state is FAILED
    rig.clock.advance(60)
    await follows.advance(stream)
    assert (await log_of(rig))[-1].state is DONE
    assert len(await rig.repository(far).manifests.tags()) == 4


async def test_a_registry_that_is_away_is_asked_once(rig: Rig) -> None:
    """Not for every image, each of which would wait and be told in the log."""
    away = "127.0.0.1:1/away/okd"
    stream = rig.configure(
        publications=(PublishAction(name="newest", kind="copy", targets=(away,)),)
    )
    await make(rig, "4.20.0-0.test-1")
    async with RegistryClient(RegistrySettings(doubtful_deadline=0.1)) as client:

        async def open_location(location: Any) -> Any:
            if location.repository.startswith("127.0.0.1:1/"):
                return client.repository(location.reference)
            return await rig.open(location)

        rig.surroundings = msgspec.structs.replace(rig.surroundings, open_target=open_location)
        await follower(rig.surroundings).advance(stream)
    failed = (await log_of(rig))[-1]
    assert failed.state is FAILED
    assert failed.message.count("no connection to") == 1


@pytest.mark.integration
async def test_a_release_is_copied_to_a_real_registry(rig: Rig, docker_registry: str) -> None:
    """With all its images, so that a cluster could pull it from there."""
    target = f"{docker_registry}/publishing/okd"
    stream = rig.configure(
        publications=(PublishAction(name="newest", kind="copy", targets=(target,)),)
    )
    release = await make(rig, "4.20.0-0.test-1")
    settings = RegistrySettings(plain_http_hosts=frozenset({docker_registry}))
    async with RegistryClient(settings) as client:

        async def open_location(location: Any) -> Any:
            if location.repository.startswith(docker_registry):
                return client.repository(location.reference)
            return await rig.open(location)

        rig.surroundings = msgspec.structs.replace(
            rig.surroundings, open_location=open_location, open_target=open_location
        )
        await follower(rig.surroundings).advance(stream)
        assert (await log_of(rig))[-1].state is DONE, (await log_of(rig))[-1].message
        from okd_payload.oci.reference import parse_reference

        repository = client.repository(parse_reference(target))
        assert len(await repository.manifests.tags()) == 4
        copied = await load_release(repository, str(release.digest))
        for tag in copied.tags:
            assert tag.origin is not None
            await repository.manifests.get(tag.origin.name.rpartition("@")[2])
