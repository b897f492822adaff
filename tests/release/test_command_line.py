# SPDX-License-Identifier: Apache-2.0
"""The commands about releases, on layout directories and folders: no registry, no network."""

from __future__ import annotations

import asyncio
import json

import pytest
import yaml

from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.transfer import ImageCopy, copy_image
from okd_payload.release.labels import COMMIT_ID, SOURCE, VERSIONS

_PUBLISHED = "quay.test/okd/content"


@pytest.fixture
def content(tmp_path, world, manifest, listing):
    """A layout with the components of a stream."""

    async def fill():
        await world.add_base()
        source = {SOURCE: "https://github.com/okd/etcd", COMMIT_ID: "abc"}
        await world.add("etcd", labels={VERSIONS: "kubernetes=1.33.5", **source})
        files = {"a.yaml": manifest("a", i="r/etcd"), "image-references": listing(etcd="r/etcd")}
        await world.add("op", files)
        target = LayoutRepository(tmp_path / "content")
        for tag in world.tags:
            await copy_image(
                ImageCopy(source=world.repository, reference=tag, destination=target, tag=tag)
            )

    asyncio.run(fill())
    return f"oci:{tmp_path / 'content'}"


@pytest.fixture
def make(run, content, tmp_path):
    """Makes a release in a layout."""

    def make_release(name, *arguments):
        code, out, _ = run(
            *("new", "--from-repository", content, "--published-as", _PUBLISHED),
            *("--name", name, "--to-image", f"oci:{tmp_path / 'releases'}", *arguments),
        )
        assert code == 0
        return f"oci:{tmp_path / 'releases'}:{name}", out.split()[0]

    return make_release


@pytest.fixture
def folder(run, content, tmp_path):
    """A payload in a folder."""
    code, _, _ = run(
        *("new", "--from-repository", content, "--published-as", _PUBLISHED),
        *("--name", "4.20.0", "--to-dir", tmp_path / "folder"),
    )
    assert code == 0
    return tmp_path / "folder"


def test_new_from_a_layout(make, run, content):
    """A release is made of a layout, shown, and found sound."""
    place, digest = make("4.20.0")
    code, page, _ = run("info", place)
    assert code == 0
    assert f"Digest:    {digest}" in page
    assert "kubernetes 1.33.5" in page
    assert "Pull From" not in page
    assert run("info", "-o", "pullspec", place)[1].splitlines()[1].startswith(f"{_PUBLISHED}@")
    code, out, err = run("lint", place, "--content", content)
    assert (code, err.count("warning:"), "[no-verification-keys]" in err) == (0, 1, True)
    assert "nothing bars it" in out


def test_layouts_must_say_where_they_will_be(run, content):
    """Tags of a layout need a name under which clusters will pull them."""
    code, _, err = run("new", "--from-repository", content, "--name", "1.0.0")
    assert code == 2
    assert "--published-as" in err


def test_lint_counts_and_explains(folder, run):
    """What bars a release is told with its code, and the exit code is 1 unless it is permitted."""
    (folder / "0000_x.yaml").write_text("kind: X\n")
    code, out, err = run("lint", folder)
    assert code == 1
    assert "[invalid-manifest]" in err
    assert "something bars it" in out
    code, out, _ = run("lint", folder, "--permit", "invalid-manifest", "-o", "json")
    printed = json.loads(out)
    assert (code, printed["sound"]) == (0, True)
    assert printed["issues"][0]["permitted"]


def test_extract_gives_what_new_writes(make, run, folder, tmp_path):
    """The files of a release that are extracted are those that the release is made of."""
    place, _ = make("4.20.0")
    assert run("extract", place, "--to", tmp_path / "extracted")[0] == 0
    read = {
        path.name: (path.read_bytes(), path.stat().st_mtime)
        for path in (tmp_path / "extracted").iterdir()
    }
    assert read == {
        path.name: (path.read_bytes(), path.stat().st_mtime) for path in folder.iterdir()
    }


