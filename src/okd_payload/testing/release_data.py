# SPDX-License-Identifier: Apache-2.0
"""Release streams with a past: many releases with images, jobs, logs and updates, as if lived.

For pages, interfaces and measurements. Everything follows from the numbers that are given, so
two calls write the same; it is written by the functions that the controller writes by.
"""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from okd_payload.controller.configuration.model import (
    Gate,
    PublishAction,
    Retention,
    Runner,
    StreamConfiguration,
    UpgradeOrigin,
    Verification,
)
from okd_payload.controller.model import (
    Edge,
    FrozenInput,
    Phase,
    Publication,
    PublicationState,
    Release,
    RunState,
    StreamState,
    VerificationRun,
)
from okd_payload.controller.records import releases, runs, streams
from okd_payload.controller.surroundings import Surroundings
from okd_payload.oci.digest import Digest

HOUR = 3600.0
COMPONENTS = (
    "agent-installer-api-server", "aws-ebs-csi-driver", "aws-ebs-csi-driver-operator",
    "baremetal-operator", "cli", "cloud-credential-operator", "cluster-autoscaler",
    "cluster-baremetal-operator", "cluster-config-operator", "cluster-dns-operator",
    "cluster-etcd-operator", "cluster-image-registry-operator", "cluster-ingress-operator",
    "cluster-kube-apiserver-operator", "cluster-monitoring-operator", "cluster-network-operator",
    "cluster-node-tuning-operator", "cluster-storage-operator", "cluster-version-operator",
    "console", "console-operator", "coredns", "docker-registry", "etcd", "haproxy-router",
    "hyperkube", "installer", "ironic", "kube-proxy", "machine-api-operator",
    "machine-config-operator", "multus-cni", "must-gather", "oauth-proxy", "oauth-server",
    "operator-lifecycle-manager", "ovn-kubernetes", "prometheus", "prometheus-operator",
    "stream-coreos", "stream-coreos-extensions", "telemeter", "tools",
)  # fmt: skip
_BATCH = 50


def make_configuration(base: StreamConfiguration, *, jobs: int = 10) -> StreamConfiguration:
    """``base`` with so many jobs of all sorts, a publication, and an expiry of three days."""
    return msgspec.structs.replace(
        base,
        message="Built **every day** from the main branches. Ask in [the forum](https://okd.test/).",
        verifications=tuple(_make_job(number) for number in range(jobs)),
        publications=(
            PublishAction(name="signatures", kind="sign", targets=("quay.test/okd/release",)),
            PublishAction(
                name="next", kind="tag", targets=("quay.test/okd/next:latest",), gate=Gate()
            ),
        ),
        retention=Retention(expires=72 * HOUR),
    )


def _make_job(number: int) -> Verification:
    names = (
        "aws-e2e", "aws-upgrade", "lint", "gcp-e2e", "vsphere-e2e", "metal-ipi",
        "aws-upgrade-minor", "conformance-serial", "aws-operator-olm", "console-e2e",
    )  # fmt: skip
    name = names[number] if number < len(names) else f"further-{number:02}"
    return Verification(
        name=name,
        runner=Runner(kind="builtin" if name == "lint" else "prowjob"),
        platform=name.partition("-")[0] if "e2e" in name or "upgrade" in name else "",
        optional=number >= 5,
        max_retries=1,
        upgrade=UpgradeOrigin(rule="Previous") if "upgrade" in name else None,
    )


async def write_past(
    surroundings: Surroundings,
    configuration: StreamConfiguration,
    *,
    count: int,
    images: int = 190,
    logs: bool = True,
) -> list[str]:
    """Write ``count`` releases of the stream, the last one just now; their names, oldest first.

    Every fifth is rejected, every eleventh fails to be made; the last is being verified.
    """
    now = surroundings.clock.now()
    past = _Past(configuration, now=now, count=count, images=images)
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))
        await surroundings.database.write(functools.partial(_write, past=past, numbers=numbers))
    state = StreamState(
        name=configuration.name,
        seen=now - 20,
        moved=now - 0.5 * HOUR,
        waiting=f"{past.name(count - 1)} is being verified, no more than one at a time",
    )
    await surroundings.database.write(lambda unit: streams.write(unit, state))
    if logs:
        _write_logs(surroundings, past)
    return [past.name(number) for number in range(count)]


