# SPDX-License-Identifier: Apache-2.0
"""The recorded runs of ``oc adm release``, each driven through our own command line.

Files, image content, standard output and exit code must be equal. Where they are not on purpose,
the case stands in a table below with everything that differs, and its reason stands in
docs/reference/oc-compat.md; a case that differs in any other way fails.
"""

from __future__ import annotations

import asyncio
import importlib
import io
import sys
import threading
from pathlib import Path

import pytest

from okd_payload.cli.main import main
from okd_payload.oci.manifest import read_manifest
from okd_payload.release.naming import is_manifest
from okd_payload.release.objects import read_objects
from okd_payload.testing.docker_registry import serve_docker_registry
from okd_payload.testing.registry_server import RegistryServer

_REPOSITORY = Path(__file__).resolve().parents[2]
_ROOT = _REPOSITORY.parent / "shared" / "data" / "oc-golden"
_COMPATIBILITY = _REPOSITORY / "docs" / "reference" / "oc-compat.md"
_FAMILIES = {
    *("build", "references", "versions", "images", "naming", "labels", "layers", "yaml"),
    *("stream", "mapping", "from-dir", "from-release", "lists", "info", "info-diff", "mirror"),
    *("extract", "extract-tools"),
}

_USAGE = {
    *("extract-cloud-alone", "extract-command-os-invalid", "extract-flags-clash"),
    *("extract-install-config-alone", "extract-install-config-version", "extract-no-source"),
    *("from-dir-yaml-references", "info-flags-changelog", "info-flags-clash"),
    *("mapping-argument-invalid", "mapping-file-two-spaces", "new-component-versions-invalid"),
    *("new-metadata-invalid", "new-name-not-semver", "new-no-source", "new-previous-invalid"),
    *("new-to-image-digest", "new-to-signature-no-image", "stream-absent", "stream-invalid"),
    *("stream-invalid-reference", "stream-no-public-repository", "stream-wrong-kind"),
    *("mirror-no-target", "mirror-target-with-tag"),
}
"""Exit code 2 instead of 1: what was typed or given is wrong, nothing was tried."""

_IMAGE = ("image.json", "release-manifests/image-references", "release-manifests/release-metadata")
_ALPHA = "0000_50_alpha-operator_"
_DIFFERENT = {
    "extract-not-a-release": ("exit", "stdout"),
    "extract-to": tuple(
        f"out/x/0000_{name}" for name in ("30_note.txt", "40_list.yaml", "50_empty.yaml")
    ),
    "extract-tools-image-absent": (
        *("exit", "out/release.txt", "out/sha256sum.txt"),
        "out/openshift-client-linux-4.20.0.tar.gz.json",
        "out/openshift-install-linux-4.20.0.tar.gz.json",
    ),
    "extract-unparseable": ("out/x/0000_a.yaml", "out/x/0000_c.yaml"),
    "from-release-override": ("image.json", f"release-manifests/{_ALPHA}mine_2.yaml"),
    "info-commit-urls": ("stdout",),
    "info-diff-contents": ("stdout",),
    "info-output-unknown": ("exit", "stdout"),
    "list-keep-no-amd64": ("exit", "stdout", *_IMAGE),
    "mapping-repeated": ("exit", "stdout", *_IMAGE),
    "mapping-replaces-operator": ("image.json", f"release-manifests/{_ALPHA}mine_2.yaml"),
    "mirror-one-member-list": ("registry.json", "stdout"),
    "mirror-to-dir": ("exit",),
    "new-component-versions": ("out/image-references",),
    "new-to-signature": ("out/message.json",),
    "oci-base": ("image.json", "image/manifest.json"),
    "references-empty-file": ("exit",),
    "stream-duplicate-tags": (
        *("image.json", "release-manifests/0000_50_a_a_2.yaml"),
        "release-manifests/image-references",
    ),
    "version-key-twice-equal": (
        *("exit", f"out/{_ALPHA}a.yaml", "out/image-references", "out/release-metadata"),
    ),
    "yaml-multi-document": (
        *("exit", f"out/{_ALPHA}a.yaml", "out/image-references", "out/release-metadata"),
    ),
}
"""What of a case is not as recorded, because we do better."""

_REFUSED = {"info-jsonpath", "info-template"}
"""Nothing of these is done; exit code 2 says so."""

