# SPDX-License-Identifier: Apache-2.0
"""A configuration is given back complete: what scripts look for is there, whatever was written."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar.testing import AsyncTestClient
from rig import Rig

from okd_payload.controller.configuration.folder import read_annotation

STREAM = "4.20.0-0.okd-scos"
Client = AsyncTestClient[Any]


async def asked(client: Client, rig: Rig, kind: str = "", **written: Any) -> Any:
    """The configuration, or the jobs of one ``kind``, of a stream that was ``written`` so."""
    text = msgspec.json.encode({"name": STREAM, "to": "release-scos"} | written).decode()
    rig.streams[STREAM], _ = read_annotation(text, path="annotation")
    answer = await client.get(f"/api/v1/releasestream/{STREAM}/config", params={"jobType": kind})
    assert answer.status_code == 200
    return answer.json()


async def test_every_field_is_there(client: Client, rig: Rig) -> None:
    """Of a stream that says nothing: empty texts, and null for what could have more below it."""
    assert await asked(client, rig) == {
        "name": STREAM,
        "message": "",
        "hide": False,
        "endOfLife": False,
        "as": "",
        "to": "release-scos",
        "maxUnreadyReleases": 0,
        "minCreationIntervalSeconds": 0,
        "referenceMode": "",
        "pullSecretName": "",
        "mirrorPrefix": "",
        "overrideCLIImage": "",
        "expires": 0,
        "verify": None,
        "periodic": None,
        "publish": None,
        "check": None,
        "upgrade": None,
        "alternateImageRepository": "",
        "alternateImageRepositorySecretName": "",
        "referenceRelease": None,
        "disableManifestListMode": False,
    }


async def test_nothing_stands_there_that_no_field_has(client: Client, rig: Rig) -> None:
    """Unknown keys are gone, null is nothing, keys have their case, durations are numbers."""
    found = await asked(
        client,
        rig,
        nope=1,
        message=None,
        MIRRORPREFIX="4.20",
        expires="1h30m0.5s",
        verify={"b": {"prowjob": {"name": "j", "x": 1}, "y": 2}, "a": None},
        check={},
    )
    assert found["mirrorPrefix"] == "4.20"
    assert found["message"] == ""
    assert found["expires"] == 5_400_500_000_000
    assert found["check"] == {}
    assert list(found["verify"]) == ["a", "b"]
    assert found["verify"]["a"]["prowJob"] is None
    assert found["verify"]["b"]["prowJob"] == {"name": "j"}
    assert not {"nope", "MIRRORPREFIX"} & found.keys()
    assert "y" not in found["verify"]["b"]


async def test_jobs_have_all_that_always_stands_there(client: Client, rig: Rig) -> None:
    """And what else somebody wrote: retries, analyses, origins, badges."""
    verify = {
        "aggregated": {
            "prowJob": {"name": "j"},
            "aggregatedProwJob": {"analysisJobCount": 10},
            "maxRetries": 0,
        },
        "update": {
            "prowJob": {"name": "u"},
            "optional": True,
            "async": True,
            "upgrade": True,
            "upgradeFromRelease": {"candidate": {"stream": "ci", "version": "4.19"}},
            "qualifiers": {"q": {"enabled": False, "summary": ""}},
        },
        "range": {
            "prowJob": {"name": "r"},
            "optional": True,
            "upgradeFromRelease": {"prerelease": {"version_bounds": {"lower": "4.19.0"}}},
        },
    }
    always = {
        "disabled": False,
        "optional": False,
        "upgrade": False,
        "upgradeFrom": "",
        "upgradeFromRelease": None,
        "multiJobAnalysis": False,
    }
    assert await asked(client, rig, "blocking", verify=verify) == {
        "aggregated": always
        | {"prowJob": {"name": "j"}, "aggregatedProwJob": {"analysisJobCount": 10}}
    }
    assert await asked(client, rig, "informing", verify=verify) == {
        "range": always
        | {
            "prowJob": {"name": "r"},
            "optional": True,
            "upgradeFromRelease": {
                "prerelease": {"version_bounds": {"lower": "4.19.0", "upper": ""}}
            },
        },
        "update": always
        | {
            "prowJob": {"name": "u"},
            "optional": True,
            "async": True,
            "upgrade": True,
            "upgradeFromRelease": {"candidate": {"stream": "ci", "version": "4.19"}},
            "qualifiers": {"q": {"enabled": False}},
        },
    }


async def test_schedules_publications_and_checks_are_complete(client: Client, rig: Rig) -> None:
    """Each has the fields of all its kinds."""
    found = await asked(
        client,
        rig,
        periodic={"p": {"cron": "@daily", "prowJob": {"name": "j"}}},
        publish={
            "tag": {"tagRef": {"name": "scos-4.20"}},
            "stream": {"disabled": True, "imageStreamRef": {"name": "s", "excludeTags": ["a"]}},
            "tickets": {"verifyIssues": {}},
        },
        check={"c": {"consistentImages": {"parent": "other"}}, "nothing": {}},
        upgrade={"aws": {"prowJob": {"name": "j"}}},
        referenceRelease={"pullRepository": "quay.test/pull"},
    )
    assert found["periodic"]["p"] == {
        "cron": "@daily",
        "upgrade": False,
        "upgradeFrom": "",
        "upgradeFromRelease": None,
        "prowJob": {"name": "j"},
    }
    empty = {"disabled": False, "tagRef": None, "imageStreamRef": None, "verifyIssues": None}
    to = {"name": "s", "namespace": "", "tags": None, "excludeTags": ["a"]}
    assert found["publish"] == {
        "stream": empty | {"disabled": True, "imageStreamRef": to},
        "tag": empty | {"tagRef": {"name": "scos-4.20"}},
        "tickets": empty | {"verifyIssues": {"previousReleaseTag": None}},
    }
    assert found["check"] == {
        "c": {"consistentImages": {"parent": "other"}},
        "nothing": {"consistentImages": None},
    }
    assert found["upgrade"] == {"aws": {"disabled": False, "prowJob": {"name": "j"}}}
    assert found["referenceRelease"] == {
        "pushRepository": "",
        "pullRepository": "quay.test/pull",
        "secretName": "",
    }
