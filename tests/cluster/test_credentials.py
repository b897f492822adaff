# SPDX-License-Identifier: Apache-2.0
"""Who we are to a server: tokens that are renewed, programs, passwords, and ways there."""

from __future__ import annotations

import datetime as dt
import json
import stat
import sys

import pytest
from scripted_api import document, kubeconfig, status

from okd_payload.cluster import credentials, kinds
from okd_payload.cluster.configuration import find_cluster
from okd_payload.cluster.lightkube_cluster import open_cluster
from okd_payload.cluster.opening import connect
from okd_payload.errors import InputError, NotPermitted
from okd_payload.testing.clock import ManualClock

FINE = document({"metadata": {"name": "x"}})


def only(token):
    """A server that knows one token."""
    return lambda asked: FINE if asked.headers.get("authorization") == token else status(401)


async def get(path, clock=None):
    """One question, with the credentials of a kubeconfig."""
    async with open_cluster(path, clock=clock or ManualClock(), patience=0) as cluster:
        return await cluster.get(kinds.POD, "x")


@pytest.mark.parametrize(
    ("user", "header"),
    [
        ({"token": "t"}, "Bearer t"),
        ({"username": "jane", "password": "p:w"}, "Basic amFuZTpwOnc="),
        ({}, None),
    ],
)
async def test_what_is_shown(user, header, api, tmp_path):
    """Tokens and passwords are shown as HTTP has them; nobody shows nothing."""
    api.script(FINE)
    path = kubeconfig(tmp_path / "k", api.url, user=user)
    await get(path)
    assert api.asked[0].headers.get("authorization") == header
    assert api.asked[0].headers["user-agent"].startswith("okd-payload/")


async def test_a_token_that_is_renewed(api, tmp_path, clock):
    """A token in a file is read again each minute, and at once when it is refused."""
    token = tmp_path / "token"
    token.write_text("one\n")
    path = kubeconfig(tmp_path / "k", api.url, user={"tokenFile": "token"})
    api.answer = only("Bearer one")
    async with open_cluster(path, clock=clock, patience=0) as cluster:
        await cluster.get(kinds.POD, "x")
        token.write_text("two")
        api.answer = only("Bearer two")
        await cluster.get(kinds.POD, "x")
        assert len(api.asked) == 3
        token.write_text("three")
        clock.advance(61)
        api.answer = only("Bearer three")
        await cluster.get(kinds.POD, "x")
        assert len(api.asked) == 4
        api.answer = only("Bearer four")
        with pytest.raises(NotPermitted, match="does not know us"):
            await cluster.get(kinds.POD, "x")
        token.unlink()
        with pytest.raises(InputError, match="no token of the cluster in"):
            await cluster.get(kinds.POD, "x")


async def test_a_renewed_token_for_a_watch(api, tmp_path, clock):
    """Streams renew their credentials as questions do."""
    token = tmp_path / "token"
    token.write_text("one")
    path = kubeconfig(tmp_path / "k", api.url, user={"tokenFile": str(token)})
    api.answer = only("Bearer one")
    async with open_cluster(path, clock=clock, patience=0) as cluster:
        await cluster.get(kinds.POD, "x")
        token.write_text("two")
        api.answer = only("Bearer two")
        log = [piece async for piece in cluster.follow_log("p", "c", follow=False)]
    assert b"".join(log) == FINE.body


def program(folder, text):
    """A program that gives credentials."""
    path = folder / "plugin"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


PLUGIN = """
import json, os, pathlib, sys
count = pathlib.Path({count!r})
runs = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(runs))
asked = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
assert asked["kind"] == "ExecCredential" and not asked["spec"]["interactive"]
token = f"{{os.environ['WHO']}}-{{sys.argv[1]}}-{{runs}}"
status = {{"token": token, "expirationTimestamp": {expires!r}}}
print(json.dumps({{"apiVersion": asked["apiVersion"], "kind": "ExecCredential", "status": status}}))
"""


