# SPDX-License-Identifier: Apache-2.0
"""What a kubeconfig says of a cluster beyond what lightkube reads: a proxy, and a server's name.

Only imported together with lightkube, which takes a while.
"""

from __future__ import annotations

import msgspec
from lightkube.config.models import Cluster


class ClusterEntry(Cluster):
    """An entry below ``clusters``."""

    proxy_url: str | None = msgspec.field(name="proxy-url", default=None)
    tls_server_name: str | None = msgspec.field(name="tls-server-name", default=None)
