# SPDX-License-Identifier: Apache-2.0
"""Running git so that it behaves the same for everybody, and saying why it failed.

The user's configuration stays in force where it says how to reach a server (proxies, credential
helpers, ``insteadOf``, ssh), because only the user can know. What would change content, run
hooks, ask questions or go on in the background is switched off. Failures of the way to a server
are tried again when that may help.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from okd_payload import process
from okd_payload.clock import Clock
from okd_payload.errors import SourceError
from okd_payload.progress import Delayed, Progress, ignore_progress
from okd_payload.source.git_failures import complaint, diagnose
from okd_payload.source.remote import Remote

LOCAL_SECONDS = 300.0
"""Deadline of a command that needs no server."""
REMOTE_SECONDS = 1800.0
"""Deadline of a command that may fetch a large repository over a slow line."""
PARALLEL = 8
"""Commands at once for one host: servers answer so many from one client without complaint."""
PARALLEL_HOSTS = 4
"""How many hosts may have all their commands at once; what waits for a slow one holds up none."""
ANSWER_SECONDS = 120.0
"""Deadline of a question that has a short answer, however large the repository is."""
BACK_OFF_SECONDS = (1.0, 2.0, 4.0)

_CREDENTIAL_HELPER = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" '
    '"$OKD_PAYLOAD_GIT_USER" "$OKD_PAYLOAD_GIT_PASSWORD"; }; f'
)
_SETTINGS = (
    "color.ui=false",
    "core.attributesFile=/dev/null",
    "core.autocrlf=false",
    "core.eol=lf",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.sparseCheckout=false",
    "core.splitIndex=false",
    "core.symlinks=true",
    "fetch.prune=false",
    "fetch.pruneTags=false",
    "fetch.recurseSubmodules=false",
    "fetch.unpackLimit=1",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
    "maintenance.auto=false",
    "submodule.recurse=false",
)
_ENVIRONMENT: dict[str, str | None] = {
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LANGUAGE": None,
    "LC_ALL": "C",
    # Set when we are run by a hook of another repository:
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": None,
    "GIT_COMMON_DIR": None,
    "GIT_DIR": None,
    "GIT_INDEX_FILE": None,
    "GIT_NAMESPACE": None,
    "GIT_OBJECT_DIRECTORY": None,
    "GIT_PREFIX": None,
    "GIT_QUARANTINE_PATH": None,
    "GIT_WORK_TREE": None,
}


class Git:
    """The git command, hardened."""

    def __init__(
        self,
        clock: Clock,
        *,
        patience: float = REMOTE_SECONDS,
        progress: Progress = ignore_progress,
    ) -> None:
        self._clock = clock
        self._progress = progress
        self._patience = patience
        self._turns = asyncio.Semaphore(PARALLEL * PARALLEL_HOSTS)
        self._turns_of_host: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(PARALLEL)
        )

    async def run(
        self,
        *arguments: str | Path,
        directory: Path | None = None,
        environment: Mapping[str, str | None] | None = None,
        stdin: bytes | None = None,
        held: Sequence[int] = (),
        settings: Sequence[str] = (),
        deadline: float = LOCAL_SECONDS,
        host: str = "",
    ) -> process.Outcome:
        """Run one command to its end, whatever its exit code. Raises SourceError when late.

        At most ``PARALLEL`` run at once for one ``host``; empty is this machine.
        """
        program = process.find_program("git", needed_for="reading git repositories")
        configured = [word for setting in (*_SETTINGS, *settings) for word in ("-c", setting)]
        try:
            async with self._turn(host):
                return await process.run(
                    [program, *configured, *arguments],
                    directory=directory,
                    environment={**_ENVIRONMENT, **(environment or {})},
                    stdin=stdin,
                    held=held,
                    deadline=deadline,
                )
        except TimeoutError as error:
            raise SourceError(
                f"git {arguments[0]} was not done after {deadline:g} seconds",
                hint="the server or this machine is too slow: run the same command again",
            ) from error

    async def ask(
        self,
        remote: Remote,
        *arguments: str | Path,
        purpose: str,
        environment: Mapping[str, str | None] | None = None,
        stdin: bytes | None = None,
        held: Sequence[int] = (),
        patience: float = REMOTE_SECONDS,
    ) -> process.Outcome:
        """Run a command that may speak to ``remote``, again where that may help.

        ``purpose`` says in errors what could not be done, as in "resolve main". Raises SourceError
        when the way to the server fails. Other failures are outcomes, for the caller to judge.
        """
        pauses = iter(BACK_OFF_SECONDS)
        while True:
            outcome = await self.run(
                *arguments,
                environment={**(environment or {}), **_credentials(remote)},
                stdin=stdin,
                held=held,
                settings=(f"credential.helper={_CREDENTIAL_HELPER}",) if remote.user else (),
                deadline=min(patience, self._patience),
                host=remote.host,
            )
            symptom = diagnose(outcome)
            if symptom is None:
                return outcome
            pause = next(pauses, None) if symptom.transient else None
            if pause is None:
                raise SourceError(
                    f"cannot {purpose} of {remote.url}: {complaint(outcome)}", hint=symptom.hint
                )
            self._progress(Delayed(subject=remote.url, reason=complaint(outcome)))
            await self._clock.wait(pause)

    @contextlib.asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        """Wait for a place among the commands of ``host`` first, and then among all."""
        async with self._turns_of_host[host], self._turns:
            yield


def _credentials(remote: Remote) -> dict[str, str]:
    """The variables that the credential helper answers from; ours alone can read them."""
    if not remote.user:
        return {}
    return {
        "OKD_PAYLOAD_GIT_USER": remote.user,
        "OKD_PAYLOAD_GIT_PASSWORD": remote.password,
    }
