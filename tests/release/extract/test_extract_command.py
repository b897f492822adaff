# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release extract`` on layouts and folders: no registry, no network."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import subprocess

import pytest
import yaml

from okd_payload.errors import ReleaseError
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.transfer import ImageCopy, copy_image
from okd_payload.release.labels import COMMIT_ID, SOURCE
from okd_payload.testing.gnupg_home import gnupg_home
from okd_payload.testing.memory_signer import MemorySigner

_MANIFEST = b"# kept\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'a'}\n"
_FILES = {
    "0000_50_a.yaml": _MANIFEST,
    "0000_50_note.txt": b"text",
    "0000_50_team/b.yaml": b"b: [\n",
}


@pytest.fixture
def run(run):
    """Runs the command and gives its exit code, output and complaints."""
    return functools.partial(run, "extract")


@pytest.fixture
def layout(tmp_path, tool_world, client, installer):
    """A layout with a release and its images."""

    async def fill():
        await tool_world.add("cli", {"usr/bin/oc": client})
        await tool_world.add("installer", {"usr/bin/openshift-install": installer})
        await tool_world.release(**_FILES)
        target = LayoutRepository(tmp_path / "layout")
        for name, digest in {"r": "r", **tool_world.images}.items():
            await copy_image(
                ImageCopy(
                    source=tool_world.repository, reference=digest, destination=target, tag=name
                )
            )

    asyncio.run(fill())
    return f"oci:{tmp_path / 'layout'}"


