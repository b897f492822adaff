# SPDX-License-Identifier: Apache-2.0
"""Each image is started where nothing of this machine can be reached, or looked into."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from images_rig import ELSEWHERE, HERE, Images, busybox, for_machine
from runners_rig import await_program, runs

from okd_payload.controller.verification.runners.builtin.findings import Findings
from okd_payload.testing.images import push_index

CAN_ISOLATE = (
    shutil.which("unshare") is not None
    and subprocess.run(
        ("unshare", "-Urmpnf", "true"), check=False, capture_output=True, timeout=60
    ).returncode
    == 0
)
starts_programs = pytest.mark.skipif(not CAN_ISOLATE, reason="nobody may make namespaces here")


DYNAMIC = Path(shutil.which("ls") or "/bin/ls").resolve()
"""A program that needs libraries."""


@pytest.fixture
def images(tmp_path: Path) -> Images:
    """A release without images yet."""
    return Images(tmp_path / "state")


def libraries_of(program: Path) -> dict[str, bytes]:
    """The files that are loaded with it, its loader too."""
    listed = subprocess.run(("ldd", str(program)), check=True, capture_output=True, text=True)
    paths = [word for word in listed.stdout.split() if word.startswith("/")]
    return {path: Path(path).read_bytes() for path in paths}


def problems(findings: Findings) -> dict[str, str]:
    """What is wrong, by image."""
    return {issue.component: issue.message for issue in findings.issues}


@starts_programs
async def test_a_program_that_says_anything_has_started(images: Images, tmp_path: Path) -> None:
    """Whatever it ends with, and also when it goes on; nothing that was unpacked is left."""
    await images.script("good", "echo usage")
    await images.script("usage", "echo $1; exit 2")
    await images.script("server", "exec busybox sleep 1000")
    await images.script("daemon", "busybox sleep 1000 & exit 1")
    found = await images.check(seconds=1.0)
    assert found.issues == ()
    assert set(found.checked) == {
        "good starts, and ended with 0",
        "usage starts, and ended with 2",
        "server starts, and goes on when its time is over",
        "daemon starts, and ended with 1",
    }
    assert not (tmp_path / "state/unpacked").exists()


@starts_programs
@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo now; kill -SEGV $$", "was ended by SIGSEGV: now"),
        ("busybox sh -c 'kill -ABRT $$'; exit 134", "was ended by SIGABRT"),
        ("exec /opt/absent", "ended with 127"),
        ("exit 126", "ended with 126"),
        (
            "echo 'x: error while loading shared libraries: liby.so: cannot open'; exit 127",
            "does not load: x: error while loading shared libraries: liby.so: cannot open",
        ),
        (
            'echo "x: /lib64/libc.so.6: version \\`GLIBC_2.99\' not found (required by x)"; exit 1',
            "does not load: x: /lib64/libc.so.6: version",
        ),
    ],
)
async def test_a_program_that_dies_has_not(images: Images, script: str, problem: str) -> None:
    """By a signal, for want of something to run, or in the loader."""
    await images.script("etcd", script)
    message = problems(await images.check())["etcd"]
    assert message.startswith(f"its command /entry {problem}"), message


async def test_what_is_missing_is_named(images: Images) -> None:
    """Without starting anything: interpreters, loaders, libraries, and the right machine."""
    shell = busybox()
    dynamic = DYNAMIC.read_bytes()
    other = for_machine(shell, ELSEWHERE)
    cases = {
        "absent": ({"bin/sh": shell}, "is not in the image"),
        "hidden": ({".wh.entry": b""}, "is not in the image"),
        "folder": ({"entry/x": b""}, "is no file"),
        "text": ({"entry": b"hello"}, "is neither a program of Linux nor a script"),
        "script": ({"entry": "true"}, "is a script for /bin/sh, which is not in the image"),
        "env": (
            {"entry": b"#!/usr/bin/env perl -w\n", "usr/bin/env": shell},
            "is a script for perl, which is not in the image",
        ),
        "loader": ({"entry": dynamic}, "needs the loader /lib"),
        "machine": ({"entry": other}, f"is for {ELSEWHERE}, and the image for {HERE}"),
    }
    for name, (files, _) in cases.items():
        await images.add(name, {"entry": shell} if name == "hidden" else {}, files)
    found = problems(await images.check())
    assert found.keys() == cases.keys()
    for name, (_, problem) in cases.items():
        assert found[name].startswith(f"its command /entry {problem}"), found[name]


async def test_a_library_counts_wherever_it_is(images: Images) -> None:
    """The first that is nowhere is named, with the library that needs it."""
    files: dict[str, bytes | str] = {
        (path if "ld-" in path else f"opt/odd/{Path(path).name}").lstrip("/"): content
        for path, content in libraries_of(DYNAMIC).items()
    }
    program = DYNAMIC.read_bytes()
    await images.add("whole", files, {"entry": program})
    files = {name: content for name, content in files.items() if "libc.so" not in name}
    await images.add("less", files, {"entry": program})
    found = problems(await images.check())
    assert "needs the library libc.so.6" in found["less"]
    assert "needs the library" not in found.get("whole", "")  # its loader looks elsewhere for it


@starts_programs
async def test_nothing_of_this_machine_is_reached(images: Images, tmp_path: Path) -> None:
    """No file, process, variable, network or right of ours, and nothing can be written."""
    secret = tmp_path / "secret"
    secret.write_text("the secret of this machine")
    script = f"""
