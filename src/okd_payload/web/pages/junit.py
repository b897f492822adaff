# SPDX-License-Identifier: Apache-2.0
"""JUnit results as runs leave them, read so that no file can do harm.

Files with a document type are refused (entities are how XML explodes); of the rest no more than
a page can show is kept, failures first. A broken file says that it is broken.
"""

from __future__ import annotations

from xml.parsers import expat

import msgspec

from okd_payload.web.pages.words import clean

MOST_SHOWN = 200
_LONGEST_MESSAGE = 4000
_DEEPEST = 64
_BAD = {"failure", "error"}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One test that did not pass."""

    name: str
    group: str = ""
    seconds: str = ""
    message: str = ""


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What one file says."""

    passed: int = 0
    skipped: int = 0
    failed: int = 0
    failures: tuple[Case, ...] = ()
    """The first of them."""
    trouble: str = ""
    """What is wrong with the file; what was read before stands."""

    @property
    def total(self) -> int:
        """How many tests there were."""
        return self.passed + self.skipped + self.failed


def read_results(content: bytes) -> Results:
    """The results in ``content``."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    trouble = ""
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, _Refused) as error:
        trouble = f"the file cannot be read to its end: {error}"
    return Results(
        passed=reader.passed,
        skipped=reader.skipped,
        failed=reader.failed,
        failures=tuple(reader.failures),
        trouble=trouble,
    )


class _Refused(Exception):
    """The file wants what no results need."""


class _Reader:
    """Counts cases as they go by, and keeps the first that failed."""

    def __init__(self) -> None:
        self.passed = self.skipped = self.failed = 0
        self.failures: list[Case] = []
        self._depth = 0
        self._case: dict[str, str] | None = None
        self._outcome = ""
        self._words: list[str] = []
        self._length = 0
        self._listening = False

    def refuse(self, *_: object) -> None:
        raise _Refused("it declares a document type")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Refused("it is nested too deeply")
        if name == "testcase":
            self._case, self._outcome, self._words, self._length = attributes, "", [], 0
        elif self._case is not None and name in _BAD:
            self._outcome, self._listening = "failed", True
            self.text(attributes.get("message", ""))
            self.text("\n")
        elif self._case is not None and name == "skipped":
            self._outcome = self._outcome or "skipped"

    def text(self, text: str) -> None:
        if self._listening and self._length < _LONGEST_MESSAGE:
            self._words.append(text[:_LONGEST_MESSAGE])
            self._length += len(text)

    def end(self, name: str) -> None:
        self._depth -= 1
        if name in _BAD:
            self._listening = False
        elif name == "testcase" and self._case is not None:
            self._count(self._case)
            self._case = None

    def _count(self, case: dict[str, str]) -> None:
        if self._outcome == "skipped":
            self.skipped += 1
        elif self._outcome != "failed":
            self.passed += 1
        else:
            self.failed += 1
            if len(self.failures) < MOST_SHOWN:
                self.failures.append(
                    Case(
                        name=clean(case.get("name", ""), 500),
                        group=clean(case.get("classname", ""), 200),
                        seconds=clean(case.get("time", ""), 20),
                        message=clean("".join(self._words).strip(), _LONGEST_MESSAGE),
                    )
                )
