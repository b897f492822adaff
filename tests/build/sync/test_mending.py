# SPDX-License-Identifier: Apache-2.0
"""Bringing a catalog in step: the files say afterwards what the release has, and nothing else.

``ReleaseDesk.sync`` also looks that a second run has nothing to do, and that the catalog loads.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from release_desk import COMPONENTS, STREAM, ReleaseDesk, location

from okd_payload.build.sync.file_changes import draw_patch
from okd_payload.build.sync.mending import mend
from okd_payload.build.sync.release_images import ReleaseImages
from okd_payload.catalog.component import Sharing
from okd_payload.catalog.definition import PulledImage

BUILD_CONFIG = """\
kind: BuildConfig
metadata: {name: NAME}
spec:
  source: {git: {uri: 'https://git.test/REPOSITORY', ref: main}}
  strategy: {dockerStrategy: {from: {kind: ImageStreamTag, name: 'release:base'}}}
  output: {to: {kind: ImageStreamTag, name: 'release:NAME'}}
"""


@pytest.fixture
def desk(tmp_path: Path) -> ReleaseDesk:
    """A catalog that is in step."""
    return ReleaseDesk(tmp_path)


@pytest.fixture
def foreign(tmp_path: Path) -> ReleaseDesk:
    """The same, but with BuildConfigs, which are not ours to write."""
    desk = ReleaseDesk(
        tmp_path, stream=STREAM.replace("components: components", "buildConfigs: components")
    )
    for name, repository in (("base", "base"), ("cvo", "cvo"), ("etcd", "etcd"), ("cli", "oc")):
        text = BUILD_CONFIG.replace("NAME", name).replace("REPOSITORY", repository)
        if name == "base":
            text = text.replace("from: {kind: ImageStreamTag, name: 'release:base'}", "")
        desk.write(f"components/{name}.yaml", text)
    desk.put("base", {"Dockerfile": "FROM scratch\n"})
    desk.put("oc", {"Dockerfile": "FROM x\n"})
    return desk


async def test_a_new_image_gets_a_file_with_its_evidence(desk):
    """Short, because the stream says the rest; the comment says how it was found."""
    commit = desk.put("new", {"Dockerfile.okd": "FROM y\n"})
    desk.release("new", "new", commit=commit)
    (change,) = await desk.sync()
    assert change.before is None
    assert desk.read("components/new.yaml") == (
        "# New in 4.16.0-0.okd-scos.\n"
        f"# Dockerfile.okd: made for okd. There is no other. Found in {location('new')} "
        f"at {commit}.\n"
        f"source:\n  git: {location('new')}\ndockerfile: Dockerfile.okd\nbase: base\n"
    )
    assert desk.catalog.component("new").source.ref == "release-4.15"


async def test_a_new_image_is_classed_from_the_start(desk):
    """With the release of OCP beside it, nothing is left for a second run."""
    desk.put("new", {"Dockerfile": "FROM y\n"})
    desk.release("new", "new")
    await desk.sync(ocp=ReleaseImages(name="4.16.1", images=(desk.images["new"],)))
    assert desk.catalog.component("new").sharing is Sharing.SHARED


async def test_an_image_without_a_source_is_imported(desk):
    """By the pull spec of the release."""
    desk.release("machine-os", "")
    await desk.sync()
    content = {each.name: each.content for each in desk.catalog.imports}["machine-os"]
    assert content == PulledImage(desk.images["machine-os"].pull_spec)


async def test_a_definition_goes_and_leaves_its_reason(tmp_path):
    """With it goes what the stream file says about it; everything else there stays."""
    more = "components: {cli: {labels: {a: b}}, etcd: {labels: {a: b}}}\n"
    desk = ReleaseDesk(tmp_path, stream=STREAM + more)
    del desk.images["cli"]
    await desk.sync()
    assert not (tmp_path / "components" / "cli.yaml").exists()
    assert desk.catalog.stream.dropped == {"cli": "not in 4.16.0-0.okd-scos"}
    assert set(desk.catalog.stream.components) == {"etcd"}
    assert desk.read("stream.yaml").startswith("name: okd   # ours\n")


async def test_a_definition_that_comes_back_is_no_longer_dropped(desk):
    """The reason goes with what it was the reason for."""
    cli = desk.images.pop("cli")
    await desk.sync()
    desk.images["cli"] = cli
    await desk.sync()
    assert desk.catalog.stream.dropped == {}
    assert desk.catalog.component("cli").dockerfile_path == "images/cli/Dockerfile"


async def test_what_lists_name_is_skipped_instead(tmp_path):
    """An overlay that names it would name nothing; lists are for people to edit."""
    more = "overlays: [{for: cli, labels: {a: b}}]\n"
    desk = ReleaseDesk(tmp_path, stream=STREAM + more)
    del desk.images["cli"]
    await desk.sync()
    assert (tmp_path / "components" / "cli.yaml").exists()
    assert [each.reason for each in desk.catalog.skipped] == ["not in 4.16.0-0.okd-scos"]


async def test_an_import_goes_too(desk):
    """A stub for what is not in the payload any more stands in for nothing."""
    del desk.images["kuryr-cni"]
    await desk.sync()
    assert desk.catalog.imports == ()
    assert set(desk.catalog.stream.dropped) == {"kuryr-cni"}


async def test_another_name_is_another_tag(desk):
    """The file stays, comments and all; back again, it needs no tag of its own."""
    etcd = desk.images.pop("etcd")
    desk.images["etcd-server"] = msgspec.structs.replace(etcd, tag="etcd-server")
    await desk.sync()
    assert desk.read("components/etcd.yaml") == COMPONENTS["etcd"] + "tag: etcd-server\n"
    desk.images["etcd"] = etcd
    del desk.images["etcd-server"]
    await desk.sync()
    assert desk.read("components/etcd.yaml") == COMPONENTS["etcd"]


async def test_others_find_a_renamed_image_under_its_old_tag(desk):
    """Whoever is built on it is not touched."""
    desk.put("etcd", {"Dockerfile": "FROM cli\nFROM x\n"})
    desk.images["oc"] = msgspec.structs.replace(desk.images.pop("cli"), tag="oc")
    await desk.sync()
    assert desk.catalog.stream.imports["cli"].tag == "oc"


async def test_source_and_class_are_single_lines(desk):
    """The patch shows them and nothing else, and is what is written."""
    desk.images["etcd"] = msgspec.structs.replace(desk.images["etcd"], location=location("etcd-io"))
    theirs = ReleaseImages(name="4.16.1", images=(desk.images["etcd"],))
    changes = mend(desk.catalog, await desk.compare(ocp=theirs))
    patch = draw_patch(changes, folder=desk.folder)
    assert (
        "--- a/components/etcd.yaml\n+++ b/components/etcd.yaml\n@@ -1,2 +1,5 @@\n"
        "-source: {git: 'https://git.test/etcd'}\n+source: {git: 'https://git.test/etcd-io'}\n"
        " base: base   # ours\n+sharing:\n+  kind: shared\n"
        "+  reason: the same image in OCP 4.16.1\n"
    ) in patch
    await desk.sync(ocp=theirs)
    etcd = desk.catalog.component("etcd")
    assert (etcd.source.url, etcd.sharing) == (location("etcd-io"), Sharing.SHARED)
    assert desk.catalog.component("cvo").sharing is Sharing.SPECIFIC


async def test_files_of_others_are_not_written(foreign):
    """All about them stands in the stream file; what is new gets component files beside them."""
    before = {path: path.read_text() for path in (foreign.folder / "components").iterdir()}
    etcd = foreign.images["etcd"]
    theirs = ReleaseImages(name="4.16.1", images=(etcd,))
    foreign.put("new", {"Dockerfile": "FROM x\n"})
    foreign.release("new", "new")
    del foreign.images["cli"]
    foreign.images["cvo"] = msgspec.structs.replace(
        foreign.images["cvo"], location=location("other")
    )
    foreign.images["etcd-server"] = msgspec.structs.replace(
        foreign.images.pop("etcd"), tag="etcd-server"
    )
    foreign.write("stream.yaml", foreign.read("stream.yaml").replace("components", "./components"))
    changes = mend(foreign.catalog, await foreign.compare(ocp=theirs))
    paths = {change.path.name for change in changes}
    assert paths == {"stream.yaml", "new.yaml"}
    assert {path: path.read_text() for path in before} == before


async def test_build_configs_are_changed_through_the_stream_file(foreign):
    """Left out with a reason, tagged, moved and classed: a second run has nothing to do."""
    cli = foreign.images.pop("cli")
    foreign.images["etcd-server"] = msgspec.structs.replace(
        foreign.images.pop("etcd"), tag="etcd-server"
    )
    foreign.images["cvo"] = msgspec.structs.replace(
        foreign.images["cvo"], location=location("other")
    )
    foreign.put("other", {"Dockerfile": "FROM x\n"})
    await foreign.sync(ocp=ReleaseImages(name="4.16.1", images=(foreign.images["cvo"],)))
    said = foreign.catalog.stream.components
    assert said["cli"].skip == "not in 4.16.0-0.okd-scos"
    assert said["etcd"].tag == "etcd-server"
    assert said["cvo"].source.git == location("other")
    assert said["cvo"].sharing is not None
    foreign.images["cli"] = cli
    (difference,) = (await foreign.compare()).differences
    assert difference.permitted == "left out: not in 4.16.0-0.okd-scos"


async def test_what_is_accepted_or_needs_people_is_not_written(tmp_path):
    """Permits and obstacles leave the files alone."""
    desk = ReleaseDesk(
        tmp_path,
        stream=f"{STREAM}permits: [{{code: undefined-image, component: os, reason: ours}}]\n",
    )
    desk.release("os", "")
    desk.put("none", {"README": ""})
    desk.release("none", "none")
    assert mend(desk.catalog, await desk.compare()) == ()
