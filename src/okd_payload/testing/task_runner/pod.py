# SPDX-License-Identifier: Apache-2.0
"""The folders of one pod, and its containers as ``entry`` takes them.

volumes/       what steps share: emptyDirs, files of Secrets, /workspace, /tekton/...
STEP/          overlay of a step, its script and its description
logs/STEP      what it printed
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import msgspec

from okd_payload.errors import InputError
from okd_payload.testing.task_runner.model import ResultSpec, Step, Variable
from okd_payload.testing.task_runner.preparation import (
    RESULTS_FOLDER,
    PreparedRun,
    workspace_path,
)
from okd_payload.testing.task_runner.rights import Rights, combine, rights_of
from okd_payload.testing.task_runner.roots import ImageRoot
from okd_payload.testing.task_runner.substitution import expand_variables
from okd_payload.testing.task_runner.volumes import Entries, Surroundings, Volumes

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SHEBANG = "#!/bin/sh\nset -e\n"
_FROM_MACHINE = ("/etc/resolv.conf", "/etc/hosts")
_IMPLICIT = {
    "tekton-internal-workspace": "/workspace",
    "tekton-internal-home": "/tekton/home",
    "tekton-internal-results": RESULTS_FOLDER,
    "tekton-internal-steps": "/tekton/steps",
}
_SCRIPTS = "/tekton/scripts"


class MountPoint(msgspec.Struct, frozen=True, rename="camel"):
    """A folder or file of this machine, and where the container sees it."""

    source: str
    target: str
    read_only: bool = False


class Overlay(msgspec.Struct, frozen=True):
    """The folders of an overlay."""

    lower: str
    upper: str
    work: str


class Container(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What ``entry`` needs to know."""

    root: str
    overlay: Overlay
    mounts: tuple[MountPoint, ...]
    command: tuple[str, ...]
    environment: dict[str, str]
    directory: str
    host_name: str
    user: int
    group: int
    groups: tuple[int, ...]
    capabilities: tuple[int, ...]
    privileged: bool
    no_new_privileges: bool
    seccomp: bool
    unmasked: bool
    read_only_root: bool