def test_new_from_itself(make, run, content, tmp_path):
    """A release of a release, and one of the folders of its operators, is that release again."""
    when = ("--created", "2026-01-02T03:04:05Z")
    place, digest = make("4.20.0", "--dir", tmp_path / "kept", *when)
    sources = {
        "release": ("--from-release", place),
        "folders": ("--from-dir", tmp_path / "kept", "--name", "4.20.0", *when),
    }
    for name, source in sources.items():
        target = f"oci:{tmp_path / name}:again"
        code, out, err = run("new", *source, "--content", content, "--to-image", target)
        assert (code, out.split()[0]) == (0, digest), err


def test_permits_and_severities(folder, run):
    """What is permitted for one component blocks for others; CI may be stricter than a cluster."""
    (folder / "0000_50_op_x.yaml").write_text("kind: [\n")
    assert run("lint", folder, "--permit", "invalid-manifest=other")[0] == 1
    assert run("lint", folder, "--permit", "invalid-manifest=op")[0] == 0
    (folder / "0000_50_op_x.yaml").unlink()
    assert run("lint", folder)[0] == 0
    assert run("lint", folder, "--fail-on", "warning")[0] == 1
    code, out, _ = run("lint", folder, "--fail-on=warning", "--permit=no-verification-keys")
    assert (code, "nothing bars it" in out) == (0, True)
    code, out, _ = run("lint", folder, "--severity", "error", "-o", "json")
    assert (json.loads(out)["issues"], json.loads(out)["hidden"]) == ([], 1)


def test_lint_of_an_unpacked_payload(folder, run, tmp_path, manifest):
    """A payload unpacked with its base is read as the operator would, templates filled in."""
    root = tmp_path / "root"
    (root / "manifests").mkdir(parents=True)
    folder.rename(root / "release-manifests")
    (root / "manifests" / "a.yaml").write_text(manifest("cvo", image="{{ .ReleaseImage }}"))
    assert run("lint", root)[0] == 0
    (root / "manifests" / "a.yaml").write_text("{{ if true }}x: [{{ end }}")
    code, _, err = run("lint", root)
    assert (code, "at manifests/a.yaml" in err) == (1, True)


def test_lint_of_files_only(make, run):
    """Without looking up images, nothing but the release itself is read."""
    place, _ = make("4.20.0")
    code, out, err = run("lint", place, "--files-only", "--severity", "error")
    assert (code, err) == (0, "1 issue less severe: see them with --severity notice\n")
    assert out.endswith(": nothing bars it from clusters\n")


def test_info_of_a_folder(folder, run):
    """A payload in a folder has no digest, and everything else."""
    (folder / "notes.txt").write_text("x")
    code, page, _ = run("info", folder, "--pullspecs")
    assert code == 0
    assert "Digest" not in page
    assert "Metadata files: 1" in page
    printed = yaml.safe_load(run("info", folder, "-o", "yaml")[1])
    assert printed["metadata"]["version"] == "4.20.0"


def test_three_releases(make, run):
    """Of more than two releases each is shown."""
    place, _ = make("4.20.0")
    code, out, _ = run("info", place, place, place, "--image-for", "op")
    assert code == 0
    assert len(out.splitlines()) == 3
    assert run("info", place, place)[1] == "Releases are identical\n"


def test_size_and_verify(make, run, content):
    """Images are looked up where the release's content is."""
    place, digest = make("4.20.0")
    code, page, _ = run("info", "--size", place, "--content", content)
    assert code == 0
    assert "3 different base images" in page
    code, out, _ = run("info", "--verify", place, "--content", content)
    assert (code, out.split()[0]) == (0, digest)


def test_comparison(make, run, manifest, tmp_path):
    """Two releases are compared: versions, images, manifests."""
    first, _ = make("4.20.0")
    second, _ = make("4.20.1", "--exclude", "etcd", "--allow-missing-images", "--previous=4.20.0")
    code, page, _ = run("info", first, second)
    assert code == 0
    assert "Upgrade From:          Yes" in page
    assert "Images Removed:\n  etcd\n" in page
    difference = run("info", "--contents", first, second)[1]
    assert "+  i: r/etcd" in difference
    printed = json.loads(run("info", "-o", "json", first, second)[1])
    assert printed["changedImages"]["etcd"]["to"] is None


def test_archive_on_standard_output(run, content, make):
    """The archive can be piped."""
    code, out, _ = run(
        *("new", "--from-repository", content, "--published-as", _PUBLISHED),
        *("--name", "4.20.0", "--to-file", "-"),
    )
    assert code == 0
    assert out.encode(errors="replace")[:1] == b"\x1f"


