# SPDX-License-Identifier: Apache-2.0
"""What a local program cannot reach: what the controller keeps, and what would speak in its name.

Programs of verifications install and test clusters, so they need much of this machine: its
network, its devices, its files. What they never need is the controller's own: its records and
other runs, its process and everybody else's, and the credentials of its user. These are hidden
by the kernel's namespaces, which an ordinary user may make on most machines with ``unshare``. A
program is still the same user and can still do what that user may: it is no prison for programs
that mean ill, for which there are containers.

What a stream names under ``inherit`` is handed on, and the file that such a variable names is not
hidden: credentials reach a program on purpose or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.verification.run_files import ARTIFACTS
from okd_payload.controller.verification.verifier import known_verifications

USED = ("work", "home", "tmp")
"""The folders of the run that are its program's, beside its artifacts. All else of it is ours: how
it stands, its log and its end, which nobody but us may write or turn into a link."""
SHADOW = "shadow"
"""A folder of the run, over which its view of the state folder is made."""
_CREDENTIALS = (
    *(".aws", ".azure", ".docker", ".gnupg", ".kube", ".netrc", ".git-credentials", ".ssh"),
    *(".config/containers", ".config/gcloud", ".config/git/credentials"),
)
"""Below the home of the controller's user."""
_NAMED = ("REGISTRY_AUTH_FILE", "KUBECONFIG", "XDG_RUNTIME_DIR")
"""Variables that name more of them; the last one is where agents listen."""
_NO_FILE = "gpg:"
"""Before a key of GnuPG, whose folder is hidden anyway."""
_IMPOSSIBLE, _UNHIDDEN = "this machine lets nobody make namespaces", "something cannot be hidden"

_OUTER = f"""
wish=$1 network=$2; shift 2
own="--user --map-root-user --mount --pid --fork --kill-child --mount-proc --ipc"
[ "$network" = none ] && own="$own --net"
if unshare $own true 2>/dev/null; then exec unshare $own "$@"; fi
if [ "$wish" = yes ] || [ "$network" = none ]; then
  echo "[it cannot be started in a sandbox: {_IMPOSSIBLE}]"; exit 126
fi
echo "[not in a sandbox: {_IMPOSSIBLE}]"
while [ "$1" != -- ]; do shift; done
shift; exec "$@"
"""
"""Enters the namespaces where that can be done; else starts what follows ``--``, or nothing."""
_INNER = f"""
failed() {{ echo "[it cannot be started in a sandbox: {_UNHIDDEN}]"; exit 126; }}
state=$1 run=$2 user=$3 group=$4; shift 4
mount -t tmpfs -o size=1m,mode=755 hidden "$run/{SHADOW}" || failed
view="$run/{SHADOW}${{run#"$state"}}"
for part in {" ".join((ARTIFACTS, *USED))}; do
  mkdir -p "$view/$part" && mount --bind "$run/$part" "$view/$part" || failed
done
mount --rbind "$run/{SHADOW}" "$state" || failed
cd "$run/work" || failed
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mount -t tmpfs -o size=4k,mode=555 hidden "$1" || failed
  elif [ -e "$1" ]; then mount --bind /dev/null "$1" || failed; fi
  shift
done
shift
unshare --user --map-user="$user" --map-group="$group" "$@"; exit $?
"""
"""Hides what is to be hidden, gives up the right to undo that, and starts the program."""


class Confinement(msgspec.Struct, frozen=True, kw_only=True):
    """How far a program is kept from what is the controller's."""

    wish: str = "try"
    """``try``, ``yes`` or ``no``."""
    network: str = "host"
    """``host`` or ``none``."""
    state: Path
    """The folder of the controller, of which only the run's own is seen."""
    run: Path
    hidden: tuple[Path, ...] = ()
    """Folders that are seen empty, and files that are."""

    def command(self, program: Sequence[str]) -> Sequence[str]:
        """What starts ``program`` so."""
        if self.wish == "no":
            return program
        folders = (str(self.state), str(self.run), str(os.getuid()), str(os.getgid()))
        inner = ("/bin/sh", "-c", _INNER, "sh", *folders, *map(str, self.hidden), "--", *program)
        return ("/bin/sh", "-c", _OUTER, "sh", self.wish, self.network, *inner)


def find_credentials(
    streams: Iterable[StreamConfiguration], *, environment: Mapping[str, str], kept: Iterable[str]
) -> tuple[Path, ...]:
    """The folders and files of this machine that hold credentials of the controller.

    Those of its user, and those that the ``streams`` name; not what the variables ``kept`` of
    its ``environment`` name.
    """
    home = Path(environment.get("HOME") or "/nonexistent").absolute()
    named = [text for name in _NAMED for text in environment.get(name, "").split(os.pathsep)]
    for stream in streams:
        keys = (each.key for each in stream.publications)
        named += [key for key in keys if not key.startswith(_NO_FILE)]
        for verification in known_verifications(stream).values():
            settings = verification.runner.settings
            named += [value for name, value in settings.items() if name.endswith("File")]
    found = [*(home / name for name in _CREDENTIALS), *_paths(named)]
    given = set(
        _paths(text for name in kept for text in environment.get(name, "").split(os.pathsep))
    )
    existing = [path for path in dict.fromkeys(found) if path.exists()]
    return tuple(path for path in existing if not {path, *path.parents} & given)


def _paths(texts: Iterable[str]) -> list[Path]:
    """What ``texts`` name, as seen from the folder that the controller was started in."""
    return [Path(text).absolute() for text in texts if text]
