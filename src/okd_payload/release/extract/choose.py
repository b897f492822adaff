# SPDX-License-Identifier: Apache-2.0
"""From what was asked for to the selection of objects that it means."""

from __future__ import annotations

from pathlib import Path

from okd_payload.errors import InputError
from okd_payload.release.extract.install_config import read_install_config, settings_for
from okd_payload.release.extract.selection import Selection, check_cloud
from okd_payload.release.load import Release


def choose_selection(
    release: Release,
    *,
    credentials_requests: bool,
    cloud: str,
    install_config: Path | None,
) -> Selection:
    """What is wanted of ``release``; with ``install_config``, for the cluster that it describes.

    Raises InputError, also when the cloud is not that of the cluster, and InvalidDocument.
    """
    wanted = check_cloud(cloud) if cloud else None
    if install_config is None:
        return Selection(credentials_requests=credentials_requests, cloud=wanted)
    config = read_install_config(install_config)
    if wanted is not None and wanted != config.platform:
        raise InputError(
            f'--cloud "{cloud}" set, but {install_config} has "{config.platform}"',
            hint="leave --cloud away: the file says which cloud is meant",
        )
    return Selection(
        credentials_requests=credentials_requests,
        cloud=config.platform,
        cluster=settings_for(config, release.content, version=release.name),
    )
