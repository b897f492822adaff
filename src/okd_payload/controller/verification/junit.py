# SPDX-License-Identifier: Apache-2.0
"""JUnit results: what our own checks write, and what other programs leave, read for pages.

Files come from whoever runs tests, so they are read as foreign: a document type declaration is
refused (and with it every entity that could grow or fetch something), and size, depth, number of
cases and length of texts are bounded. What is beyond a bound is left out and counted, because the
first failures of a result that is too large are still worth showing.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import msgspec

from okd_payload.errors import ContentError, TooLarge

MAX_BYTES = 16 * 1024 * 1024
MAX_CASES = 20_000
_MAX_DEPTH = 32
_MAX_TEXT = 16 * 1024
_MAX_NAME = 1024


class CaseOutcome(enum.Enum):
    """How one test case ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"

    @property
    def is_bad(self) -> bool:
        """Whether people want to see it first."""
        return self in (CaseOutcome.FAILED, CaseOutcome.ERROR)


class TestCase(msgspec.Struct, frozen=True, kw_only=True):
    """One test case."""

    __test__ = False  # its name is that of the field, and pytest collects by names

    name: str
    suite: str = ""
    outcome: CaseOutcome = CaseOutcome.PASSED
    seconds: float = 0.0
    message: str = ""
    text: str = ""


class TestResults(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of results says."""

    __test__ = False

    cases: tuple[TestCase, ...] = ()
    left_out: int = 0
    """How many cases were beyond the bound."""
    trouble: str = ""
    """What is wrong with the file; what was read before stands."""

    def count(self, outcome: CaseOutcome) -> int:
        """How many cases ended like that."""
        return sum(case.outcome is outcome for case in self.cases)

    @property
    def failures(self) -> tuple[TestCase, ...]:
        """The cases that people want to see first."""
        return tuple(case for case in self.cases if case.outcome.is_bad)


def parse_junit(content: bytes) -> TestResults:
    """The results in ``content``. Raises ContentError when these are none, TooLarge."""
    reading = _Reading()
    _feed(content, reading)
    return TestResults(cases=tuple(reading.cases), left_out=reading.left_out)


def read_junit(content: bytes) -> TestResults:
    """What can be read of ``content``, for people: a file that broke off still has failures."""
    reading = _Reading()
    trouble = ""
    try:
        _feed(content, reading)
    except ContentError as error:
        trouble = error.message
    return TestResults(cases=tuple(reading.cases), left_out=reading.left_out, trouble=trouble)


def _feed(content: bytes, reading: _Reading) -> None:
    if len(content) > MAX_BYTES:
        raise TooLarge(f"results of tests have {len(content)} bytes, more than {MAX_BYTES}")
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_declaration
    parser.StartElementHandler = reading.enter
    parser.EndElementHandler = reading.leave
    parser.CharacterDataHandler = reading.take
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # also of encodings
        raise ContentError(f"results of tests cannot be read: {error}") from error


def write_junit(suite: str, cases: Iterable[TestCase]) -> bytes:
    """``cases`` as a file of results."""
    known = list(cases)
    counts = {
        "tests": len(known),
        "failures": sum(case.outcome is CaseOutcome.FAILED for case in known),
        "errors": sum(case.outcome is CaseOutcome.ERROR for case in known),
        "skipped": sum(case.outcome is CaseOutcome.SKIPPED for case in known),
    }
    attributes = "".join(f' {name}="{value}"' for name, value in counts.items())
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuite name={_attribute(suite)}{attributes}>",
        *(line for case in known for line in _write(case)),
        "</testsuite>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _write(case: TestCase) -> list[str]:
    place = f" classname={_attribute(case.suite)}" if case.suite else ""
    begin = f'  <testcase name={_attribute(case.name)}{place} time="{case.seconds:.3f}"'
    if case.outcome is CaseOutcome.PASSED:
        return [f"{begin}/>"]
    element = {CaseOutcome.FAILED: "failure", CaseOutcome.ERROR: "error"}.get(
        case.outcome, "skipped"
    )
    text = escape(_printable(case.text))
    return [
        f"{begin}>",
        f"    <{element} message={_attribute(case.message)}>{text}</{element}>",
        "  </testcase>",
    ]


def _attribute(text: str) -> str:
    return quoteattr(_printable(text), {"\n": "&#10;", "\t": "&#9;"})


def _printable(text: str) -> str:
    """``text`` without what XML cannot hold."""
    return "".join(
        character
        if character in "\n\t" or "\x20" <= character < "\ud800" or character > "\udfff"
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
        if character not in "\ufffe\uffff"
    )


def _refuse_declaration(*_: object) -> None:
    raise ContentError(
        "results of tests with a document type declaration are refused",
        hint="JUnit files need none: leave it out",
    )


_ENDS = {
    "failure": CaseOutcome.FAILED,
    "error": CaseOutcome.ERROR,
    "skipped": CaseOutcome.SKIPPED,
}


class _Reading:
    """Takes the elements of a file as they come."""

    def __init__(self) -> None:
        self.cases: list[TestCase] = []
        self.left_out = 0
        self._depth = 0
        self._suites: list[str] = []
        self._case: TestCase | None = None
        self._text: list[str] | None = None
        self._room = 0

    def enter(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins. Raises TooLarge when it is nested too deeply."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise TooLarge(f"results of tests are nested more than {_MAX_DEPTH} deep")
        if name == "testsuite":
            self._suites.append(attributes.get("name", "")[:_MAX_NAME])
        elif name == "testcase":
            self._case = TestCase(
                name=attributes.get("name", "")[:_MAX_NAME],
                suite=(attributes.get("classname") or self._suite)[:_MAX_NAME],
                seconds=_seconds(attributes.get("time", "")),
            )
        elif name in _ENDS and self._case is not None and not self._case.outcome.is_bad:
            self._case = msgspec.structs.replace(
                self._case,
                outcome=_ENDS[name],
                message=attributes.get("message", "")[:_MAX_TEXT],
            )
            self._text, self._room = [], _MAX_TEXT

    def leave(self, name: str) -> None:
        """An element ends."""
        self._depth -= 1
        if name == "testsuite":
            self._suites.pop()
        elif name in _ENDS and self._text is not None and self._case is not None:
            text = "".join(self._text).strip()
            self._case = msgspec.structs.replace(self._case, text=text)
            self._text = None
        elif name == "testcase" and self._case is not None:
            if len(self.cases) < MAX_CASES:
                self.cases.append(self._case)
            else:
                self.left_out += 1
            self._case = None

    def take(self, text: str) -> None:
        """Text of an element: kept as far as there is room."""
        if self._text is not None and self._room > 0:
            self._text.append(text[: self._room])
            self._room -= len(text)

    @property
    def _suite(self) -> str:
        return self._suites[-1] if self._suites else ""


def _seconds(text: str) -> float:
    try:
        found = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return found if 0.0 <= found < 1e9 else 0.0
