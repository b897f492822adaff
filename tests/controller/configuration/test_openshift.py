# SPDX-License-Identifier: Apache-2.0
"""OpenShift's configurations are accepted as they are, and refused where they mean nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.controller.configuration.checks import check_stream, check_together
from okd_payload.controller.configuration.durations import parse_duration
from okd_payload.controller.configuration.folder import read_annotation
from okd_payload.controller.configuration.model import (
    PublishAction,
    Runner,
    StreamConfiguration,
    StreamKind,
    UpgradeOrigin,
)
from okd_payload.controller.configuration.openshift import read_openshift
from okd_payload.controller.verification.verifier import known_verifications
from okd_payload.documents import Document, parse_documents, read_documents
from okd_payload.errors import InvalidDocument

BASE = {"name": "4.20.0-0.x", "to": "release"}
ACCEPTED_THERE_ONLY = {
    "no-name": "nothing could be named after it; there it fails while it runs",
    "no-to": "its releases would go nowhere; there it fails while it runs",
    "upgradeFrom-bad": "there it fails while it runs",
    "prowjob-empty-name": "there it fails while it runs",
    "publish-tagref-empty": "there it fails while it runs",
    "same-stream-name-twice": "both would make the same releases",
    "yaml-file-ignored": "files of YAML are read here, and this one is wrong",
}
"""Cases that the peer's offline check lets pass and ours does not, with the reason."""


def read(**fields: Any) -> StreamConfiguration:
    """The stream of a configuration that has ``fields`` besides its name and target."""
    stream, _ = read_openshift(Document("x.json", BASE | fields, {}))
    return stream


def verification(**fields: Any) -> Any:
    """The verification ``a``, configured by ``fields``."""
    (found,) = read(verify={"a": {"prowJob": {"name": "j"}} | fields}).verifications
    return found


def test_all_real_configurations_are_accepted(shared_data: Path) -> None:
    """Twenty files of OpenShift give streams in which nothing is unknown and nothing wrong."""
    paths = sorted((shared_data / "release-configs").glob("*.json"))
    assert len(paths) == 20
    for path in paths:
        (document,) = read_documents(path)
        stream, issues = read_openshift(document)
        assert json.loads(stream.imported) == document.value
        assert {issue.code for issue in issues} <= {"ignored-stream-field"}
        assert check_stream(stream) == ()
        assert read_annotation(json.dumps(document.value), path="annotation")[0].name == stream.name


def test_a_real_configuration_means_what_it_says(shared_data: Path) -> None:
    """The OKD stream of 4.20: its limits, jobs, platforms and the tag it moves."""
    (document,) = read_documents(shared_data / "release-configs/release-okd-scos-4.20.json")
    stream, issues = read_openshift(document)
    assert (stream.kind, stream.target) == (StreamKind.INTEGRATION, "release-scos")
    assert (stream.max_unready, stream.min_interval) == (1, 43200)
    assert stream.retention.expires == 72 * 3600
    assert stream.publications == (PublishAction(name="tag", kind="tag", targets=("scos-4.20",)),)
    found = {each.name: each for each in stream.verifications}
    assert found["aws"].runner == Runner(
        kind="prowjob",
        settings={"job": "periodic-ci-openshift-release-main-okd-scos-4.20-e2e-aws-ovn"},
    )
    assert [name for name, each in found.items() if not each.optional] == ["aws"]
    assert (found["aws"].platform, found["aws"].max_retries, found["aws"].upgrade) == (
        "aws",
        1,
        None,
    )
    assert found["aws-upgrade"].upgrade == UpgradeOrigin(rule="Previous")
    assert found["aws-upgrade-minor"].upgrade == UpgradeOrigin(
        rule="Previous", stream="4.19.0-0.okd-scos"
    )
    reason = "inputs are frozen in the content repository"
    assert [issue.message for issue in issues] == [
        "mirrorPrefix of 4.20.0-0.okd-scos has no meaning here: " + reason
    ]


