# SPDX-License-Identifier: Apache-2.0
"""Build steps: complete, rewritten, with the labels that release tools read."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from streams import AMD64, inline, write_stream
from workshop import Workshop, from_git, record, source_of

from okd_payload.build.engine import BuildStep
from okd_payload.build.images import NO_SOURCE_TIME
from okd_payload.build.key import KEY_LABEL
from okd_payload.build.plan import ComponentNode
from okd_payload.build.records import Action
from okd_payload.build.steps import Steps, prepare
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Argument, Layering
from okd_payload.errors import BuildError, SourceError, UnknownName
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_sources import TIME


async def step_of(workshop: Workshop, catalog: Catalog, tag: str) -> BuildStep:
    """The step that builds ``tag``, every parent of it made before."""
    frozen = await workshop.freeze(catalog, only={tag})
    node = frozen.plan.nodes[tag]
    assert isinstance(node, ComponentNode)
    parents = {name: await workshop.made(name) for name in frozen.plan.graph.parents_of(tag)}
    return await Steps(catalog, workshop.images).make_step(node, parents)


def archive(**files: str) -> bytes:
    """A layer with these files; of a name, ``__`` stands for a slash and ``_`` for a dot."""
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name.replace("__", "/").replace("_", "."))
            member.size = len(text)
            tar.addfile(member, BytesIO(text.encode()))
    return buffer.getvalue()


async def test_a_step_says_everything(workshop: Workshop, tmp_path: Path):
    """Parents by operand, arguments, labels and environment are all in the step."""
    base = await push_image(workshop.content, tag="base")
    commit = workshop.put(
        "etcd", "ARG V=1\nFROM ci/base:1\nARG TAGS\nRUN make\n", message="Fix it", time=TIME + 5
    )
    catalog = write_stream(
        tmp_path,
        {
            "base": inline("FROM scratch"),
            "etcd": from_git(
                "etcd",
                more="context: .\nbuildArguments: {TAGS: scos, V: '2'}\nlabels: {a: b}\n"
                "environment: {GOFLAGS: -mod=vendor}\nlayering: each\n"
                "inputs: [{image: base, aliases: ['ci/base:1']}]\n",
            ),
        },
    )
    step = await step_of(workshop, catalog, "etcd")
    assert (step.component, step.tag, step.platform) == ("etcd", "etcd", AMD64)
    assert (step.commit, step.timestamp) == (commit, TIME + 5)
    assert step.images == {"ci/base:1": base.digest}
    assert step.build_arguments == (Argument("TAGS", "scos"), Argument("V", "2"))
    assert step.labels == (Argument("a", "b"),)
    assert step.layering is Layering.EACH
    for line in (
        "ENV GOFLAGS='-mod=vendor'",
        f"OPENSHIFT_BUILD_COMMIT='{commit.id}'",
        "OPENSHIFT_BUILD_SOURCE='https://example.com/etcd'",
        "OPENSHIFT_BUILD_REFERENCE='main'",
        f"io.openshift.build.commit.id='{commit.id}'",
        "io.openshift.build.commit.ref='main'",
        "io.openshift.build.commit.message='Fix it'",
        "io.openshift.build.commit.author='Test Author <author@example.com>'",
        "io.openshift.build.source-location='https://example.com/etcd'",
        "io.openshift.build.source-context-dir='.'",
    ):
        assert line in step.dockerfile


async def test_an_image_of_images_only_is_as_old_as_the_newest(workshop: Workshop, tmp_path: Path):
    """Without a source there is no commit to label or to date the image by."""
    await push_image(workshop.content, tag="base")
    catalog = write_stream(
        tmp_path,
        {
            "base": inline("FROM scratch"),
            "collected": inline("FROM scratch\nCOPY --from=base /a /b\n"),
            "nothing": inline("FROM scratch"),
        },
    )
    step = await step_of(workshop, catalog, "collected")
    assert step.timestamp == (await workshop.made("base")).timestamp
    assert (step.source, step.commit, "LABEL" in step.dockerfile) == (None, None, False)
    assert (await step_of(workshop, catalog, "nothing")).timestamp == NO_SOURCE_TIME


async def test_the_key_is_among_the_labels(workshop: Workshop, tmp_path: Path):
    """The step that is built carries the key, which is computed without it."""
    catalog = write_stream(tmp_path, {"base": inline("FROM scratch")})
    step = await step_of(workshop, catalog, "base")
    prepared = prepare(step, format_version="1")
    assert Argument(KEY_LABEL, prepared.key) in prepared.step.labels
    assert prepare(step, format_version="1").key == prepared.key


def forked(tmp_path: Path, *, copied: str, more: str = "") -> Catalog:
    """A component whose Dockerfile comes out of the image ``forks``."""
    copies = f"copies: [{{from: {copied}, to: build}}]"
    return write_stream(
        tmp_path,
        {
            "base": inline("FROM scratch"),
            "forks": inline("FROM scratch"),
            "app": from_git(
                "app",
                more="context: build\ndockerfile: Dockerfile.okd\n"
                f"inputs: [{{image: forks, {copies}}}{more}]\n",
            ),
        },
    )


@pytest.mark.parametrize("copied", ["/code/Dockerfile.okd", "/code/."])
async def test_a_dockerfile_out_of_another_image_is_read(
    workshop: Workshop, tmp_path: Path, copied: str
):
    """The copied file is the Dockerfile; the engine gets the copies too."""
    workshop.sources.put(source_of("app"), {"README": "hello"})
    layer = archive(code__Dockerfile_okd="FROM base\n")
    forks = await push_image(workshop.content, tag="forks", layers=[layer])
    base = await push_image(workshop.content, tag="base")
    catalog = forked(tmp_path, copied=copied, more=", {image: base}")
    step = await step_of(workshop, catalog, "app")
    assert step.dockerfile.startswith("FROM base\n")
    assert step.images == {"base": base.digest}
    assert [files.image for files in step.copied_files] == [forks.digest]


async def test_an_undeclared_parent_of_a_copied_dockerfile(workshop: Workshop, tmp_path: Path):
    """What could not be planned is refused with the way to mend it."""
    workshop.sources.put(source_of("app"), {"README": "hello"})
    layer = archive(code__Dockerfile_okd="FROM base\n")
    await push_image(workshop.content, tag="forks", layers=[layer])
    with pytest.raises(BuildError) as caught:
        await step_of(workshop, forked(tmp_path, copied="/code/."), "app")
    assert "app needs base" in caught.value.message
    assert "`inputs`" in caught.value.hint


async def test_a_copied_dockerfile_that_names_nothing(workshop: Workshop, tmp_path: Path):
    """A name that means nothing to the stream is refused likewise."""
    workshop.sources.put(source_of("app"), {"README": "hello"})
    layer = archive(code__Dockerfile_okd="FROM nowhere\n")
    await push_image(workshop.content, tag="forks", layers=[layer])
    with pytest.raises(BuildError, match="app needs nowhere"):
        await step_of(workshop, forked(tmp_path, copied="/code/."), "app")


async def test_a_copied_folder_without_the_dockerfile(workshop: Workshop, tmp_path: Path):
    """The file that was looked for is named."""
    workshop.sources.put(source_of("app"), {"README": "hello"})
    await push_image(workshop.content, tag="forks", layers=[archive(code__README="hello")])
    with pytest.raises(BuildError, match=r"no input brings build/Dockerfile\.okd"):
        await step_of(workshop, forked(tmp_path, copied="/code/."), "app")


async def test_a_copied_path_that_is_not_there(workshop: Workshop, tmp_path: Path):
    """The path in the image is named, with the nearest ones."""
    workshop.sources.put(source_of("app"), {"README": "hello"})
    layer = archive(code__Dockerfile_ocp="FROM base\n")
    await push_image(workshop.content, tag="forks", layers=[layer])
    with pytest.raises(UnknownName) as caught:
        await step_of(workshop, forked(tmp_path, copied="/code/Dockerfile.okd"), "app")
    assert "/code/Dockerfile.ocp" in caught.value.hint


async def test_a_link_in_an_image_leads_to_no_file_of_ours(workshop: Workshop, tmp_path: Path):
    """A Dockerfile that is a link to a file of this machine is not read."""
    secret = tmp_path / "secret"
    secret.write_text("FROM base\n")
    workshop.sources.put(source_of("app"), {"README": "hello"})
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("code/Dockerfile.okd")
        member.type, member.linkname = tarfile.SYMTYPE, str(secret)
        tar.addfile(member)
    await push_image(workshop.content, tag="forks", layers=[buffer.getvalue()])
    with pytest.raises(BuildError, match="no input brings"):
        await step_of(workshop, forked(tmp_path, copied="/code/."), "app")


@pytest.mark.parametrize(
    "content", [b"FRMO base\n", b"FROM base\n# M\xfcller\n"], ids=["grammar", "encoding"]
)
async def test_a_dockerfile_that_is_none_fails_its_build(
    workshop: Workshop, tmp_path: Path, content: bytes
):
    """With the issue permitted, the build says what is wrong, and others go on."""
    workshop.sources.put(source_of("app"), {"Dockerfile": content})
    catalog = write_stream(
        tmp_path,
        {"base": inline("FROM scratch"), "app": from_git("app")},
        stream="permits: [{code: invalid-dockerfile, reason: later}]\n",
    )
    outcome = await workshop.run(catalog)
    assert record(outcome, "base").action is Action.BUILT
    failed = record(outcome, "app")
    assert failed.action is Action.FAILED
    assert "Dockerfile of https://example.com/app" in failed.reason


async def test_nothing_is_built_of_a_source_that_cannot_be_read(workshop: Workshop, tmp_path: Path):
    """A permit for the issue is no permit to build an image without its source."""
    workshop.sources.fail(source_of("app"), SourceError("gone"))
    catalog = write_stream(
        tmp_path,
        {"base": inline("FROM scratch"), "app": from_git("app", more=inline("FROM base"))},
        stream="permits: [{code: source-unavailable, reason: later}]\n",
    )
    outcome = await workshop.run(catalog)
    assert record(outcome, "app").action is Action.FAILED
    assert "nothing to build of https://example.com/app" in record(outcome, "app").reason


async def test_a_permitted_dangling_reference_fails_its_build(workshop: Workshop, tmp_path: Path):
    """What means nothing cannot be built on, and the run says so without stopping."""
    catalog = write_stream(
        tmp_path,
        {"base": inline("FROM scratch"), "app": inline("FROM lost")},
        stream="imports: {lost: {tag: nowhere}}\n"
        "permits: [{code: dangling-reference, reason: later}]\n",
    )
    outcome = await workshop.run(catalog)
    assert record(outcome, "base").action is Action.BUILT
    assert "app needs lost" in record(outcome, "app").reason
