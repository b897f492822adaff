# SPDX-License-Identifier: Apache-2.0
"""What each kind of runner needs to know, and whether a verification says it.

One table for all kinds: the configuration is checked against it when it is read, and the
documentation against it by a test. A setting that a kind does not know is told, because it is
nearly always one that was spelled wrongly. Values are text; what is a number or a choice is
checked too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from okd_payload.controller.configuration.model import Runner
from okd_payload.errors import nearest_names

_WHOLE_NUMBER = re.compile(r"[0-9]{1,12}")
_ADDRESS = re.compile(r"https?://[^\s/?#@]+(?:[/?#]\S*)?")


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a runner may be told."""

    name: str
    meaning: str
    required: bool = False
    choices: tuple[str, ...] = ()
    is_number: bool = False
    is_address: bool = False
    part: str = ""
    """What each of its parts looks like, as a regular expression, where it holds several."""


class RunnerKind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of runner, and what it takes."""

    name: str
    meaning: str
    settings: tuple[Setting, ...] = ()
    takes_command: bool = False
    one_of: tuple[str, ...] = ()
    """Settings of which exactly one is needed."""


_LIMITS = (
    Setting(name="memory", meaning="mebibytes that each process may take", is_number=True),
    Setting(name="cpu", meaning="seconds of processor time of each process", is_number=True),
    Setting(name="fileSize", meaning="mebibytes that a file may grow to", is_number=True),
)
_INHERIT = Setting(
    name="inherit", meaning="names of the controller's own variables that are handed on"
)
_PROFILE = Setting(name="clusterProfile", meaning="what CLUSTER_PROFILE says; else the platform")
_NAMESPACE = Setting(name="namespace", meaning="where the objects are made; else the controller's")
_SECRETS = (
    Setting(name="{}Variable", meaning="the controller's variable that holds the {}"),
    Setting(name="{}File", meaning="the file that holds the {}"),
)


def _secret(name: str) -> tuple[Setting, ...]:
    return tuple(
        Setting(name=each.name.format(name), meaning=each.meaning.format(name)) for each in _SECRETS
    )


KINDS = {
    kind.name: kind
    for kind in (
        RunnerKind(
            name="builtin",
            meaning="checks that need neither a cluster nor a container runtime",
            settings=(
                Setting(
                    name="check",
                    meaning="what is checked; `lint` without",
                    choices=("lint", "verify", "accept", "images"),
                ),
                Setting(name="permit", meaning="codes of issues that do not count"),
                Setting(name="keys", meaning="files with keys, one of which must have signed"),
                Setting(name="signatureStores", meaning="where signatures are looked for first"),
                Setting(
                    name="images", meaning="globs of the images that `images` starts; all without"
                ),
                Setting(
                    name="seconds",
                    meaning="how long each program may take to start; 10 without",
                    is_number=True,
                ),
                Setting(
                    name="memory",
                    meaning="mebibytes that each program may write to; 2048 without",
                    is_number=True,
                ),
            ),
        ),
        RunnerKind(
            name="command",
            meaning="a program of this machine",
            settings=(
                *_LIMITS,
                _INHERIT,
                Setting(
                    name="sandbox",
                    meaning="whether what is the controller's is hidden from it; `try` without",
                    choices=("try", "yes", "no"),
                ),
                Setting(
                    name="network",
                    meaning="whether it has a network; `host` without",
                    choices=("host", "none"),
                ),
                _PROFILE,
            ),
            takes_command=True,
        ),
        RunnerKind(
            name="container",
            meaning="a program in a container image",
            settings=(
                Setting(name="image", meaning="pull spec of the image", required=True),
                Setting(
                    name="where",
                    meaning="on this machine with buildah, or in a pod; "
                    "without, in a pod where a cluster is known",
                    choices=("machine", "cluster"),
                ),
                *_LIMITS,
                _INHERIT,
                _PROFILE,
                _NAMESPACE,
                Setting(name="serviceAccount", meaning="whom the pod acts as"),
                Setting(
                    name="podSecurity",
                    meaning="the level of pod security that the pod fits; `restricted` without, "
                    "`baseline` lets it run as root",
                    choices=("restricted", "baseline"),
                ),
                Setting(
                    name="artifacts",
                    meaning="how a pod hands over its artifacts; `printed` without",
                    choices=("printed", "none"),
                ),
            ),
            takes_command=True,
        ),
        RunnerKind(
            name="tekton",
            meaning="a PipelineRun of Tekton",
            settings=(
                Setting(name="pipeline", meaning="name of the Pipeline", required=True),
                _NAMESPACE,
                Setting(name="serviceAccount", meaning="whom its pods act as"),
                Setting(
                    name="workspaces",
                    meaning="`NAME=claim:CLAIM`, `NAME=secret:SECRET`, `NAME=configMap:MAP`, "
                    "`NAME=empty`, separated by commas",
                    part=r"[^=]+=(?:empty|(?:claim|secret|configMap):[^:]+)",
                ),
                Setting(
                    name="dashboard",
                    meaning="address of the page of a run, with `{namespace}` and `{name}` in it",
                    is_address=True,
                ),
                _PROFILE,
            ),
        ),
        RunnerKind(
            name="prowjob",
            meaning="a ProwJob, made of the definition of a periodic job",
            settings=(
                Setting(
                    name="job", meaning="name of the job in Prow's configuration", required=True
                ),
                Setting(name="aggregator", meaning="name of the job that sums up many runs"),
                Setting(
                    name="multiJobAnalysis",
                    meaning="whether the job is told which payload and jobs it judges",
                    choices=("true", "false"),
                ),
                _NAMESPACE,
            ),
        ),
        RunnerKind(
            name="github",
            meaning="a workflow of GitHub, or of a forge with the same interface",
            settings=(
                Setting(name="repository", meaning="`OWNER/NAME`", required=True),
                Setting(name="workflow", meaning="file name of the workflow", required=True),
                Setting(name="ref", meaning="branch or tag; `main` without"),
                Setting(
                    name="api",
                    meaning="address of the interface; `https://api.github.com` without",
                    is_address=True,
                ),
                *_secret("token"),
            ),
            one_of=("tokenVariable", "tokenFile"),
        ),
        RunnerKind(
            name="webhook",
            meaning="a server of yours, which is told and answers later",
            settings=(
                Setting(
                    name="url", meaning="where the document goes", required=True, is_address=True
                ),
                *_secret("secret"),
            ),
            one_of=("secretVariable", "secretFile"),
        ),
        RunnerKind(
            name="manual",
            meaning="a person, who says how it went",
            settings=(Setting(name="instructions", meaning="what the person is to do"),),
        ),
    )
}
"""All kinds of runners, by name."""


def check_runner(runner: Runner) -> Iterator[str]:
    """What is wrong with how ``runner`` is set, each as the rest of a sentence."""
    kind = KINDS.get(runner.kind)
    if kind is None:
        yield f"names the runner {runner.kind}, which is none of {', '.join(KINDS)}"
        return
    known = {setting.name: setting for setting in kind.settings}
    for name, value in runner.settings.items():
        if name not in known:
            near = nearest_names(name, known, most=1)
            offer = f": did you mean {near[0]}?" if near else ""
            yield f"sets {name}, which {kind.name} does not know{offer}"
        else:
            yield from _check_value(known[name], value)
    for setting in kind.settings:
        if setting.required and not runner.settings.get(setting.name):
            yield f"does not set {setting.name}, which {kind.name} needs: {setting.meaning}"
    if kind.one_of and sum(bool(runner.settings.get(name)) for name in kind.one_of) != 1:
        yield f"sets not exactly one of {' and '.join(kind.one_of)}, which {kind.name} needs"
    if runner.arguments and not kind.takes_command:
        yield f"has a command, with which {kind.name} does nothing"


def split_list(text: str) -> tuple[str, ...]:
    """The parts of a setting that holds several, which commas or spaces separate."""
    return tuple(text.replace(",", " ").split())


def _check_value(setting: Setting, value: str) -> Iterator[str]:
    if setting.choices and value not in setting.choices:
        yield f"sets {setting.name} to {value!r}, which is none of {', '.join(setting.choices)}"
    if setting.is_number and not (_WHOLE_NUMBER.fullmatch(value) and int(value)):
        yield f"sets {setting.name} to {value!r}, which is no whole number above 0"
    for part in split_list(value) if setting.part else ():
        if not re.fullmatch(setting.part, part):
            yield f"sets {setting.name} to {part!r}, which is none of {setting.meaning}"
    if setting.is_address and not _ADDRESS.fullmatch(value):
        yield f"sets {setting.name} to {value!r}, which is no address of http or https"
