# SPDX-License-Identifier: Apache-2.0
"""In what a catalog differs from a release, and that nothing else is said to."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from release_desk import COMPONENTS, RELEASE, STREAM, ReleaseDesk, location

from okd_payload.build.sync.comparison import Comparison
from okd_payload.build.sync.differences import Difference, Kind, issue_of
from okd_payload.build.sync.release_images import ReleaseImage, ReleaseImages
from okd_payload.errors import SourceError
from okd_payload.issues import Severity
from okd_payload.source.model import GitSource


@pytest.fixture
def desk(tmp_path: Path) -> ReleaseDesk:
    """A catalog that is in step."""
    return ReleaseDesk(tmp_path)


def told(found: Comparison) -> list[tuple[Kind, str]]:
    """Kinds and tags of the differences that are to be mended."""
    return [(each.kind, each.tag) for each in found.differences if each.is_open]


def only(found: Comparison) -> Difference:
    """The single difference."""
    (difference,) = found.differences
    return difference


async def test_a_catalog_in_step_has_no_differences(desk):
    """Bases are no payload images and need not be in it; stubs are told."""
    found = await desk.compare()
    assert found.differences == ()
    assert found.helpers == ("base",)
    assert found.stubs == {"kuryr-cni": "nobody builds it"}


async def test_nothing_is_read_when_the_lists_are_equal(tmp_path):
    """Dockerfiles are asked only about what is not in the release."""
    without = {name: text for name, text in COMPONENTS.items() if name != "base"}
    desk = ReleaseDesk(
        tmp_path,
        components={name: text.replace("base: base", "") for name, text in without.items()},
    )
    assert (await desk.compare()).differences == ()
    assert desk.sources.operations == []


async def test_a_new_image_is_found_with_its_dockerfile(desk):
    """By the annotations of the release, at its commit, by the names that repositories use."""
    commit = desk.put("new", {"Dockerfile": "FROM x\n", "Dockerfile.okd": "FROM y\n"})
    desk.release("new", "new", commit=commit)
    difference = only(await desk.compare())
    assert (difference.kind, difference.tag) == (Kind.NEW, "new")
    assert difference.evidence.startswith("Dockerfile.okd: made for okd.")
    assert difference.evidence.endswith(f"Found in {location('new')} at {commit}.")


async def test_a_commit_that_is_gone_is_looked_up_on_the_branch(desk):
    """Histories get rewritten; the branch of the stream is what will be built anyway."""
    desk.put("new", {"Dockerfile": "FROM x\n"}, commit=False)
    desk.release("new", "new", commit="1" * 40)
    assert only(await desk.compare()).obstacle == ""


async def test_a_new_image_of_a_known_repository_gets_a_dockerfile_of_its_own(desk):
    """That of another component is not taken for it."""
    desk.put("oc", {"images/cli/Dockerfile": "FROM x\n", "images/tools/Dockerfile": "FROM x\n"})
    desk.release("tools", "oc")
    (finding,) = (await desk.compare()).findings
    assert finding.definition is not None
    assert finding.definition.component.dockerfile_path == "images/tools/Dockerfile"
    assert finding.definition.component.base == "base"


async def test_an_image_that_only_says_so_itself_is_found_too(desk):
    """A plain stream has no annotations: the labels of the image are read."""
    desk.put("new", {"Dockerfile": "FROM x\n"})
    desk.release("new", "")
    desk.labels["new"] = "new"
    assert only(await desk.compare()).after == location("new")


async def test_what_cannot_be_found_is_left_to_people(desk):
    """No Dockerfile is a thing to do by hand; a silent server is one to come back for."""
    desk.put("none", {"README": ""})
    desk.release("none", "none")
    desk.release("silent", "silent")
    error = SourceError("silent says no")
    desk.sources.fail(GitSource(url=location("silent"), ref="release-4.15"), error)
    none, silent = (await desk.compare()).differences
    assert "the source has no Dockerfile" in none.obstacle
    assert not none.unread
    assert (silent.obstacle, silent.unread) == ("silent says no", True)


async def test_an_image_that_is_gone_is_told_unless_others_need_it(desk):
    """What something in the release is built on stays, however far down it is."""
    desk.write("components/tools.yaml", "inlineDockerfile: FROM base\n")
    desk.write("components/lonely.yaml", "inlineDockerfile: FROM tools\n")
    desk.put("etcd", {"Dockerfile": "FROM tools\nFROM x\n"})
    found = await desk.compare()
    assert told(found) == [(Kind.REMOVED, "lonely")]
    assert found.helpers == ("base", "tools")
    assert only(found).file.endswith("components/lonely.yaml")


async def test_what_new_and_renamed_images_are_built_on_stays(desk):
    """A base is needed by images that the catalog does not have yet, or under another name."""
    desk.write("components/node.yaml", "inlineDockerfile: FROM base\n")
    desk.write("components/runtime.yaml", "inlineDockerfile: FROM base\n")
    desk.put("oc", {"images/cli/Dockerfile": "FROM runtime\nFROM x\n"})
    desk.images["oc"] = msgspec.structs.replace(desk.images.pop("cli"), tag="oc")
    source = GitSource(url=location("console"), ref="1" * 40)  # which has no such branch
    desk.sources.put(source, {"Dockerfile": "FROM node\nFROM x\n"})
    desk.release("console", "console", commit=source.ref)
    found = await desk.compare()
    assert told(found) == [(Kind.NEW, "console"), (Kind.RENAMED, "oc")]
    assert found.helpers == ("base", "node", "runtime")


async def test_nothing_is_taken_away_while_a_dockerfile_is_unread(desk):
    """Whoever cannot be read might need it."""
    desk.write("components/lonely.yaml", "inlineDockerfile: FROM base\n")
    error = SourceError("etcd says no")
    desk.sources.fail(GitSource(url=location("etcd"), ref="release-4.15"), error)
    difference = only(await desk.compare())
    assert difference.unread
    assert difference.obstacle == "may be needed: the Dockerfiles of etcd cannot be read"


async def test_the_same_dockerfile_under_another_tag_is_a_new_name(desk):
    """Neither new nor gone: source and Dockerfile are the same."""
    del desk.images["etcd"]
    desk.release("etcd-server", "etcd")
    difference = only(await desk.compare())
    assert (difference.kind, difference.component) == (Kind.RENAMED, "etcd")
    assert (difference.before, difference.after) == ("etcd", "etcd-server")
    assert difference.evidence.startswith(f"Dockerfile of {location('etcd')}")


async def test_another_dockerfile_of_the_same_repository_is_another_image(desk):
    """One goes and another one comes."""
    del desk.images["etcd"]
    desk.put("etcd", {"Dockerfile": "FROM x\n", "Dockerfile.proxy": "FROM x\n"})
    desk.release("etcd-proxy", "etcd")
    assert told(await desk.compare()) == [(Kind.NEW, "etcd-proxy"), (Kind.REMOVED, "etcd")]


async def test_one_component_explains_one_name(desk):
    """Of two new tags one is the old image, by the nearest name; the other is new."""
    del desk.images["etcd"]
    desk.put("etcd", {"Dockerfile": "FROM x\n", "proxy/Dockerfile": "FROM x\n"})
    desk.release("etcd-rhel9", "etcd")
    desk.release("proxy", "etcd")
    assert told(await desk.compare()) == [(Kind.RENAMED, "etcd-rhel9"), (Kind.NEW, "proxy")]


async def test_another_repository_is_a_moved_source(desk):
    """However its URL is written, the same repository is no difference."""
    desk.images["etcd"] = ReleaseImage(tag="etcd", location="git@GIT.test:etcd.git")
    assert (await desk.compare()).differences == ()
    desk.release("etcd", "etcd-io")
    difference = only(await desk.compare())
    assert (difference.kind, difference.after) == (Kind.SOURCE, location("etcd-io"))
    assert issue_of(difference).severity is Severity.WARNING


async def test_what_moved_is_read_where_it_is_now(desk):
    """The old repository may be gone, and that must not keep anything in the catalog."""
    desk.write("components/lonely.yaml", "inlineDockerfile: FROM base\n")
    error = SourceError("etcd is gone")
    desk.sources.fail(GitSource(url=location("etcd"), ref="release-4.15"), error)
    desk.put("etcd-io", {"Dockerfile": "FROM x\n"})
    desk.release("etcd", "etcd-io")
    found = await desk.compare()
    assert told(found) == [(Kind.REMOVED, "lonely"), (Kind.SOURCE, "etcd")]
    assert not any(each.obstacle for each in found.differences)


async def test_a_source_that_the_stream_file_gives_is_meant(tmp_path):
    """Somebody builds from a fork on purpose: told, and left alone."""
    fork = f"{STREAM}components: {{etcd: {{source: {{git: 'https://git.test/fork'}}}}}}\n"
    desk = ReleaseDesk(tmp_path, stream=fork)
    desk.put("fork", {"Dockerfile": "FROM x\n"})
    assert only(await desk.compare()).permitted == "the stream file gives the source"


async def test_classes_come_from_the_release_of_ocp(desk):
    """The same digest is shared, another one and none at all are specific; R22 and R23."""
    desk.write("components/cli.yaml", COMPONENTS["cli"] + "sharing: {kind: shared}\n")
    theirs = {name: image for name, image in desk.images.items() if name != "cvo"}
    desk.release("etcd", "etcd", digest="f" * 64)
    found = await desk.compare(ocp=ReleaseImages(name="4.16.1", images=tuple(theirs.values())))
    assert [(each.tag, each.before, each.after, each.evidence) for each in found.differences] == [
        ("cvo", "unclassed", "specific", "OCP 4.16.1 has no such image"),
        ("etcd", "unclassed", "specific", "another image in OCP 4.16.1"),
    ]
    assert not any(each.is_of_lists for each in found.differences)


async def test_a_stream_that_begins_with_a_release_need_not_define_what_is_shared(tmp_path):
    """It takes over what it does not define; only what is OKD's own has to be built."""
    desk = ReleaseDesk(tmp_path, stream=f"{STREAM}bootstrap: {{release: 'quay.test/okd:4.16'}}\n")
    desk.put("own", {"Dockerfile": "FROM x\n"})
    for tag in ("own", "theirs"):
        desk.release(tag, tag)
    theirs = ReleaseImages(name="4.16.1", images=tuple(desk.images.values()))
    desk.release("own", "own", digest="f" * 64)
    assert told(await desk.compare()) == []
    found = await desk.compare(ocp=theirs)
    assert (Kind.NEW, "own") in told(found)
    permitted = {each.tag: each.permitted for each in found.differences if each.permitted}
    assert permitted == {"theirs": "taken from the release that the stream begins with"}


async def test_what_the_stream_leaves_out_or_permits_is_accepted(tmp_path):
    """`skip` and `permits` say why; nothing is to be done about these."""
    desk = ReleaseDesk(
        tmp_path,
        stream=f"{STREAM}components: {{etcd: {{skip: too large}}}}\n"
        "permits: [{code: image-not-in-release, component: lonely, reason: ours}]\n",
        components=COMPONENTS | {"lonely": "inlineDockerfile: FROM base\n"},
    )
    found = await desk.compare()
    assert told(found) == []
    assert {each.tag: each.permitted for each in found.differences} == {
        "etcd": "left out: too large",
        "lonely": "ours",
    }


async def test_every_difference_is_a_sentence(desk):
    """With the code by which a stream may permit it."""
    desk.release("new", "")
    issue = issue_of(only(await desk.compare()))
    assert issue.code == "undefined-image"
    assert issue.message == (
        "the release has an image new that the stream does not make "
        "(it says no source; its image is taken over)"
    )
    assert desk.listed.name == RELEASE