def test_origins_of_updates_follow_the_kind_of_stream() -> None:
    """Without a rule a stable stream starts from the last patch, others from the last release."""
    assert verification(upgrade=True).upgrade == UpgradeOrigin(rule="Previous")
    stable = read(**{"as": "Stable"}, verify={"a": {"upgrade": True, "prowJob": {"name": "j"}}})
    assert stable.verifications[0].upgrade == UpgradeOrigin(rule="PreviousPatch")
    bounds = {"prerelease": {"version_bounds": {"lower": "4.19.0-rc.0", "upper": "4.20.0"}}}
    assert verification(upgrade=True, upgradeFromRelease=bounds).upgrade == UpgradeOrigin(
        lower="4.19.0-rc.0", upper="4.20.0"
    )
    official = {"release": {"version": "4.19.3", "channel": "stable"}}
    assert verification(upgrade=True, upgradeFromRelease=official).upgrade == UpgradeOrigin(
        release="4.19.3"
    )


def test_aggregated_jobs_are_judged_by_their_share() -> None:
    """Six tenths of the runs must succeed, rounded up."""
    for count, least in ((10, 6), (9, 6), (1, 1), (3, 2)):
        found = verification(aggregatedProwJob={"analysisJobCount": count})
        assert (found.runs, found.required) == (count, least)
    assert found.runner.settings["aggregator"] == "release-openshift-release-analysis-aggregator"


def test_an_entry_without_a_job_is_for_people() -> None:
    """What crashes the peer is what its documentation meant: somebody decides."""
    (found,) = read(verify={"manual": {}}).verifications
    assert found.runner == Runner(kind="manual")


def test_unknown_fields_are_told_and_harmless() -> None:
    """A field that is not known changes nothing; it is named with its place."""
    text = json.dumps(BASE | {"nope": 1, "verify": {"a": {"prowJob": {"name": "j"}, "x": 2}}})
    (document,) = parse_documents(text.encode(), path="x.json")
    stream, issues = read_openshift(document)
    assert len(stream.verifications) == 1
    assert sorted(issue.message for issue in issues) == [
        "4.20.0-0.x has the field nope, which is not known",
        "4.20.0-0.x has the field verify.a.x, which is not known",
    ]


def test_keys_and_nulls_are_read_as_go_reads_them() -> None:
    """Whatever the case of a key, and null as if it was not there; the proper key counts first."""
    value = {
        "NAME": "4.20.0-0.x",
        "To": "release",
        "message": None,
        "hide": None,
        "maxunreadyreleases": 2,
        "maxUnreadyReleases": 3,
        "verify": {"a": {"ProwJob": {"Name": "j"}, "MAXRETRIES": 1}, "person": None},
        "periodic": None,
        "publish": {"p": None},
    }
    stream, issues = read_openshift(Document("x.json", value, {}))
    assert issues == ()
    assert (stream.name, stream.target, stream.message) == ("4.20.0-0.x", "release", "")
    assert stream.max_unready == 3
    job, person = stream.verifications
    assert (job.runner, job.max_retries) == (Runner(kind="prowjob", settings={"job": "j"}), 1)
    assert person.runner == Runner(kind="manual")
    assert stream.publications == ()
    assert read_openshift(Document("x.json", json.loads(stream.imported), {}))[0] == stream


@pytest.mark.parametrize("kind", ["", "Integration", "Sprint"])
def test_every_kind_but_stable_makes_releases(kind: str) -> None:
    """The word that the documentation gives the default, too; any other one is told."""
    stream, issues = read_openshift(Document("x.json", BASE | {"as": kind}, {}))
    assert stream.kind is StreamKind.INTEGRATION
    assert bool(issues) is (kind == "Sprint")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("72h", 259200.0),
        ("1h30m", 5400.0),
        ("1.5h", 5400.0),
        (".5h", 1800.0),
        ("1.m", 60.0),
        ("+10s", 10.0),
        ("250ms", 0.25),
        ("1us1\N{MICRO SIGN}s1\N{GREEK SMALL LETTER MU}s", 3e-6),
        ("100ns", 1e-7),
        ("0", 0.0),
        ("-0", 0.0),
        ("", 0.0),
    ],
)
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    """All of its units, which are not ours: there are no days."""
    assert read(expires=text).retention.expires == pytest.approx(seconds)


