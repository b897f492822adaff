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
from typing import IO

from okd_payload.controller.verification.endings import clean_words
from okd_payload.controller.verification.run_files import ARTIFACTS, MAX_ARTIFACTS
from okd_payload.errors import ContentError, StorageError
from okd_payload.oci.layers.bounds import Bounds
from okd_payload.oci.layers.destination import Destination
from okd_payload.oci.layers.entry import Entry, EntryKind, rooted_path
from okd_payload.oci.layers.scan import LayerScan

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

_BLOCK = re.compile(
    rb"^%b\r?\n(?P<content>.*?)^%b\r?$\n?" % (BEGIN.encode(), END.encode()),
    re.MULTILINE | re.DOTALL,
)
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

    def keep(found: re.Match[bytes]) -> bytes:
        try:
            told = _keep(found["content"], folder)
        except ContentError as error:
            told = f"artifacts are refused: {clean_words(error.message)}"
        except OSError as error:
            raise StorageError(
                f"cannot keep artifacts in {folder}: {error.strerror}",
                hint="make room in the state folder",
            ) from error
        return f"[{told}]\n".encode()

    return _BLOCK.sub(keep, log)


def _keep(content: bytes, folder: Path) -> str:
    """Put the files of a block where artifacts belong, and say how many these are.

    Raises ContentError, OSError.
    """
    try:
        packed = binascii.a2b_base64(content)
    except binascii.Error as error:
        raise ContentError("the block is damaged: something else printed into it") from error
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".artifacts-", dir=folder) as staging:
        reader = _Reader(Path(staging))
        try:
            scan = LayerScan(reader, bounds=_BOUNDS)
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


class _Reader:
    """A visitor that writes the plain files of an archive, as many as are kept."""

    def __init__(self, staging: Path) -> None:
        self.files: dict[str, tuple[Path, int]] = {}
        """By path: where the content is, and its time."""
        self.left_out = 0
        """How many files there are beyond the bound."""
        self._staging = staging
        self._file: IO[bytes] | None = None

    def enter(self, entry: Entry) -> bool:
        path = rooted_path(entry.name)
        if entry.kind is not EntryKind.FILE or not path.isprintable():
            return False
        if len(self.files) >= MAX_ARTIFACTS:
            self.left_out += 1
            return False
        file = self._staging / str(entry.position)
        self.files[path] = file, entry.mtime_ns
        self._file = file.open("xb")
        return True

    def take(self, content: memoryview) -> None:
        if self._file is not None:
            self._file.write(content)

    def leave(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the file that is being written."""
        if self._file is not None:
            self._file.close()
            self._file = None