bb=/bin/busybox
says() {{ reached="$reached $1"; }}
for file in {secret} /etc/shadow /etc/passwd /proc/1/environ /proc/1/root/bin /proc/1/root{secret}
do $bb cat $file >/dev/null 2>&1 && says $file; done
$bb test "$($bb ls /proc | $bb grep -c '^[0-9]')" -lt 9 || says processes
$bb env | $bb grep -q OKD_PAYLOAD && says variables
$bb ip link | $bb grep mtu | $bb grep -qv lo: && says network
$bb ls -l /proc/self/fd | $bb grep -e '->' | $bb grep -Evq 'null|pipe|/proc/|/entry' && says files
(echo x > /written) 2>/dev/null && says writing
(echo x > /tmp/mine) 2>/dev/null || says no-scratch
$bb grep -q 'CapEff:.*[1-9a-f]' /proc/self/status && says rights
$bb unshare -U true 2>/dev/null && says namespaces
$bb chroot / $bb true 2>/dev/null && says chroot
$bb mount -t tmpfs x /run 2>/dev/null && says mounting
$bb kill -9 1 2>/dev/null; $bb test "$($bb id -u):$($bb id -g)" = 1000:0 || says somebody
echo "reached:$reached"
kill -SEGV $$
"""
    await images.script("etcd", script)
    os.environ["OKD_PAYLOAD_TOKEN"] = "a token of ours"
    try:
        message = problems(await images.check())["etcd"]
    finally:
        del os.environ["OKD_PAYLOAD_TOKEN"]
    assert message == "its command /entry was ended by SIGSEGV: reached:"


@starts_programs
async def test_a_program_cannot_take_more_than_its_share(images: Images) -> None:
    """Of output, memory and processes; it ends with its time, and all it started with it."""
    program = f"sleep 998{os.getpid()}"
    await images.script("talks", "exec busybox yes")
    await images.script("eats", "busybox dd if=/dev/zero of=/dev/null bs=900M count=1; exit $?")
    await images.script("forks", f"f() {{ f | f & }}; f; exec busybox {program}")
    found = await images.check(seconds=1.0, memory=64)
    assert found.issues == ()
    assert "eats starts, and ended with 1" in found.checked
    assert not runs(program)


@starts_programs
async def test_what_started_is_not_read_again(images: Images) -> None:
    """By the digest of the image; what failed is tried again, and a month is long ago."""
    good = await images.script("good", "exit 0")
    await images.script("bad", "exit 127")
    assert set(problems(await images.check())) == {"bad"}
    for layer in good.image().layers:
        images.repository.blobs.contents.pop(layer.digest)
    await images.script("bad", "exit 127; true")
    found = await images.check()
    assert "good starts, and ended with 0, as seen before" in found.checked
    assert set(problems(found)) == {"bad"}
    images.clock.advance(31 * 86400)
    assert set(problems(await images.check())) == {"good", "bad"}


async def test_images_for_other_machines_are_looked_into_no_further_than_needed(
    images: Images,
) -> None:
    """Each member of an index that the stream is for; the others may be what they are."""
    shell = for_machine(busybox(), ELSEWHERE)
    there = await images.add("etcd", {"base": b"x" * 999}, {"entry": shell}, architecture=ELSEWHERE)
    here = await images.script("etcd", "exit 0")
    odd = await images.add("etcd", {"entry": b"odd"}, architecture="s390x")
    members = {ELSEWHERE: there, HERE: here, "s390x": odd}
    images.list("etcd", await push_index(images.repository, members))
    base = there.image().layers[0].digest
    del images.repository.blobs.contents[base]
    found = await images.check(architectures=(ELSEWHERE, HERE))
    assert found.issues == ()
    assert f"etcd ({ELSEWHERE}) has what it needs to start" in found.checked
    assert len(found.checked) == 2
    assert set(problems(await images.check(architectures=("s390x",)))) == {"etcd (s390x)"}
    assert set(problems(await images.check(architectures=("riscv64",)))) == {"etcd (s390x)"}


async def test_only_the_images_that_are_named_are_started(images: Images) -> None:
    """By globs; an image without a command of its own is no fault."""
    await images.add("etcd", {})
    await images.add("base-os", {"x": b"x"}, command=())
    found = await images.check(images=("base-*",))
    assert found.checked == ("base-os has no command of its own",)
    assert found.issues == ()


async def test_hostile_images_reach_nothing(images: Images, tmp_path: Path) -> None:
    """Links out of the image and links in place of the system's folders stay in the image."""
    victim = tmp_path / "victim"
    victim.mkdir()
    shell = busybox()
    await images.add(
        "links",
        {"bin/busybox": shell, "bin/sh": "->busybox", "tmp": f"->{victim}", "dev": f"->{victim}"},
        {"out": f"->{victim}", "proc": "->/", "entry": "true"},
    )
    await images.add("climbs", {"../../victim/file": b"x", "entry": shell})
    found = problems(await images.check())
    assert set(found) == {"climbs"}
    assert "leads out of the image" in found["climbs"]
    assert list(victim.iterdir()) == []