@pytest.mark.parametrize(
    "fields",
    [
        {"expires": "3d"},
        {"expires": "3 days"},
        {"expires": "1h30"},
        {"expires": "-1h"},
        {"expires": "."},
        {"expires": 0},
        {"periodic": {"p": {"interval": "1d", "prowJob": {"name": "j"}}}},
        {"verify": {"a": {"prowJob": {"name": "j"}, "upgradeFrom": "PreviousMicro"}}},
        {
            "verify": {
                "a": {
                    "prowJob": {"name": "j"},
                    "upgradeFrom": "Previous",
                    "upgradeFromRelease": {"candidate": {"stream": "ci", "version": "4.19"}},
                }
            }
        },
        {"verify": {"a": {"qualifiers": {"q": {"badgeName": 1}}}}},
        {"verify": {"a": {"qualifiers": {"q": {"approval": True, "failureLabels": ["x"]}}}}},
        {"verify": {"a": {"qualifiers": {"q": {"approval": True, "notifications": {"jira": {}}}}}}},
        {"expires": "2562048h"},
        {"nope": {True: 1}},
        {"maxUnreadyReleases": "1"},
        {"maxUnreadyReleases": 1.5},
    ],
)
def test_what_the_peer_refuses_is_refused(fields: dict[str, Any]) -> None:
    """Also where nothing would come of it: of an update that is not asked for."""
    with pytest.raises(InvalidDocument):
        read(**fields)


@pytest.mark.parametrize("name", ["../../x", "/x", "..", "a b", "v" * 101, "a\nb", ""])
def test_what_folders_cannot_be_called_is_no_name(name: str) -> None:
    """Whoever may annotate an image stream reaches no folder but those of its runs."""
    for fields in (
        {"verify": {name: {"prowJob": {"name": "j"}}}},
        {"periodic": {name: {"interval": "1h", "prowJob": {"name": "j"}}}},
        {"name": name} if name else {"verify": {"": {"prowJob": {"name": "j"}}}},
    ):
        found = [issue.message for issue in check_stream(read(**fields)) if issue.blocks]
        assert any("is no name: letters, digits" in message for message in found), found


def test_numbers_that_mean_nothing_are_none() -> None:
    """Below zero there is no limit, no pause and no retry; and nobody waits for a century."""
    found = read(maxUnreadyReleases=-1, minCreationIntervalSeconds=-5)
    assert (found.max_unready, found.min_interval) == (0, 0.0)
    assert verification(maxRetries=-2).max_retries == 0
    assert read(minCreationIntervalSeconds=1 << 62).min_interval == parse_duration("99999999d")


def test_nothing_is_lost_without_a_word() -> None:
    """Fields that mean something there and nothing here are told, each once."""
    release = {"release": {"version": "4.19", "channel": "fast"}}
    older = {"candidate": {"stream": "ci", "version": "4.19", "relative": 3}}
    fields = {
        "referenceRelease": {"pushRepository": "a", "pullRepository": "b", "secretName": "c"},
        "alternateImageRepositorySecretName": "s",
        "upgrade": {"aws": {"prowJob": {"name": "j"}}},
        "verify": {"a": {"qualifiers": {"q": {"enabled": True}}, "upgradeFromRelease": release}},
        "periodic": {"p": {"cron": "@daily", "upgradeFromRelease": older}},
    }
    _, issues = read_openshift(Document("x.json", BASE | fields, {}))
    assert {issue.code for issue in issues} == {"ignored-stream-field"}
    told = [issue.message.partition(" of ")[0] for issue in issues]
    assert told == [
        "referenceRelease",
        "alternateImageRepositorySecretName",
        "upgrade",
        "verify.a.qualifiers",
        "verify.a.upgradeFromRelease",
        "periodic.p.upgradeFromRelease",
    ]


def test_a_periodic_job_of_two_schedules_is_told() -> None:
    """Within one stream and across streams, once for each further schedule."""
    periodic = {"cron": "@daily", "prowJob": {"name": "j"}}
    one = read(periodic={"a": periodic, "b": periodic, "c": {"cron": "@daily"}})
    two = read(name="other", periodic={"a": periodic, "d": {"interval": "1h"}})
    issues = check_together({one.name: one, two.name: two})
    assert [issue.code for issue in issues] == ["shared-periodic-job"] * 2
    assert issues[1].message.endswith("runs j, and so does a of 4.20.0-0.x")


