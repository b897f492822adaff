# SPDX-License-Identifier: Apache-2.0
"""Files that a run prints into its log, because nobody may look into a pod that has ended.

``ARTIFACT_DIR`` is the folder that test jobs know. What is in it when the job ends is packed, and
printed as one block between two lines that say so; whoever reads the log takes the block out and
keeps the files. That needs ``tar`` and ``base64`` in the image, and neither a volume, nor a way
from the pod to the controller, nor a secret in the pod.

Blocks are foreign: they are bounded in every direction, only plain files are taken, and an
archive with a name that leads elsewhere is refused as a whole. A log without a block is a log.
"""

from __future__ import annotations

import binascii
import re
import tempfile
from pathlib import Path

import msgspec

from okd_payload.controller.verification.endings import clean_words
from okd_payload.controller.verification.run_files import (
    ARTIFACTS,
    MAX_ARTIFACTS,
    list_artifacts,
)
from okd_payload.errors import ContentError, StorageError
from okd_payload.oci.layers.bounds import Bounds
from okd_payload.oci.layers.destination import Destination
from okd_payload.oci.layers.entry import Entry, EntryKind, rooted_path
from okd_payload.oci.layers.scan import LayerScan
from okd_payload.oci.layers.staging import StagingVisitor

MAX_PRINTED = 4 * 1024 * 1024
"""Of an archive that is printed: more, and the kubelet may cut the log in the middle of it."""
_KIB = MAX_PRINTED // 1024
BEGIN, END = "-----BEGIN OKD-PAYLOAD ARTIFACTS-----", "-----END OKD-PAYLOAD ARTIFACTS-----"
PRINT_SCRIPT = f"""\
cd "${{ARTIFACT_DIR:-/artifacts}}" && [ -n "$(ls -A)" ] && {{
  packed=${{TMPDIR:-/tmp}}/okd-payload-artifacts
  pack() {{ tar -czf "$packed" -C "$1" . && [ "$(du -k "$packed" | cut -f 1)" -le {_KIB} ]; }}
  results() {{
    echo "[artifacts are too many: only results of tests are kept]"
    find . -name '*.xml' -type f | while read -r file; do
      mkdir -p "$packed.d/$(dirname "$file")" && cp "$file" "$packed.d/$file"
    done
    pack "$packed.d"
  }}
  {{ pack . || results; }} && {{
    echo; echo "{BEGIN}"
    base64 <"$packed"
    echo "{END}"
  }} || echo "[artifacts cannot be kept]"
}}
"""
"""What prints the folder; results of tests alone where all of it is too much."""

_MARK = re.compile(
    rb"^(?:(?P<begin>%b)\r?\n|%b\r?$\n?)" % (BEGIN.encode(), END.encode()), re.MULTILINE
)
"""Only the lines: a pattern of whole blocks takes for ever on a log with many that do not end."""
_MOST_KEPT = 256 * 1024 * 1024
"""Bytes of all files of one run, whatever its containers print."""
_BOUNDS = Bounds(
    expanded_bytes=128 * 1024 * 1024,
    expansion=200,
    expansion_free=16 * 1024 * 1024,
    entries=10_000,
    name_bytes=512,
    header_bytes=64 * 1024,
)


def take_artifacts(log: bytes, folder: Path) -> bytes:
    """Keep the files that ``log`` has blocks of among the artifacts of the run in ``folder``.

    Returns the log with a line in place of each block. Raises StorageError.
    """
    kept: list[bytes] = []
    position, begin = 0, None
    for mark in _MARK.finditer(log):
        if begin is None:
            begin = mark if mark["begin"] else None
        elif not mark["begin"]:
            told = _tell(log[begin.end() : mark.start()], folder)
            kept += [log[position : begin.start()], f"[{told}]\n".encode()]
            position, begin = mark.end(), None
    return b"".join([*kept, log[position:]])


def _tell(content: bytes, folder: Path) -> str:
    """Keep the files of a block, and say what became of them. Raises StorageError."""
    try:
        return _keep(content, folder)
    except ContentError as error:
        return f"artifacts are refused: {clean_words(error.message)}"
    except IsADirectoryError:
        return "artifacts are refused: a file has the name of a folder"
    except OSError as error:
        raise StorageError(
            f"cannot keep artifacts in {folder}: {error.strerror}",
            hint="make room in the state folder",
        ) from error


def _keep(content: bytes, folder: Path) -> str:
    """Put the files of a block where artifacts belong, and say how many these are.

    Raises ContentError, OSError.
    """
    try:
        packed = binascii.a2b_base64(content)
    except binascii.Error as error:
        raise ContentError("the block is damaged: something else printed into it") from error
    folder.mkdir(parents=True, exist_ok=True)
    there = [(folder / name).stat().st_size for name in list_artifacts(folder)]
    bounds = msgspec.structs.replace(
        _BOUNDS, expanded_bytes=min(_BOUNDS.expanded_bytes, _MOST_KEPT - sum(there))
    )
    if len(there) >= MAX_ARTIFACTS or bounds.expanded_bytes <= 0:
        raise ContentError("there are as many as are kept of one run")
    with tempfile.TemporaryDirectory(prefix=".artifacts-", dir=folder) as staging:
        reader = _Reader(Path(staging), room=MAX_ARTIFACTS - len(there))
        try:
            scan = LayerScan(reader, bounds=bounds)
            scan.feed(packed)
            scan.finish()
        finally:
            reader.close()
        target = folder / ARTIFACTS
        target.mkdir(exist_ok=True)
        with Destination(target, ".") as destination:
            for path, (file, mtime_ns) in reader.files.items():
                destination.place_file(path, file, mode=0o644, mtime_ns=mtime_ns)
    words = f"artifacts kept: {len(reader.files)}"
    return f"{words}, left out: {reader.left_out}" if reader.left_out else words


class _Reader(StagingVisitor):
    """A visitor that writes the plain files of an archive, as many as are kept."""

    def __init__(self, staging: Path, *, room: int) -> None:
        """``room`` is how many files are kept."""
        super().__init__()
        self.files: dict[str, tuple[Path, int]] = {}
        """By path: where the content is, and its time."""
        self.left_out = 0
        """How many files there are beyond the bound."""
        self._staging = staging
        self._room = room

    def enter(self, entry: Entry) -> bool:
        path = rooted_path(entry.name)
        if entry.kind is not EntryKind.FILE or not path or not path.isprintable():
            return False
        if len(self.files) >= self._room:
            self.left_out += 1
            return False
        file = self._staging / str(entry.position)
        self.files[path] = file, entry.mtime_ns
        self.stage(file)
        return True
