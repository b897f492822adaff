# SPDX-License-Identifier: Apache-2.0
"""The container auth files."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import InvalidDocument
from okd_payload.oci.registry.credentials import (
    Credential,
    HelperCall,
    Secret,
    auth_file_paths,
    read_auth_file,
    read_auth_files,
)


def _pair(user, password):
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def _write(path: Path, **content) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def read(tmp_path):
    """Reads an auth file with this content."""

    def read_it(**content):
        return read_auth_file(_write(tmp_path / "auth.json", **content), required=True)

    return read_it


def _users(file, *repositories):
    found = [file.find(*repository.split("/", maxsplit=1)) for repository in repositories]
    return [item.username if isinstance(item, Credential) else item for item in found]


def test_the_longest_matching_path_wins(read):
    """A login for a repository beats one for its namespace, and that one for its host."""
    file = read(
        auths={
            "quay.io": _pair("host", "x"),
            "quay.io/okd": _pair("space", "x"),
            "quay.io/okd/a": _pair("one", "x"),
        }
    )
    assert _users(file, "quay.io/okd/a", "quay.io/okd/b", "quay.io/x/y", "quay.io/okdx/a") == [
        "one",
        "space",
        "host",
        "host",
    ]
    assert _users(file, "quay.io:443/okd/a", "other.io/okd/a") == [None, None]


@pytest.mark.parametrize(
    "key",
    [
        "docker.io",
        "https://index.docker.io/v1/",
        "index.docker.io",
        "https://registry-1.docker.io",
        "http://docker.io/v2/",
        "docker.io/",
    ],
)
def test_old_names_of_docker_hub_are_understood(read, key):
    """Docker's own host has had many names; a login under any of them counts."""
    assert _users(read(auths={key: _pair("me", "x")}), "docker.io/library/busybox") == ["me"]


def test_a_key_that_is_a_url_stands_for_its_host(read):
    """Old tools wrote the address of the API as key."""
    file = read(auths={"https://reg.example.com:5000/v2/": _pair("me", "x")})
    assert _users(file, "reg.example.com:5000/a/b", "reg.example.com/a/b") == ["me", None]


def test_keys_of_the_api_stand_for_the_host(read):
    """An address without a scheme may still end with the version of the API."""
    assert _users(read(auths={"quay.io/v2": _pair("me", "x")}), "quay.io/a/b") == ["me"]


def test_empty_entries_are_no_login(read):
    """Docker leaves empty entries for what is in a credential store."""
    file = read(auths={"quay.io": {}, "ghcr.io": {"auth": ""}}, credsStore="vault")
    assert _users(file, "quay.io/a") == [
        HelperCall("vault", "quay.io", _users(file, "quay.io/a")[0].source)
    ]
    assert "docker-credential-vault" in file.find("ghcr.io", "a").source


def test_helpers_are_chosen_by_host_before_the_store(read):
    """A helper for one host is asked about it, the store about all others."""
    file = read(
        credHelpers={"quay.io": "quay", "https://index.docker.io/v1/": "hub"}, credsStore="all"
    )
    assert [
        (call.helper, call.server)
        for call in _users(file, "quay.io/a", "docker.io/library/a", "x.io/a")
    ] == [
        ("quay", "quay.io"),
        ("hub", "https://index.docker.io/v1/"),
        ("all", "x.io"),
    ]


def test_tokens_take_the_place_of_passwords(read):
    """An identity token is recognized by its field and by the user <token>."""
    file = read(auths={"a.io": {"identitytoken": "secret"}, "b.io": _pair("<token>", "secret")})
    for host in ("a.io", "b.io"):
        assert file.find(host, "x").identity_token.reveal() == "secret"


def test_plain_fields_are_a_login_too(read):
    """User and password may stand in the open, as null fields may stand anywhere."""
    file = read(auths={"a.io": {"username": "me", "password": "p", "auth": None}})
    assert file.find("a.io", "x").basic.reveal() == "Basic " + base64.b64encode(b"me:p").decode()


def test_passwords_may_contain_anything(read):
    """Only the first colon ends the user name, and docker's trailing NUL is no part of it."""
    file = read(auths={"a.io": _pair("me", "p:ä s\0")})
    assert file.find("a.io", "x").password.reveal() == "p:ä s"