def plugin_user(path, api_version="client.authentication.k8s.io/v1"):
    """A user of a kubeconfig whose credentials a program gives."""
    environment = [{"name": "WHO", "value": "me"}]
    return {
        "exec": {
            "apiVersion": api_version,
            "command": str(path),
            "args": ["a"],
            "env": environment,
            "installHint": "get it from plugin.test",
        }
    }


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_a_program_for_credentials(version, api, tmp_path, clock):
    """A program's token is used until it expires or is refused, then the program runs again."""
    expires = dt.datetime.fromtimestamp(clock.now() + 300, dt.UTC).isoformat()
    text = PLUGIN.format(count=str(tmp_path / "count"), expires=expires)
    user = plugin_user(program(tmp_path, text), f"client.authentication.k8s.io/{version}")
    path = kubeconfig(tmp_path / "k", api.url, user=user)
    async with open_cluster(path, clock=clock, patience=0) as cluster:
        for expected in (1, 1):
            api.answer = only(f"Bearer me-a-{expected}")
            await cluster.get(kinds.POD, "x")
        api.answer = only("Bearer me-a-2")
        await cluster.get(kinds.POD, "x")
        clock.advance(301)
        api.answer = only("Bearer me-a-3")
        await cluster.get(kinds.POD, "x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import sys; sys.exit('not logged in')", "failed: not logged in"),
        ("print('{')", "gives no credentials"),
        ('print(\'{"status": {"clientCertificateData": "x"}}\')', "a certificate and no token"),
        ("print('{\"status\": {}}')", "gives no token"),
    ],
)
async def test_programs_that_give_none(text, words, api, tmp_path):
    """Whatever a program does instead is told, and nothing is sent."""
    path = kubeconfig(tmp_path / "k", api.url, user=plugin_user(program(tmp_path, text)))
    with pytest.raises(InputError, match=words):
        await get(path)
    assert not api.asked


async def test_a_program_beside_the_kubeconfig(api, tmp_path):
    """A program that is named by a path is looked for from the folder of the kubeconfig."""
    program(tmp_path, 'print(\'{"status": {"token": "t"}}\')')
    api.answer = only("Bearer t")
    await get(kubeconfig(tmp_path / "k", api.url, user=plugin_user("./plugin")))


async def test_a_program_that_does_not_end(api, tmp_path, monkeypatch):
    """A program that waits for somebody is ended, and told."""
    monkeypatch.setattr(credentials, "_PLUGIN_TIME", 0.1)
    waiting = program(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(InputError, match="does not end"):
        await get(kubeconfig(tmp_path / "k", api.url, user=plugin_user(waiting)))


async def test_a_program_that_is_not_there(api, tmp_path):
    """A program that is missing is told with the hint of the kubeconfig."""
    path = kubeconfig(tmp_path / "k", api.url, user=plugin_user(tmp_path / "none"))
    with pytest.raises(InputError, match="cannot be run") as raised:
        await get(path)
    assert raised.value.hint == "get it from plugin.test"


async def test_a_program_of_another_time(api, tmp_path):
    """An API of programs that nobody here knows is told before the program is run."""
    user = plugin_user(program(tmp_path, "raise SystemExit(1)"), "client.test/v9")
    with pytest.raises(InputError, match=r"speaks client\.test/v9"):
        await get(kubeconfig(tmp_path / "k", api.url, user=user))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"user": {"auth-provider": {"name": "gcp"}}}, "auth-provider"),
        ({"cluster": {"proxy-url": "socks5://a.test"}}, "none of HTTP"),
        ({"cluster": {"certificate-authority": "none"}}, "cannot be used"),
    ],
)
def test_what_cannot_be_used(changes, words, tmp_path):
    """What a kubeconfig asks for in vain is told before anything is sent."""
    path = kubeconfig(tmp_path / "k", "https://a.test", **changes)
    with pytest.raises(InputError, match=words):
        connect(find_cluster(path), ManualClock())


async def test_a_proxy(api, tmp_path, monkeypatch):
    """A proxy of the kubeconfig, or of the environment, is asked in place of the server."""
    api.script(FINE)
    await get(kubeconfig(tmp_path / "k", "http://a.test", cluster={"proxy-url": api.url}))
    monkeypatch.setenv("HTTP_PROXY", api.url)
    await get(kubeconfig(tmp_path / "k", "http://b.test"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    await get(kubeconfig(tmp_path / "k", api.url))
    assert [asked.headers["host"] for asked in api.asked[:2]] == ["a.test", "b.test"]
    assert len(api.asked) == 3


def test_nothing_secret_is_told(tmp_path):
    """What is shown of a failing program is what it said, and never what it was given."""
    path = kubeconfig(tmp_path / "k", "https://a.test", user={"token": "s3cret"})
    assert "s3cret" not in repr(connect(find_cluster(path), ManualClock()).__dict__)
    assert json.dumps("s3cret") not in repr(find_cluster(path).cluster)
