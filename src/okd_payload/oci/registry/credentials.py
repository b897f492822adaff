# SPDX-License-Identifier: Apache-2.0
"""Who we are for a registry: the container auth files and what they say.

The files of podman, skopeo, docker and oc are read, in their order, and the first that knows
the repository wins; within a file the longest matching path does. A file that was named is the
only one that counts. Nothing is ever written, and a secret shows itself only to ``reveal``.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from okd_payload.errors import ContentError, InvalidDocument
from okd_payload.oci.foreign_json import decode_json
from okd_payload.oci.registry.settings import host_name

_MAX_FILE_BYTES = 4 * 1024 * 1024
_DOCKER_HUB = "docker.io"
_DOCKER_HUB_NAMES = frozenset(
    {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}
)
_DOCKER_HUB_SERVER = "https://index.docker.io/v1/"
_IDENTITY_TOKEN_USER = "<token>"  # noqa: S105 - the name that stands for "no user name"


class Secret:
    """A text that must not be seen: it prints as stars wherever it turns up."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, to be sent and not kept."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "***"


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A user name with a password, or an identity token that stands for both."""

    username: str = ""
    password: Secret = Secret("")
    identity_token: Secret = Secret("")
    source: str
    """Where it was found, for messages: a file and the key in it."""

    @property
    def basic(self) -> Secret:
        """The value of an ``Authorization`` header of the scheme Basic."""
        pair = f"{self.username}:{self.password.reveal()}".encode()
        return Secret("Basic " + base64.b64encode(pair).decode())


class HelperCall(msgspec.Struct, frozen=True):
    """A credential helper to be asked: its name, and the server it knows the credential by."""

    helper: str
    server: str
    source: str


class _Entry(msgspec.Struct, frozen=True):
    auth: str = ""
    username: str = ""
    password: str = ""
    identitytoken: str = ""


class _Settings(msgspec.Struct, frozen=True, rename="camel"):
    auths: dict[str, _Entry] = {}
    cred_helpers: dict[str, str] = {}
    creds_store: str = ""


class AuthFile:
    """One auth file, decoded."""

    def __init__(self, path: Path, settings: _Settings) -> None:
        self._path = path
        self._settings = settings
        self._entries: dict[str, tuple[str, _Entry]] = {}
        for key, entry in settings.auths.items():
            if entry != _Entry():
                self._entries.setdefault(_normalize(key), (key, entry))
        self._helpers = {_normalize(key): name for key, name in settings.cred_helpers.items()}

    def find(self, host: str, path: str) -> Credential | HelperCall | None:
        """What this file has for the repository, by the longest matching key.

        Raises InvalidDocument for an entry that matches and cannot be read.
        """
        for key in _prefixes(host, path):
            if helper := self._helpers.get(key):
                return self._call(helper, key)
            if key in self._entries:
                return self._read(*self._entries[key])
        if self._settings.creds_store:
            return self._call(self._settings.creds_store, host)
        return None

    def _call(self, helper: str, key: str) -> HelperCall:
        server = _DOCKER_HUB_SERVER if key == _DOCKER_HUB else key
        return HelperCall(helper, server, f"docker-credential-{helper} named in {self._path}")

    def _read(self, key: str, entry: _Entry) -> Credential:
        username, password = entry.username, entry.password
        if entry.auth:
            username, password = self._decode_pair(key, entry.auth)
        return make_credential(
            username=username,
            secret=password,
            identity_token=entry.identitytoken,
            source=f"{self._path}, key {key}",
        )

    def _decode_pair(self, key: str, auth: str) -> tuple[str, str]:
        try:
            pair = base64.b64decode(auth, validate=True).decode()
        except ValueError:  # no base64, no text, or letters that base64 does not have
            pair = ""
        username, colon, password = pair.partition(":")
        if not colon:
            raise InvalidDocument(
                "is not the base64 form of user:password",
                path=str(self._path),
                field=f"auths.{key}.auth",
                hint=f"log in again: podman login --authfile {self._path} {key}",
            )
        return username, password.rstrip("\0")


def make_credential(
    *, username: str, secret: str, identity_token: str = "", source: str
) -> Credential:
    """A credential from what a file or a helper says; the user ``<token>`` marks a token."""
    if username == _IDENTITY_TOKEN_USER:
        return Credential(identity_token=Secret(secret), source=source)
    return Credential(
        username=username,
        password=Secret(secret),
        identity_token=Secret(identity_token),
        source=source,
    )


def auth_file_paths(
    explicit: Path | None, *, environment: Mapping[str, str], home: Path, user_id: int
) -> tuple[list[Path], bool]:
    """The files to look into, in order, and whether a missing one is a mistake."""
    named = explicit or _path_in(environment, "REGISTRY_AUTH_FILE")
    if named:
        return [named], True
    runtime = _path_in(environment, "XDG_RUNTIME_DIR")
    configuration = _path_in(environment, "XDG_CONFIG_HOME") or home / ".config"
    docker = _path_in(environment, "DOCKER_CONFIG") or home / ".docker"
    candidates = [
        *([runtime / "containers" / "auth.json"] if runtime else []),
        Path("/run/containers") / str(user_id) / "auth.json",
        configuration / "containers" / "auth.json",
        docker / "config.json",
        *([home / ".docker" / "config.json"] if docker != home / ".docker" else []),
        home / ".dockercfg",
    ]
    return list(dict.fromkeys(candidates)), False


def read_auth_files(explicit: Path | None) -> list[AuthFile]:
    """The auth files of this user that exist. Raises InvalidDocument."""
    paths, required = auth_file_paths(
        explicit, environment=os.environ, home=Path.home(), user_id=os.getuid()
    )
    return [file for path in paths if (file := read_auth_file(path, required=required))]


def read_auth_file(path: Path, *, required: bool) -> AuthFile | None:
    """The file at ``path``, None when it does not exist and need not. Raises InvalidDocument."""
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        if not required and isinstance(error, (FileNotFoundError, NotADirectoryError)):
            return None
        raise InvalidDocument(
            f"the auth file cannot be read: {error.strerror}",
            path=str(path),
            hint="give another one, or create it with podman login",
        ) from error
    if len(content) > _MAX_FILE_BYTES:
        raise InvalidDocument(
            f"larger than {_MAX_FILE_BYTES} bytes", path=str(path), hint="is it an auth file?"
        )
    return AuthFile(path, _decode(path, content))


def decode_auth_file(content: bytes, *, name: str) -> AuthFile:
    """``content``, which people know as ``name``, as an auth file. Raises InvalidDocument."""
    path = Path(name)
    return AuthFile(path, _decode(path, content))


def _decode(path: Path, content: bytes) -> _Settings:
    if not content.strip():
        return _Settings()
    try:
        if path.name == ".dockercfg":
            return _Settings(auths=decode_json(content, dict[str, _Entry], what=str(path)))
        return decode_json(content, _Settings, what=str(path))
    except ContentError:
        # The decoder's own message may quote what it read, and that may be a secret.
        raise InvalidDocument(
            "is not an auth file",
            path=str(path),
            hint='it is JSON like {"auths": {"quay.io": {"auth": "..."}}}; log in again',
        ) from None


def _path_in(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name)
    return Path(text) if text else None


def _normalize(key: str) -> str:
    """A key as ``host`` or ``host/path``: old tools wrote URLs, whose path is the API's."""
    scheme, separator, rest = key.partition("://")
    if separator and scheme in ("http", "https"):
        key = rest.partition("/")[0]
    host, slash, path = key.rstrip("/").partition("/")
    if path in ("v1", "v2"):
        slash = path = ""
    host = _DOCKER_HUB if host_name(host) in _DOCKER_HUB_NAMES else host
    return f"{host}{slash}{path}"


def _prefixes(host: str, path: str) -> Iterator[str]:
    """``host/a/b``, ``host/a``, ``host``."""
    parts = [host, *path.split("/")]
    for count in range(len(parts), 0, -1):
        yield "/".join(parts[:count])
