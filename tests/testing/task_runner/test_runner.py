# SPDX-License-Identifier: Apache-2.0
"""Steps run as Tekton runs them, in namespaces of their own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from busybox_images import BusyboxImages

from okd_payload.errors import InputError
from okd_payload.testing.task_runner.model import TaskRun
from okd_payload.testing.task_runner.outcome import TaskRunEnd
from okd_payload.testing.task_runner.runner import TaskRunner, seconds_of
from okd_payload.testing.task_runner.volumes import Surroundings

pytestmark = pytest.mark.integration
Make = Callable[..., TaskRun]


def printed(end: TaskRunEnd) -> list[str]:
    """What each step printed."""
    return [step.log.read_text() for step in end.steps]


async def test_parameters_results_and_workspaces(runner: TaskRunner, make_run: Make) -> None:
    """Given as Tekton gives them; what a step leaves in a workspace the next one finds."""
    end = await runner.run(
        make_run(
            {
                "script": "echo -n $(params.who) >$(results.who.path)\n"
                "echo kept >$(workspaces.w.path)/f\n"
                'for word in "$@"; do echo "<$word>"; done; echo $(params.unknown 2>&1) $?',
                "args": ["$(params.words[*])"],
            },
            {"command": ["cat"], "args": ["/workspace/w/f", "$(results.who.path)"]},
            task={
                "params": [
                    {"name": "who", "default": "nobody"},
                    {"name": "words", "type": "array"},
                ],
                "results": [{"name": "who"}, {"name": "unwritten"}],
                "workspaces": [{"name": "w"}],
            },
            params=[
                {"name": "who", "value": "$(context.taskRun.name)"},
                {"name": "words", "value": ["a", "b c"]},
            ],
            workspaces=[{"name": "w", "emptyDir": {}}],
        )
    )
    assert (end.reason, end.results) == ("Succeeded", {"who": "one"})
    first, second = printed(end)
    assert first.startswith("<a>\n<b c>\n")
    assert second == "kept\none"


async def test_the_first_failure_skips_the_rest(runner: TaskRunner, make_run: Make) -> None:
    """A step that may fail skips nothing, and later ones can read its code."""
    end = await runner.run(
        make_run(
            {"script": "#!/bin/sh\nexit 3", "onError": "continue"},
            {"script": "cat $(steps.step-s0.exitCode.path); exit 4"},
            {"script": "echo never"},
        )
    )
    assert [(step.exit_code, step.reason) for step in end.steps] == [
        (3, "Continued"),
        (4, "Error"),
        (1, "Skipped"),
    ]
    assert end.message == '"step-s1" exited with code 4: Error'
    assert printed(end)[1:] == ["3", "Skipping step because a previous step failed\n"]


async def test_results_that_are_too_large_fail_their_step(
    runner: TaskRunner, make_run: Make
) -> None:
    """Together they may have 4096 bytes."""
    end = await runner.run(
        make_run(
            {"script": "head -c 2500 /dev/zero | tr '\\0' a >$(results.a.path)"},
            {"script": "head -c 2500 /dev/zero | tr '\\0' b >$(results.b.path)"},
            task={"results": [{"name": "a"}, {"name": "b"}]},
        )
    )
    assert [step.exit_code for step in end.steps] == [0, 1]
    assert "above max allowed size 4096" in printed(end)[1]


async def test_secrets_and_config_maps_are_files_and_variables(
    runner: TaskRunner, make_run: Make
) -> None:
    """As volumes, as workspaces, by key; an optional one may be absent."""
    end = await runner.run(
        make_run(
            {
                "script": "cat /v/renamed /v/more $(workspaces.s.path)/password; echo $WORD-$NONE",
                "env": [
                    {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "word"}}},
                    {
                        "name": "NONE",
                        "valueFrom": {
                            "configMapKeyRef": {"name": "no", "key": "k", "optional": True}
                        },
                    },
                ],
                "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": True}],
            },
            {
                "script": "echo x >/v/new",
                "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": True}],
            },
            task={
                "workspaces": [{"name": "s"}],
                "volumes": [
                    {
                        "name": "v",
                        "projected": {
                            "sources": [
                                {
                                    "secret": {
                                        "name": "s",
                                        "items": [{"key": "word", "path": "renamed"}],
                                    }
                                },
                                {"configMap": {"name": "c"}},
                            ]
                        },
                    }
                ],
            },
            workspaces=[{"name": "s", "secret": {"secretName": "s"}}],
        ),
        surroundings=Surroundings(
            secrets={"s": {"word": b"w", "password": b"p"}}, config_maps={"c": {"more": b"m"}}
        ),
    )
    assert printed(end)[0] == "wmpw-\n"
    assert "Read-only file system" in printed(end)[1]


async def test_a_step_has_the_rights_that_it_asks_for(runner: TaskRunner, make_run: Make) -> None:
    """User, capabilities, no new privileges, and a filter without mounts and namespaces."""
    status = "grep -E 'CapBnd|CapEff|NoNewPrivs|Seccomp:' /proc/self/status; id -u"
    context = {
        "runAsUser": 1000,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["SETUID"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    end = await runner.run(
        make_run(
            {"script": status, "securityContext": context},
            {"script": status},
            {"script": "unshare -U true", "securityContext": context},
            {"script": "#!/bin/sh\nunshare -Um true", "securityContext": {"runAsUser": 1000}},
        )
    )
    strict, usual, filtered, _ = (text.split() for text in printed(end)[:4])
    assert strict[1::2][:2] == ["0000000000000000", "0000000000000080"]
    assert strict[-1] == "1000"
    assert (strict[5], strict[7]) == ("1", "2")
    assert usual[3] == "00000000a80425fb"
    assert (usual[5], usual[7], usual[-1]) == ("0", "0", "0")
    assert "Operation not permitted" in " ".join(filtered)
    assert [step.exit_code for step in end.steps] == [0, 0, 1, 1]


async def test_a_user_namespace_can_be_made_where_no_filter_stands_in_the_way(
    runner: TaskRunner, make_run: Make
) -> None:
    """A container is in no chroot, which the kernel would take for a reason to refuse."""
    security = {"runAsUser": 1000, "capabilities": {"drop": ["ALL"]}}
    end = await runner.run(make_run({"script": "unshare -Um id -u", "securityContext": security}))
    assert printed(end) == ["65534\n"]


async def test_an_image_is_never_changed_and_steps_see_only_themselves(
    runner: TaskRunner, make_run: Make, root: Path
) -> None:
    """What a step writes to its root is gone in the next; processes of others are not seen."""
    end = await runner.run(
        make_run(
            {"script": "echo x >/etc/new; rm /etc/passwd; ls /proc | grep -c '^[0-9]'"},
            {"script": "ls /etc/passwd /etc/new"},
        )
    )
    assert int(printed(end)[0]) < 8
    assert "/etc/new: No such file" in printed(end)[1]
    assert (root / "etc" / "passwd").is_file()


async def test_commands_are_those_of_the_step_or_of_the_image(
    runner: TaskRunner, make_run: Make
) -> None:
    """The kubelet expands variables; a missing program is told."""
    end = await runner.run(
        make_run(
            {"args": ["$(FROM_IMAGE) $$(FROM_IMAGE)"]},
            {"command": ["pwd"], "workingDir": "made/here"},
            {"command": ["no-such-program"]},
            task={"stepTemplate": {"env": [{"name": "X", "value": "y"}]}},
        )
    )
    assert printed(end)[:2] == ["entry yes $(FROM_IMAGE)\n", "/workspace/made/here\n"]
    assert end.steps[2].exit_code == 1
    assert "cannot start no-such-program: No such file or directory" in printed(end)[2]


async def test_a_program_that_a_signal_ends_has_code_255(
    runner: TaskRunner, make_run: Make
) -> None:
    """Whichever signal it was."""
    end = await runner.run(make_run({"script": "kill -9 $$"}))
    assert [step.exit_code for step in end.steps] == [255]


async def test_time_outs_end_everything(runner: TaskRunner, make_run: Make) -> None:
    """Of a step, and of the whole run; nothing of it runs on."""
    end = await runner.run(make_run({"script": "sleep 611 & sleep 611", "timeout": "1s"}))
    assert [step.reason for step in end.steps] == ["TimeoutExceeded"]
    end = await runner.run(make_run({"script": "sleep 611"}, timeout="1s"))
    assert (end.reason, end.steps) == ("TaskRunTimeout", ())
    assert not processes("sleep 611")


async def test_a_cancelled_run_leaves_nothing(runner: TaskRunner, make_run: Make) -> None:
    """The processes of its steps end before the error arrives."""
    running = asyncio.create_task(runner.run(make_run({"script": "sleep 612"})))
    await asyncio.to_thread(wait_until, lambda: bool(processes("sleep 612")))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not processes("sleep 612")


def test_a_killed_runner_leaves_no_process_and_no_mount(root: Path, tmp_path: Path) -> None:
    """Its folder is removed by the next that runs there."""
    folder = tmp_path / "runs"
    here = Path(__file__).parent
    command = [sys.executable, str(here / "killed_run.py"), str(root), str(folder)]
    killed = subprocess.Popen(command, cwd=here)
    wait_until(lambda: any(folder.glob("run-*/pod-0/volumes/tekton-internal-workspace/begun")))
    killed.kill()
    killed.wait()
    wait_until(lambda: not processes(str(folder)))
    assert str(folder) not in Path("/proc/mounts").read_text()
    asyncio.run(leave(root, folder))
    assert not folder.exists()


async def leave(root: Path, folder: Path) -> None:
    """Enter and leave the folder."""
    async with TaskRunner(BusyboxImages(root), folder=folder):
        pass


@pytest.mark.parametrize(
    ("task", "spec", "message"),
    [
        ({"sidecars": [{"name": "s"}]}, {}, "sidecars, which cannot be run here"),
        ({"params": [{"name": "p"}]}, {}, r"missing values .*\[p\]"),
        (
            {"params": [{"name": "p", "type": "array"}]},
            {"params": [{"name": "p", "value": "x"}]},
            "types don't match",
        ),
        ({"workspaces": [{"name": "w"}]}, {}, '"w" is required but has not been bound'),
        ({"volumes": [{"name": "v", "secret": {"secretName": "no"}}]}, {}, 'secret "no" not found'),
    ],
)
async def test_what_tekton_would_not_run_is_refused(
    runner: TaskRunner, make_run: Make, task: dict[str, Any], spec: dict[str, Any], message: str
) -> None:
    """Nothing is passed over in silence."""
    with pytest.raises(InputError, match=message):
        await runner.run(make_run({"script": "true"}, task=task, **spec))


def test_durations_are_those_of_go() -> None:
    """And nothing else is taken for one."""
    assert [seconds_of(text) for text in ("1h0m0s", "90s", "0", "", "1m30.5s")] == [
        3600, 90, 0, 0, 90.5,
    ]  # fmt: skip
    with pytest.raises(InputError):
        seconds_of("soon")


def processes(words: str) -> list[str]:
    """Command lines that have ``words``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if words in line:
            found.append(line)
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    """Return when something holds, which must be soon."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
