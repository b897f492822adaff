# SPDX-License-Identifier: Apache-2.0
"""Registries that fail in every way: work is finished, or said to be unfinished, never wrong."""

from __future__ import annotations

import base64
import gzip
import io
import shutil
import signal
import tarfile
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from real_program import Built, Ended, Program, RegistryThread

from okd_payload.oci import media_types
from okd_payload.oci.digest import digest_of
from okd_payload.oci.manifest import ImageManifest, encode_manifest
from okd_payload.oci.reference import parse_reference
from okd_payload.testing.images import config_of
from okd_payload.testing.registry_faults import (
    CorruptAnswer,
    CutAnswer,
    CutUpload,
    LoseAnswer,
    Reply,
    Reset,
    SlowAnswer,
)
from okd_payload.testing.registry_logins import Accounts, Login
from okd_payload.testing.registry_server import RegistryServer, ServerOptions

pytestmark = pytest.mark.integration

BUSY = {"Retry-After": "1"}
ANY_WEATHER = {
    "busy": [Reply(status=429, headers=BUSY, every=3, times=2)],
    "failing": [Reply(status=code, every=5, times=2) for code in (500, 502, 503, 504)],
    "resetting": [Reset(every=4, times=4)],
    "cutting answers": [CutAnswer(method="GET", after=10, every=2, times=4)],
    "slow": [SlowAnswer(piece=40, pause=0.002, every=3, times=40)],
}
PUSHING_WEATHER = ANY_WEATHER | {
    "losing answers": [LoseAnswer(every=6, times=5)],
    "cutting uploads": [CutUpload(after=1000, every=3, times=4)],
}
PULLING_WEATHER = ANY_WEATHER | {
    "corrupting": [
        CorruptAnswer(path="/manifests/", at=5),
        CorruptAnswer(method="GET", path="/blobs/", at=50, every=3),
    ],
    "losing their end": [CutAnswer(path="/blobs/", after=2000, times=2)],
}
ACCOUNTS = ServerOptions(login=Login.BEARER, accounts=Accounts(passwords={"me": "hunter2"}))


def publish(program: Program, built: Built, host: str) -> Ended:
    """Publish the release of the example to the registry at ``host``."""
    return program.run(*publishing(built, host))


def publishing(built: Built, host: str) -> list[str | Path]:
    """The command that publishes the release of the example."""
    places = ["--content", f"{host}/e2e/content", "--releases", f"{host}/e2e/release"]
    return ["publish", built.stream, built.printed["release"]["name"], *places, "-o", "json"]


def check_published(server: RegistryServer, built: Built) -> None:
    """The registry has every image of the release, each byte of them, and the release itself."""
    release = built.printed["release"]
    content, releases = server.repository("e2e/content"), server.repository("e2e/release")
    wanted = {parse_reference(image["reference"]).digest for image in release["images"]}
    assert set(content.manifests) == wanted
    assert releases.tags == {release["name"]: release["digest"]}
    for repository in (content, releases):
        assert all(digest_of(it.content) == key for key, it in repository.manifests.items())
        assert all(digest_of(blob) == key for key, blob in repository.blobs.items())
        assert all(repository.lacks(it) == [] for it in repository.manifests.values())


def give_login(program: Program, host: str) -> None:
    """Write the credentials of the registry at ``host`` where programs look for them."""
    login = base64.b64encode(b"me:hunter2").decode()
    folder = program.home / ".docker"
    folder.mkdir()
    (folder / "config.json").write_bytes(msgspec.json.encode({"auths": {host: {"auth": login}}}))


@pytest.mark.parametrize("weather", PUSHING_WEATHER)
def test_publishing_outlives_what_passes(built, registry, weather) -> None:
    """What passes is waited for and tried again; everything arrives whole."""
    registry.server.faults.add(*PUSHING_WEATHER[weather])

    ended = publish(built.program, built, registry.server.host)

    assert ended.document()["digest"] == built.digests["release"]
    check_published(registry.server, built)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Reply(status=403, method="PUT", path="/manifests/", times=-1), "403"),
        (Reply(status=405, method="POST", times=-1), "405"),
        pytest.param(Reply(status=500, times=-1), "500", marks=pytest.mark.slow),
    ],
)
def test_publishing_says_what_does_not_pass(built, registry, fault, told) -> None:
    """What stays ends the work with a sentence; when it is mended the same command ends well."""
    registry.server.faults.add(fault)

    ended = publish(built.program, built, registry.server.host)

    assert (ended.code, ended.out) in ((1, ""), (3, "")), ended.err
    assert "error: " in ended.err
    assert "hint: " in ended.err
    assert told in ended.err
    assert registry.server.repository("e2e/release").tags == {}
    registry.server.faults.clear()
    assert publish(built.program, built, registry.server.host).code == 0
    check_published(registry.server, built)


def test_waiting_for_a_registry_can_be_interrupted(built, registry) -> None:
    """A registry that is down is waited for, until somebody has enough of it."""
    registry.server.faults.add(Reply(status=503, times=-1))
    run = built.program.start(*publishing(built, registry.server.host))
    deadline = time.monotonic() + 60
    while registry.server.count("GET") + registry.server.count("HEAD") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)

    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=60)

    assert run.returncode == 130, errors
    registry.server.faults.clear()
    assert publish(built.program, built, registry.server.host).code == 0
    check_published(registry.server, built)


