# SPDX-License-Identifier: Apache-2.0
"""What people get wrong at the command line: each is told what is wrong, and what to do."""

from __future__ import annotations

import pytest

_CLUSTERLESS = "apiVersion: v1\nkind: Config\n"
_CLUSTER = """{apiVersion: v1, kind: Config, current-context: a,
clusters: [{name: a, cluster: {server: "SERVER"}}], users: [{name: a, user: {}}],
contexts: [{name: a, context: {cluster: a, user: a}}]}
"""


@pytest.fixture(autouse=True)
def _files(tmp_path, monkeypatch):
    """Files and folders of the wrong kinds, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("OKD_PAYLOAD_SERVER", "OKD_PAYLOAD_TOKEN", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(b"\x00\xff\xfe\n\x0b")
    (tmp_path / "two-lines").write_text("one\ntwo\n")
    (tmp_path / "kubeconfig").write_text(_CLUSTERLESS)
    servers = {"brackets": "https://[x", "port": "https://h:x", "no-scheme": "h:6443"}
    for name, server in servers.items():
        (tmp_path / name).write_text(_CLUSTER.replace("SERVER", server))
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate(4 * 1024**3)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("text")


@pytest.mark.parametrize(
    ("command", "error", "hint"),
    [
        ("plan folder", "folder/stream.yaml: No such file", "name a stream file, or the folder"),
        ("plan empty", "empty: the file is empty", "name a stream file"),
        ("plan binary", "binary:1: not valid YAML", ""),
        ("release info ./nowhere", "./nowhere does not exist", "oci:DIR:TAG"),
        ("release lint ./file", "./file is a file, not a folder", "oci:DIR:TAG"),
        ("copy ./folder oci:x:y", "'./folder' is a path, not an image", "write oci:PATH"),
        ("copy oci:file:x oci:x:y", "oci:file:x lies in file, which is a file", "name a folder"),
        ("release info oci:file/in:x", "oci:file/in:x lies in file, which is", "name a folder"),
        ("release info -a two-lines oci:x:y", "two-lines: is not an auth file", "log in again"),
        ("release info --graph none 4.1.1", "cannot read none: No such file", "https://HOST"),
        ("release info --graph folder 4.1.1", "cannot read folder: Is a directory", "https://"),
        ("release new --created 99999999999999 a=b.test/c", "is no time", "2026-01-02T"),
        ("release new --created 99999999999999999999 a=b.test/c", "is no time", "2026-01-02T"),
        ("release info --graph file 4.1.1", "file: not an update graph", "Cincinnati"),
        ("release info --plain-http http://a a/b:c", "'http://a' is not a host", "HOST[:PORT]"),
        ("release info --insecure-host a/b a/b:c", "'a/b' is not a host", "HOST[:PORT]"),
        ("release info --filter-by-os [ a/b:c", "'[' is no pattern", "linux/arm64"),
        ("release info --graph huge 4.1.1", "huge: larger than", ""),
        ("release accept --from 4.1.1 --graph file 4.1.2", "file: not an update graph", ""),
        (
            "controller import --image-streams huge --database sqlite:///d",
            "huge: larger than",
            "",
        ),
        (
            "controller import --image-streams file --database sqlite:///d",
            "error: file: no list of objects",
            "oc get",
        ),
        (
            "controller streams --server http://127.0.0.1:9 --token-file huge",
            "huge holds no token",
            "one line",
        ),
        ("runs list --kubeconfig empty", "empty is no kubeconfig: it is empty", "--kubeconfig"),
        ("runs list --kubeconfig kubeconfig", "it has no 'clusters'", "--kubeconfig"),
        ("doctor --namespace here", "--namespace is about a cluster", "say --cluster too"),
        ("doctor --context here", "--context is about a cluster", "say --cluster too"),
        ("doctor --image a/b:c", "--image is about a cluster", "say --cluster too"),
        ("serve --port 0 --streams folder --base-url x", "'x' is no address", "https://HOST"),
        ("serve --port 0 --streams folder --base-url http://[x", "'http://[x' is no", "https://"),
        (f"serve --port 0 --streams folder --listen {'a' * 70}", "cannot listen at", "--listen"),
        ("controller streams --server http://[x", "--server: 'http://[x' is no", "https://"),
        ("controller streams --server http://h:x", "--server: 'http://h:x' is no", "https://"),
        ("runs list --kubeconfig brackets", "context a has the server 'https://[x'", "6443"),
        ("runs list --kubeconfig port", "context a has the server 'https://h:x'", "6443"),
        ("runs list --kubeconfig no-scheme", "context a has the server 'h:6443'", "6443"),
        (
            "serve --port 0 --streams folder --namespace x",
            "--namespace is about a cluster",
            "--cluster",
        ),
        (
            "serve --port 0 --streams folder --database mysql://u:pw@h/n",
            "mysql",
            "postgresql+psycopg",
        ),
        (
            "serve --streams folder --port 0 --database sqlite:///file",
            "file: not a database",
            "a backup",
        ),
        (
            "controller streams --server http://127.0.0.1:9 --token-file binary",
            "binary holds no token",
            "token create",
        ),
        (
            "controller streams --server http://127.0.0.1:9 --token-file two-lines",
            "two-lines holds no token",
            "token create",
        ),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(run_cli, command, error, hint):
    """The exit code is 2, the error names the object, the hint the next step."""
    ended = run_cli(*command.split())
    assert ended.code == 2, ended
    first, _, rest = ended.err.partition("\nhint: ")
    assert error in first
    assert hint in rest
    assert "unexpected" not in ended.err
    assert "pw" not in ended.err


def test_a_token_of_the_environment_is_judged_too(run_cli, monkeypatch):
    """What could never be a token is not sent, and not shown."""
    monkeypatch.setenv("OKD_PAYLOAD_TOKEN", "secret\r\nX-Evil: yes")
    ended = run_cli("controller", "streams", "--server", "http://127.0.0.1:9")
    assert ended.code == 2
    assert "OKD_PAYLOAD_TOKEN holds no token" in ended.err
    assert "secret" not in ended.err


@pytest.mark.parametrize("text", ["/" + "a" * 5000, "./" + "b" * 300])
def test_a_path_that_no_file_can_have_is_refused(run_cli, text):
    """What is too long for a file is no fault of the program."""
    ended = run_cli("release", "info", text)
    assert ended.code == 2
    assert "unexpected" not in ended.err
