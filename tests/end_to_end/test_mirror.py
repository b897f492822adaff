# SPDX-License-Identifier: Apache-2.0
"""Mirrors of a release under every fault: resumed, complete, nothing sent twice, no wrong byte."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from real_program import Ended, Program, RegistryThread
from small_release import VERSION, SmallRelease, push_release

from okd_payload.engines.buildah.program import is_privileged
from okd_payload.oci.digest import digest_of
from okd_payload.testing.docker_registry import serve_docker_registry
from okd_payload.testing.ports import reserve_port
from okd_payload.testing.registry_faults import (
    CorruptAnswer,
    CutAnswer,
    CutUpload,
    Fault,
    LoseAnswer,
    Reply,
    Reset,
)
from okd_payload.testing.registry_server import RegistryServer

pytestmark = pytest.mark.integration

IMAGES = 12
LAYER_BYTES = 60_000
TARGET = "mirror/release"
DEADLINE = 30.0
WEATHER: dict[str, list[Fault]] = {
    "cut every few requests": [Reset(every=9, times=20)],
    "cut answers": [CutAnswer(path="/blobs/", after=1000, every=3, times=10)],
    "cut uploads": [CutUpload(after=1000, every=4, times=8)],
    "lost answers": [LoseAnswer(every=11, times=10)],
    "busy": [Reply(status=429, headers={"Retry-After": "1"}, every=6, times=4)],
    "failing": [Reply(status=503, every=10, times=10)],
}


@pytest.fixture
def source() -> Iterator[RegistryThread]:
    """The registry that the release comes from."""
    with RegistryThread() as registry:
        yield registry


@pytest.fixture
def release(source) -> SmallRelease:
    """The release."""
    return push_release(source.server.host, images=IMAGES, layer_bytes=LAYER_BYTES)


def check_complete(server: RegistryServer, release: SmallRelease) -> None:
    """The mirror has everything under its digest, and every byte is right."""
    stored = server.repository(TARGET)
    assert {tag: stored.tags[tag] for tag in release.tags()} == release.tags()
    assert release.signature_tag in stored.tags
    check_sound(server)


def check_sound(server: RegistryServer) -> None:
    """What the mirror has so far is right, and nothing leads to what is not there."""
    stored = server.repository(TARGET)
    # The registry may still be busy with a client that was killed: what leads comes first.
    tags, manifests, blobs = dict(stored.tags), dict(stored.manifests), dict(stored.blobs)
    for digest, content in blobs.items():
        assert digest_of(content) == digest
    for digest, manifest in manifests.items():
        assert digest_of(manifest.content) == digest
        for needed in manifest.needs():
            assert needed.digest in (manifests if manifest.is_index else blobs)
    assert set(tags.values()) <= set(manifests)


def sent(server: RegistryServer) -> list[str]:
    """The digests of the blobs that were sent to the mirror, once for each time."""
    pattern = re.compile(r"digest=(sha256(?::|%3A)[0-9a-f]+)")
    puts = [item.path for item in server.requests if item.method == "PUT"]
    return [found[1].replace("%3A", ":") for path in puts if (found := pattern.search(path))]


def mirror(program: Program, release: SmallRelease, host: str) -> Ended:
    """Mirror the release to ``host``."""
    return program.run("release", "mirror", release.pull_spec, "--to", f"{host}/{TARGET}")


@pytest.mark.parametrize("weather", WEATHER)
def test_bad_weather_delays_and_nothing_else(program, source, release, registry, weather) -> None:
    """Whatever happens to requests on either side, one run brings everything."""
    source.server.faults.add(*WEATHER[weather])
    registry.server.faults.add(*WEATHER[weather])
    ended = mirror(program, release, registry.server.host)
    assert ended.code == 0, ended.err
    check_complete(registry.server, release)


def test_corrupt_content_is_never_passed_on(program, source, release, registry) -> None:
    """Damaged blobs fail their images only; the next run brings them, and sends no other."""
    blobs = source.server.repository("okd/content").blobs
    for digest in sorted(blobs, key=lambda digest: len(blobs[digest]))[-3:]:
        source.server.faults.add(CorruptAnswer(path=f"blobs/{digest}", at=40, times=2))
    ended = mirror(program, release, registry.server.host)
    assert ended.code == 3, ended.err
    assert "wrong" in ended.err
    assert f"{VERSION}-x86_64" not in registry.server.repository(TARGET).tags
    check_sound(registry.server)
    there = set(registry.server.repository(TARGET).blobs)
    registry.server.requests.clear()
    ended = mirror(program, release, registry.server.host)
    assert ended.code == 0, ended.err
    assert there.isdisjoint(sent(registry.server))
    check_complete(registry.server, release)


def test_a_complete_mirror_costs_two_questions_an_image(program, source, release, registry) -> None:
    """The second run sends nothing, and reads nothing of any image but a tag that may move."""
    assert mirror(program, release, registry.server.host).code == 0
    source.server.requests.clear()
    registry.server.requests.clear()
    ended = mirror(program, release, registry.server.host)
    assert ended.code == 0, ended.err
    asked = registry.server.requests
    assert {item.method for item in asked} == {"HEAD"}
    assert not any("/blobs/" in item.path for item in asked)
    manifests = [item for item in source.server.requests if "okd/content/manifests/" in item.path]
    assert [item.path.rpartition("/")[2] for item in manifests] == [release.signature_tag]
    assert all(digest in "".join(item.path for item in asked) for digest in release.images.values())


def test_a_mirror_whose_content_was_deleted_is_filled_again(program, release, registry) -> None:
    """What the journal remembers of a repository that is gone misleads nobody."""
    assert mirror(program, release, registry.server.host).code == 0
    stored = registry.server.repository(TARGET)
    for part in (stored.blobs, stored.manifests, stored.tags):
        part.clear()
    ended = mirror(program, release, registry.server.host)
    assert ended.code == 0, ended.err
    check_complete(registry.server, release)


def test_clusters_are_told_of_the_mirror(program, release, registry, tmp_path) -> None:
    """Instructions are written as files that cluster and program read, and the mirror is used."""
    folder = tmp_path / "instructions"
    place = f"{registry.server.host}/{TARGET}"
    ended = program.run(
        *("release", "mirror", release.pull_spec, "--to", place, "--instructions-to-dir", folder),
        *("--print-mirror-instructions", "idms"),
    )
    assert ended.code == 0, ended.err
    assert "kind: ImageDigestMirrorSet" in ended.out
    assert sorted(path.name for path in folder.iterdir()) == [
        "image-digest-mirror-set.yaml",
        "image-tag-mirror-set.yaml",
        "install-config-image-digest-sources.yaml",
    ]
    registry.server.requests.clear()
    ended = program.run(
        *("release", "mirror", release.pull_spec, "--to-dir", tmp_path / "disk"),
        *("--idms-file", folder / "image-digest-mirror-set.yaml"),
    )
    assert ended.code == 0, ended.err
    check_directory(tmp_path / "disk", release)
    assert registry.server.count("GET", f"{TARGET}/blobs/") > IMAGES


def test_within_a_registry_no_byte_moves(program, source, release) -> None:
    """Images of the same registry are mounted: no blob is read and none is sent."""
    source.server.requests.clear()
    ended = mirror(program, release, source.server.host)
    assert ended.code == 0, ended.err
    check_complete(source.server, release)
    assert sent(source.server) == []
    assert source.server.count("GET", "okd/content/blobs/") == 0


def _kill_often(
    program: Program, release: SmallRelease, server: RegistryServer, *, times: int
) -> None:
    """Kill the command after any number of requests, and check after each what is there."""
    command = ["release", "mirror", release.pull_spec, "--to", f"{server.host}/{TARGET}", "-q"]
    assert program.run(*command).code == 0
    most = len(server.requests)
    stored = server.repository(TARGET)
    chance = random.Random(times)
    killed = 0
    for number in range(times):
        if number % 3 == 0:
            for part in (stored.blobs, stored.manifests, stored.tags):
                part.clear()
        there = set(stored.blobs)
        server.requests.clear()
        last = chance.randrange(1, most // 2)
        run = program.start(*command)
        while run.poll() is None and len(server.requests) < last:
            time.sleep(0.002)
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        killed += run.returncode != 0
        assert there.isdisjoint(sent(server))
        check_sound(server)
    assert killed > times / 2


@pytest.mark.parametrize("times", [8, pytest.param(50, marks=pytest.mark.endurance)])
def test_killed_at_any_moment(program, release, registry, times) -> None:
    """After any kill the same command goes on, sends nothing that is there, and ends whole."""
    _kill_often(program, release, registry.server, times=times)
    ended = mirror(program, release, registry.server.host)
    assert ended.code == 0, ended.err
    check_complete(registry.server, release)
    assert program.leftovers() == []


def test_a_killed_directory_is_finished(program, release, tmp_path) -> None:
    """Kills while a directory is written leave whole files, and the next run completes them."""
    folder = tmp_path / "disk"
    command = ["release", "mirror", release.pull_spec, "--to-dir", folder, "-q"]
    for after in (0.6, 0.9, 1.2):
        run = program.start(*command)
        try:
            run.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
        check_directory(folder)
    ended = program.run(*command)
    assert ended.code == 0, ended.err
    check_directory(folder, release)
    names = {path.name for path in (folder / "v2" / "openshift" / "release" / "blobs").iterdir()}
    assert [name for name in names if not name.startswith("sha256:")] == [".writers"]


def check_directory(folder: Path, release: SmallRelease | None = None) -> None:
    """Files are what their names say; of ``release`` everything is there."""
    repository = folder / "v2" / "openshift" / "release"
    for path in [*repository.glob("blobs/sha256:*"), *repository.glob("manifests/sha256:*")]:
        assert digest_of(path.read_bytes()) == path.name
    links = {path.name: str(path.readlink()) for path in repository.glob("manifests/[!s]*")}
    assert all((repository / "manifests" / digest).is_file() for digest in links.values())
    if release:
        assert links == release.tags()


def test_a_registry_that_restarts_is_waited_for(program, release, tmp_path) -> None:
    """A target that goes away in the middle and comes back gets all of the release."""
    folder = tmp_path / "registry"
    with reserve_port() as port, ExitStack() as before, ExitStack() as after:
        host = before.enter_context(serve_docker_registry(folder, port=port))

        def restart() -> None:
            wait_for_blobs(folder)
            before.close()
            after.enter_context(serve_docker_registry(folder, port=port))

        restarting = threading.Thread(target=restart)
        restarting.start()
        ended = mirror(program, release, host)
        restarting.join()
        assert ended.code == 0, ended.err
        for tag, digest in release.tags().items():
            code, raw = _skopeo("inspect", "--raw", f"docker://{host}/{TARGET}:{tag}")
            assert (code, digest_of(raw)) == (0, digest)


def wait_for_blobs(folder: Path) -> None:
    """Return when the registry in ``folder`` has got something."""
    deadline = time.monotonic() + DEADLINE
    while not any(folder.glob("content/**/data")):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 400 kB."""
    if not is_privileged():
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_is_said_and_survived(program, release, small_disk) -> None:
    """What fits is there and right; with more room the same command brings the rest."""
    command = ["release", "mirror", release.pull_spec, "--to-dir", small_disk]
    ended = program.run(*command)
    assert ended.code == 3, ended.err
    assert "No space left on device" in ended.err
    check_directory(small_disk)
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    ended = program.run(*command)
    assert ended.code == 0, ended.err
    check_directory(small_disk, release)


