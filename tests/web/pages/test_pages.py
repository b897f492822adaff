# SPDX-License-Identifier: Apache-2.0
"""Every page answers with what it is for, escaped, and says what to do when something failed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import msgspec
from litestar.testing import AsyncTestClient
from past import BROKEN, EMPTY, HOSTILE, HOSTILE_RELEASE, MAIN, STABLE

from okd_payload.controller import actions
from okd_payload.controller.configuration.codes import INVALID_STREAM_CONFIGURATION
from okd_payload.controller.records import runs
from okd_payload.controller.service import Service
from okd_payload.web.application import make_application

Client = AsyncTestClient[Any]


def text_of(page: str) -> str:
    """The words of a page, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


async def test_every_page_answers(client: Client, past) -> None:
    """As a page, quickly forgotten, and not found only where something is not there."""
    for name, path in past.pages().items():
        answer = await client.get(path)
        assert answer.status_code == (404 if name.endswith("unknown") else 200), name
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_no_two_pages_have_one_title(client: Client, past) -> None:
    """Tabs, bookmarks and histories tell them apart."""
    titles: dict[str, str] = {}
    for name, path in past.pages().items():
        found = re.search(r"<title>([^<]+) · OKD releases</title>", (await client.get(path)).text)
        assert found is not None, name
        assert found[1] not in titles, (name, titles.get(found[1]))
        titles[found[1]] = name


async def test_no_page_has_markup_of_strangers(client: Client, past) -> None:
    """Names, messages, logs, results and addresses stay text on every page."""
    for name, path in past.pages().items():
        page = (await client.get(path)).text
        assert not re.search(r"<script(?! src=\"/static/)", page), name
        assert not re.search(r"<(?:img|b|i|svg onload)[ >]", page), name
        assert not re.search(r"""(?:href|src|action)="(?!/|\?|\#|https?://)""", page), name
        assert not re.search(r"\son\w+=|\sstyle=|<style", re.sub(r'"[^"]*"', '""', tags(page))), (
            name
        )
        assert "\x1b" not in page
        assert "\x00" not in page


def tags(page: str) -> str:
    """Only the tags of a page."""
    return "\n".join(re.findall(r"<[^>]*>", page))


async def test_pages_that_did_not_change_are_not_sent_again(client: Client, past) -> None:
    """By their ETag; what changed is."""
    for path in ("/", f"/releasestream/{MAIN}", f"/releasetag/{past.names[MAIN][-1]}"):
        first = await client.get(path)
        again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = await client.get(path, headers={"If-None-Match": '"other"'})
        assert other.status_code == 200


async def test_files_of_pages_are_kept_for_ever(client: Client, past) -> None:
    """Their names change with their content."""
    page = (await client.get("/")).text
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert (await client.get("/static/pages/style.css")).status_code == 404
    assert (await client.get("/static/pages/..%2Froutes.py")).status_code == 404


async def test_the_overview_tells_of_a_broken_file(site, rig) -> None:
    """Which one, where and why, as text; the paths of the server are nobody's business."""
    broken = INVALID_STREAM_CONFIGURATION.issue("no <b>field", file="/etc/streams/a.yaml", line=7)
    surroundings = msgspec.structs.replace(rig.surroundings, configuration_issues=lambda: (broken,))
    told = msgspec.structs.replace(site, surroundings=surroundings)
    async with AsyncTestClient[Any](make_application(told)) as client:
        page = (await client.get("/")).text
        assert "a.yaml, line 7: no &lt;b&gt;field" in re.sub("</?strong>", "", page)
        assert "/etc/streams" not in page
        assert "okd_payload_configuration_errors 1.0" in (await client.get("/metrics")).text


async def test_pages_tell_that_nothing_can_be_written(site, rig) -> None:
    """Instead of saying that nothing stands in the way; metrics say it, too."""
    service = Service(rig.surroundings, verifier=NoVerifier())
    service.health.records = "the database cannot be used now: <disk> is full"
    async with AsyncTestClient[Any](
        make_application(msgspec.structs.replace(site, service=service))
    ) as client:
        for path in ("/", f"/releasestream/{MAIN}"):
            page = (await client.get(path)).text
            assert "&lt;disk&gt; is full" in page
            assert "nothing stands in the way" not in page
        text = (await client.get("/metrics")).text
        assert "okd_payload_database_up 1.0" in text
        assert "okd_payload_database_writable 0.0" in text


class NoVerifier:
    """Verifies nothing."""

    async def advance(self, configuration: object, release: object) -> None:
        """Nothing."""

    async def abort(self, release: object, *, reason: str) -> None:
        """Nothing."""


