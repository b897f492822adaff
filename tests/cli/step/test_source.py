# SPDX-License-Identifier: Apache-2.0
"""Images of folders that somebody else checked out, with the meaning of a BuildConfig."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from okd_payload.build.source_build import (
    decode_text,
    encode_text,
    read_arguments,
    read_inputs,
    read_lists,
)
from okd_payload.catalog.component import Argument, Copy, ImageInput
from okd_payload.cli.main import COMMANDS, main
from okd_payload.errors import InputError
from okd_payload.oci.image import Image, read_image
from okd_payload.oci.layers.read import read_merged_files
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings

Build = Callable[..., dict[str, str]]


@pytest.fixture
def build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Build:
    """Runs ``step source`` on files, and gives its results."""
    monkeypatch.setenv("OKD_PAYLOAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OKD_PAYLOAD_STATE", str(tmp_path / "state"))

    def run(
        files: dict[str, str], output: str, *words: str, context: str = ".", code: int = 0
    ) -> dict[str, str]:
        root = tmp_path / "sources" / output.rpartition(":")[2]
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        told = tmp_path / "told"
        told.mkdir(exist_ok=True)
        for old in told.iterdir():
            old.unlink()
        names = ("digest", "size", "reason", "message")
        options = [f"--result-{name}={told / name}" for name in names]
        options += ["--context", str(root / context)]
        command = ["step", "source", "--root", str(root), "--output", output, *options]
        ended = main([*command, *words], commands=COMMANDS)
        _, err = capsys.readouterr()
        assert ended == code, err
        return {path.name: path.read_text() for path in told.iterdir()} | {"err": err}

    return run


async def _read(pull_spec: str) -> tuple[Image, dict[str, bytes]]:
    """The image, and its files."""
    reference = parse_reference(pull_spec)
    async with RegistryClient(RegistrySettings()) as client:
        repository = client.repository(reference)
        image = await read_image(repository, reference.selector)
        files = await read_merged_files(repository.blobs, image.layers, want=lambda _: True)
    return image, {file.entry.name: file.content for file in files}


@pytest.mark.integration
def test_everything_that_a_build_config_can_say(build: Build, docker_registry: str) -> None:
    """Base, aliases, copied files, arguments, environment and labels make the image."""
    repository = f"{docker_registry}/source/all"
    base = build({"Dockerfile": "FROM scratch\nCOPY a /a\n", "a": "base"}, f"{repository}:b")
    assert base["digest"].startswith("sha256:")
    assert int(base["size"]) > 0
    dockerfile = """\
FROM registry.example.com/golang:1.21 AS build
FROM registry.example.com/replaced
ARG VERSION
LABEL version=$VERSION
COPY --from=build /a /aliased
COPY copied/a /copied
COPY own /own
"""
    files = {"image/Dockerfile.ocp": dockerfile, "image/own": "own"}
    words = (
        *("--base", f"{repository}:b", "--dockerfile", "Dockerfile.ocp"),
        *("--", "images", f"registry.example.com/golang:1.21={repository}:b"),
        *("copies", f"{repository}:b=/a=image/copied"),
        *("build-args", "VERSION=4.20", "env", "GODEBUG=x=1", "labels", "io.k8s.name=etcd"),
    )
    made = build(files, f"{repository}:etcd", *words, context="image")
    assert "STEP" in made["err"]
    image, content = asyncio.run(_read(f"{repository}:etcd"))
    assert image.digest == made["digest"]
    assert {name: content[name] for name in ("a", "aliased", "copied", "own")} == {
        "a": b"base",
        "aliased": b"base",
        "copied": b"base",
        "own": b"own",
    }
    assert image.config.labels["version"] == "4.20"
    assert image.config.labels["io.k8s.name"] == "etcd"
    assert "GODEBUG=x=1" in image.config.config.env
    again = build(files, f"{repository}:etcd", *words, context="image")
    assert again["digest"] == made["digest"]
    assert "STEP" not in again["err"]


@pytest.mark.integration
def test_a_dockerfile_in_a_parameter(build: Build, docker_registry: str) -> None:
    """A Dockerfile that came as one word takes the place of that of the source."""
    output = f"{docker_registry}/source/inline:x"
    word = encode_text("FROM scratch\nCOPY a /$(not-a-variable)\n")
    files = {"Dockerfile": "FROM nowhere.example.com/x\n", "a": "1"}
    build(files, output, "--inline", word)
    _, content = asyncio.run(_read(output))
    assert content == {"$(not-a-variable)": b"1"}


@pytest.mark.integration
def test_a_failure_is_told_twice(build: Build, docker_registry: str) -> None:
    """What is wrong stands on standard error and in the results that Shipwright reads."""
    output = f"{docker_registry}/source/broken:x"
    told = build({"Dockerfile": "FROM scratch\nCOPY nowhere /\n"}, output, code=1)
    assert told["reason"] == "BuildFailed"
    assert "nowhere" in told["message"]
    told = build({"Dockerfile": "FROM scratch\n"}, output, "--", "env", "X", code=2)
    assert "'X' is no value of env" in told["message"]


def test_lists() -> None:
    """Each list is behind its name, and may come in parts."""
    found = read_lists(["images", "a=b:1", "env", "X=y=z", "images", "c=d", "labels"])
    assert found["images"] == ("a=b:1", "c=d")
    assert read_arguments(found["env"]) == (Argument("X", "y=z"),)
    assert found["labels"] == ()
    assert read_inputs(["golang:1.21=quay.io/x:b"], ["quay.io/y=/code/D=./images"]) == (
        ImageInput(image="quay.io/x:b", aliases=("golang:1.21",)),
        ImageInput(image="quay.io/y", copies=(Copy("/code/D", "./images"),)),
    )


@pytest.mark.parametrize("words", [["a=b"], ["images", "a"], ["nothing", "a=b"]])
def test_words_that_belong_to_no_list(words: list[str]) -> None:
    """A word without a list, or of another form, is an error that shows the forms."""
    with pytest.raises(InputError) as caught:
        read_lists(words)
    assert "PULLSPEC=SOURCE=DESTINATION" in caught.value.hint


@pytest.mark.parametrize("word", ["quay.io/y=/code", "quay.io/y==x", "a=b=c=d"])
def test_copies_of_nothing(word: str) -> None:
    """A copy needs an image, a source and a destination."""
    with pytest.raises(InputError, match="says no files to copy"):
        read_inputs([], [word])


def test_text_in_base64() -> None:
    """What is no base64 says how it is made."""
    assert decode_text(encode_text("FROM x\n")) == "FROM x\n"
    with pytest.raises(InputError, match="no base64") as caught:
        decode_text("FROM x")
    assert "base64 --wrap 0" in caught.value.hint
