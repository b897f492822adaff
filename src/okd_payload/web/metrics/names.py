# SPDX-License-Identifier: Apache-2.0
"""The metrics: name, what it says, and by what it is told apart. The documents name these.

Names follow Prometheus: the unit at the end, ``_total`` where a number only grows. No label is
anything that outsiders choose or that grows without end: releases and runs are in none.
"""

from __future__ import annotations

import msgspec


class Metric(msgspec.Struct, frozen=True):
    """One metric."""

    name: str
    words: str
    labels: tuple[str, ...] = ()


_BY_STREAM = ("stream",)

ACCEPTED_AGE = Metric(
    "okd_payload_accepted_age_seconds", "Age of the newest accepted release.", _BY_STREAM
)
RELEASES = Metric("okd_payload_releases", "Releases by phase.", ("stream", "phase"))
PHASE_SECONDS = Metric(
    "okd_payload_phase_seconds",
    "How long releases were in a phase, over 30 days.",
    ("stream", "phase"),
)
ACCEPTED_SECONDS = Metric(
    "okd_payload_time_to_accepted_seconds",
    "From the creation of a release until it was accepted, over 30 days.",
    _BY_STREAM,
)
RUNS = Metric(
    "okd_payload_verification_runs",
    "Runs of verifications by state, over 30 days.",
    ("stream", "verification", "state"),
)
PASS_RATE = Metric(
    "okd_payload_verification_pass_ratio",
    "Share of the ended runs that succeeded, over 30 days.",
    ("stream", "verification"),
)
QUEUE = Metric("okd_payload_open_runs", "Runs that are queued or running.", ("state",))
STREAM_ERROR = Metric(
    "okd_payload_stream_error", "1 while the inputs of a stream cannot be read.", _BY_STREAM
)
STREAM_PAUSED = Metric("okd_payload_stream_paused", "1 while a stream is paused.", _BY_STREAM)
CONFIGURATION = Metric(
    "okd_payload_configuration_errors",
    "Files of streams, and what else configures them, that cannot be taken as they are.",
)
PASSES = Metric("okd_payload_reconcile_passes_total", "Passes over streams, of this instance.")
PASS_ERRORS = Metric("okd_payload_reconcile_errors_total", "Passes that failed, of this instance.")
LAST_PASS = Metric(
    "okd_payload_reconcile_last_pass_timestamp_seconds", "When this instance last ended a pass."
)
CLOCK_JUMPS = Metric(
    "okd_payload_clock_jumps_total", "How often the clock of this instance was set."
)
UNWATCHED = Metric(
    "okd_payload_unwatched_namespaces",
    "Namespaces whose image streams are polled for want of a watch.",
)
ACTING = Metric("okd_payload_acting", "1 on the instance that acts.")
HOLDER = Metric("okd_payload_acting_instance", "1 with the name of whoever acts.", ("holder",))
DATABASE = Metric("okd_payload_database_up", "1 while the database answers.")
WRITABLE = Metric(
    "okd_payload_database_writable", "1 while the database takes what this instance writes."
)
UNMADE = Metric(
    "okd_payload_releases_unmade",
    "Pending releases whose payload could not be made so far.",
    _BY_STREAM,
)
PUBLISH_FAILURES = Metric(
    "okd_payload_publish_failures_total",
    "Steps of publications that failed.",
    ("stream", "publication"),
)
PUBLISH_FAILING = Metric(
    "okd_payload_publication_failing",
    "1 while the last try of a publication has failed.",
    ("stream", "publication"),
)
SCHEDULE_FAILED = Metric(
    "okd_payload_schedule_failed",
    "1 from the failure of a schedule on until it succeeds.",
    ("stream", "schedule"),
)
SCHEDULE_STARTED = Metric(
    "okd_payload_schedule_last_run_timestamp_seconds",
    "When a schedule was last due and begun.",
    ("stream", "schedule"),
)
UNTESTED = Metric(
    "okd_payload_untested_updates",
    "Stable releases into which no update from the one before has passed.",
    _BY_STREAM,
)
DEAD_ENDS = Metric(
    "okd_payload_dead_end_releases",
    "Stable releases that no cluster is recommended to leave, although there are newer ones.",
    _BY_STREAM,
)
WEBHOOK_DELIVERED = Metric(
    "okd_payload_webhook_delivered_total", "Events that a webhook has taken.", ("webhook",)
)
WEBHOOK_ATTEMPTS = Metric(
    "okd_payload_webhook_failed_attempts", "Tries of the event that waits now.", ("webhook",)
)
WEBHOOK_DISABLED = Metric(
    "okd_payload_webhook_disabled",
    "1 from a day of trying in vain on, until somebody lets the webhook be told again.",
    ("webhook",),
)

METRICS = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
