# SPDX-License-Identifier: Apache-2.0
"""Tools come out of a release in one pass, told of it, signed, summed up, or not at all."""

from __future__ import annotations

import hashlib
import random
import tarfile

import pytest

from okd_payload.errors import DigestMismatch, InputError, ReleaseError, StorageError
from okd_payload.oci.reference import parse_reference
from okd_payload.release.extract import checksums
from okd_payload.release.extract.checksums import verify_files
from okd_payload.release.extract.mach_o import AdHocSigner
from okd_payload.release.extract.targets import read_wish
from okd_payload.release.extract.tools import Order, extract_tools
from okd_payload.release.output_folder import ExtractedFile
from okd_payload.signing.detached import read_public_keys, verify_detached
from okd_payload.testing.memory_signer import MemorySigner

_MAC = "usr/share/openshift/mac_arm64/oc"


@pytest.fixture
def make(tool_world, tmp_path):
    """Extracts tools of the world's release and gives what was made."""

    async def extract(command="", platform="linux", *, release=None, published=True, **options):
        release = release or await tool_world.release()
        place = parse_reference(tool_world.repository.name).with_digest(release.digest)
        order = Order(
            wish=read_wish(command, platform),
            folder=tmp_path / "tools",
            pull_from=place if published else None,
            **options,
        )
        return await extract_tools(release, order, repository_of=tool_world.repository_of)

    return extract