def test_a_registry_that_wants_a_login_is_told(built, resumed) -> None:
    """Without credentials the work ends at once, with them it is done; the secret stays one."""
    with RegistryThread(ACCOUNTS) as registry:
        host = registry.server.host
        refused = publish(resumed, built, host)
        give_login(resumed, host)
        ended = publish(resumed, built, host)

        assert refused.code in (1, 3)
        assert host in refused.err
        assert "login" in refused.err
        assert ended.document()["digest"] == built.digests["release"]
        assert "hunter2" not in refused.err + ended.err + ended.out
        check_published(registry.server, built)


def test_tokens_may_expire_at_any_time(built, resumed) -> None:
    """A token that is refused in the middle of the work is fetched anew."""
    with RegistryThread(ACCOUNTS) as registry:
        host = registry.server.host
        give_login(resumed, host)
        for path in ("e2e/content", "e2e/release"):
            challenge = f'Bearer realm="http://{host}/token",service="memory",scope="repository:'
            headers = {"WWW-Authenticate": f'{challenge}{path}:pull,push"'}
            registry.server.faults.add(
                Reply(status=401, headers=headers, path=f"/v2/{path}/", every=4, times=2)
            )

        ended = publish(resumed, built, host)

        assert ended.document()["digest"] == built.digests["release"]
        check_published(registry.server, built)


def put_base(server: RegistryServer) -> str:
    """Put a small image into the registry; its pull spec by tag."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in ("manifests", "manifests/noise"):
            entry = tarfile.TarInfo(name)
            if name == "manifests":
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            content = b"" if name == "manifests" else bytes(range(256)) * 64
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    layer = archive.getvalue()
    repository = server.repository("lib/base")
    image = ImageManifest(
        media_type=media_types.OCI_MANIFEST,
        config=repository.add_blob(config_of([layer]), media_type=media_types.OCI_CONFIG),
        layers=(
            repository.add_blob(
                gzip.compress(layer, compresslevel=0, mtime=0),
                media_type=media_types.OCI_LAYER_GZIP,
            ),
        ),
    )
    repository.add_manifest(encode_manifest(image), tag="1")
    return f"{server.host}/lib/base:1"


def write_small_stream(folder: Path, base: str) -> Path:
    """A stream of one component, built on an image of a registry."""
    (folder / "components").mkdir(parents=True, exist_ok=True)
    (folder / "stream.yaml").write_text(
        "name: small\ncatalog: [{components: components}]\n"
        f"imports: {{outside: {{image: '{base}'}}}}\n"
    )
    (folder / "components" / "cluster-version-operator.yaml").write_text(
        "inlineDockerfile: |\n  FROM outside\n  LABEL io.k8s.display-name=small\n"
    )
    return folder


def essence(printed: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """What must never differ: the digests of the release and of all images."""
    return printed["release"]["digest"], {
        item["name"]: item["digest"] for item in printed["components"]
    }


@pytest.fixture(scope="module")
def fair_weather(tmp_path_factory: pytest.TempPathFactory, built) -> tuple[str, dict[str, str]]:
    """The digests of the small stream when nothing goes wrong."""
    folder = tmp_path_factory.mktemp("small")
    with RegistryThread() as registry:
        stream = write_small_stream(folder / "stream", put_base(registry.server))
        return essence(Program(folder / "home").build(stream))


@pytest.mark.parametrize("weather", PULLING_WEATHER)
def test_importing_outlives_what_passes(program, registry, fair_weather, tmp_path, weather) -> None:
    """An image is imported whole in the end, and what is built on it is what it always is."""
    stream = write_small_stream(tmp_path / "stream", put_base(registry.server))
    registry.server.faults.add(*PULLING_WEATHER[weather])

    assert essence(program.build(stream)) == fair_weather
    assert program.leftovers() == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (CorruptAnswer(path="/blobs/", at=5, times=-1), "sha256:"),
        (CorruptAnswer(path="/manifests/sha256", at=5, times=-1), "sha256:"),
        (Reply(status=404, path="/manifests/", times=-1), "[image-unavailable]"),
        (Reply(status=403, times=-1), "[image-unavailable]"),
    ],
)
def test_importing_says_what_does_not_pass(
    program, registry, fair_weather, tmp_path, fault, told
) -> None:
    """Content that stays wrong is never taken; when it is mended the same command ends well."""
    stream = write_small_stream(tmp_path / "stream", put_base(registry.server))
    registry.server.faults.add(fault)

    ended = program.run("build", stream, "-o", "json")

    assert ended.code == 1, ended.err
    assert msgspec.json.decode(ended.out)["release"] is None
    assert told in ended.err
    assert f"{registry.server.host}/lib/base" in ended.err
    assert "Traceback" not in ended.err
    assert "hint: " in ended.err
    assert not (program.releases("small") / "index.json").exists()
    registry.server.faults.clear()
    assert essence(program.build(stream)) == fair_weather


def test_an_imported_image_is_not_asked_for_again(
    program, registry, fair_weather, tmp_path
) -> None:
    """With a lock, a stream is built although the registry is gone."""
    stream = write_small_stream(tmp_path / "stream", put_base(registry.server))
    assert essence(program.build(stream)) == fair_weather
    assert program.run("lock", stream).code == 0
    shutil.rmtree(program.cache, ignore_errors=True)
    registry.server.requests.clear()
    registry.server.faults.add(Reply(status=503, times=-1))

    printed = program.build(stream, "--lock", stream / "stream.lock")

    assert essence(printed) == fair_weather
    assert registry.server.requests == []