def listed(folder):
    """All files below a folder, hidden ones too, with their contents."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_all_files_are_written_as_they_are(run, layout, tmp_path):
    """Manifests, other files, files in sub-folders, the two files about the release; with times."""
    code, out, _ = run(f"{layout}:r", "--to", tmp_path / "out")
    found = listed(tmp_path / "out")
    assert code == 0
    assert out.startswith("Extracted release payload from digest sha256:")
    assert out.endswith(" created at 2025-01-02T03:04:05Z\n")
    assert {name: found[name] for name in _FILES} == _FILES
    assert found.keys() - _FILES.keys() == {"image-references", "release-metadata"}
    assert (tmp_path / "out" / "0000_50_a.yaml").stat().st_mtime == 1_767_000_000


def test_what_could_not_be_written_is_not_said_to_be(run, layout, tmp_path):
    """Nobody reads that a release was extracted before it was."""
    (tmp_path / "file").touch()
    code, out, err = run(f"{layout}:r", "--to", tmp_path / "file" / "out")
    assert code == 1
    assert out == ""
    assert "cannot write" in err


def test_a_release_asked_for_by_digest_is_not_told_its_digest(run, layout, tmp_path):
    """The line is that of oc, in both forms; --from is the same as an argument."""
    _, out, _ = run(f"{layout}:r", "--to", tmp_path / "out")
    digest = out.split()[5]
    _, out, _ = run("--from", f"{layout}@{digest}", "--to", tmp_path / "out")
    assert out == "Extracted release payload created at 2025-01-02T03:04:05Z\n"


def test_what_is_extracted_is_a_release_again(run, layout, tmp_path):
    """A folder that was extracted can be extracted from, and gives the same files and times."""
    run(f"{layout}:r", "--to", tmp_path / "one")
    code, out, _ = run(tmp_path / "one", "--to", tmp_path / "two")
    assert (code, out) == (0, f"Extracted release payload from {tmp_path / 'one'}\n")
    first, second = listed(tmp_path / "one"), listed(tmp_path / "two")
    assert second == {name: text for name, text in first.items() if "/" not in name}
    times = [(tmp_path / name / "0000_50_a.yaml").stat().st_mtime_ns for name in ("one", "two")]
    assert times[0] == times[1]


def test_what_was_written_is_printed(run, layout, tmp_path):
    """As a document: name, path, size and checksum of each file."""
    _, out, _ = run(f"{layout}:r", "--to", tmp_path / "out", "-o", "json")
    printed = json.loads(out)
    assert printed["release"] == "4.20.0"
    assert printed["digest"].startswith("sha256:")
    assert printed["files"][0] == {
        "name": "0000_50_a.yaml",
        "path": str(tmp_path / "out" / "0000_50_a.yaml"),
        "size": len(_MANIFEST),
        "sha256": hashlib.sha256(_MANIFEST).hexdigest(),
    }
    _, out, _ = run(f"{layout}:r", "--to", tmp_path / "out", "-o", "yaml")
    assert yaml.safe_load(out) == printed


def test_one_file_is_printed(run, layout):
    """Byte for byte, and nothing else."""
    assert run(f"{layout}:r", "--file", "0000_50_a.yaml")[:2] == (0, _MANIFEST.decode())
    code, _, err = run(f"{layout}:r", "--file", "0000_50_b.yaml")
    assert code == 1
    assert "image did not contain 0000_50_b.yaml" in err
    assert "did you mean" in err


def test_an_image_that_is_no_release_is_an_error(run, layout, tmp_path):
    """Nothing is written, and the exit code says so."""
    code, out, err = run(f"{layout}:cli", "--to", tmp_path / "out")
    assert (code, out) == (1, "")
    assert "did not contain an image-references file" in err
    assert not (tmp_path / "out").exists()


def test_a_damaged_payload_is_extracted_as_it_is(run, tool_world, tmp_path):
    """Whoever looks for a mistake in a payload gets its files; printing what it is fails first."""

    async def publish():
        with pytest.raises(ReleaseError):
            await tool_world.release(**{"image-references": b"{"})
        target = LayoutRepository(tmp_path / "layout")
        await copy_image(
            ImageCopy(source=tool_world.repository, reference="r", destination=target, tag="r")
        )

    asyncio.run(publish())
    place = f"oci:{tmp_path / 'layout'}:r"
    code, out, _ = run(place, "--to", tmp_path / "no", "-o", "json")
    assert (code, out, (tmp_path / "no").exists()) == (1, "", False)
    assert run(place, "--to", tmp_path / "out")[0] == 0
    assert listed(tmp_path / "out")["image-references"] == b"{"
    assert run(place, "--file", "image-references")[:2] == (0, "{")


def test_credentials_requests_come_with_a_warning(run, layout, tmp_path):
    """Without a cluster to compare with, too many of them are written."""
    code, _, err = run(f"{layout}:r", "--credentials-requests", "--to", tmp_path / "out")
    assert code == 0
    assert "warning: if you intend to pass CredentialsRequests to ccoctl" in err
    assert listed(tmp_path / "out") == {}


def test_tools_of_a_release_that_is_not_published_yet(run, layout, tmp_path):
    """The place where it will be is given, and the images are read here."""
    command = (f"{layout}:r", "--content", layout, "--tools", "--command-os", "linux")
    code, out, err = run(*command, "--to", tmp_path / "out")
    assert (code, out) == (2, "")
    assert "--published-as" in err
    code, out, err = run(
        *command, "--to", tmp_path / "out", "--published-as", "quay.test/me/rel", "-o", "json"
    )
    assert code == 0
    assert "warning: Left out, because the release has no such images" in err
    names = [item["name"] for item in json.loads(out)["files"]]
    assert sorted(listed(tmp_path / "out")) == sorted(names)
    assert b"Pull From: quay.test/me/rel@sha256:" in (tmp_path / "out/release.txt").read_bytes()


def test_a_key_file_signs_the_sums(run, layout, tmp_path):
    """The signature lies beside the sums."""
    (tmp_path / "key").write_bytes(MemorySigner().secret_key)
    code, _, _ = run(
        *(f"{layout}:r", "--content", layout, "--tools", "--command-os", "linux"),
        *("--published-as", "quay.test/me/rel", "--signing-key", tmp_path / "key"),
        *("--to", tmp_path / "out"),
    )
    assert code == 0
    assert (tmp_path / "out" / "sha256sum.txt.asc").read_bytes().startswith(b"-----BEGIN PGP SIG")


@pytest.mark.integration
def test_a_key_of_gpg_signs_the_sums(run, layout, tmp_path, monkeypatch):
    """A key is found by its name, and gpg itself takes the signature for good."""
    with gnupg_home() as home:
        home.make_key("Release <release@example.com>")
        monkeypatch.setenv("GNUPGHOME", str(home.folder))
        code, _, _ = run(
            *(f"{layout}:r", "--content", layout, "--tools", "--command-os", "linux"),
            *("--published-as", "quay.test/me/rel", "--signing-key", "release@example.com"),
            *("--to", tmp_path / "out"),
        )
        assert code == 0
        files = [str(tmp_path / "out" / name) for name in ("sha256sum.txt.asc", "sha256sum.txt")]
        home.run("--verify", *files)


def test_one_tool_is_written_as_it_is(run, layout, tmp_path):
    """A program that knows its version."""
    code, out, _ = run(
        *(f"{layout}:r", "--content", layout, "--command", "oc", "--command-os", "linux"),
        *("--to", tmp_path / "out"),
    )
    assert (code, out) == (0, "")
    assert listed(tmp_path / "out")["oc"].startswith(b"client 4.20.0\0")


def test_tools_need_an_image(run, layout, tmp_path):
    """A folder does not say for which architecture its tools are."""
    run(f"{layout}:r", "--to", tmp_path / "folder")
    code, _, err = run(tmp_path / "folder", "--tools", "--to", tmp_path / "out")
    assert code == 2
    assert "does not say for what its tools are" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--tools", "--git", "x"), "only one of --tools, --command, --credentials-requests"),
        (("--file", "x", "--to", "y"), "only one of --to and --file may be set"),
        (("--cloud", "aws"), "--cloud is only supported with --credentials-requests or --included"),
        (("--credentials-requests", "--cloud", "moon"), "'moon' is no cloud"),
        (("--included",), "--included needs to know the cluster"),
        (("--included", "--tools"), "--included is about manifests"),
        (("--command-os", "linux"), "--command-os is only supported with --tools or --command"),
        (("--command", "oc", "--signing-key", "x"), "--signing-key signs the checksums"),
        (("--tools", "--passphrase-file", __file__), "--passphrase-file is only supported with"),
        (("-o", "commit"), "--output commit is only supported with --git"),
        (("--file", "x", "-o", "json"), "--file prints the file"),
        (("--from", "x"), "as an argument or with --from, not both"),
        (("--command", "nothing"), "unknown command 'nothing'"),
        (("--tools", "--published-as", "quay.test/a:b"), "without tag and digest"),
        (("--git", "x"), "no image of the release says where its source is"),
    ],
)
def test_what_does_not_go_together_is_refused(run, layout, options, message):
    """Exit code 2, and the words of oc where it has any."""
    code, out, err = run(f"{layout}:r", *options)
    assert (code, out) == (2, "")
    assert message in err


@pytest.fixture
def sourced(layout, tool_world, tmp_path, monkeypatch):
    """A release of which one image has its source in a repository, and one nowhere; the commit."""
    repository = tmp_path / "git" / "okd" / "oc"
    repository.mkdir(parents=True)
    configuration = tmp_path / "gitconfig"
    configuration.write_text(
        f'[url "file://{tmp_path / "git"}/"]\n\tinsteadOf = https://git.example.com/\n'
        "[user]\n\tname = A\n\temail = a@example.com\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (repository / "file").write_text("content")

    def git(*arguments):
        done = subprocess.run(
            ["git", *arguments], cwd=repository, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    for arguments in (("init", "-q"), ("add", "."), ("commit", "-qm", "First")):
        git(*arguments)
    commit = git("rev-parse", "HEAD")
    url = "https://git.example.com/okd/oc"
    tool_world.sources["cli"] = {SOURCE: url, COMMIT_ID: commit}

    async def publish(name):
        await tool_world.release()
        target = LayoutRepository(tmp_path / "layout")
        await copy_image(
            ImageCopy(source=tool_world.repository, reference="r", destination=target, tag=name)
        )

    asyncio.run(publish("one"))
    tool_world.sources["installer"] = {SOURCE: "nowhere", COMMIT_ID: "a" * 40}
    asyncio.run(publish("two"))
    return commit


@pytest.mark.integration
def test_sources_are_checked_out(run, layout, sourced, tmp_path):
    """Each repository at its place, and what was done as a document."""
    code, out, _ = run(f"{layout}:one", "--git", tmp_path / "src", "-o", "json")
    folder = tmp_path / "src" / "git.example.com" / "okd" / "oc"
    assert code == 0
    assert (folder / "file").read_text() == "content"
    assert json.loads(out) == [
        {
            "url": "https://git.example.com/okd/oc",
            "commit": sourced,
            "path": str(folder),
            "components": ["cli"],
        }
    ]


@pytest.mark.integration
def test_sources_that_cannot_be_had_are_told(run, layout, sourced, tmp_path):
    """The others are checked out; the exit code says that some are not."""
    code, _, err = run(f"{layout}:two", "--git", tmp_path / "src")
    assert code == 3
    assert "[source-not-checked-out]" in err
    assert "1 of 2 repositories" in err
    assert (tmp_path / "src" / "git.example.com" / "okd" / "oc" / "file").exists()


@pytest.mark.integration
def test_commits_are_listed_without_cloning(run, layout, sourced, tmp_path):
    """One line for each repository: where it would be, and its commit."""
    code, out, _ = run(f"{layout}:two", "--git", tmp_path / "src", "-o", "commit")
    assert (code, out) == (0, f"{tmp_path / 'src'}/git.example.com/okd/oc {sourced}\n")
    assert not (tmp_path / "src").exists()


def test_a_release_must_be_given(run):
    """There is no cluster to ask."""
    code, _, err = run("--tools")
    assert code == 2
    assert "a release is needed" in err


def test_the_cluster_of_an_install_config_is_the_only_cloud(run, layout, tmp_path):
    """Another cloud than the cluster's is a mistake, in the words of oc."""
    config = tmp_path / "ic.yaml"
    config.write_text("apiVersion: v1\nplatform: {gcp: {}}\n")
    code, _, err = run(
        *(f"{layout}:r", "--included", "--install-config", config),
        *("--cloud", "aws", "--to", tmp_path / "out"),
    )
    assert code == 2
    assert f'--cloud "aws" set, but {config} has "gcp"' in err