@pytest.mark.parametrize("auth", ["no base64!", "bm8tY29sb24=", "//79", "gehëim"])
def test_a_damaged_entry_is_named_and_not_quoted(read, auth):
    """The error names file and key, and tells nothing of the content."""
    file = read(auths={"a.io": {"auth": auth}, "b.io": _pair("me", "x")})
    with pytest.raises(InvalidDocument, match=r"auth\.json: auths\.a\.io\.auth") as caught:
        file.find("a.io", "x")
    assert auth not in str(caught.value)
    assert _users(file, "b.io/x") == ["me"]


@pytest.mark.parametrize("content", ["{", '{"auths": {"a.io": "hunter2"}}', '["hunter2"]', "\xff"])
def test_a_damaged_file_is_named_and_not_quoted(tmp_path, content):
    """What cannot be read is said without its content."""
    path = tmp_path / "auth.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(InvalidDocument, match=r"auth.json: is not an auth file") as caught:
        read_auth_file(path, required=False)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_files_are_bounded(tmp_path):
    """A huge file is no auth file."""
    path = tmp_path / "auth.json"
    path.write_bytes(b" " * (4 * 1024 * 1024 + 1))
    with pytest.raises(InvalidDocument, match="larger than"):
        read_auth_file(path, required=True)


def test_an_empty_file_has_no_logins(tmp_path):
    """Logging out everywhere may leave an empty file."""
    (tmp_path / "auth.json").touch()
    assert _users(read_auth_file(tmp_path / "auth.json", required=True), "quay.io/a") == [None]


def test_the_places_are_searched_in_order(tmp_path):
    """The runtime folder comes first, docker's oldest file last; each counts once."""
    environment = {
        "XDG_RUNTIME_DIR": "/run/user/7",
        "XDG_CONFIG_HOME": "/config",
        "DOCKER_CONFIG": "/docker",
    }
    assert auth_file_paths(None, environment=environment, home=Path("/home/me"), user_id=7) == (
        [
            Path("/run/user/7/containers/auth.json"),
            Path("/run/containers/7/auth.json"),
            Path("/config/containers/auth.json"),
            Path("/docker/config.json"),
            Path("/home/me/.docker/config.json"),
            Path("/home/me/.dockercfg"),
        ],
        False,
    )
    paths, _ = auth_file_paths(None, environment={}, home=Path("/home/me"), user_id=7)
    assert paths == [
        Path("/run/containers/7/auth.json"),
        Path("/home/me/.config/containers/auth.json"),
        Path("/home/me/.docker/config.json"),
        Path("/home/me/.dockercfg"),
    ]


@pytest.mark.parametrize("explicit", [Path("/given"), None])
def test_a_named_file_is_the_only_one(explicit):
    """A file named by flag, else by environment, replaces the search, and must exist."""
    environment = {"REGISTRY_AUTH_FILE": "/named", "DOCKER_CONFIG": "/docker"}
    paths = auth_file_paths(explicit, environment=environment, home=Path("/home"), user_id=7)
    assert paths == ([explicit or Path("/named")], True)


def test_a_named_file_that_is_missing_is_a_mistake(tmp_path):
    """A login that cannot be read must not silently become no login."""
    with pytest.raises(InvalidDocument, match="cannot be read: No such file"):
        read_auth_files(tmp_path / "absent.json")


def test_the_files_of_this_user_are_found(tmp_path, monkeypatch):
    """Later files answer for what earlier ones do not know; the oldest format is read too."""
    home = tmp_path / "home"
    _write(home / ".docker" / "config.json", auths={"a.io": _pair("docker", "x")})
    _write(home / ".dockercfg", **{"b.io": _pair("old", "x")})
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    _write(tmp_path / "run" / "containers" / "auth.json", auths={"a.io": _pair("podman", "x")})
    first, second, third = read_auth_files(None)
    assert _users(first, "a.io/x") + _users(second, "a.io/x") + _users(third, "b.io/x") == [
        "podman",
        "docker",
        "old",
    ]


def test_secrets_do_not_show():
    """Neither printing nor formatting a credential shows what is secret."""
    credential = Credential(username="me", password=Secret("hunter2"), source="file")
    for text in (repr(credential), str(credential), f"{credential.basic}", f"{credential!r:>9}"):
        assert "hunter2" not in text
        assert "aHVudGVyMg" not in text
        assert base64.b64encode(b"me:hunter2").decode() not in text


@given(st.binary(max_size=300))
def test_any_file_is_read_or_refused(tmp_path_factory, content):
    """Whatever the bytes of a file, it is an auth file or one clear error."""
    path = tmp_path_factory.mktemp("auth") / "auth.json"
    path.write_bytes(content)
    try:
        file = read_auth_file(path, required=True)
    except InvalidDocument:
        return
    assert _users(file, "quay.io/a/b") == [None]
