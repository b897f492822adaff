# SPDX-License-Identifier: Apache-2.0
"""The tables: fields of values as columns of the same names (``rows``).

Moments are seconds since the epoch, enumerations are stored as their words, tuples as JSON.
Inputs, runs and the files of runs go with their release by the database itself; transitions,
publications, edges and what payloads said have no such tie, and outlive it. Tables of another
version are refused, never changed.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

VERSION = 1
"""Of the schema: raised with every change once there was a release."""

metadata = MetaData()

schema = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

streams = Table(
    "streams",
    metadata,
    Column("name", String, primary_key=True),
    Column("configuration", String, nullable=False),
    Column("input_hash", String, nullable=False),
    Column("seen", Float),
    Column("moved", Float),
    Column("paused", Text, nullable=False),
    Column("paused_by", String, nullable=False),
    Column("error", Text, nullable=False),
    Column("error_since", Float),
    Column("waiting", Text, nullable=False),
    Column("rebuild", Boolean, nullable=False),
)

releases = Table(
    "releases",
    metadata,
    Column("name", String, primary_key=True),
    Column("stream", String, nullable=False),
    Column("phase", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("changed", Float, nullable=False),
    Column("input_hash", String, nullable=False),
    Column("digest", String),
    Column("pull_spec", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("kept", Boolean, nullable=False),
    Column("withdrawn", Float),
    Column("attempts", Integer, nullable=False),
    Column("retry_at", Float),
    Column("adopted", Boolean, nullable=False),
    Column("job", String, nullable=False),
    Index("releases_by_stream", "stream", "created"),
    Index("releases_by_stream_and_phase", "stream", "phase", "created", "withdrawn"),
    Index("releases_by_phase", "phase"),
    Index("releases_by_digest", "digest"),
)

inputs = Table(
    "inputs",
    metadata,
    Column("release", ForeignKey("releases.name", ondelete="CASCADE"), primary_key=True),
    Column("tag", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("reference", String, nullable=False),
    Column("source", String, nullable=False),
    Column("commit", String, nullable=False),
    Index("inputs_by_digest", "digest"),
    Index("inputs_by_commit", "commit"),
)

transitions = Table(
    "transitions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("release", String, nullable=False),
    Column("before", String),
    Column("after", String, nullable=False),
    Column("time", Float, nullable=False),
    Column("actor", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("message", Text, nullable=False),
    Index("transitions_by_release", "release"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("release", ForeignKey("releases.name", ondelete="CASCADE"), nullable=False),
    Column("verification", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("runner", String, nullable=False),
    Column("platform", String, nullable=False),
    Column("architecture", String, nullable=False, server_default=""),
    Column("from_release", String, nullable=False),
    Column("from_pull_spec", String, nullable=False),
    Column("queued", Float, nullable=False),
    Column("started", Float),
    Column("ended", Float),
    Column("url", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("log", Text, nullable=False),
    Column("artifacts", Text, nullable=False),
    Index("runs_by_release", "release"),
    Index("runs_by_state", "state"),
    Index("runs_by_end", "ended"),
)

run_pieces = Table(
    "run_pieces",
    metadata,
    Column("run", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("sum", String, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

publications = Table(
    "publications",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("release", String, nullable=False),
    Column("name", String, nullable=False),
    Column("state", String, nullable=False),
    Column("time", Float, nullable=False),
    Column("actor", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("replaced", String, nullable=False),
    Column("target", Text, nullable=False),
    Column("stream", String, nullable=False, server_default=""),
    Index("publications_by_release", "release"),
    Index("publications_by_stream", "stream", "name", "state", "id"),
)

payloads = Table(
    "payloads",
    metadata,
    Column("release", String, primary_key=True),
    Column("stream", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("digest", String, nullable=False),
    Column("pull_spec", Text, nullable=False),
    Column("version", String, nullable=False),
    Column("previous", Text, nullable=False),
    Column("following", Text, nullable=False),
    Column("architecture", String, nullable=False),
    Column("url", Text, nullable=False),
    Column("made_from", Text, nullable=False),
)

edges = Table(
    "edges",
    metadata,
    Column("source", String, primary_key=True),
    Column("target", String, primary_key=True),
    Column("run", String, primary_key=True),
    Column("url", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("time", Float, nullable=False),
    Column("platform", String, nullable=False),
    Index("edges_by_target", "target"),
)

events = Table(
    "events",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("time", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("stream", String, nullable=False),
    Column("release", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("term", Integer, nullable=False),
    Column("until", Float, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("release", String, primary_key=True),
    Column("team", String, primary_key=True),
    Column("actor", String, primary_key=True),
    Column("time", Float, nullable=False),
    Column("message", Text, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("roles", Text, nullable=False),
    Column("hash", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("created_by", String, nullable=False),
    Column("expires", Float),
    Column("used", Float),
    Column("revoked", Float),
    Column("parent", String, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("time", Float, nullable=False),
    Column("actor", String, nullable=False),
    Column("address", String, nullable=False),
    Column("action", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("message", Text, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("name", String, primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("streams", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("created_by", String, nullable=False),
)

webhook_progress = Table(
    "webhook_progress",
    metadata,
    Column("name", String, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("retry_at", Float),
    Column("message", Text, nullable=False),
    Column("delivered", Integer, nullable=False),
    Column("disabled", Float),
)

webhook_tries = Table(
    "webhook_tries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, index=True),
    Column("event", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("time", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("status", Integer),
    Column("message", Text, nullable=False),
)

uses = Table(
    "uses",
    metadata,
    Column("release", String, primary_key=True),
    Column("reporter", String, primary_key=True),
    Column("time", Float, nullable=False),
    Column("until", Float),
    Column("message", Text, nullable=False),
)

removals = Table(
    "removals",
    metadata,
    Column("release", String, primary_key=True),
    Column("stream", String, nullable=False),
    Column("digest", String),
    Column("releases", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("adopted", Boolean, nullable=False),
    Column("runs", Text, nullable=False),
    Column("images", Text, nullable=False),
    Column("time", Float, nullable=False),
    Column("done", Float),
    Column("retry_at", Float),
    Column("message", Text, nullable=False),
)

schedule_runs = Table(
    "schedule_runs",
    metadata,
    Column("stream", String, primary_key=True),
    Column("schedule", String, primary_key=True),
    Column("since", Float, nullable=False),
    Column("state", String, nullable=False),
    Column("identity", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("started", Float),
    Column("ended", Float),
    Column("message", Text, nullable=False),
    Column("failing", Boolean, nullable=False),
)
