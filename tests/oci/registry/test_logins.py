# SPDX-License-Identifier: Apache-2.0
"""Logging in: basic, bearer, identity tokens, renewal, and where secrets go."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import traceback

import pytest

from okd_payload.errors import RegistryError, RegistryRefused, RegistryUnavailable, Unauthorized
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.testing.images import push_image
from okd_payload.testing.registry_faults import Reply
from okd_payload.testing.registry_logins import Accounts, Login
from okd_payload.testing.registry_server import RegistryServer, ServerOptions

PLAIN = frozenset({"127.0.0.1"})
PASSWORD = "hunter2"  # a word that must never be seen
ACCOUNTS = Accounts(
    passwords={"me": PASSWORD, "reader": PASSWORD},
    identity_tokens={"refresh-hunter2": "me"},
    readers=frozenset({"reader"}),
    anonymous_pull=False,
)


def _options(login, **more):
    more.setdefault("accounts", ACCOUNTS)
    return ServerOptions(login=login, **more)


@pytest.fixture
def log_in(tmp_path, clock):
    """Makes clients that know a login for every repository of a server."""

    def make(server, user="me", password=PASSWORD, **entry):
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        path = tmp_path / "auth.json"
        path.write_text(json.dumps({"auths": {server.host: entry or {"auth": pair}}}))
        return RegistryClient(RegistrySettings(auth_file=path, plain_http_hosts=PLAIN), clock=clock)

    return make


def _repository(client, server, path="okd/a"):
    return client.repository(parse_reference(f"{server.host}/{path}"))


async def _push_and_pull(client, server):
    place = _repository(client, server)
    image = await push_image(place, tag="v1")
    assert await place.manifests.get("v1") == image


@pytest.mark.parametrize("login", [Login.BASIC, Login.BEARER])
async def test_a_password_opens_the_registry(log_in, login):
    """Both ways to log in work, and everything after the first answer is logged in unasked."""
    async with RegistryServer(_options(login)) as server, log_in(server) as client:
        await _push_and_pull(client, server)
        anonymous = [item for item in server.requests if "authorization" not in item.headers]
        assert len(anonymous) == 1


async def test_no_login_is_sent_unasked(log_in):
    """A registry that demands nothing never sees a credential."""
    async with RegistryServer() as server, log_in(server) as client:
        await _push_and_pull(client, server)
        assert not any("authorization" in item.headers for item in server.requests)


async def test_everybody_may_pull_public_images(clock):
    """Without a credential an anonymous token is fetched."""
    accounts = Accounts(passwords={"me": PASSWORD})
    async with RegistryServer(_options(Login.BEARER, accounts=accounts)) as server:
        async with RegistryClient(clock=clock) as client:
            assert await _repository(client, server).manifests.tags() == []
        assert server.count("GET", "/token") == 1


@pytest.mark.parametrize(
    ("accounts", "user"), [(Accounts(passwords={"me": PASSWORD}), None), (ACCOUNTS, "reader")]
)
async def test_those_who_may_not_push_are_told(log_in, clock, accounts, user):
    """The error names what was refused and whose login was used, or that there was none."""
    async with RegistryServer(_options(Login.BEARER, accounts=accounts)) as server:
        client = log_in(server, user) if user else RegistryClient(clock=clock)
        async with client:
            with pytest.raises(Unauthorized, match=rf"{server.host}/okd/a@sha256:.* 401") as caught:
                await push_image(_repository(client, server))
        expected = "auth.json" if user else f"podman login {server.host}"
        assert expected in caught.value.hint


@pytest.mark.parametrize("login", [Login.BASIC, Login.BEARER])
async def test_a_wrong_password_is_refused_once(log_in, login, clock):
    """A wrong login is an error at once: trying again would lock the account."""
    async with RegistryServer(_options(login)) as server, log_in(server, password="no") as client:
        with pytest.raises(Unauthorized, match=r"authentication required|refuses the credentials"):
            await _repository(client, server).manifests.tags()
        assert clock.waits == []
        assert len(server.requests) <= 3


@pytest.mark.parametrize(
    "entry",
    [
        {"identitytoken": "refresh-hunter2"},
        {"auth": base64.b64encode(b"<token>:refresh-hunter2").decode()},
    ],
)
async def test_an_identity_token_opens_the_registry(log_in, entry):
    """It is exchanged by POST and never sent to the registry itself."""
    async with RegistryServer(_options(Login.BEARER)) as server, log_in(server, **entry) as client:
        await _push_and_pull(client, server)
        assert server.count("POST", "/token") == 1
        assert not any("refresh-hunter2" in str(item.headers) for item in server.requests)


async def test_a_new_identity_token_replaces_the_old(log_in):
    """A token server may give out a new identity token each time; the last one counts."""
    entry = {"identitytoken": "refresh-hunter2"}
    async with RegistryServer(_options(Login.BEARER)) as server, log_in(server, **entry) as client:
        rotated = b'{"token": "useless", "refresh_token": "refresh-hunter3"}'
        server.faults.add(Reply(path="/token", status=200, body=rotated))
        with pytest.raises(Unauthorized, match="refuses the credentials"):
            await _repository(client, server).manifests.tags()
        assert server.count("POST", "/token") == 2


async def test_a_challenge_needs_no_service(log_in):
    """Token servers that serve one registry need not be told which."""
    async with RegistryServer(_options(Login.BEARER)) as server, log_in(server) as client:
        challenge = {"WWW-Authenticate": f'Bearer realm="http://{server.host}/token"'}
        server.faults.add(Reply(status=401, headers=challenge))
        assert await _repository(client, server).manifests.tags() == []


async def test_a_token_server_without_get_is_asked_by_post(log_in):
    """Servers that only know the newer protocol get the password that way."""
    kind = _options(Login.BEARER, tokens_by_post_only=True)
    async with RegistryServer(kind) as server, log_in(server) as client:
        await _push_and_pull(client, server)


async def test_one_token_serves_many_tasks(log_in):
    """Tasks that start together share one token per repository."""
    async with RegistryServer(_options(Login.BEARER)) as server, log_in(server) as client:
        place = _repository(client, server)
        await place.manifests.tags()
        await asyncio.gather(*(place.manifests.tags() for _ in range(20)))
        assert server.count("GET", "/token") == 1


async def test_a_token_to_push_serves_reading_too(log_in):
    """What a token covers needs no other one."""
    async with RegistryServer(_options(Login.BEARER)) as server, log_in(server) as client:
        await push_image(_repository(client, server), tag="v1")
        before = server.count("GET", "/token")
        await _repository(client, server).manifests.tags()
        assert server.count("GET", "/token") == before


async def test_tokens_are_renewed_before_they_end(log_in, clock):
    """Shortly before its end a token is replaced, without an answer of 401."""
    async with RegistryServer(_options(Login.BEARER)) as server, log_in(server) as client:
        await _repository(client, server).manifests.tags()
        clock.advance(280)
        await _repository(client, server).manifests.tags()
        assert server.count("GET", "/token") == 2
        assert server.count("GET", "/tags/list") == 3


async def test_an_expired_token_is_replaced(log_in):
    """A token that the registry no longer takes costs one more request and nothing else."""
    async with RegistryServer(_options(Login.BEARER)) as server, log_in(server) as client:
        place = _repository(client, server)
        image = await push_image(place, tag="v1")
        server.expire_tokens()
        assert await place.manifests.get("v1") == image
        server.expire_tokens()
        await push_image(place, tag="v2", layers=[b"x" * 100_000])
        assert await place.manifests.tags() == ["v1", "v2"]


async def test_a_mount_asks_for_both_repositories(log_in):
    """The token for a mount lets us read where the blob comes from."""
    async with RegistryServer(_options(Login.BEARER)) as server, log_in(server) as client:
        origin, place = _repository(client, server, "okd/a"), _repository(client, server, "okd/b")
        blob = (await push_image(origin)).image().layers[0]
        assert await place.blobs.mount(blob, origin)
        assert any(
            "okd%2Fa%3Apull" in item.path or "okd/a:pull&scope" in item.path
            for item in server.requests
            if item.path.startswith("/token")
        )


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_token_server_is_asked_again(log_in, clock, status):
    """Overload of the token server is waited out like that of a registry."""
    async with RegistryServer(_options(Login.BEARER)) as server, log_in(server) as client:
        server.faults.add(
            Reply(path="/token", status=status, headers={"Retry-After": "7"}, times=2)
        )
        await _push_and_pull(client, server)
        assert clock.waits.count(7) >= 2


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (Reply(status=200, body=b"hunter2"), RegistryRefused, "gives no token"),
        (Reply(status=200, body=b"{}"), RegistryRefused, "gives no usable token"),
        (
            Reply(status=200, body=b'{"token": "a\\r\\nb"}'),
            RegistryRefused,
            "gives no usable token",
        ),
        (Reply(status=418), RegistryRefused, "gives no token"),
        (Reply(status=400, body=b'{"details": "bad scope"}'), Unauthorized, "bad scope"),
        (Reply(status=307, headers={"Location": "/elsewhere"}), RegistryRefused, "gives no token"),
    ],
)
async def test_a_broken_token_server_is_named(log_in, answer, error, message):
    """What a token server does wrong is an error that says so, without what it sent."""
    async with RegistryServer(_options(Login.BEARER)) as server, log_in(server) as client:
        server.faults.add(
            type(answer)(
                path="/token", status=answer.status, headers=answer.headers, body=answer.body
            )
        )
        with pytest.raises(error, match=message) as caught:
            await _repository(client, server).manifests.tags()
        assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("realm", ["", "nonsense", "ftp://x/", "https://me:pw@x/", "https://[x"])
async def test_a_realm_must_be_an_address(log_in, realm):
    """A challenge that leads nowhere is an error that names the registry."""
    async with RegistryServer() as server, log_in(server) as client:
        challenge = {"WWW-Authenticate": f'Bearer realm="{realm}"'}
        server.faults.add(Reply(status=401, headers=challenge))
        with pytest.raises(RegistryRefused, match="names no token server"):
            await _repository(client, server).manifests.tags()


async def test_a_registry_with_tls_may_not_send_logins_into_the_clear(log_in):
    """A token server without TLS gets nothing from those who speak TLS with the registry."""
    from yarl import URL

    from okd_payload.clock import SystemClock
    from okd_payload.oci.registry.challenge import Challenge
    from okd_payload.oci.registry.tokens import TokenServer
    from okd_payload.oci.registry.transport import Transport

    async with RegistryServer(_options(Login.BEARER)) as server:
        tokens = TokenServer(
            "quay.io", transport=Transport(RegistrySettings(), clock=SystemClock())
        )
        realm = str(URL(f"http://{server.host}/token"))
        with pytest.raises(RegistryRefused, match="without encryption"):
            await tokens.fetch(Challenge("bearer", {"realm": realm}), frozenset(), None)
        assert server.requests == []


async def test_unknown_ways_to_log_in_are_named(log_in):
    """A registry that wants what we do not speak is an error that says what it wants."""
    async with RegistryServer() as server, log_in(server) as client:
        server.faults.add(Reply(status=401, headers={"WWW-Authenticate": "Negotiate"}))
        with pytest.raises(Unauthorized, match="login of the kind negotiate"):
            await _repository(client, server).manifests.tags()


async def test_a_401_without_a_challenge_is_a_refusal(log_in):
    """Without knowing how to log in there is nothing to try."""
    async with RegistryServer() as server, log_in(server) as client:
        server.faults.add(Reply(status=401))
        with pytest.raises(Unauthorized, match="401 Unauthorized"):
            await _repository(client, server).manifests.tags()


async def test_the_login_stays_with_the_registry(log_in):
    """A redirect to another host carries no authorization."""
    kind = _options(Login.BASIC, redirect_blobs=True)
    async with RegistryServer(kind) as server, log_in(server) as client:
        place = _repository(client, server)
        blob = server.repository("okd/a").add_blob(b"content")
        assert [chunk async for chunk in place.blobs.read(blob)] == [b"content"]
        stored = [item for item in server.requests if item.host == server.storage_host]
        assert len(stored) == 1
        assert "authorization" not in stored[0].headers


@pytest.mark.parametrize("login", [Login.BASIC, Login.BEARER])
async def test_secrets_are_in_no_error_and_no_log(log_in, caplog, login):
    """Neither what is raised, however deep, nor what is logged shows a secret."""
    caplog.set_level(logging.DEBUG)
    encoded = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    errors = []
    async with RegistryServer(_options(login)) as server, log_in(server) as client:
        place = _repository(client, server)
        for status in (403, 404, 418, 503):
            server.faults.add(Reply(path="/manifests/", status=status, times=-1))
            with pytest.raises(RegistryError, match="reading the manifest") as caught:
                await place.manifests.get("v1")
            errors.append(caught.value)
            server.faults.clear()
    with pytest.raises(RegistryUnavailable) as caught:
        async with log_in(server) as client:
            await _repository(client, server).manifests.tags()
    errors.append(caught.value)
    for error in errors:
        text = "".join(traceback.format_exception(error)) + repr(error) + error.hint
        assert PASSWORD not in text
        assert encoded not in text
        assert "token-" not in text
    assert PASSWORD not in caplog.text
    assert encoded not in caplog.text
