# SPDX-License-Identifier: Apache-2.0
"""Whether released archives are those that ``sha256sum.txt`` lists, and who signed the list.

The folder is what ``extract --tools`` writes and what mirrors of archives serve. Signatures of
the list are ``sha256sum.txt.asc`` or ``.sig`` (beside it) and ``sha256sum.txt.gpg`` (a message
that repeats it, as some mirrors have it).
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from okd_payload.errors import StorageError
from okd_payload.issues import Issue
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.verify import codes
from okd_payload.signing.detached import (
    MAX_SIGNATURE_BYTES,
    DetachedVerdict,
    verify_detached,
    verify_message,
)

if TYPE_CHECKING:
    from pysequoia import Cert

CHECKSUMS = "sha256sum.txt"
_MAX_CHECKSUMS_BYTES = 1024 * 1024
_SIGNATURES = {".asc": verify_detached, ".sig": verify_detached, ".gpg": verify_message}
_LINE = re.compile(r"(?P<sum>[0-9a-fA-F]{64}) [ *](?P<name>[^/\\\0]+)")
_AT_ONCE = 4


class VerifiedArtifacts(msgspec.Struct, frozen=True, kw_only=True):
    """How many files were compared, who signed their list, and what was wrong."""

    files: int = 0
    signers: tuple[str, ...] = ()
    """Fingerprints of the trusted keys that signed the list."""
    issues: tuple[Issue, ...] = ()


async def verify_artifacts(folder: Path, keys: Sequence[Cert]) -> VerifiedArtifacts:
    """Compare the files in ``folder`` with their list; without ``keys`` nobody is asked for.

    Raises StorageError when the folder or a file cannot be read.
    """
    present, content, signatures = _read_folder(folder)
    if content is None:
        return VerifiedArtifacts(issues=(_unusable(folder, "is absent, or far too large"),))
    try:
        listed = parse_checksums(content)
    except ValueError as error:
        return VerifiedArtifacts(issues=(_unusable(folder, str(error)),))
    sums = await map_concurrently(
        lambda name: asyncio.to_thread(_hash, folder / name),
        sorted(listed.keys() & present),
        at_once=_AT_ONCE,
    )
    found = dict(zip(sorted(listed.keys() & present), sums, strict=True))
    own = {CHECKSUMS, *(f"{CHECKSUMS}{suffix}" for suffix in _SIGNATURES)}
    verdicts = _judge(content, signatures, keys)
    return VerifiedArtifacts(
        files=len(found),
        signers=tuple(sorted({item.signer for item in verdicts.values() if item.signer})),
        issues=(
            *_compare(listed, found),
            *(
                codes.UNLISTED_FILE.issue(f"{name} is not in {CHECKSUMS}", file=name)
                for name in sorted(present - listed.keys() - own)
            ),
            *(_check_signatures(verdicts) if keys else ()),
        ),
    )


def _read_folder(folder: Path) -> tuple[set[str], bytes | None, dict[str, bytes]]:
    """The names of the files in ``folder``, their list, and its signatures by suffix."""
    try:
        present = {path.name for path in folder.iterdir() if path.is_file()}
        content = _read_bounded(folder / CHECKSUMS, _MAX_CHECKSUMS_BYTES)
        found = {
            suffix: _read_bounded(folder / f"{CHECKSUMS}{suffix}", MAX_SIGNATURE_BYTES)
            for suffix in _SIGNATURES
        }
    except OSError as error:
        raise StorageError(
            f"cannot read {folder}: {error.strerror}", hint="check who may read it"
        ) from error
    signatures = {suffix: signature for suffix, signature in found.items() if signature}
    return present, content, signatures


def parse_checksums(content: bytes) -> dict[str, str]:
    """The checksums by file name. Raises ValueError, which says what is wrong."""
    sums: dict[str, str] = {}
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError:
        raise ValueError("is no text") from None
    for number, line in enumerate(lines, start=1):
        matched = _LINE.fullmatch(line)
        if matched is None or matched["name"] in (".", ".."):
            raise ValueError(f"line {number} is no checksum of a file in the same folder")
        if sums.setdefault(matched["name"], matched["sum"].lower()) != matched["sum"].lower():
            raise ValueError(f"line {number} gives {matched['name']} another checksum")
    if not sums:
        raise ValueError("lists nothing")
    return sums


def _compare(listed: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Issue]:
    for name, checksum in sorted(listed.items()):
        if name not in found:
            yield codes.ABSENT_ARCHIVE.issue(
                f"{name} is in {CHECKSUMS}, and not in the folder",
                file=name,
                hint="copy all that `okd-payload release extract --tools` wrote",
            )
        elif found[name] != checksum:
            yield codes.CHECKSUM_DIFFERS.issue(
                f"{name} has the checksum {found[name]}, and {checksum} in {CHECKSUMS}",
                file=name,
                hint="do not use it: fetch or extract it again",
            )


def _judge(
    content: bytes, signatures: Mapping[str, bytes], keys: Sequence[Cert]
) -> dict[str, DetachedVerdict]:
    return {
        f"{CHECKSUMS}{suffix}": _SIGNATURES[suffix](content, signature, keys)
        for suffix, signature in signatures.items()
    }


def _check_signatures(verdicts: Mapping[str, DetachedVerdict]) -> Iterator[Issue]:
    if any(verdict.signer for verdict in verdicts.values()):
        return
    problems = [f"{name}: {verdict.problem}" for name, verdict in verdicts.items()]
    yield codes.UNSIGNED_CHECKSUMS.issue(
        "; ".join(problems) or f"{CHECKSUMS} has no signature beside it",
        file=CHECKSUMS,
        hint="`okd-payload release extract --tools --signing-key FILE` signs it",
    )


def _unusable(folder: Path, problem: str) -> Issue:
    return codes.UNUSABLE_CHECKSUMS.issue(
        f"{folder / CHECKSUMS} {problem}",
        file=CHECKSUMS,
        hint="`okd-payload release extract --tools` writes it",
    )


def _read_bounded(path: Path, limit: int) -> bytes | None:
    """The content, None when it is absent or larger than ``limit``. Raises OSError."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except FileNotFoundError:
        return None
    return content if len(content) <= limit else None


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(
            f"cannot read {path}: {error.strerror}", hint="check who may read it"
        ) from error
