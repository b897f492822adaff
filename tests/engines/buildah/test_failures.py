# SPDX-License-Identifier: Apache-2.0
"""What a log of a failed build becomes."""

from __future__ import annotations

from io import BytesIO

import pytest

from okd_payload.engines.buildah.failures import failure_of, only_tidying_failed
from okd_payload.errors import BuildError, StorageError, TransientBuildError

STEPS = "[1/2] STEP 1/3: FROM base\n[1/2] STEP 2/3: RUN make\n"


def failure(text: str):
    """The error that a log with ``text`` at its end means."""
    log = BytesIO(b"$ buildah build of an earlier attempt: connection reset by peer\n")
    start = log.seek(0, 2)
    log.write(text.encode())
    return failure_of(log, start, doing="build tool", component="tool")


@pytest.mark.parametrize(
    "said",
    [
        "sealing memfd copy: Device or resource busy",
        "Temporary failure resolving 'packages.example.org'",
        "curl: (6) Could not resolve host: example.com",
        "curl: (22) The requested URL returned error: 503",
        "wget: server returned error: HTTP/1.1 502 Bad Gateway",
        "Get https://proxy.golang.org/x: dial tcp: lookup proxy.golang.org: i/o timeout",
        "go: github.com/x/y@v1: reading proxy: 504 Gateway Timeout",
        "read tcp 10.0.0.1:1->10.0.0.2:443: read: connection reset by peer",
        "Error: Failed to download metadata for repo 'appstream': Cannot download repomd.xml",
        "Curl error (28): Timeout was reached for https://mirror",
        "E: Failed to fetch http://deb/x.deb  Hash Sum mismatch",
        "pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.",
        "npm ERR! code ECONNRESET",
        "net/http: TLS handshake timeout",
    ],
)
def test_surroundings_make_a_failure_transient(said) -> None:
    """Network, mirrors and known faults of the kernel are worth another attempt."""
    text = f'{STEPS}{said}\nError: building at STEP "RUN make": exit status 1\n'

    assert isinstance(failure(text), TransientBuildError)


@pytest.mark.parametrize(
    "said",
    [
        "main.go:10:2: undefined: foo",
        "make: *** [Makefile:503: all] Error 2",
        "curl: (22) The requested URL returned error: 404",
        "E: Unable to locate package nosuchthing",
        "FAIL: TestFiveHundred (0.03s)",
        "copier: stat: no such file or directory",
    ],
)
def test_the_builds_own_faults_are_final(said) -> None:
    """What would fail again is not tried again."""
    text = f'{STEPS}{said}\nError: building at STEP "RUN make": exit status 2\n'

    error = failure(text)

    assert type(error) is BuildError
    assert error.message == f"cannot build tool: RUN make failed: exit status 2\n  {said}"
    assert error.hint == "`okd-payload logs tool` shows everything"


def test_a_full_disk_is_no_fault_of_the_build() -> None:
    """A full disk is said to be one, whatever else the log says."""
    for text in (
        "write /x: no space left on device\nError: committing: connection reset\n",
        'Error: committing container for step {Env:[A]}: storing layer "0" to file: closed pipe\n',
    ):
        error = failure(text)
        assert isinstance(error, StorageError)
        assert "the disk is full" in error.message
        assert "Env" not in error.message


def test_a_killed_build_hints_at_memory() -> None:
    """The kernel's killing shows as a signal only."""
    error = failure(f'{STEPS}Error: building at STEP "RUN make": signal: killed\n')

    assert error.hint.startswith("it may have run out of memory")


def test_a_silent_failure_hints_that_words_may_be_lost() -> None:
    """Only where there is nothing else to go by: what was printed, or an instruction of files."""
    end = 'Error: building at STEP "RUN make": exit status 1\n'
    copied = 'Error: building at STEP "COPY a b": stat "a": no such file\n'

    assert "lost its last words" in failure(f"{STEPS}subprocess exited with status 1\n{end}").hint
    assert "lost its last words" not in failure(f"{STEPS}undefined: x\n{end}").hint
    assert "lost its last words" not in failure(f"{STEPS}{copied}").hint


def test_only_the_last_lines_count() -> None:
    """A mirror that failed and was got over does not make a compiler's error transient."""
    overcome = "Temporary failure resolving 'mirror1'\n"
    compiled = "".join(f"compiling {number}\n" for number in range(100))
    text = f'{STEPS}{overcome}{compiled}undefined: x\nError: building at STEP "RUN make": exit 2\n'

    assert type(failure(text)) is BuildError


def test_instructions_are_shown_in_one_line_and_without_our_folders() -> None:
    """Heredocs and continuations are joined; the workspace is "the source"."""
    error = failure(
        'Error: building at STEP "COPY a\n b": stat "/x/workspaces/0123456789ab/source/a": no\n'
    )

    assert error.message == 'cannot build tool: COPY a b failed: stat "the source/a": no'


@pytest.mark.parametrize("text", ["", "\n", "no word of an error\n", "Error: short\n"])
def test_any_log_gives_an_error(text) -> None:
    """Whatever was printed, there is a message."""
    assert failure(text).message.startswith("cannot build tool: ")


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("COMMIT oci:x\n--> \nError: layer not known\n", True),
        ("COMMIT oci:x\n--> 1f2e\n[Warning] arg [A]\nError: layer not known\n", True),
        ("STEP 1/2: FROM first\nError: layer not known\n", False),
        ("COMMIT oci:x\n--> \nError: layer not known\nError: more\n", False),
    ],
)
def test_a_complete_image_is_not_lost_to_tidying(text, complete) -> None:
    """Only the one complaint about a stage's image, after the result was written, is ignored."""
    log = BytesIO(text.encode())

    assert only_tidying_failed(log, 0) is complete


def test_colours_and_bells_of_tools_are_taken_out() -> None:
    """Messages end up in terminals, reports and records."""
    text = (
        f'{STEPS}\x1b[31mno\x1b[0m\x07 rule\r\nError: building at STEP "RUN make": exit status 2\n'
    )

    assert failure(text).message == "cannot build tool: RUN make failed: exit status 2\n  no rule"
