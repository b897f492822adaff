# SPDX-License-Identifier: Apache-2.0
"""Sound manifests are checked once; whatever else is checked each time."""

from __future__ import annotations

from okd_payload.oci.cache import Shelf
from okd_payload.release.new.remembered_checks import RememberedChecks
from okd_payload.release.objects import Problem, check_manifest
from okd_payload.testing.clock import ManualClock

SOUND = b"apiVersion: v1\nkind: ConfigMap\n"
BROKEN = b"kind: [\n"


class CountingCheck:
    """The real check, which writes down what it was given."""

    def __init__(self) -> None:
        self.given: list[bytes] = []

    def __call__(self, content: bytes) -> list[Problem]:
        self.given.append(content)
        return check_manifest(content)


def _remembered(folder) -> tuple[RememberedChecks, CountingCheck]:
    check = CountingCheck()
    return RememberedChecks(Shelf(folder, clock=ManualClock()), check=check), check


def test_a_sound_manifest_is_checked_once(tmp_path) -> None:
    """Neither in this run nor in the next one is a sound manifest read again."""
    remembered, check = _remembered(tmp_path)
    assert remembered(SOUND) == remembered(SOUND) == []
    remembered.save()
    assert check.given == [SOUND]

    again, check = _remembered(tmp_path)
    assert again(SOUND) == []
    assert check.given == []


def test_problems_are_found_each_time(tmp_path) -> None:
    """A broken manifest is never remembered, so its problems are told with their lines."""
    remembered, _ = _remembered(tmp_path)
    problems = remembered(BROKEN)
    remembered.save()

    again, check = _remembered(tmp_path)
    assert again(BROKEN) == problems == check_manifest(BROKEN)
    assert check.given == [BROKEN]


def test_each_process_adds_to_what_was_known(tmp_path) -> None:
    """What an earlier process found stays when a later one saves something else."""
    first, _ = _remembered(tmp_path)
    first(SOUND)
    first.save()
    second, _ = _remembered(tmp_path)
    second(SOUND + b"data: {}\n")
    second.save()

    third, check = _remembered(tmp_path)
    assert third(SOUND) == third(SOUND + b"data: {}\n") == []
    assert check.given == []


def test_damage_makes_checks_do_their_work(tmp_path) -> None:
    """A damaged memory is none: everything is checked again."""
    remembered, _ = _remembered(tmp_path)
    remembered(SOUND)
    remembered.save()
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"?")

    again, check = _remembered(tmp_path)
    assert again(SOUND) == []
    assert check.given == [SOUND]