async def test_the_overview_tells_how_streams_fare(client: Client, past) -> None:
    """Health, why nothing is new, anchors that others link to, and how clusters follow."""
    page = (await client.get("/")).text
    for stream in (MAIN, STABLE, EMPTY, BROKEN):
        assert f'id="{stream}"' in page
    told = text_of(page)
    assert f"{BROKEN} ✕ Trouble" in told
    assert "quay.test does not answer: connection refused" in told
    assert f"{past.names[MAIN][-1]} is being verified" in told
    assert "oc patch clusterversion/version --type=merge --patch" in told
    assert "https://releases.test/graph" in told


async def test_streams_that_only_fail_are_called_out(client: Client, past, rig) -> None:
    """A banner, when none of the newest decided releases was accepted."""
    for name in past.names[BROKEN][:-1]:
        release = next(each for each in await actions_of(rig, BROKEN) if each.name == name)
        if release.phase.value == "Accepted":
            await actions.reject(rig.surroundings, name, actor="ada", reason="broken")
    told = text_of((await client.get("/")).text)
    assert f"{BROKEN}: none of the newest decided releases was accepted" in told


async def actions_of(rig, stream: str):
    """The releases of a stream."""
    from okd_payload.controller.records import releases

    return await rig.database.read(lambda unit: releases.list_of(unit, stream))


async def test_releases_are_paged_without_gaps(client: Client, past) -> None:
    """Page after page, each release once, the newest first."""
    found: list[str] = []
    path = f"/releasestream/{MAIN}"
    for _ in range(4):
        page = (await client.get(path)).text
        found += re.findall(
            rf'<th scope="row"><a class="mono" href="/releasestream/{MAIN}/release/([^"]+)"', page
        )
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if following is None:
            break
        path = f"/releasestream/{MAIN}{following[1].replace('&amp;', '&')}"
    assert found == past.names[MAIN][::-1]


async def test_only_what_stands_is_called_published(client: Client, past) -> None:
    """A release in whose place a newer one was put is no more; signatures stay."""
    page = (await client.get(f"/releasestream/{MAIN}")).text
    table = page[page.index('data-part="releases"') :]
    assert len(re.findall(r'class="tag"[^>]*>next<', table)) == 1
    assert len(re.findall(r'class="tag"[^>]*>signatures<', table)) > 1


async def test_releases_are_filtered(client: Client, past) -> None:
    """By phase and by part of the name; what filters mean nothing."""
    page = (await client.get(f"/releasestream/{MAIN}?phase=Failed&phase=nonsense")).text
    table = page[page.index('data-part="releases"') :]
    assert "Failed" in table
    assert "Accepted" not in table
    name = past.names[MAIN][7]
    page = (await client.get(f"/releasestream/{MAIN}?q={name[-12:]}")).text
    assert page[page.index('data-part="releases"') :].count('<th scope="row">') == 1
    page = (await client.get(f"/releasestream/{MAIN}?q=%25")).text
    assert "No release is like that." in page