@pytest.fixture
def mirrored(program, release, docker_registry, request) -> str:
    """The release, mirrored into the real registry."""
    place = f"{docker_registry}/mirrored/{request.node.name.lower()[:20].replace('_', '-')}"
    ended = program.run("release", "mirror", release.pull_spec, "--to", place)
    assert ended.code == 0, ended.err
    return place


def test_skopeo_reads_what_was_mirrored(mirrored, release, tmp_path) -> None:
    """Every tag has its digest, and lists come whole, their bytes unchanged."""
    for tag, digest in release.tags().items():
        code, raw = _skopeo("inspect", "--raw", f"docker://{mirrored}:{tag}")
        assert (code, digest_of(raw)) == (0, digest)
    name = f"{mirrored}:{VERSION}-x86_64-component-05"
    target = f"oci:{tmp_path / 'copy'}:x"
    copy = ["copy", "--all", "--src-tls-verify=false", f"docker://{name}", target]
    assert subprocess.run(["skopeo", *copy], check=False).returncode == 0


def _skopeo(verb: str, *arguments: str) -> tuple[int, bytes]:
    command = ["skopeo", verb, "--tls-verify=false", *arguments]
    ended = subprocess.run(command, capture_output=True, check=False)
    return ended.returncode, ended.stdout


def test_buildah_pulls_what_was_mirrored(mirrored, release, tmp_path) -> None:
    """A plain image of the mirror can be pulled and looked into, by tag and by digest."""
    if shutil.which("buildah") is None or not is_privileged():
        pytest.skip("buildah and root are needed")
    storage = ["--root", tmp_path / "root", "--runroot", tmp_path / "run", "--storage-driver=vfs"]
    for reference in (f":{VERSION}-x86_64-component-01", f"@{release.images['component-01']}"):
        pull = ["pull", "--tls-verify=false", f"{mirrored}{reference}"]
        ended = subprocess.run(["buildah", *storage, *pull], capture_output=True, check=False)
        assert ended.returncode == 0, ended.stderr
