# SPDX-License-Identifier: Apache-2.0
"""Which cluster is meant: by the files, variables and accounts that kubectl and oc go by.

The file that was named, else the first of ``KUBECONFIG`` that knows the context, else
``~/.kube/config``; where there is none of them, the service account of the pod we run in.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import yaml

from okd_payload.errors import InputError

if TYPE_CHECKING:
    from lightkube.config.kubeconfig import KubeConfig, SingleConfig

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_HINT = "name a kubeconfig with --kubeconfig or KUBECONFIG, and a context in it with --context"


def find_cluster(
    kubeconfig: Path | None = None, context: str = "", *, account: Path = _SERVICE_ACCOUNT
) -> SingleConfig:
    """How to reach the cluster. Raises InputError when nobody says which, or says it wrongly.

    ``account`` is the folder with the service account of a pod.
    """
    from lightkube.config.kubeconfig import KubeConfig
    from lightkube.exceptions import ConfigError

    trouble = ""
    for path in _files(kubeconfig):
        try:
            found = _read(path).get(context or None)
        except ConfigError as error:
            trouble = trouble or f"{path}: {error}"
        else:
            if found is not None:
                return found
    if not trouble:
        with contextlib.suppress(ConfigError, KeyError):  # we run in no pod
            found = KubeConfig.from_service_account(account).get()
            if found is not None:
                return found
    raise InputError(trouble or "no cluster is known here", hint=_HINT)


def _files(kubeconfig: Path | None) -> list[Path]:
    if kubeconfig is not None:
        return [kubeconfig]
    listed = [Path(text) for text in os.environ.get("KUBECONFIG", "").split(os.pathsep) if text]
    candidates = listed or [Path.home() / ".kube" / "config"]
    return [path for path in candidates if path.is_file()]


def _read(path: Path) -> KubeConfig:
    from lightkube.config.kubeconfig import KubeConfig

    from okd_payload.cluster.entries import ClusterEntry

    try:
        document = yaml.safe_load(path.read_text())
        if not isinstance(document, dict):
            kind = "empty" if document is None else "no mapping"
            raise InputError(f"{path} is no kubeconfig: it is {kind}", hint=_HINT)
        config = KubeConfig.from_dict(document, fname=path)
        for entry in document["clusters"]:
            config.clusters[entry["name"]] = msgspec.convert(entry["cluster"], ClusterEntry)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}", hint=_HINT) from error
    except KeyError as error:
        raise InputError(f"{path} is no kubeconfig: it has no {error}", hint=_HINT) from error
    except (
        *(yaml.YAMLError, msgspec.ValidationError),
        *(UnicodeDecodeError, TypeError, AttributeError),
    ) as error:
        raise InputError(f"{path} is no kubeconfig: {error}", hint=_HINT) from error
    return config
