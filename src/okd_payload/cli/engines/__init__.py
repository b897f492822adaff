# SPDX-License-Identifier: Apache-2.0
"""The engines that ``build`` can use, by name; each is loaded when it is asked for.

A module here opens one engine: it has ``open_engine``, an asynchronous context manager that
takes an ``EngineRequest`` and gives an ``Engine``. Whatever the engine needs (a cluster, rights,
a snapshot of local sources) is looked for when it is opened, before anything is built.
"""

from __future__ import annotations

LOCAL_ENGINE = "buildah"
DETACHING_ENGINE = "tekton"
"""The one whose builds go on when this program is gone: its plan is carried out by a pod, too."""
ENGINES = {
    LOCAL_ENGINE: "okd_payload.cli.engines.buildah",
    "tekton": "okd_payload.cli.engines.tekton",
    "shipwright": "okd_payload.cli.engines.shipwright",
    "openshift": "okd_payload.cli.engines.openshift",
}
"""Where each engine is opened."""
