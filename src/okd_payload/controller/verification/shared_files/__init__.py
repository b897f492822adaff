# SPDX-License-Identifier: Apache-2.0
"""Logs and artifacts of runs where every instance can show them: in the database they share.

The folder of a run is on the disk of the instance that carries it out. Whoever asks another one
wants to see the same, and so does everybody once that disk is gone: disks of pods go with them.
"""

from okd_payload.controller.verification.shared_files.fetching import fetch_files
from okd_payload.controller.verification.shared_files.sharing import FileSharing, share_files

__all__ = ["FileSharing", "fetch_files", "share_files"]
