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

from okd_payload.controller.model import Phase, Publication, PublicationState, RunState
from okd_payload.controller.records import streams, webhooks
from okd_payload.controller.records.webhooks import WebhookProgress
from okd_payload.controller.service import Service
from okd_payload.errors import RecordsUnavailable
from okd_payload.web.metrics.collecting import write_metrics
from okd_payload.web.metrics.names import METRICS
from okd_payload.web.metrics.routes import KeptFigures
from okd_payload.web.site import Site

MONITORING = Path(__file__).parents[3] / "deployments" / "monitoring"
NAMED = re.compile(r"okd_payload_[a-z_]+")


class NoVerifier:
    """Verifies nothing."""

    async def advance(self, configuration, release):
        """Nothing."""

    async def abort(self, release, *, reason):
        """Nothing."""


async def fill(rig: Rig) -> None:
    """Two releases with runs, a failed publication and a webhook."""
    accepted = await add_release(rig, 0, phase=Phase.ACCEPTED)
    ready = await add_release(rig, 60, phase=Phase.READY)
    await add_run(rig, accepted, state=RunState.SUCCEEDED)
    await add_run(rig, ready, id="two", state=RunState.FAILED)
    await add_run(rig, ready, id="three", state=RunState.RUNNING)
    failed = Publication(release=accepted.name, name="tag", state=PublicationState.FAILED, time=NOW)
    progress = WebhookProgress(name="ci", delivered=3, dropped=1, attempts=2)

    def unit(connection):
        streams.add_publication(connection, failed, stream=STREAM)
        webhooks.write_progress(connection, progress)

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
    assert found["okd_payload_publish_failures", "tag", STREAM] == 1
    assert found["okd_payload_webhook_delivered_total", "ci"] == 3
    assert found["okd_payload_database_up",] == 1


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


@pytest.mark.parametrize("file", ["alerts.yaml", "dashboard.json"])
def test_what_is_looked_at_exists(file):
    """Alerts and dashboard name metrics that are told, and use all that matter."""
    text = (MONITORING / file).read_text(encoding="utf-8")
    known = {metric.name for metric in METRICS}
    named = {re.sub(r"_(bucket|count|sum)$", "", name) for name in NAMED.findall(text)}
    assert named <= known
    assert len(named) >= 12


def test_alerts_and_dashboard_are_well_formed():
    """Each alert has an expression and a summary, each panel a query."""
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert all(rule["expr"] and rule["annotations"]["summary"] for rule in rules)
    assert len({rule["alert"] for rule in rules}) == len(rules)
    panels = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    assert all(target["expr"] for panel in panels for target in panel["targets"])
