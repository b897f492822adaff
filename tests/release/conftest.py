# SPDX-License-Identifier: Apache-2.0
"""A small world of components in memory, releases made of them, and the commands."""

from __future__ import annotations

import contextlib
import io
import resource
import sys
import tarfile

import pytest

from okd_payload.cli.main import main
from okd_payload.imagestream.model import ImageStream, ImageStreamTag
from okd_payload.oci.media_types import Family
from okd_payload.release.inputs import read_tags
from okd_payload.release.labels import OPERATOR
from okd_payload.release.new.assemble import assemble_payload, find_base, put_on_base
from okd_payload.release.new.payload import ReleaseOptions
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_repository import MemoryRepository

PUBLISHED = "quay.test/okd/content"
MTIME = 1_700_000_000


def make_layer(files, *, mtime=MTIME):
    """An archive with ``files``, by name."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), mtime
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def config_map(name, **data):
    """A manifest, for the profile that clusters usually have."""
    lines = [f"  {key}: {value}\n" for key, value in data.items()]
    head = (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: default\n"
        "  annotations:\n"
        '    include.release.openshift.io/self-managed-high-availability: "true"\n'
    )
    return head + ("data:\n" if data else "") + "".join(lines)


def references(**placeholders):
    """An operator's image-references: the placeholder of each tag, underscores for dashes."""
    tags = "".join(
        f"  - name: {tag.replace('_', '-')}\n    from: {{kind: DockerImage, name: {text}}}\n"
        for tag, text in placeholders.items()
    )
    return f"kind: ImageStream\napiVersion: image.openshift.io/v1\nspec:\n  tags:\n{tags}"


class World:
    """Components in a repository that will be published under another name."""

    def __init__(self):
        self.repository = MemoryRepository()
        self.target = MemoryRepository("quay.test/okd/release")
        self.tags = {}

    async def add(self, name, manifests=None, *, labels=None, below=None, family=Family.DOCKER):
        """A component; with ``manifests`` it is an operator."""
        layers = [make_layer({f"usr/bin/{name}": name})]
        if below:
            layers.append(make_layer(below))
        given = dict(labels or {})
        if manifests is not None:
            layers.append(make_layer({f"manifests/{key}": text for key, text in manifests.items()}))
            given.setdefault(OPERATOR, "true")
        image = await push_image(
            self.repository, layers=layers, labels=given, family=family, tag=name
        )
        self.tags[name] = image.digest
        return image

    async def add_base(self, **options):
        """The image that releases are put on."""
        return await self.add(
            "cluster-version-operator", below={"manifests/cvo.yaml": config_map("cvo")}, **options
        )

    async def repository_of(self, reference):
        """Where everything is."""
        if reference.repository == self.target.name:
            return self.target
        assert reference.repository == PUBLISHED
        return self.repository

    @property
    def given(self):
        """All components as what a release may be made of."""
        tags = tuple(
            ImageStreamTag(name=name, digest=digest, reference=f"{PUBLISHED}@{digest}")
            for name, digest in sorted(self.tags.items())
        )
        return read_tags(ImageStream(name="okd", tags=tags))

    async def payload(self, name="4.20.0", **options):
        """The payload of all components."""
        return await assemble_payload(
            self.given,
            options=ReleaseOptions(name=name, **options),
            repository_of=self.repository_of,
        )

    async def release(self, name="4.20.0", **options):
        """The release of all components."""
        payload = await self.payload(name, **options)
        base = find_base(self.given, ReleaseOptions())
        return await put_on_base(payload, base, repository_of=self.repository_of)


@pytest.fixture
def world():
    """An empty world."""
    return World()


@pytest.fixture
def manifest():
    """Makes a manifest: a ConfigMap with a name and data."""
    return config_map


@pytest.fixture
def listing():
    """Makes an operator's image-references."""
    return references


@pytest.fixture
def layer_of():
    """Makes an archive of files, by name."""
    return make_layer


@pytest.fixture
def run(capfdbinary, monkeypatch):
    """Runs ``okd-payload release`` and gives its exit code, output and complaints."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.delenv("OKD_PAYLOAD_PASSPHRASE", raising=False)

    def run_command(*arguments):
        capfdbinary.readouterr()
        code = main(["release", *map(str, arguments)])
        sys.stdout.flush()
        printed = capfdbinary.readouterr()
        return code, printed.out.decode(errors="replace"), printed.err.decode()

    return run_command


@pytest.fixture
def small_disk():
    """No file can become larger than so many bytes, as if the disk were full."""

    @contextlib.contextmanager
    def limit(most):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit
