# SPDX-License-Identifier: Apache-2.0
"""``release mirror`` between directories: no registry, no network."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil

import pytest

from okd_payload.oci.digest import hex_of
from okd_payload.oci.disk_registry import DiskRepository
from okd_payload.oci.layout import LayoutRepository

TAGS = [
    "4.20.0-x86_64",
    *(f"4.20.0-x86_64-{n}" for n in ("cluster-version-operator", "etcd", "op")),
]


def _tags(repository):
    return asyncio.run(repository.manifests.tags())


def _digest(repository, reference):
    return asyncio.run(repository.manifests.get(reference)).digest


def _snapshot(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def disk(tmp_path):
    """The repository that --to-dir makes."""
    return DiskRepository(tmp_path / "disk", "openshift/release")


def test_everything_comes_to_every_target(mirror, sources, disk, tmp_path):
    """A layout and a directory get the release, its images, and what is attached to them."""
    layout = LayoutRepository(tmp_path / "layout")
    code, out, err = mirror(
        *("--to", f"oci:{tmp_path / 'layout'}", "--to", "file://openshift/release"),
        *("--to-dir", tmp_path / "disk", "--print-mirror-instructions", "none"),
    )
    assert code == 0, err
    for repository in (layout, disk):
        assert _tags(repository) == [*TAGS, sources.signature_tag]
        assert _digest(repository, "4.20.0-x86_64") == sources.digest
        for name, digest in sources.images.items():
            assert _digest(repository, f"4.20.0-x86_64-{name}") == digest
        assert len(asyncio.run(repository.manifests.referrers(sources.images["etcd"]))) == 1
    assert f"{sources.digest} file://openshift/release:4.20.0-x86_64" in out.splitlines()
    assert "Success" in out.splitlines()


def test_a_carried_directory_is_enough(mirror, run, sources, disk, tmp_path):
    """From the directory alone the release is shown, checked, and mirrored on."""
    assert mirror("--to-dir", tmp_path / "disk")[0] == 0
    shutil.rmtree(tmp_path / "content")
    shutil.rmtree(tmp_path / "releases")
    carried = shutil.copytree(tmp_path / "disk", tmp_path / "carried", symlinks=True)
    place = "file://openshift/release:4.20.0-x86_64"
    code, page, _ = run("info", place, "--dir", carried)
    assert (code, f"Digest:    {sources.digest}" in page) == (0, True)
    code, out, err = run("info", place, "--dir", carried, "--verify")
    assert (code, out.split()[0]) == (0, sources.digest), err
    code, _, _ = run("extract", place, "--from-dir", carried, "--to", tmp_path / "files")
    assert (code, (tmp_path / "files" / "image-references").exists()) == (0, True)
    code, out, err = run("mirror", place, "--from-dir", carried, "--to", f"oci:{tmp_path / 'end'}")
    assert code == 0, err
    end = LayoutRepository(tmp_path / "end")
    assert _tags(end) == _tags(disk)
    assert f"{sources.digest} oci:{tmp_path / 'end'}:4.20.0-x86_64" in out.splitlines()


def test_a_second_run_changes_nothing(mirror, sources, tmp_path):
    """What is there is found, counted as present, and not touched."""
    first = json.loads(mirror("--to-dir", tmp_path / "disk", "-o", "json")[1])
    before = _snapshot(tmp_path / "disk")
    code, out, _ = mirror("--to-dir", tmp_path / "disk", "-o", "json")
    second = json.loads(out)
    assert code == 0
    assert _snapshot(tmp_path / "disk") == before
    moved = [(image["copied_bytes"], image["mounted_bytes"]) for image in second["images"]]
    assert moved == [(0, 0)] * 4
    sizes = [image["copied_bytes"] + image["mounted_bytes"] for image in first["images"]]
    assert all(image["present_bytes"] > 0 for image in second["images"])
    assert sum(sizes) > 0
    etcd = next(image for image in second["images"] if image["name"] == "etcd")
    assert etcd["source"].endswith(f"@{sources.images['etcd']}")
    assert etcd["target"] == "openshift/release:4.20.0-x86_64-etcd"
    assert etcd["digest"] == sources.images["etcd"]
    assert (second["version"], second["digest"]) == ("4.20.0", sources.digest)


def test_what_was_removed_is_found_and_brought_again(mirror, sources, disk, tmp_path):
    """A run on a directory from which a blob was deleted says so by mending it."""
    assert mirror("--to-dir", tmp_path / "disk")[0] == 0
    image = asyncio.run(disk.manifests.get("4.20.0-x86_64-etcd")).image()
    blob = tmp_path / "disk" / "v2" / "openshift" / "release" / "blobs" / image.layers[0].digest
    blob.unlink()
    assert mirror("--to-dir", tmp_path / "disk")[0] == 0
    assert blob.stat().st_size == image.layers[0].size


def test_one_failing_image_stops_no_other(mirror, sources, disk, tmp_path):
    """The others are brought, the release image waits, and the same command goes on."""
    content = LayoutRepository(tmp_path / "content")
    layer = asyncio.run(content.manifests.get("etcd")).image().layers[0]
    blob = tmp_path / "content" / "blobs" / "sha256" / hex_of(layer.digest)
    kept = blob.rename(tmp_path / "kept")
    code, out, err = mirror("--to-dir", tmp_path / "disk", "-o", "json")
    assert code == 3
    assert {image["name"] for image in json.loads(out)["images"] if image["error"]} == {
        "etcd",
        "release",
    }
    assert "error: etcd to openshift/release:4.20.0-x86_64-etcd" in err
    assert "error: 2 of 4 images are not at their target" in err
    assert _tags(disk) == [TAGS[1], TAGS[3]]
    kept.rename(blob)
    assert mirror("--to-dir", tmp_path / "disk")[0] == 0
    assert _tags(disk) == [*TAGS, sources.signature_tag]


def test_a_dry_run_writes_nothing(mirror, sources, tmp_path):
    """What would be done is told, and neither target nor state is touched."""
    code, out, err = mirror("--to-dir", tmp_path / "disk", "--dry-run")
    assert code == 0
    assert f"would bring {sources.digest} file://openshift/release:4.20.0-x86_64" in err
    assert "Update image:  openshift/release:4.20.0-x86_64" in out
    assert not (tmp_path / "disk").exists()
    assert not (tmp_path / "state" / "mirrors").exists()


def test_the_mapping_alone_can_be_printed(mirror, sources):
    """One line for each image: where it comes from, where it would go."""
    code, out, _ = mirror("--to-mirror", "--to", "r.test/okd", "--skip-release-image")
    assert code == 0
    assert set(out.splitlines()) == {
        f"quay.test/okd/content@{digest} r.test/okd:4.20.0-x86_64-{name}"
        for name, digest in sources.images.items()
    }


def test_the_release_may_go_elsewhere(mirror, sources, tmp_path):
    """With --to-release-image the release image is there and nowhere else."""
    code, _, err = mirror(
        *("--to", f"oci:{tmp_path / 'a'}", "--to-release-image", f"oci:{tmp_path / 'b'}:stable")
    )
    assert code == 0, err
    assert _tags(LayoutRepository(tmp_path / "a")) == [*TAGS[1:], sources.signature_tag]
    assert _tags(LayoutRepository(tmp_path / "b")) == ["stable"]


def test_signatures_are_carried_as_config_maps(mirror, run, sources, tmp_path):
    """Found in a store, written in the form of the field, and found again in the directory."""
    name = f"sha256-{hex_of(sources.digest)}"
    store = tmp_path / "store" / f"sha256={hex_of(sources.digest)}"
    store.mkdir(parents=True)
    (store / "signature-1").write_bytes(b"first")
    (store / "signature-2").write_bytes(b"second")
    code, out, err = mirror("--to-dir", tmp_path / "disk", "--signature-store", tmp_path / "store")
    assert code == 0, err
    file = tmp_path / "disk" / "config" / f"signature-{name[:23]}.json"
    assert f"Configmap signature file {file} created" in out
    first, second = (base64.b64encode(text).decode() for text in (b"first", b"second"))
    expected = (
        f'{{"kind":"ConfigMap","apiVersion":"v1","metadata":{{"name":"{name}",'
        '"namespace":"openshift-config-managed",'
        '"labels":{"release.openshift.io/verification-signatures":""}},'
        f'"binaryData":{{"{name}-1":"{first}","{name}-2":"{second}"}}}}\n'
    )
    assert file.read_text() == expected
    assert file.stat().st_mode & 0o777 == 0o640
    code, _, err = run(
        *("mirror", "file://openshift/release:4.20.0-x86_64", "--from-dir", tmp_path / "disk"),
        *("--to", f"oci:{tmp_path / 'end'}"),
        *("--release-image-signature-to-dir", tmp_path / "signatures"),
    )
    assert code == 0, err
    assert (tmp_path / "signatures" / file.name).read_text() == expected


def test_an_unsigned_release_is_mirrored_with_a_warning(mirror, tmp_path):
    """Nothing says where signatures would be, or there are none: that is said, and no failure."""
    code, _, err = mirror("--to-dir", tmp_path / "disk")
    assert code == 0
    assert "warning: No release authenticity verification is configured" in err
    code, _, err = mirror("--to-dir", tmp_path / "disk", "--signature-store", tmp_path / "none")
    assert code == 0
    assert "warning: no signature of sha256:" in err


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ((), "must specify an image repository", "--to-dir"),
        (("--from", "oci:x", "--to", "r.test/a"), "an argument and --from", ""),
        (("--to", "r.test/a", "--to-image-stream", "x"), "--to-image-stream", "image stream"),
        (("--to", "r.test/a", "--apply-release-image-signature"), "a cluster", "kubectl apply"),
        (("--to", "r.test/a", "--overwrite"), "--overwrite is only valid", ""),
        (("--to", "s3://region/bucket"), "buckets", "--to-dir"),
        (
            ("--to", "r.test/a", "--skip-release-image", "--to-release-image", "r.test/b"),
            "may not both",
            "",
        ),
        (("--to", "r.test/a", "--to-release-image", "r.test/b@sha256:" + "0" * 64), "digest", ""),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(mirror, arguments, message, hint):
    """Each refusal has exit code 2, says why, and what to do instead."""
    code, out, err = mirror(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert hint in err


def test_files_of_a_release_are_no_release_image(run, sources, tmp_path):
    """A folder with the files of a payload cannot be mirrored, and the error says so."""
    assert run("extract", sources.release, "--to", tmp_path / "files")[0] == 0
    code, _, err = run("mirror", tmp_path / "files", "--to", f"oci:{tmp_path / 'a'}")
    assert code == 1
    assert "not its image" in err