async def test_addresses_that_lead_nowhere_say_so(client: Client) -> None:
    """In words, with a way to what there is."""
    answer = await client.get("/no/such/page", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.text
    assert '<a href="/">All streams</a>' in answer.text


async def test_unknown_streams_lead_to_known_ones(client: Client, past) -> None:
    """The page lists what there is."""
    page = (await client.get("/releasestream/4.99")).text
    assert f'href="/releasestream/{MAIN}"' in page


async def test_a_rejected_release_tells_why(client: Client, past) -> None:
    """The reason, the failed tests, the end of the log, and whom to suspect first."""
    page = (await client.get(f"/releasetag/{past.names[MAIN][-2]}")).text
    told = text_of(page)
    assert "VerificationFailed aws-e2e failed 2 times: 3 of 214 tests failed" in told
    assert "[sig-node] pods should start" in told
    assert "is degraded: 1 of 3 pods run" in told
    assert "named in the log of aws-e2e" in told
    first = re.search(r'class="suspects">\s*<li><a[^>]*>([^<]+)<', page)
    assert first is not None
    assert f"clusteroperator/{first[1]} is degraded" in told


async def test_a_release_tells_how_to_use_it(client: Client, past) -> None:
    """Commands by digest, for our tool and for oc; where it is published and when it goes."""
    name = past.names[MAIN][-3]
    told = text_of((await client.get(f"/releasetag/{name}")).text)
    spec = re.search(r"quay\.test/okd/release@sha256:[0-9a-f]{64}", told)
    assert spec is not None
    for command in (
        f"okd-payload release extract --tools {spec[0]}",
        f"okd-payload release mirror {spec[0]}",
        f"okd-payload release verify {spec[0]}",
        f"oc adm release extract --tools {spec[0]}",
    ):
        assert command in told
    assert "quay.test/okd/next:latest" in told
    assert "Put your own registry in the place of registry.example.com/okd." in told
    assert "Expiry stays: it is published as" in told


async def test_a_release_tells_its_history(client: Client, past, rig) -> None:
    """Who moved it and why, with the times."""
    name = past.names[MAIN][-2]
    await actions.accept(rig.surroundings, name, actor="ada@okd.test", reason="a flake")
    told = text_of((await client.get(f"/releasetag/{name}")).text)
    assert "Rejected → Accepted ada@okd.test ManuallyAccepted a flake" in told


async def test_a_release_is_found_in_its_stream_only(client: Client, past) -> None:
    """Another stream's page of it does not exist."""
    answer = await client.get(f"/releasestream/{STABLE}/release/{past.names[MAIN][0]}")
    assert answer.status_code == 404
    assert "Unknown release" in answer.text


async def test_releases_without_configuration_are_still_shown(client: Client, past, rig) -> None:
    """Their stream was taken away, what it made is there."""
    del rig.streams[MAIN]
    answer = await client.get(f"/releasetag/{past.names[MAIN][-2]}")
    assert answer.status_code == 200
    assert "not configured any more" in answer.text


async def test_logs_are_followed(client: Client, past, rig) -> None:
    """The script reads on from where it is, until the run has ended and all is read."""
    open_run, ended = f"{past.names[MAIN][-1]}-aws-e2e-0", f"{past.names[MAIN][-2]}-aws-e2e-1"
    answer = await client.get(f"/run/{open_run}/log?offset=0")
    assert answer.text.startswith("INFO[0000] step 0")
    assert answer.headers["x-log-ended"] == "no"
    end = answer.headers["x-log-next"]
    answer = await client.get(f"/run/{ended}/log?offset={end}")
    assert answer.headers["x-log-ended"] == "yes"
    for offset in ("x", "-1", "9" * 40):
        assert (await client.get(f"/run/{ended}/log?offset={offset}")).status_code == 200


async def test_files_of_runs_are_stored_not_shown(client: Client, past, rig) -> None:
    """Whatever they are; and none from outside the folder is offered."""
    name = quote("hostile-run?x=<i>", safe="")
    for path in (f"/run/{name}/log.txt", f"/run/{name}/file/0"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-type"] == "application/octet-stream"
    assert (await client.get(f"/run/{name}/file/1")).status_code == 404
    run = await rig.database.read(lambda unit: runs.find(unit, "hostile-run?x=<i>"))
    assert run.artifacts[1] == "../../etc/passwd"


async def test_searches_find_what_there_is(client: Client, past) -> None:
    """Releases and components by part of the name, images by the beginning of digest or commit."""
    name = past.names[MAIN][5]
    assert f"/release/{name}" in (await client.get(f"/search?q={name[4:]}")).text
    assert 'href="/component/etcd"' in (await client.get("/search?q=etc")).text
    page = (await client.get(f"/releasetag/{name}")).text
    commit = re.findall(r'title="([0-9a-f]{40})"', page)[-1]
    found_images = text_of((await client.get(f"/search?q={commit[:12]}")).text)
    assert re.search(rf"{re.escape(name)} \S (?:Accepted|Rejected|Failed)", found_images)
    digest = re.search(r"sha256:[0-9a-f]{64}", page)
    assert digest is not None
    assert name in (await client.get(f"/search?q={digest[0]}")).text
    assert (await client.get("/search?q=%01%25_")).status_code == 200


async def test_components_have_a_history(client: Client, past) -> None:
    """Which image was in which releases, and what changed between them."""
    page = (await client.get("/component/etcd")).text
    assert "what changed" in page
    assert f'href="/releasestream/{MAIN}/release/{past.names[MAIN][-1]}"' in page
    assert (await client.get("/component/nothing")).status_code == 404


async def test_builds_show_their_plan(client: Client, past) -> None:
    """What is built, being built and waiting, by waves; and the log of what failed."""
    path = past.pages()["build"]
    told = text_of((await client.get(path)).text)
    assert "1 built, 1 reused, 1 imported, 1 failed, 1 building, 2 waiting" in told
    assert "exit status 2" in told
    log = await client.get(f"{path}/log/machine-config-operator")
    assert "building machine-config-operator" in log.text
    for odd in ("/runs/x/y", "/runs/..%2F..%2Fstate/x", f"{path}/log/nothing"):
        assert (await client.get(odd)).status_code == 404


async def test_a_lost_database_is_said_on_a_page(client: Client, past, rig, monkeypatch) -> None:
    """That it is away, and what to check; readers are told to come back."""
    await rig.database.write(lambda unit: unit.exec_driver_sql("DROP TABLE runs"))
    answer = await client.get("/")
    assert answer.status_code in (502, 503)
    assert "The database" in answer.text
    assert answer.status_code == 502 or answer.headers["retry-after"] == "10"
    assert "<h1>" in answer.text


async def test_hostile_names_have_pages(client: Client, past) -> None:
    """Their names are found again from their addresses."""
    answer = await client.get(f"/releasestream/{quote(HOSTILE, safe='')}")
    assert f"/release/{quote(HOSTILE_RELEASE, safe='~:@+,')}" in answer.text
