# SPDX-License-Identifier: Apache-2.0
"""Credential helpers, played by small shell scripts."""

from __future__ import annotations

import json

import pytest

from okd_payload.oci.registry.credentials import HelperCall
from okd_payload.oci.registry.helpers import ask_helper
from okd_payload.oci.registry.logins import Logins

ANSWER = json.dumps({"ServerURL": "quay.io", "Username": "me", "Secret": "hunter2"})


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a helper of that name and script on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")

    def write(name, script):
        path = folder / f"docker-credential-{name}"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return write


def _call(helper):
    return HelperCall(helper, "quay.io", f"docker-credential-{helper}")


async def test_a_helper_is_asked_on_standard_input(install, tmp_path):
    """The protocol is docker's: the verb as argument, the server on standard input."""
    install("good", f"cat > {tmp_path}/asked; echo \"$1\" >> {tmp_path}/asked; echo '{ANSWER}'")
    credential = await ask_helper(_call("good"))
    assert (credential.username, credential.password.reveal()) == ("me", "hunter2")
    assert (tmp_path / "asked").read_text() == "quay.ioget\n"


async def test_a_helper_may_give_a_token(install):
    """The user <token> marks an identity token."""
    install("token", """echo '{"Username": "<token>", "Secret": "t"}'""")
    assert (await ask_helper(_call("token"))).identity_token.reveal() == "t"


@pytest.mark.parametrize(
    ("script", "warned"),
    [
        ("echo 'credentials not found in native keychain'; exit 1", ""),
        ('echo \'{"Username": "", "Secret": ""}\'', ""),
        ("echo hunter2 >&2; exit 3", "failed with exit code 3"),
        ("echo hunter2", "is not what a credential helper says"),
        ('echo \'{"Username": {"hunter2": 1}}\'', "is not what a credential helper says"),
    ],
)
async def test_a_helper_without_an_answer_is_no_login(install, caplog, script, warned):
    """No credential is no error; a failure is a warning that repeats nothing it printed."""
    install("bad", script)
    assert await ask_helper(_call("bad")) is None
    assert warned in caplog.text
    assert bool(caplog.text) == bool(warned)
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("name", ["absent", "../../bin/sh", ""])
async def test_a_missing_helper_is_a_warning(caplog, name):
    """Auth files travel between machines: a helper that is not here is said and passed over."""
    assert await ask_helper(_call(name)) is None
    assert caplog.text


async def test_helpers_are_asked_once_and_fall_through(install, tmp_path):
    """Answers are remembered; a file whose helper knows nothing leaves it to the next file."""
    install("none", f"echo x >> {tmp_path}/calls; echo 'credentials not found'; exit 1")
    file = tmp_path / "auth.json"
    file.write_text('{"credsStore": "none"}')
    logins = Logins(file)
    for _ in range(3):
        assert await logins.find("quay.io", "a/b") is None
    assert (tmp_path / "calls").read_text() == "x\n"