def _write(connection: Any, *, past: _Past, numbers: Sequence[int]) -> None:
    for number in numbers:
        release = past.release(number)
        releases.create(connection, release, past.inputs(number))
        for phase, moment, reason, message in past.steps(number):
            release = releases.move(
                connection, release, phase, time=moment, reason=reason, message=message
            )
        for run in past.runs(number):
            runs.write(connection, run, time=run.ended or run.queued)
            if run.from_release:
                streams.add_edge(
                    connection,
                    Edge(
                        source=run.from_release,
                        target=run.release,
                        run=run.id,
                        state=run.state,
                        time=run.queued,
                        platform=run.platform,
                    ),
                )
        for publication in past.publications(number):
            streams.add_publication(connection, publication, stream=release.stream)


def _write_logs(surroundings: Surroundings, past: _Past) -> None:
    """Logs and results of the newest releases."""
    for number in range(max(0, past.count - 20), past.count):
        for run in past.runs(number):
            if not run.log:
                continue
            path = surroundings.state / run.log
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_log_of(run, past.changed(number)), encoding="utf-8")
            for artifact in run.artifacts:
                (surroundings.state / artifact).write_text(_results_of(run), encoding="utf-8")


class _Past:
    """What happened to a stream, release by release, newest numbers last."""

    def __init__(
        self, configuration: StreamConfiguration, *, now: float, count: int, images: int
    ) -> None:
        self.configuration = configuration
        self.count = count
        self._now = now
        self._tags = _tags(images)

    def name(self, number: int) -> str:
        return f"{self.configuration.name}-{_stamp(self._created(number))}"

    def release(self, number: int) -> Release:
        created, ready = self._created(number), self.outcome(number) is not Phase.FAILED
        digest = _digest(self.name(number))
        return Release(
            name=self.name(number),
            stream=self.configuration.name,
            created=created,
            changed=created,
            input_hash=f"hash-{self.configuration.name}-{number}",
            digest=digest if ready else None,
            pull_spec=f"{self.configuration.releases_name}@{digest}" if ready else "",
            message="the inputs changed",
        )

    def outcome(self, number: int) -> Phase:
        if number == self.count - 1:
            return Phase.READY
        if number % 11 == 7:
            return Phase.FAILED
        return Phase.REJECTED if number % 5 == 3 or number == self.count - 2 else Phase.ACCEPTED

    def steps(self, number: int) -> Iterator[tuple[Phase, float, str, str]]:
        created, outcome = self._created(number), self.outcome(number)
        if outcome is Phase.FAILED:
            told = "etcd-operator: the manifest 0000_12_etcd.yaml names no image of the release"
            yield Phase.FAILED, created + 60, "InvalidPayload", told
            return
        yield Phase.READY, created + 90, "Created", ""
        if outcome is Phase.REJECTED:
            told = "aws-e2e failed 2 times: 3 of 214 tests failed"
            yield Phase.REJECTED, created + 2.1 * HOUR, "VerificationFailed", told
        elif outcome is Phase.ACCEPTED:
            told = "aws-e2e, aws-upgrade, lint, gcp-e2e, vsphere-e2e succeeded"
            end = created + (1.2 + number % 7 * 0.15) * HOUR
            yield Phase.ACCEPTED, end, "VerificationSucceeded", told

    def inputs(self, number: int) -> Iterator[FrozenInput]:
        for place, tag in enumerate(self._tags):
            version = (number + place) // 12  # each release has another twelfth of its images
            commit = hashlib.sha1(f"{tag}{version}".encode(), usedforsecurity=False).hexdigest()
            digest = _digest(f"{tag}{version}")
            yield FrozenInput(
                tag=tag,
                digest=digest,
                reference=f"{self.configuration.content_name}@{digest}",
                source=f"https://github.com/openshift/{tag}",
                commit=commit,
            )

    def changed(self, number: int) -> list[str]:
        """The images that the release before it did not have."""
        return [tag for place, tag in enumerate(self._tags) if (number + place) % 12 == 0]

    def runs(self, number: int) -> Iterator[VerificationRun]:
        outcome = self.outcome(number)
        if outcome is Phase.FAILED:
            return
        for place, job in enumerate(self.configuration.verifications):
            fails = (outcome is Phase.REJECTED and place == 0) or (number + place) % 9 == 8 > place
            tries = 2 if fails and place == 0 and outcome is Phase.REJECTED else 1
            for attempt in range(tries):
                yield self._run(number, job, attempt=attempt, place=place)

    def _run(self, number: int, job: Verification, *, attempt: int, place: int) -> VerificationRun:
        release, outcome = self.name(number), self.outcome(number)
        queued = self._created(number) + 120 + attempt * HOUR
        bad = (outcome is Phase.REJECTED and place == 0) or (
            place > 4 and (number + place) % 9 == 8
        )
        is_open = outcome is Phase.READY and place % 3 != 2
        state = RunState.RUNNING if is_open else RunState.FAILED if bad else RunState.SUCCEEDED
        identity = f"{release}-{job.name}-{attempt}"
        folder = f"runs/{identity}"
        upgrade = job.upgrade is not None and number > 0
        return VerificationRun(
            id=identity,
            release=release,
            verification=job.name,
            attempt=attempt,
            state=state,
            runner=job.runner.kind,
            platform=job.platform,
            from_release=self.name(number - 1) if upgrade else "",
            queued=queued,
            started=queued + 30,
            ended=None if is_open else queued + 1500 + place * 240,
            url=f"https://prow.test/view/{identity}" if job.runner.kind == "prowjob" else "",
            message="3 of 214 tests failed" if bad else "",
            log=f"{folder}/build-log.txt",
            artifacts=(f"{folder}/junit_e2e.xml",) if not is_open else (),
        )

    def publications(self, number: int) -> Iterator[Publication]:
        if self.outcome(number) is not Phase.ACCEPTED:
            return
        for name, target in (("signatures", ""), ("next", "quay.test/okd/next:latest")):
            yield Publication(
                release=self.name(number),
                name=name,
                state=PublicationState.DONE,
                time=self._created(number) + 2.5 * HOUR,
                target=target,
            )

    def _created(self, number: int) -> float:
        return self._now - 0.4 * HOUR - (self.count - 1 - number) * 6 * HOUR