class Pod:
    """One pod: its folders are made at once, its containers as their turn comes."""

    def __init__(self, folder: Path, prepared: PreparedRun, surroundings: Surroundings) -> None:
        """Raises InputError for volumes that cannot be had."""
        self._folder = folder
        self._prepared = prepared
        self._surroundings = surroundings
        self._volumes = Volumes(folder / "volumes", surroundings)
        self._named = {
            volume.name: self._volumes.make(volume.name, volume) for volume in prepared.spec.volumes
        }
        self._shared = [*self._implicit(), *self._workspaces()]
        self.results = self._volumes.empty("tekton-internal-results")

    @property
    def declared(self) -> tuple[ResultSpec, ...]:
        """The results that the task says it has."""
        return self._prepared.spec.results

    def log_of(self, step: Step) -> Path:
        """Where the log of ``step`` is."""
        logs = self._folder / "logs"
        logs.mkdir(exist_ok=True)
        return logs / step.name

    def write_exit_code(self, step: Step, code: int) -> None:
        """Tell later steps how ``step`` ended."""
        folder = self._volumes.empty("tekton-internal-steps") / f"step-{step.name}"
        folder.mkdir(exist_ok=True)
        (folder / "exitCode").write_text(str(code))

    def write_container(self, step: Step, image: ImageRoot) -> Path:
        """The file that describes the container of ``step``. Raises InputError."""
        folder = self._folder / step.name
        overlay = {name: folder / name for name in ("upper", "work", "root")}
        for path in overlay.values():
            path.mkdir(parents=True)
        environment = self._environment(step, image)
        directory = self._directory(step, image)
        rights = self._rights(step, image)
        container = Container(
            root=str(overlay["root"]),
            overlay=Overlay(str(image.folder), str(overlay["upper"]), str(overlay["work"])),
            mounts=(*self._shared, *self._own_mounts(step)),
            command=self._command(step, image, environment),
            environment=environment,
            directory=directory,
            host_name=self._prepared.run.metadata.name[:63] or "pod",
            **msgspec.structs.asdict(rights),
        )
        path = folder / "container.json"
        path.write_bytes(msgspec.json.encode(container))
        return path

    def _implicit(self) -> list[MountPoint]:
        scripts = self._volumes.empty("tekton-internal-scripts")
        for number, step in enumerate(self._prepared.spec.steps):
            if step.script:
                text = step.script if step.script.startswith("#!") else _SHEBANG + step.script
                path = scripts / f"script-{number}"
                path.write_text(text)
                path.chmod(0o755)
        machine = [MountPoint(path, path) for path in _FROM_MACHINE if Path(path).is_file()]
        found = [
            MountPoint(str(self._volumes.empty(name)), target) for name, target in _IMPLICIT.items()
        ]
        return [*machine, *found, MountPoint(str(scripts), _SCRIPTS, read_only=True)]

    def _workspaces(self) -> list[MountPoint]:
        spec, found = self._prepared.spec, []
        for declared in spec.workspaces:
            bound = self._prepared.workspaces.get(declared.name)
            if bound is None:
                continue
            source = _below(self._volumes.make(f"ws-{declared.name}", bound), bound.sub_path)
            target = workspace_path(spec, declared.name)
            found.append(MountPoint(str(source), target, read_only=declared.read_only))
        return found

    def _own_mounts(self, step: Step) -> list[MountPoint]:
        found = []
        for mount in step.volume_mounts:
            if mount.name not in self._named:
                raise InputError(f"step {step.name} mounts the volume {mount.name}: not found")
            source = _below(self._named[mount.name], mount.sub_path)
            found.append(MountPoint(str(source), mount.mount_path, read_only=mount.read_only))
        return found

    def _environment(self, step: Step, image: ImageRoot) -> dict[str, str]:
        found = {"PATH": _PATH, "HOSTNAME": self._prepared.run.metadata.name}
        found |= dict(item.partition("=")[::2] for item in image.config.env)
        own: dict[str, str] = {}
        for variable in (*self._prepared.run.spec.pod_template.env, *step.env):
            value = self._value_of(variable)
            if value is not None:
                own[variable.name] = expand_variables(value, own)
        return {"HOME": "/", **found, **own}

    def _value_of(self, variable: Variable) -> str | None:
        source, metadata = variable.value_from, self._prepared.run.metadata
        if source is None:
            return variable.value
        if source.field_ref is not None:
            facts = {
                "metadata.name": f"{metadata.name}-pod",
                "metadata.namespace": metadata.namespace,
                "metadata.uid": metadata.uid,
            }
            return facts.get(source.field_ref.field_path, "")
        reference = source.secret_key_ref
        entries: Entries = {}
        if reference is not None:
            entries = self._surroundings.secret(reference.name, optional=reference.optional)
        elif (reference := source.config_map_key_ref) is not None:
            entries = self._surroundings.config_map(reference.name, optional=reference.optional)
        if reference is None or reference.key in entries:
            return entries[reference.key].decode() if reference else ""
        if reference.optional:
            return None
        raise InputError(f"couldn't find key {reference.key} in {reference.name}")

    def _directory(self, step: Step, image: ImageRoot) -> str:
        wanted = step.working_dir or image.config.working_dir or "/"
        return str(PurePosixPath("/workspace", wanted))

    def _command(
        self, step: Step, image: ImageRoot, environment: Mapping[str, str]
    ) -> tuple[str, ...]:
        if step.script:
            number = [item.name for item in self._prepared.spec.steps].index(step.name)
            words: tuple[str, ...] = (f"{_SCRIPTS}/script-{number}", *step.args)
        elif step.command:
            words = (*step.command, *step.args)
        else:
            words = (*image.config.entrypoint, *(step.args or image.config.cmd))
        if not words:
            raise InputError(f"step {step.name} has no command, and its image has none")
        return tuple(expand_variables(word, environment) for word in words)

    def _rights(self, step: Step, image: ImageRoot) -> Rights:
        passwd = image.folder / "etc" / "passwd"
        return rights_of(
            combine(self._prepared.run.spec.pod_template.security_context, step.security_context),
            image_user=image.config.user,
            passwd=passwd.read_text(errors="replace") if passwd.is_file() else "",
        )


def _below(folder: Path, relative: str) -> Path:
    """The folder ``relative`` in a volume, made where it is missing. Raises InputError."""
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InputError(f"the sub path {relative!r} leads out of its volume")
    if not path.exists():
        path.mkdir(parents=True)
        path.chmod(0o777)
    return path
