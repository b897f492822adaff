# SPDX-License-Identifier: Apache-2.0
"""What is measured is true, and what documents and alerts name is measured."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
import yaml
from asking import NOW, add_release, add_run
from prometheus_client.parser import text_string_to_metric_families
from rig import STREAM, Rig

from okd_payload.controller.configuration.model import EdgeRule, PublishAction, StreamKind
from okd_payload.controller.model import Phase, Publication, PublicationState, Release, RunState
from okd_payload.controller.records import releases, schedules, streams, webhooks
from okd_payload.controller.records.schedules import ScheduleRun, ScheduleState
from okd_payload.controller.records.webhooks import WebhookProgress
from okd_payload.controller.service import Service
from okd_payload.errors import RecordsUnavailable
from okd_payload.oci.digest import digest_of
from okd_payload.web.metrics.collecting import write_metrics
from okd_payload.web.metrics.names import METRICS
from okd_payload.web.metrics.routes import KeptFigures
from okd_payload.web.site import Site

MONITORING = Path(__file__).parents[3] / "deployments" / "monitoring"
DESCRIBED = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"
NAMED = re.compile(r"okd_payload_[a-z_]+")


class NoVerifier:
    """Verifies nothing."""

    async def advance(self, configuration, release):
        """Nothing."""

    async def abort(self, release, *, reason):
        """Nothing."""


async def fill(rig: Rig) -> None:
    """Two releases with runs, a failed publication and a webhook."""
    rig.configure(publications=(PublishAction(name="tag", kind="tag", targets=("latest",)),))
    accepted = await add_release(rig, 0, phase=Phase.ACCEPTED)
    ready = await add_release(rig, 60, phase=Phase.READY)
    await add_run(rig, accepted, state=RunState.SUCCEEDED)
    await add_run(rig, ready, id="two", state=RunState.FAILED)
    await add_run(rig, ready, id="three", state=RunState.RUNNING)
    failed = Publication(release=accepted.name, name="tag", state=PublicationState.FAILED, time=NOW)
    progress = WebhookProgress(name="ci", delivered=3, attempts=2)
    nightly = ScheduleRun(
        stream=STREAM,
        schedule="nightly",
        since=NOW,
        started=NOW,
        state=ScheduleState.RUNNING,
        failing=True,
    )

    def unit(connection):
        streams.add_publication(connection, failed, stream=STREAM)
        webhooks.write_progress(connection, progress)
        schedules.write(connection, nightly, time=NOW)

    await rig.database.write(unit)


async def scrape(site: Site) -> dict[tuple[str, ...], float]:
    """Every sample: name and values of its labels by their names, and the number."""
    text = write_metrics(await KeptFigures(site).take()).decode()
    return {
        (sample.name, *(text for _, text in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_figures_are_those_of_the_records(rig, site):
    """Ages, phases, durations, pass rates, queues and failures."""
    await fill(rig)
    found = await scrape(site)
    assert found["okd_payload_accepted_age_seconds", STREAM] == 3600
    assert found["okd_payload_releases", "Accepted", STREAM] == 1
    assert found["okd_payload_releases", "Ready", STREAM] == 1
    assert found["okd_payload_time_to_accepted_seconds_sum", STREAM] == 120
    assert found["okd_payload_phase_seconds_count", "Pending", STREAM] == 2
    assert found["okd_payload_phase_seconds_bucket", "60.0", "Ready", STREAM] == 1
    assert found["okd_payload_verification_pass_ratio", STREAM, "check"] == 0.5
    assert found["okd_payload_open_runs", "Running"] == 1
    assert found["okd_payload_publish_failures_total", "tag", STREAM] == 1
    assert found["okd_payload_publication_failing", "tag", STREAM] == 1
    assert found["okd_payload_webhook_delivered_total", "ci"] == 3
    assert found["okd_payload_database_up",] == 1


async def test_a_publication_fails_until_it_succeeds(rig, site):
    """Being tried again is no success; a release that nobody publishes any more is no failure."""
    await fill(rig)
    again = Publication(release="r", name="tag", state=PublicationState.RUNNING, time=NOW)
    await rig.database.write(lambda unit: streams.add_publication(unit, again, stream=STREAM))
    assert (await scrape(site))["okd_payload_publication_failing", "tag", STREAM] == 1
    done = msgspec.structs.replace(again, state=PublicationState.DONE)
    await rig.database.write(lambda unit: streams.add_publication(unit, done, stream=STREAM))
    found = await scrape(site)
    assert found["okd_payload_publication_failing", "tag", STREAM] == 0
    assert found["okd_payload_publish_failures_total", "tag", STREAM] == 1


async def test_a_schedule_that_failed_is_told_until_it_succeeds(rig, site):
    """A build of the night that fails must not wait for somebody to look."""
    await fill(rig)
    found = await scrape(site)
    assert found["okd_payload_schedule_failed", "nightly", STREAM] == 1
    assert found["okd_payload_schedule_last_run_timestamp_seconds", "nightly", STREAM] == NOW
    done = ScheduleRun(
        stream=STREAM, schedule="nightly", since=NOW, started=NOW, state=ScheduleState.DONE
    )
    await rig.database.write(lambda unit: schedules.write(unit, done, time=NOW))
    assert (await scrape(site))["okd_payload_schedule_failed", "nightly", STREAM] == 0


async def test_a_webhook_that_was_given_up_is_told_at_once(rig, site):
    """Nothing else need happen: no event comes of it."""
    await fill(rig)
    kept = KeptFigures(site)
    assert (
        'okd_payload_webhook_disabled{webhook="ci"} 0.0'
        in write_metrics(await kept.take()).decode()
    )
    given_up = WebhookProgress(name="ci", attempts=28, disabled=NOW)
    await rig.database.write(lambda unit: webhooks.write_progress(unit, given_up))
    text = write_metrics(await kept.take()).decode()
    assert 'okd_payload_webhook_disabled{webhook="ci"} 1.0' in text
    assert 'okd_payload_webhook_failed_attempts{webhook="ci"} 28.0' in text


async def test_a_release_that_cannot_be_made_is_counted(rig, site):
    """From its first try that failed on, until it is made or given up."""
    release = await add_release(rig, phase=Phase.PENDING)
    assert (await scrape(site))["okd_payload_releases_unmade", STREAM] == 0
    tried = msgspec.structs.replace(release, attempts=1, message="the disk is full")
    await rig.database.write(lambda unit: releases.change(unit, tried, time=NOW, reason="full"))
    assert (await scrape(site))["okd_payload_releases_unmade", STREAM] == 1


async def test_what_no_update_leads_to_or_from_is_counted(rig, site):
    """Stable releases that nobody saw an update to, and those that no update leads on from."""
    rule = EdgeRule(source="4.20.1", target="4.20.2", message="disks are lost")
    rig.configure("4-stable", kind=StreamKind.STABLE, edges=(rule,))
    for number in range(3):
        name = f"4.20.{number}"
        release = Release(
            name=name,
            stream="4-stable",
            phase=Phase.ACCEPTED,
            created=NOW,
            changed=NOW,
            input_hash="",
            digest=digest_of(name.encode()),
        )
        await rig.database.write(lambda unit, it=release: releases.create(unit, it, ()))
    found = await scrape(site)
    assert found["okd_payload_untested_updates", "4-stable"] == 2
    assert found["okd_payload_dead_end_releases", "4-stable"] == 1
    assert found["okd_payload_dead_end_releases", STREAM] == 0


async def test_every_metric_is_told(rig, site):
    """Each that has a name is there when there is something to tell, and none besides."""
    await fill(rig)
    service = Service(rig.surroundings, verifier=NoVerifier())
    service.health.last_pass = NOW
    await service.leadership.renew()
    found = await scrape(msgspec.structs.replace(site, service=service))
    told = {re.sub(r"_(bucket|count|sum)$", "", name) for name, *_ in found}
    assert told == {metric.name for metric in METRICS}
    assert found["okd_payload_acting_instance", rig.surroundings.instance] == 1


async def test_metrics_are_answered_without_a_database(rig, site, client, monkeypatch):
    """A scrape says that the database is away instead of failing."""

    async def away(unit):
        raise RecordsUnavailable("away")

    monkeypatch.setattr(rig.database, "read", away)
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert "okd_payload_database_up 0.0" in answer.text


async def test_figures_are_summed_up_once_for_each_event(rig, site, monkeypatch):
    """Scraping again asks for no sums while nothing happened."""
    await fill(rig)
    kept = KeptFigures(site)
    first = (await kept.take()).figures
    assert (await kept.take()).figures is first
    await add_release(rig, 90)
    assert (await kept.take()).figures is not first


def expressions(file: str) -> list[tuple[str, str]]:
    """Each expression of a file, and the text that is made of what it finds."""
    content = yaml.safe_load((MONITORING / file).read_text(encoding="utf-8"))
    if file == "alerts.yaml":
        rules = [rule for group in content["groups"] for rule in group["rules"]]
        return [(rule["expr"], " ".join(rule["annotations"].values())) for rule in rules]
    targets = [target for panel in content["panels"] for target in panel["targets"]]
    return [(target["expr"], target["legendFormat"]) for target in targets]


def base_of(name: str) -> str:
    """The metric that a sample belongs to."""
    return re.sub(r"_(bucket|count|sum)$", "", name)


FILES = pytest.mark.parametrize("file", ["alerts.yaml", "dashboard.json"])


@FILES
def test_what_is_looked_at_exists(file):
    """Alerts and dashboard name metrics that are told, and use all that matter."""
    known = {metric.name for metric in METRICS}
    named = {base_of(name) for each, _ in expressions(file) for name in NAMED.findall(each)}
    assert named <= known
    assert len(named) >= 12


@FILES
def test_only_what_grows_is_asked_for_its_growth(file):
    """Rates are those of counters: a number that falls would look like a restart."""
    asked = [
        name
        for each, _ in expressions(file)
        for name in re.findall(r"(?:increase|rate)\((okd_payload_[a-z_]+)", each)
    ]
    assert asked
    assert all(name.endswith("_total") for name in asked)


@FILES
def test_labels_are_those_of_the_metrics(file):
    """What is selected, grouped by and written in texts are labels that the metrics have."""
    known = {metric.name: {*metric.labels} for metric in METRICS}
    for expression, text in expressions(file):
        names = [base_of(name) for name in NAMED.findall(expression)]
        labels = {"le", "instance"}.union(*(known[name] for name in names))
        grouped = re.findall(r"by \(([a-z, ]+)\)", expression)
        selected = re.findall(r"[{,]([a-z]+)=~?\"", expression)
        shown = re.findall(r"\$labels\.([a-z]+)|\{\{([a-z]+)\}\}", text)
        used = {*selected, *(label for each in grouped for label in each.split(", "))}
        used |= {label for pair in shown for label in pair if label}
        assert used <= labels, expression
        if grouped:  # what is not grouped by is gone
            left = {label for pair in shown for label in pair if label}
            assert left <= {*grouped[0].split(", ")}, expression


@FILES
def test_two_instances_tell_a_stream_once(file):
    """What all instances say alike is taken once, and not summed up or told twice."""
    alike = {metric.name for metric in METRICS if metric.labels}
    for expression, _ in expressions(file):
        for name in NAMED.findall(expression):
            if base_of(name) in alike and not name.endswith("_bucket"):
                before = expression[: expression.index(name)]
                assert re.search(r"max( by \([a-z, ]+\))? ?\((increase\(|rate\()?$", before), name


def test_every_metric_is_described():
    """The reference has a row for each, with its labels and what it says, and no other."""
    told = re.findall(r"^\| `(okd_payload_.*)$", DESCRIBED.read_text(), re.MULTILINE)
    rows = []
    for each in METRICS:
        labels = ", ".join(f"`{label}`" for label in each.labels) or "none"
        rows.append(f"{each.name}` | {labels} | {each.words} |")
    assert sorted(told) == sorted(rows)


def test_alerts_and_dashboard_are_well_formed():
    """Each alert has an expression and a summary, each panel a query."""
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert all(rule["expr"] and rule["annotations"]["summary"] for rule in rules)
    assert len({rule["alert"] for rule in rules}) == len(rules)
    panels = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    assert all(target["expr"] for panel in panels for target in panel["targets"])