def _tags(count: int) -> tuple[str, ...]:
    more = (f"operand-{number:03}" for number in range(max(0, count - len(COMPONENTS))))
    return tuple(sorted((*COMPONENTS[:count], *more)))


def _stamp(moment: float) -> str:
    return time.strftime("%Y-%m-%d-%H%M%S", time.gmtime(moment))


def _digest(text: str) -> Digest:
    return Digest("sha256:" + hashlib.sha256(text.encode()).hexdigest())


def _log_of(run: VerificationRun, changed: Sequence[str]) -> str:
    lines = [
        f"\x1b[36mINFO\x1b[0m[{number:04}] step {number} of {run.verification}"
        for number in range(120)
    ]
    if run.state is RunState.FAILED:
        lines += [
            f"\x1b[31mERRO\x1b[0m[0121] clusteroperator/{changed[-1]} is degraded: 1 of 3 pods run",
            f"ERRO[0122] deployment/{changed[0]}: back-off restarting failed container",
            "3 of 214 tests failed",
        ]
    return "\n".join(lines) + "\n"


def _results_of(run: VerificationRun) -> str:
    bad = run.state is RunState.FAILED
    failures = "".join(
        f'<testcase name="[sig-node] pods should {what}" classname="e2e" time="12.5">'
        f'<failure message="timed out">{what}: waited 300 s &lt;worker-2&gt;</failure></testcase>'
        for what in ("start", "end in time", "keep their address")
    )
    passed = '<testcase name="passes" classname="e2e" time="0.1"/>' * (211 if bad else 214)
    return f'<testsuite name="e2e">{failures if bad else ""}{passed}</testsuite>'