def names(folder):
    """All names in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def program_in(path, name):
    """The program in an archive."""
    with tarfile.open(path) as archive:
        return archive.extractfile(name).read()


async def add_everything(world, client, installer):
    """Images with all programs that --tools must find."""
    await world.add("cli", {"usr/bin/oc": client})
    await world.add("installer", {"usr/bin/openshift-install": installer})
    await world.add(
        "cli-artifacts",
        {
            f"usr/share/openshift/{name}": client
            for name in ("mac/oc", "mac_arm64/oc", "windows/oc.exe", "linux_arm64/oc")
        },
    )
    await world.add("installer-artifacts", {"usr/share/openshift/mac/openshift-install": installer})


async def test_every_layer_is_read_once(tool_world, make, client, installer, tmp_path):
    """However many archives come out of an image, its layers are fetched once."""
    await add_everything(tool_world, client, installer)
    made = await make(platform="*")
    assert [tool_world.reads_of(name) for name in tool_world.images] == [[1], [1], [1], [1]]
    archives = [file.name for file in made.files if "4.20.0" in file.name]
    assert len(archives) == 7
    assert names(tmp_path / "tools") == sorted([*archives, "release.txt", "sha256sum.txt"])


async def test_layers_below_the_last_file_are_not_read(tool_world, make, client):
    """What is found in the upper layers is enough."""
    await tool_world.add("cli", {"etc/base": b"base"}, {"usr/bin/oc": client}, {"etc/top": b""})
    await make("oc")
    assert tool_world.reads_of("cli") == [0, 1, 1]


async def test_tools_know_their_release(tool_world, make, installer, tmp_path):
    """The installer is told the release by digest, its version and its architecture."""
    await tool_world.add("installer", {"usr/bin/openshift-install": installer})
    release = await tool_world.release()
    await make("openshift-install", release=release)
    written = (tmp_path / "tools" / "openshift-install").read_bytes()
    assert len(written) == len(installer)
    assert written.startswith(f"quay.test/okd/release@{release.digest}\0".encode())
    assert written[327:].startswith(b"4.20.0\0")
    assert written[327 + 93 :].startswith(b"linux/amd64\0")


async def test_a_tool_keeps_its_time_and_may_be_run(tool_world, make, client, tmp_path):
    """A single tool has the time that it has in its image."""
    await tool_world.add("cli", {"usr/bin/oc": client})
    await make("oc")
    found = (tmp_path / "tools" / "oc").stat()
    assert (found.st_mtime, found.st_mode & 0o777) == (1_767_000_000, 0o755)


async def test_programs_for_macs_are_signed_after_they_were_changed(
    tool_world, make, make_mach_o, client, tmp_path
):
    """The signature fits the program with its version in it."""
    program = make_mach_o(client)
    await tool_world.add("cli-artifacts", {_MAC: program})
    made = await make("oc", "mac/arm64")
    written = (tmp_path / "tools" / "oc").read_bytes()
    assert made.warnings == ()
    assert len(written) == len(program)
    assert b"4.20.0\0" in written
    signer = AdHocSigner()
    assert signer.feed(written) + signer.finish() == written


async def test_a_program_that_cannot_be_signed_is_told(tool_world, make, client, tmp_path):
    """Such a program is written as it is."""
    await tool_world.add("cli-artifacts", {_MAC: client})
    made = await make("oc", "mac/arm64")
    assert made.warnings == ("oc is not signed anew: it is no 64-bit Mach-O program",)
    assert (tmp_path / "tools" / "oc").stat().st_size == len(client)


async def test_two_runs_give_the_same_files(tool_world, make, client, installer, tmp_path):
    """Everything that is written is the same the next time."""
    await add_everything(tool_world, client, installer)
    first = await make(platform="*")
    second = await make(platform="*")
    assert first.files == second.files


async def test_the_sums_are_those_of_the_files(tool_world, make, client, tmp_path):
    """``sha256sum.txt`` names every other file, sorted."""
    await tool_world.add("cli", {"usr/bin/oc": client})
    await make()
    folder = tmp_path / "tools"
    lines = (folder / "sha256sum.txt").read_text().splitlines()
    others = [name for name in names(folder) if name != "sha256sum.txt"]
    sums = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in others]
    assert lines == [f"{digest}  {name}" for digest, name in zip(sums, others, strict=True)]


async def test_the_sums_are_signed(tool_world, make, client, tmp_path):
    """The signature beside the sums is an armoured one of the key that was given."""
    await tool_world.add("cli", {"usr/bin/oc": client})
    signer = MemorySigner()
    await make(signer=signer)
    sums, signature = (
        (tmp_path / "tools" / name).read_bytes() for name in ("sha256sum.txt", "sha256sum.txt.asc")
    )
    assert signature.startswith(b"-----BEGIN PGP SIGNATURE-----")
    keys = read_public_keys(signer.public_key, path="key")
    assert verify_detached(sums, signature, keys).signer == signer.fingerprint


async def test_a_signature_of_an_earlier_run_is_told(tool_world, make, client):
    """Sums without a signature do not stand beside one of other sums in silence."""
    await tool_world.add("cli", {"usr/bin/oc": client})
    await make(signer=MemorySigner())
    made = await make()
    assert made.warnings[-1] == (
        "sha256sum.txt.asc is of an earlier run: sign sha256sum.txt anew, or remove it"
    )


async def test_release_txt_shows_the_release(tool_world, make, client, tmp_path):
    """Whoever finds the folder sees which release it belongs to."""
    await tool_world.add("cli", {"usr/bin/oc": client})
    await make()
    text = (tmp_path / "tools" / "release.txt").read_text()
    assert text.startswith("Client tools for OpenShift\n")
    assert f"  cli  quay.test/okd/release@{tool_world.images['cli']}\n" in text


async def test_missing_markers_are_told(tool_world, make):
    """A program without a place for its version is written, with a warning."""
    await tool_world.add("cli", {"usr/bin/oc": b"plain"})
    made = await make("oc")
    assert made.warnings == (
        "Unable to make all expected replacements in oc.  Remaining: release version",
    )


async def test_what_is_there_is_written_though_something_is_missing(
    tool_world, make, client, tmp_path
):
    """A file that must be there is an error after everything else was written."""
    await tool_world.add("cli", {"usr/bin/oc": client})
    await tool_world.add("installer", {"usr/bin/other": b""})
    made = await make()
    assert "openshift-client-linux-4.20.0.tar.gz" in names(tmp_path / "tools")
    with pytest.raises(ReleaseError, match="image did not contain usr/bin/openshift-install"):
        made.require_complete()


async def test_tools_of_later_releases_may_be_missing(tool_world, make, client):
    """Their files are left out in silence, their images with a warning."""
    await tool_world.add("cli", {"usr/bin/oc": client})
    await tool_world.add("installer", {"usr/bin/openshift-install": client})
    await tool_world.add("cli-artifacts", {"usr/share/other": b""})
    made = await make()
    made.require_complete()
    assert "Left out, because the release has no such images: cloud-credential-operator" in (
        made.warnings
    )


async def test_a_tool_that_was_asked_for_must_be_there(tool_world, make):
    """Asking for a tool by name makes it an error that there is none."""
    await tool_world.add("cloud-credential-operator", {"usr/bin/other": b""})
    made = await make("ccoctl")
    with pytest.raises(ReleaseError, match="image did not contain usr/bin/ccoctl"):
        made.require_complete()


async def test_links_in_images_are_followed(tool_world, make, make_archive, client, tmp_path):
    """A tool may be a link to another file of its image."""
    linked = make_archive(
        {"usr/bin/ccoctl.rhel9": b"real"},
        links={"usr/bin/ccoctl": "ccoctl.rhel9", "usr/bin/ccoctl.rhel8": "=usr/bin/ccoctl.rhel9"},
    )
    await tool_world.add("cloud-credential-operator", linked)
    await tool_world.add("cli", {"usr/bin/oc": client})
    await make()
    found = {
        name: program_in(tmp_path / "tools" / f"ccoctl-linux{name}-4.20.0.tar.gz", "ccoctl")
        for name in ("", "-rhel8", "-rhel9")
    }
    assert found == {"": b"real", "-rhel8": b"real", "-rhel9": b"real"}


async def test_a_file_that_is_replaced_by_a_dead_link_is_missing(
    tool_world, make, make_archive, client, tmp_path
):
    """What an image held for a moment is no part of it."""
    replaced = make_archive({"usr/bin/ccoctl": b"x"}, links={"usr/bin/ccoctl": "nowhere"})
    await tool_world.add("cloud-credential-operator", replaced)
    made = await make("ccoctl")
    assert made.missing_files == ("usr/bin/ccoctl",)
    assert names(tmp_path / "tools") == []


async def test_one_file_may_become_two_tools(tool_world, make, installer, tmp_path):
    """The installer for bare metal and that with FIPS are one file under two names."""
    await tool_world.add("baremetal-installer", {"usr/bin/openshift-install": installer})
    await make("openshift-install-fips")
    await make("openshift-baremetal-install")
    assert names(tmp_path / "tools") == ["openshift-baremetal-install", "openshift-install-fips"]


async def test_damaged_content_leaves_nothing_behind(tool_world, make, client, tmp_path):
    """What did not prove right at the end of its layer gets no name, nor does anything else."""
    await tool_world.add("cli", {"usr/bin/oc": client})
    await tool_world.add("installer", {"usr/bin/openshift-install": client})
    manifest = tool_world.repository.manifests.images[tool_world.images["installer"]].image()
    contents = tool_world.repository.blobs.contents
    layer = manifest.layers[0].digest
    contents[layer] = contents[layer][:-1] + b"!"
    with pytest.raises(DigestMismatch):
        await make()
    assert names(tmp_path / "tools") == []


@pytest.mark.parametrize("size", [200_000, 2_000_000])
@pytest.mark.parametrize("options", [("oc", "linux"), ("", "linux"), ("oc", "mac/arm64")])
async def test_a_full_disk_leaves_nothing_behind(
    tool_world, make, make_mach_o, small_disk, tmp_path, size, options
):
    """The error names the file, early or late, and no file has its name."""
    program = make_mach_o(random.Random(1).randbytes(size))
    await tool_world.add("cli", {"usr/bin/oc": program})
    await tool_world.add("cli-artifacts", {_MAC: program})
    with small_disk(150_000), pytest.raises(StorageError, match=r"cannot write .*(oc|client)"):
        await make(*options)
    assert names(tmp_path / "tools") == []


async def test_an_unsafe_version_is_refused(tool_world, make, client, tmp_path):
    """The version becomes part of names, and may come from anybody."""
    await tool_world.add("cli", {"usr/bin/oc": client})
    release = await tool_world.release("../../4.20.0")
    with pytest.raises(ReleaseError, match="which no file can be named after"):
        await make(release=release)


async def test_an_installer_needs_a_published_release(tool_world, make, client, installer):
    """Without a pull spec an installer would be worth nothing; a client does not care."""
    await tool_world.add("cli", {"usr/bin/oc": client})
    await tool_world.add("installer", {"usr/bin/openshift-install": installer})
    await make("oc", published=False)
    with pytest.raises(InputError, match="openshift-install must be told") as caught:
        await make("openshift-install", published=False)
    assert "--published-as" in caught.value.hint


def test_files_are_read_back(tmp_path):
    """A file that is not what was written is found."""
    path = tmp_path / "a"
    path.write_bytes(b"kept")
    digest = hashlib.sha256(b"kept").hexdigest()
    file = ExtractedFile(name="a", path=str(path), size=4, sha256=digest)
    verify_files([file])
    path.write_bytes(b"lost")
    with pytest.raises(StorageError, match=r"not what was written: a"):
        verify_files([file])
    path.unlink()
    with pytest.raises(StorageError, match="back"):
        verify_files([file])
    assert checksums.format_checksums([file]) == f"{digest}  a\n".encode()
