# SPDX-License-Identifier: Apache-2.0
"""Names that are hardly versions, and questions that are hardly ones, are answered as they were."""

from __future__ import annotations

from typing import Any

import pytest
from litestar.testing import AsyncTestClient
from rig import Rig
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import StreamKind
from okd_payload.controller.model import PayloadFacts, Phase, Release
from okd_payload.controller.records import payloads, releases
from okd_payload.oci.digest import digest_of

STABLE, NIGHTLY = "4-stable", "4.20.0-0.nightly"
IN_ORDER = (
    "5.0.0",
    "4.20.10",
    "4.20.9",
    "4.20.1-x",
    "4.20.0",
    "4.20.0-rc.1",
    "4.20.0-ec.10",
    "4.20.0-ec.9",
    "4.20.0-a",
    "4.20.0-1",
    # no versions: too short, zeros in front, a letter; by their letters, backwards
    "zeta",
    "v4.20.0",
    "alpha",
    "4.20.0-01",
    "4.20",
    "04.20.0",
)
BY_AGE = (f"{NIGHTLY}-2026-01-01-000000", "weird", f"{NIGHTLY}-2026-01-02-000000")
LATEST = f"/api/v1/releasestream/{STABLE}/latest"
Client = AsyncTestClient[Any]


@pytest.fixture
async def odd(rig: Rig) -> Rig:
    """A stable stream, filled in no order, and one of nightlies."""
    rig.configure(STABLE, kind=StreamKind.STABLE)
    rig.configure(NIGHTLY)

    def unit(connection: Connection) -> None:
        for name in sorted(IN_ORDER):
            _create(connection, name, STABLE, created=float(len(name)))
        for number, name in enumerate(reversed(BY_AGE)):
            _create(connection, name, NIGHTLY, created=float(number))

    await rig.database.write(unit)
    return rig


def _create(connection: Connection, name: str, stream: str, *, created: float) -> None:
    release = Release(
        name=name,
        stream=stream,
        phase=Phase.ACCEPTED,
        created=created,
        changed=created,
        input_hash="",
        pull_spec=f"quay.test/okd/release:{name}",
    )
    releases.create(connection, release, ())


async def test_names_are_in_the_order_of_versions(client: Client, odd: Rig) -> None:
    """Where everything is listed by version; nightlies of all streams together go by age."""
    tags = (await client.get(f"/api/v1/releasestream/{STABLE}/tags")).json()["tags"]
    assert [tag["name"] for tag in tags] == list(IN_ORDER)
    listed = (await client.get("/api/v1/releasestreams/all")).json()
    assert listed[STABLE] == list(IN_ORDER)
    assert listed[NIGHTLY] == list(BY_AGE)
    nightlies = (await client.get(f"/api/v1/releasestream/{NIGHTLY}/tags")).json()["tags"]
    assert [tag["name"] for tag in nightlies] == [BY_AGE[2], BY_AGE[0], BY_AGE[1]]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "5.0.0"),
        ("rel=", "5.0.0"),
        ("in=&prefix=", "5.0.0"),
        ("rel=00", "5.0.0"),
        ("rel=%2B1", "4.20.10"),
        ("rel=15", "04.20.0"),
        ("prefix=z", "zeta"),
        ("prefix=4.20.0-&rel=2", "4.20.0-ec.9"),
        ("in=4.20.x", "4.20.10"),
        ("in=%3E%3D4.20.0+%3C5.0.0&rel=2", "4.20.1-x"),
        ("in=%3C4.20.0&rel=1", "4.20.0-ec.10"),
        ("in=!=5.0.0&prefix=5", None),
        ("prefix=v&in=4.x", None),
        ("rel=16", None),
    ],
)
async def test_the_latest_is_found_among_them(
    client: Client, odd: Rig, query: str, name: str | None
) -> None:
    """Numbers as Go reads them; what is no version is in no range."""
    answer = await client.get(f"{LATEST}?format=name&{query}")
    if name is None:
        assert answer.status_code == 404
        assert answer.text == "no tags exist within the release that satisfy the request\n"
    else:
        assert (answer.status_code, answer.text) == (200, f"{name}\n")


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        (f"{LATEST}?in=^4&rel=x", 400, "error: ?in must be a valid semantic version range: "),
        ("/api/v1/releasestream/none/latest?rel=x", 400, "error: ?rel must be non-negative"),
        ("/api/v1/releasestream/none/latest?format=x", 404, "no release configuration exists"),
        (f"{LATEST}?format=Name", 400, "error: Must specify one of"),
        ("/api/v1/releasestream/none/tags?format=x", 404, "Unable to find release none"),
        (f"/api/v1/releasestream/{STABLE}/tags?format=name", 400, "error: Must specify one of"),
        ("/changelog", 400, "from must be set to a valid tag"),
        ("/changelog?from=&to=zeta", 400, "from must be set to a valid tag"),
        ("/changelog?from=zeta", 400, "to must be set to a valid tag"),
        ("/changelog?from=nope&to=zeta", 400, "could not find tag: nope"),
        ("/changelog?format=xml", 400, "unrecognized format= string"),
        ("/graph?channel=y&format=x", 400, "Unsupported ?format"),
        ("/graph?channel=stable4", 400, "Unsupported ?channel"),
        ("/api/v1/releasestreams/approvals?index=-0", 400, "error: ?index value must be between"),
    ],
)
async def test_the_first_mistake_is_told(
    client: Client, odd: Rig, address: str, status: int, words: str
) -> None:
    """In the order in which the old controller looks, as one line of text."""
    answer = await client.get(address)
    assert answer.status_code == status
    assert answer.text.startswith(words)
    assert answer.text.count("\n") == 1
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


async def test_candidates_say_what_is_known_of_them(client: Client, odd: Rig) -> None:
    """Updates only where some were tested; null where nothing was promoted, else a list."""
    address = f"/releasestream/{NIGHTLY}/candidates?format=json"
    assert (await client.get(address)).json() == {NIGHTLY: {"items": None}}

    async def promote(origin: str) -> None:
        digest = digest_of(b"payload")
        said = PayloadFacts(
            release="4.20.9",
            stream=STABLE,
            created=1.0,
            digest=digest,
            pull_spec=f"quay.test/okd/release@{digest}",
            made_from=origin,
        )
        await odd.database.write(lambda unit: payloads.write(unit, said))

    await promote(BY_AGE[1])
    ((item,),) = [each["items"] for each in (await client.get(address)).json().values()]
    assert set(item) == {"fromTag", "name", "creationTime", "tag"}
    best = (await client.get(f"/api/v1/releasestream/{NIGHTLY}/candidate")).json()
    assert best == {"candidate": {"fromTag": BY_AGE[0], "name": "4.20.10"}}
    await promote(BY_AGE[0])
    assert (await client.get(address)).json() == {NIGHTLY: {"items": []}}
    best = (await client.get(f"/api/v1/releasestream/{NIGHTLY}/candidate")).json()
    assert best == {"candidate": None}


async def test_a_phase_that_is_none_finds_nothing(client: Client, odd: Rig) -> None:
    """Not even an empty one; several are together."""
    address = f"/api/v1/releasestream/{STABLE}/tags"
    for query in ("phase=", "phase=accepted", "phase=Accepted,Ready", "phase=Ready&phase=Failed"):
        assert (await client.get(f"{address}?{query}")).json() == {"name": STABLE, "tags": None}
    found = (await client.get(f"{address}?phase=Ready&phase=Accepted")).json()["tags"]
    assert len(found) == len(IN_ORDER)