def test_merged_stream_as_yaml(run, content):
    """With -o the stream is printed and nothing is made."""
    code, out, _ = run(
        *("new", "--from-repository", content, "--published-as", _PUBLISHED, "-o", "yaml"),
    )
    assert code == 0
    assert [tag["name"] for tag in yaml.safe_load(out)["spec"]["tags"]] == [
        "cluster-version-operator",
        "etcd",
        "op",
    ]


def test_heir_in_a_layout(make, run, content, tmp_path):
    """A release in a layout can be the source of another; a path on this machine is not noted."""
    place, digest = make("4.20.0")
    code, _, err = run(
        *("new", "--from-release", place, "--name", "4.20.1", "--content", content),
        *("--to-image", f"oci:{tmp_path / 'heirs'}"),
    )
    assert (code, "error" in err) == (0, False)
    heir = json.loads(run("info", "-o", "json", f"oci:{tmp_path / 'heirs'}:4.20.1")[1])
    annotations = heir["references"]["metadata"]["annotations"]
    assert annotations == {"release.openshift.io/from-release": digest}


def test_nothing_is_written_when_something_is_wrong(run, content, tmp_path):
    """A blocking issue leaves no folder behind, and all issues are told."""
    code, out, err = run(
        *("new", "--from-repository", content, "--published-as", _PUBLISHED),
        *("--name", "4.20.0", "--exclude", "etcd", "--to-dir", tmp_path / "folder"),
    )
    assert (code, out) == (1, "")
    assert "[missing-operand]" in err
    assert not (tmp_path / "folder").exists()


def test_quiet(run, content, tmp_path):
    """Quiet prints results and errors only."""
    code, _, err = run(
        *("new", "-q", "--from-repository", content, "--published-as", _PUBLISHED),
        *("--name", "4.20.0", "--to-dir", tmp_path / "folder"),
    )
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new"], "must specify image mappings"),
        (["new", "--from-release=a", "--from-repository=b"], "only one of"),
        (["new", "a=q.io/a:1", "--created=yesterday"], "is no time"),
        (["new", "a=q.io/a:1", "--mirror=q.io/a:1"], "without tag or digest"),
        (["new", "a=q.io/a:1", "--to-image=oci:x:y", "--to-signature=m"], "registry, not a layout"),
        (["info", "x/y", "--filter-by-os=("], "is no pattern"),
        (["info"], "Missing argument"),
        (["lint", "dir:x"], "no place for images"),
    ],
)
def test_wrong_usage(arguments, words, run):
    """What is typed wrongly is exit code 2 and words that say so, before anything is tried."""
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_several_releases_are_documents_of_their_own(run, make):
    """Three releases are three documents, and one that is not there stops no other."""
    (one, _), (two, _) = make("4.20.0"), make("4.20.1")
    code, out, _ = run("info", one, two, one, "-o", "yaml")
    versions = [document["metadata"]["version"] for document in yaml.safe_load_all(out)]
    assert (code, versions) == (0, ["4.20.0", "4.20.1", "4.20.0"])
    code, out, err = run("info", one, "oci:nowhere:x", two, "-o", "name")
    assert code == 1
    assert out.count("etcd\n") == 2
    assert "oci:nowhere has no image 'x'" in err


@pytest.mark.parametrize(
    "arguments", [("-o", "name"), ("--image-for", "etcd", "-o", "json"), ("--skip-bug-check",)]
)
def test_options_that_do_not_go_together(run, make, arguments):
    """What would be left out without a word is refused."""
    release, _ = make("4.20.0")
    assert run("info", release, release, *arguments)[0] == 2


def test_images_without_digest_have_none(run, make):
    """An image by tag is in the list of names and not in that of digests."""
    release, _ = make("4.20.0", "etcd=quay.test/okd/content:etcd")
    assert len(run("info", release, "-o", "name")[1].split()) == 3
    assert len(run("info", release, "-o", "digest")[1].split()) == 2


def test_a_folder_that_is_no_release(run, tmp_path):
    """A path to a folder is no pull spec, and what is missing in it is said."""
    code, _, err = run("info", tmp_path)
    assert code == 2
    assert f"{tmp_path} is a folder without a release: it has no image-references" in err
