# SPDX-License-Identifier: Apache-2.0
"""Small programs, and releases with tools in memory."""

from __future__ import annotations

import io
import json
import struct
import tarfile

import pytest

from okd_payload.oci.manifest import Platform
from okd_payload.release.extract.mach_o import signature_size
from okd_payload.release.extract.markers import ARCHITECTURE, IMAGE, VERSION
from okd_payload.release.load import load_release
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_repository import MemoryRepository

MTIME = 1_767_000_000


def mach_o(code=b"", *, signature=None, kind=2, magic=0xFEEDFACF, commands=None):
    """A program for macOS with ``code`` behind its load commands, signed as Go's linker does."""
    names = b"__TEXT".ljust(16, b"\0")
    listed = [
        struct.pack("<II", 0x1B, 24) + bytes(16),
        struct.pack("<II16sQQQQ", 0x19, 72, names, 0x1000, 0x1000, 0, 4096) + bytes(16),
    ]
    size = sum(map(len, listed)) + 16
    limit = -(-(32 + size + len(code)) // 16) * 16
    length = signature_size(limit) if signature is None else len(signature)
    listed.append(struct.pack("<IIII", 0x1D, 16, limit, length))
    if commands is not None:
        listed = commands
    body = b"".join(listed)
    header = struct.pack("<IiiIIIII", magic, 0x0100000C, 0, kind, len(listed), len(body), 0, 0)
    program = (header + body + code).ljust(limit, b"\0")
    return program + (b"\xaa" * length if signature is None else signature)


class ToolWorld:
    """A release whose images hold programs, and the repository that they all lie in."""

    def __init__(self):
        self.repository = MemoryRepository("quay.test/okd/release")
        self.name = self.repository.name
        """The repository that pull specs name."""
        self.images = {}
        self.sources = {}
        """Annotations about the source of images, by name."""

    async def add(self, name, *layers, architecture="amd64"):
        """An image with ``layers``, lowest first: archives, or files by path."""
        archives = [layer if isinstance(layer, bytes) else archive(layer) for layer in layers]
        manifest = await push_image(self.repository, layers=archives, architecture=architecture)
        self.images[name] = manifest.digest

    async def release(self, version="4.20.0", *, architecture="amd64", **files):
        """The release of all images."""
        tags = [
            {
                "name": name,
                "annotations": self.sources.get(name),
                "from": {"kind": "DockerImage", "name": f"{self.name}@{digest}"},
            }
            for name, digest in self.images.items()
        ]
        listing = {
            "kind": "ImageStream",
            "apiVersion": "image.openshift.io/v1",
            "metadata": {"name": version},
            "spec": {"tags": tags},
        }
        metadata = {"kind": "cincinnati-metadata-v0", "version": version, "previous": []}
        content = {
            "image-references": json.dumps(listing).encode(),
            "release-metadata": json.dumps(metadata).encode(),
        }
        content |= files
        layer = archive({f"release-manifests/{name}": text for name, text in content.items()})
        await push_image(
            self.repository,
            layers=[archive({"usr/bin/cvo": b"cvo"}), layer],
            architecture=architecture,
            tag="r",
        )
        self.repository.operations.clear()
        return await load_release(self.repository, "r")

    async def repository_of(self, reference):
        """Where everything is."""
        assert reference.repository == self.name
        return self.repository

    def reads_of(self, name):
        """How often each layer of the image was read, lowest first."""
        layers = self.repository.manifests.images[self.images[name]].image().layers
        return [self.repository.operations.count(("read", layer.digest)) for layer in layers]


def archive(files, *, links=None, mtime=MTIME):
    """An archive with ``files`` by path, and hard (``=``) or symbolic links by path."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(content), mtime, 0o755
            tar.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type = tarfile.LNKTYPE if target.startswith("=") else tarfile.SYMTYPE
            info.linkname, info.mtime = target.removeprefix("="), mtime
            tar.addfile(info)
    return out.getvalue()


@pytest.fixture
def tool_world():
    """An empty world."""
    return ToolWorld()


@pytest.fixture(scope="session")
def make_archive():
    """Makes an archive."""
    return archive


@pytest.fixture(scope="session")
def make_mach_o():
    """Makes a program for macOS."""
    return mach_o


@pytest.fixture
def client():
    """A client that has a place for its version."""
    return b"client " + VERSION.content + b" end"


@pytest.fixture
def installer():
    """An installer that has places for all that it is told."""
    return b"".join(marker.content for marker in (IMAGE, VERSION, ARCHITECTURE))


@pytest.fixture
def linux():
    """The platform of releases here."""
    return Platform(architecture="amd64")
