# SPDX-License-Identifier: Apache-2.0
"""Why a build failed, read from the end of its log.

Buildah tells no classes of failures apart, so its words must do: which instruction failed, and
whether the cause lies in the build (the same again would fail again), in the surroundings (trying
again may help) or in this machine's disks. Package managers do not agree on words either; the
patterns below are theirs, and only the last lines count, because a failure that a tool got over
by itself says the same earlier on.
"""

from __future__ import annotations

import re
from typing import IO

from okd_payload.build.log_text import clean_text
from okd_payload.errors import BuildError, OkdPayloadError, StorageError, TransientBuildError

_TAIL_BYTES = 32 * 1024
_TELLING_LINES = 60
_SHOWN_LINES = 12

_WORKSPACE = re.compile(r"/\S*/workspaces/[0-9a-f]+/source\b")
_STEP = re.compile(r'building at STEP "(?P<step>.*?)": (?P<reason>.*)', re.DOTALL)
_INTERNALS = re.compile(r"(?<=committing container) for step \{.*?\}(?=: )", re.DOTALL)
_DISK_FULL = re.compile(
    r"no space left on device|disk quota exceeded|storing layer \S+ to file: .*closed pipe",
    re.IGNORECASE,
)
"""The last is how buildah says that it could not write the archive of a layer."""
_TRANSIENT_WORDS = (
    # buildah and the kernel
    r"sealing memfd copy: (device or resource busy|resource temporarily unavailable)",
    r"(unmount|removing|mounting|deleting)\S* .*device or resource busy",
    r"text file busy",
    # names and connections, in the words of libc, Go, Python and curl
    r"temporary failure (in name resolution|resolving)",
    r"could(n't| not) resolve (host|proxy)",
    r"server misbehaving|no such host",
    r"connection (timed out|reset by peer)|connection was reset",
    r"network is unreachable|no route to host",
    r"i/o timeout|tls handshake timeout|handshake failure.*timed out",
    r"context deadline exceeded|client\.timeout exceeded",
    r"operation timed out|operation too slow|read timed out|readtimeouterror",
    r"unexpected eof|ssl_error_syscall|gnutls.*(recv|handshake).*(terminated|error)",
    r"http2: (server sent goaway|client connection lost)",
    # servers that are overloaded or being restarted
    r"(http(/[12](\.[01])?)?|status( code)?|error|response)\W{0,3}(429|50[0234])\b",
    r"\b50[0-9] (internal server error|bad gateway|service unavailable|gateway time)",
    r"429 too many requests|toomanyrequests|service temporarily unavailable",
    # mirrors in the middle of an update
    r"hash sum mismatch|mirror sync in progress",
    r"cannot download repomd\.xml|all mirrors were (already )?tried",
    r"failed to (download metadata for repo|synchronize cache for repo)",
    r"curl error \((5|6|7|16|18|28|35|52|55|56|92)\)",
    r"(e: )?failed to fetch .*(timed out|unable to connect|connection failed)",
    r"eai_again|econnreset|etimedout|npm err! network",
)
_TRANSIENT = "|".join(_TRANSIENT_WORDS)
"""Compiled where a build has failed: few builds do, and it takes longer than the rest here."""
_UNTIDY = re.compile(
    r"^--> ?[0-9a-f]*\n(\s|\[Warning\].*)*Error: layer not known\s*\Z", re.MULTILINE
)
_KILLED = re.compile(
    r"signal: killed|exit status 137|out of memory|cannot allocate memory", re.IGNORECASE
)

_SILENT = re.compile(r": RUN .* failed: exit status \d+\Z")
_LAST_WORDS = "it printed nothing, or buildah lost its last words: build it again to see"
"""Buildah (1.28 at least) does not wait for its copying of what a RUN printed under isolation
chroot, so on a crowded machine the words of a program that ends at once are lost now and then."""


def failure_of(log: IO[bytes], start: int, *, doing: str, component: str = "") -> OkdPayloadError:
    """The error for what ``log`` says from offset ``start`` on."""
    text = _INTERNALS.sub("", _WORKSPACE.sub("the source", read_tail(log, start)))
    lines = text.splitlines()
    telling = "\n".join(lines[-_TELLING_LINES:])
    message = f"cannot {doing}: {_reason(lines)}"
    if _DISK_FULL.search(telling):
        return StorageError(
            f"{message}: the disk is full",
            hint="free some space and run the same command again",
        )
    log_hint = f"`okd-payload logs {component}` shows everything" if component else ""
    if re.search(_TRANSIENT, telling, re.IGNORECASE):
        return TransientBuildError(message, hint=log_hint)
    if _SILENT.search(message):
        log_hint = f"{_LAST_WORDS}; {log_hint}"
    elif _KILLED.search(telling):
        log_hint = f"it may have run out of memory: run fewer jobs at once; {log_hint}"
    return BuildError(message, hint=log_hint)


def only_tidying_failed(log: IO[bytes], start: int) -> bool:
    """Whether the image is complete, and only the image of a stage could not be removed.

    So every build ends whose last stage stands on another stage: when buildah (1.28 to 1.39)
    removes the other's image it does not look for the layers below in the parents' storage.
    """
    return _UNTIDY.search(read_tail(log, start)) is not None


def read_tail(log: IO[bytes], start: int) -> str:
    """The last part of what was written to ``log`` after offset ``start``, as plain text."""
    end = log.seek(0, 2)
    log.seek(max(start, end - _TAIL_BYTES))
    text = log.read().decode(errors="replace")
    log.seek(0, 2)
    return clean_text(text)


def _reason(lines: list[str]) -> str:
    """The failing instruction and the lines before it, or simply the last lines."""
    said = [line for line in lines if line.strip()]
    for number in range(len(said) - 1, -1, -1):
        if not said[number].startswith(("Error: ", "error ")):
            continue
        matched = _STEP.search("\n".join(said[number:]))
        before = _shown(said[:number])
        if matched is None:
            return "\n".join([said[number].removeprefix("Error: "), *before])
        instruction = " ".join(matched["step"].split())
        return "\n".join([f"{instruction} failed: {matched['reason'].strip()}", *before])
    return "\n".join(_shown(said)) or "it printed nothing"


def _shown(lines: list[str]) -> list[str]:
    """The last lines that the instruction itself printed."""
    own: list[str] = []
    for line in reversed(lines):
        if len(own) == _SHOWN_LINES or re.match(r"(\[\d+/\d+\] )?STEP \d+/\d+: ", line):
            break
        if not line.startswith(("subprocess exited with status", 'time="')):
            own.append(f"  {line}")
    return own[::-1]