_REWRITTEN = {
    *("extract-credentials-requests", "extract-credentials-requests-cloud", "extract-here"),
    *("extract-included", "extract-included-feature-set", "extract-to", "extract-unparseable"),
}
"""Cases in which oc writes manifests anew: they are compared by what they say."""

_REAL = {
    "extract-tools",
    *("new-two-operators", "new-mirror", "list-keep", "from-release-same", "info-size"),
    "mirror-to",
}
"""Cases that are run with a real registry, too."""


def _load():
    if not _ROOT.is_dir():
        return None, None, []
    sys.path.insert(0, str(_ROOT))
    try:
        load_case = importlib.import_module("load_case")
        observe = importlib.import_module("observe")
    finally:
        sys.path.remove(str(_ROOT))
    cases = [case for case in load_case.read_cases(_ROOT / "cases") if case.family in _FAMILIES]
    return load_case, observe, cases


_LOAD_CASE, _OBSERVE, _CASES = _load()


class Registry:
    """A registry in memory that serves from a thread of its own, because commands block."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._server = RegistryServer()

    def __enter__(self):
        self._thread.start()
        self._call(self._server.__aenter__())
        return self

    def __exit__(self, *error):
        self._call(self._server.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def host(self):
        return self._server.host

    def fill(self, built):
        """Hold what the case says should be there."""
        for item in built.manifests:
            repository = self._server.repository(item.repository)
            manifest = read_manifest(item.content, media_type=item.media_type)
            if not manifest.is_index:
                blobs = [needed.digest for needed in manifest.needs()]
                repository.blobs |= {digest: built.blobs[digest] for digest in blobs}
            for tag in item.tags:
                repository.add_manifest(manifest, tag=tag)

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@pytest.fixture(scope="module")
def registry():
    """The registry of all cases; each has a repository of its own."""
    with Registry() as server:
        yield server


@pytest.fixture(scope="module")
def docker_registry(tmp_path_factory):
    """The registry that everybody uses."""
    with serve_docker_registry(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture
def run(tmp_path, monkeypatch, capfdbinary):
    """Runs the commands of a case and gives what is left behind."""

    def run_case(built):
        built.write_inputs()
        monkeypatch.chdir(built.out)
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(built.started)))
        monkeypatch.setenv("OKD_PAYLOAD_STATE", str(tmp_path / "state"))
        for command in built.commands():
            stdin = io.BytesIO(built.files.get("stdin", b""))
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stdin))
            capfdbinary.readouterr()
            code = main(["release", *command])
            printed = capfdbinary.readouterr()
        return _OBSERVE.observe(built, exit_code=code, stdout=printed.out, stderr=b"")

    return run_case


def understand(files):
    """The objects of manifests that can be read, instead of their text."""
    understood = dict(files)
    for name in filter(is_manifest, files):
        objects = read_objects(files[name]).objects
        if objects:
            understood[name] = [item.value for item in objects]
    return understood


def check(case, found):
    """What was found is what was recorded, or differs as is written above."""
    expected = {name: data for name, data in case.expected().items() if name != "stderr"}
    if case.name in _REWRITTEN:
        expected, found = map(understand, (expected, found))
    if case.name in _USAGE | _REFUSED:
        assert found == {"exit": b"2\n"}
    else:
        different = {name for name in expected | found if expected.get(name) != found.get(name)}
        assert different == set(_DIFFERENT.get(case.name, ()))


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_case(case, registry, tmp_path, run):
    """A run leaves behind what the run of oc left behind."""
    built = _LOAD_CASE.build(case, registry=registry.host, work=tmp_path)
    registry.fill(built)
    check(case, run(built))


@pytest.mark.integration
@pytest.mark.parametrize(
    "case", [case for case in _CASES if case.name in _REAL], ids=lambda case: case.name
)
def test_case_with_docker_registry(case, docker_registry, tmp_path, run):
    """The same holds with docker-registry."""
    built = _LOAD_CASE.build(case, registry=docker_registry, work=tmp_path)
    built.push()
    check(case, run(built))


def test_every_difference_is_explained():
    """The page about compatibility names each case that differs, and each such name is a case."""
    text = _COMPATIBILITY.read_text()
    names = _USAGE | _REFUSED | set(_DIFFERENT)
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
    if _CASES:
        assert names <= {case.name for case in _CASES}