@pytest.mark.integration
@pytest.mark.skipif(not CAN_ISOLATE, reason="needs a namespace without namespaces")
def test_where_nothing_can_be_started_that_is_said(tmp_path: Path) -> None:
    """And all images are looked into: as in a pod, whose system lets nobody make namespaces."""
    program = """
import asyncio, sys
from pathlib import Path
from images_rig import Images, busybox
async def check():
    images = Images(Path(sys.argv[1]))
    await images.add("good", {"entry": busybox()})
    await images.add("bad", {"entry": b"text"})
    found = await images.check()
    print(*found.checked, *(issue.message for issue in found.issues), sep="\\n")
asyncio.run(check())
"""
    inside = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    ended = subprocess.run(
        ("unshare", "-Ur", "sh", "-c", inside, "sh", sys.executable, "-c", program, str(tmp_path)),
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        timeout=120,
    )
    first, *rest = ended.stdout.splitlines()
    assert first.startswith("nothing is started here: this machine lets nobody make namespaces")
    assert rest == [
        "good has what it needs to start",
        "its command /entry is neither a program of Linux nor a script that names its interpreter",
    ]


@starts_programs
async def test_a_check_that_is_cancelled_leaves_nothing(images: Images, tmp_path: Path) -> None:
    """No program, and nothing that was unpacked."""
    program = f"sleep 999{os.getpid()}"
    await images.script("server", f"exec busybox {program}")
    task = asyncio.create_task(images.check(seconds=60.0))
    await asyncio.to_thread(await_program, program)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not runs(program)
    assert not (tmp_path / "state/unpacked").exists()
