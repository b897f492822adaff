# SPDX-License-Identifier: Apache-2.0
"""A release stream as its owner configured it, whatever form that was written in.

Our own files and OpenShift's ``release-*.json`` are read into these values. Durations are
seconds; names of streams, verifications and publications are unique in their place.
"""

from __future__ import annotations

import enum

import msgspec

ERROR_RETRIES = 2
"""How often a verification that broke by itself is tried again, where nobody says."""


class StreamKind(enum.Enum):
    """Where the releases of a stream come from."""

    INTEGRATION = "Integration"
    """Made of the images of an input stream whenever these change."""
    STABLE = "Stable"
    """Put there, and adopted."""


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """Where the images of a stream are watched: one of these is given."""

    repository: str = ""
    """A registry repository or a layout (``oci:PATH``), whose tags are the images."""
    image_stream: str = ""
    """``NAMESPACE/NAME`` in the cluster that the controller watches."""
    file: str = ""
    """An image stream in a file."""
    release: str = ""
    """A published release, whose images are the base that the others replace."""
    include: tuple[str, ...] = ()
    """Globs of tags that are taken; all without."""
    exclude: tuple[str, ...] = ()
    mirror_from: str = ""
    """Another input stream whose images are copied here first, as X.Y to scos-X.Y."""
    mirror_exclude: tuple[str, ...] = ()
    """Tags that are built for this stream only, and that mirroring leaves alone."""
    poll: float = 60.0
    settle: float = 0.0
    """How long the images must have been still before a release is begun."""

    @property
    def mirrored(self) -> Input:
        """The other stream as an input of its own; NAMESPACE/NAME is one of the cluster."""
        first, *rest = self.mirror_from.split("/")
        in_cluster = len(rest) == 1 and not {".", ":"} & set(first)
        if in_cluster:
            return Input(image_stream=self.mirror_from, exclude=self.mirror_exclude)
        return Input(repository=self.mirror_from, exclude=self.mirror_exclude)


class UpgradeOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """Which release an update starts from."""

    rule: str = ""
    """Previous, PreviousMinus1, PreviousPatch or PreviousMinor; or one of the next."""
    stream: str = ""
    """The newest accepted release of this stream."""
    release: str = ""
    """A release by name or pull spec."""
    lower: str = ""
    upper: str = ""
    """Bounds of a range of stable versions."""


class Runner(msgspec.Struct, frozen=True, kw_only=True):
    """Who runs a verification, and what that runner needs to know."""

    kind: str
    """builtin, command, container, tekton, prowjob, github, webhook or manual."""
    settings: dict[str, str] = {}
    """As the runner of this kind defines them; checked when the configuration is read."""
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = {}


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """One job that says something about a release."""

    name: str
    runner: Runner
    platform: str = ""
    architecture: str = ""
    """Which of the stream's it is about; all of them without."""
    disabled: bool = False
    optional: bool = False
    """Informing: its failure rejects nothing."""
    asynchronous: bool = False
    """Informing, and nobody waits for it."""
    max_retries: int = 0
    """How many attempts may follow one that the release failed."""
    error_retries: int = ERROR_RETRIES
    """How many may follow those that broke by themselves, beside the others."""
    timeout: float = 4 * 3600.0
    after: tuple[str, ...] = ()
    """Verifications that must have succeeded before."""
    upgrade: UpgradeOrigin | None = None
    runs: int = 1
    """How many runs are judged together,"""
    required: int = 1
    """and how many of them must succeed."""


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold before a release is published."""

    signed: bool = False
    approvals: int = 0
    soak: float = 0.0
    """Seconds since it was accepted."""
    newest: bool = True
    """Newer by version than what is published."""
    keys: tuple[str, ...] = ()
    """Files with public keys, of which a good signature may be found in one of"""
    stores: tuple[str, ...] = ()
    """these stores, where the stream does not sign by itself."""


class PublishAction(msgspec.Struct, frozen=True, kw_only=True):
    """One way of publishing: its kind, and what it acts on."""

    name: str
    kind: str
    """tag, copy, image-stream, sign, or command."""
    targets: tuple[str, ...] = ()
    """Repositories or tags."""
    tags: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    key: str = ""
    disabled: bool = False
    gate: Gate = Gate()


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Something done again and again: by cron in a time zone, or every so many seconds."""

    name: str
    kind: str
    """build, verify or promote."""
    cron: str = ""
    zone: str = "UTC"
    interval: float = 0.0
    verification: Verification | None = None
    stream_file: str = ""
    """What a periodic build builds."""
    promote_to: str = ""
    """The stable stream that a promotion goes to."""


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """What may go, and when; what is referenced stays whatever is written here."""

    expires: float = 0.0
    """Seconds after which accepted releases may go; 0 is never."""
    keep_accepted: int = 5
    keep_rejected: int = 5
    keep_failed: int = 5
    grace: float = 24 * 3600.0
    """Between being withdrawn and being deleted."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Something that pages say of a stream: images that its parent lacks or has newer."""

    name: str
    parent: str


class EdgeRule(msgspec.Struct, frozen=True, kw_only=True):
    """Updates that are not for everybody, by versions or globs of them."""

    source: str
    target: str
    name: str = ""
    """Of the risk, as one word; empty when the updates are blocked, for which clusters are told
    a word of ours."""
    message: str
    url: str = ""
    promql: str = ""
    """For which clusters the risk holds; for all of them without."""


class StreamConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """A release stream."""

    name: str
    kind: StreamKind = StreamKind.INTEGRATION
    input: Input = Input()
    content: str = ""
    """The repository that the images of releases are in, pinned by tags of ours."""
    releases: str = ""
    """The repository whose tags are the releases."""
    content_name: str = ""
    """What pull specs call the repository of the images, where that is a layout."""
    releases_name: str = ""
    """The same for the releases."""
    target: str = ""
    """What the old controller calls ``to``: the image stream of the releases."""
    title: str = ""
    message: str = ""
    hidden: bool = False
    end_of_life: bool = False
    architectures: tuple[str, ...] = ("amd64",)
    max_unready: int = 0
    """No release is begun while so many are neither accepted nor refused; 0 is no limit."""
    min_interval: float = 0.0
    """The least age of the newest release before another is begun."""
    creation_attempts: int = 3
    in_job: bool = False
    """Whether payloads are made by a Job of the cluster instead of in process."""
    supersede: bool = False
    """Whether a newer release ends the verification of older ones."""
    verifications: tuple[Verification, ...] = ()
    publications: tuple[PublishAction, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    checks: tuple[Check, ...] = ()
    retention: Retention = Retention()
    channels: tuple[str, ...] = ()
    """Channels of the update graph that its releases are in; see ``graph.channels`` for none."""
    rewrite: bool = True
    """Whether a payload that is put into a stable stream is made again under its tag's name."""
    edges: tuple[EdgeRule, ...] = ()
    """Updates that are blocked, or for some clusters only."""
    imported: bytes = b""
    """The JSON it was read from, where it is one of OpenShift's: served back unchanged."""

    @property
    def is_placeless(self) -> bool:
        """Whether it is one of OpenShift's, and nothing has said where its images are."""
        return bool(self.imported) and not self.releases