def test_times_are_those_that_go_knows() -> None:
    """Also a span of time as a cron expression, and the sign for any day."""
    job = {"name": "j"}
    periodic = {"a": {"cron": "@every 1h30m"}, "b": {"cron": "0 4 ? * 1"}, "c": {"cron": "@daily"}}
    stream = read(periodic={name: each | {"prowJob": job} for name, each in periodic.items()})
    assert check_stream(stream) == ()
    assert [(each.cron, each.interval) for each in stream.schedules] == [
        ("", 5400.0),
        ("0 4 ? * 1", 0.0),
        ("@daily", 0.0),
    ]
    with pytest.raises(InvalidDocument, match=r"periodic\.a\.cron"):
        read(periodic={"a": {"cron": "@every day", "prowJob": job}})


def test_a_periodic_job_may_be_called_as_a_verification_is() -> None:
    """Their runs are told apart."""
    stream = read(
        verify={"e2e": {"prowJob": {"name": "one"}}},
        periodic={"e2e": {"interval": "1h", "prowJob": {"name": "two"}}},
    )
    assert check_stream(stream) == ()
    known = known_verifications(stream)
    assert {name: each.runner.settings["job"] for name, each in known.items()} == {
        "e2e": "one",
        "e2e-periodic": "two",
    }


def test_an_annotation_may_be_long() -> None:
    """There is no object of etcd to fit in."""
    text = json.dumps(BASE | {"message": "x" * (1 << 15)})
    assert len(read_annotation(text, path="annotation")[0].message) == 1 << 15


def test_origins_may_be_older_or_of_a_whole_minor_version() -> None:
    """The candidate before the newest, and whatever is the newest of a published version."""
    older = {"candidate": {"stream": "okd", "version": "4.19", "relative": 1}}
    assert verification(upgrade=True, upgradeFromRelease=older).upgrade == UpgradeOrigin(
        rule="PreviousMinus1", stream="4.19.0-0.okd"
    )
    official = {"release": {"version": "4.19"}}
    assert verification(upgrade=True, upgradeFromRelease=official).upgrade == UpgradeOrigin(
        lower="4.19.0-0", upper="4.20.0-0"
    )


def _validate_cases(data: Path) -> list[dict[str, Any]]:
    path = data / "release-controller-recordings/controller/validate-configs.json"
    return [case for case in json.loads(path.read_text()) if isinstance(case["files"], dict)]


def test_the_offline_check_agrees_with_the_peers(shared_data: Path) -> None:
    """What the peer refuses is found here too; what only we refuse is listed with its reason."""
    cases = _validate_cases(shared_data)
    assert len(cases) > 15
    differ = {}
    for case in cases:
        wrong = []
        streams: dict[str, StreamConfiguration] = {}
        for name, value in case["files"].items():
            try:
                stream, told = read_openshift(Document(name, value, {}))
            except InvalidDocument as error:
                wrong.append(error.message)
                continue
            wrong += [issue.message for issue in told if issue.code == "unknown-stream-field"]
            wrong += [issue.message for issue in check_stream(stream)]
            wrong += ["twice"] if stream.name in streams else []
            streams[stream.name] = stream
        wrong += [issue.message for issue in check_together(streams)]
        if bool(wrong) != bool(case["exit"]):
            differ[case["name"]] = wrong
    assert differ.keys() <= ACCEPTED_THERE_ONLY.keys(), differ
    assert all(differ.values())


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.text(max_size=4), below),
    max_leaves=4,
)
NAMES = st.sampled_from(
    ["name", "as", "to", "expires", "verify", "periodic", "publish", "check", "upgrade", "other"]
)


@given(st.dictionaries(NAMES, ANYTHING))
def test_any_value_is_read_or_refused(value: dict[str, Any]) -> None:
    """Whatever stands in an annotation, nothing but the refusal comes out."""
    try:
        stream, _ = read_openshift(Document("x.json", BASE | value, {}))
    except InvalidDocument:
        return
    check_stream(stream)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "{} \n---\n{}", "\x00", '{"name": "a", "name": "b"}']
)
def test_an_annotation_that_is_none_is_refused(text: str) -> None:
    """What is no object, more than one, or says something twice, names the annotation."""
    with pytest.raises(InvalidDocument, match="annotation"):
        read_annotation(text, path="annotation of ocp/4.20")
