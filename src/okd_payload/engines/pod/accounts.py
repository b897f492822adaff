# SPDX-License-Identifier: Apache-2.0
"""The service accounts of a namespace in which streams are built, and what each may do.

One for each trust: a pod that runs the Dockerfiles of others has no right at all, and what
holds rights runs no code of others. ``deploy`` makes them; whatever is rendered names them.
"""

from __future__ import annotations

import msgspec

BUILDER = "okd-payload-builder"
COORDINATOR = "okd-payload-coordinator"
LISTENER = "okd-payload-listener"
PULL_REQUEST = "okd-payload-pull-request"
DEPLOYER = "okd-payload-deployer"

REGISTRY_CREDENTIALS = "registry-credentials"
"""The Secret with the credentials for registries, of the type kubernetes.io/dockerconfigjson."""
WEBHOOK_SECRET = "webhook-secret"  # noqa: S105 - the name of the Secret, not what is in it
"""The Secret by whose text events of forges are told from forgeries."""
WEBHOOK_SECRET_KEY = "token"  # noqa: S105 - the name of the entry


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A service account, and why it is one of its own."""

    name: str
    purpose: str
    uses_api: bool = False
    """Whether its pods get a token for the API of the cluster."""


ACCOUNTS = (
    Account(
        name=BUILDER,
        purpose="builds components, assembles and pushes releases; has no right in the cluster",
    ),
    Account(
        name=COORDINATOR,
        purpose="plans, starts runs and follows them; builds nothing itself",
        uses_api=True,
    ),
)
"""What every namespace has."""
LISTENER_ACCOUNT = Account(
    name=LISTENER,
    purpose="receives events of forges and creates runs; reads no Secret",
    uses_api=True,
)
PULL_REQUEST_ACCOUNT = Account(
    name=PULL_REQUEST,
    purpose="builds what strangers propose: no right, no Secret, no credentials",
)
DEPLOYER_ACCOUNT = Account(
    name=DEPLOYER,
    purpose="brings the namespace in line with the stream's repository",
    uses_api=True,
)
