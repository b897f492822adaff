# SPDX-License-Identifier: Apache-2.0
"""The pods of Jobs that make payloads: which image they run, and with which credentials.

The controller knows what a pod is to do, the engines how pods run the tool; here is where the two
meet. Registries that this server speaks to without TLS are spoken to so by pods, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from okd_payload.cli.option_groups import option_group
from okd_payload.cli.pod_options import (
    credentials_option,
    image_option,
    service_account_option,
    trust_option,
)

if TYPE_CHECKING:
    from okd_payload.controller.creation.jobs.description import DescribePod


class JobPods(msgspec.Struct, frozen=True, kw_only=True):
    """How pods of Jobs run the tool; the options of ``job_options``."""

    image: str = ""
    credentials: str = ""
    trust: str = ""
    service_account: str = ""
    plain_http: tuple[str, ...] = ()


job_options = option_group(image_option, service_account_option, credentials_option(), trust_option)
"""The options of a command that may make Jobs; see ``take_job_pods``."""


def take_job_pods(options: dict[str, Any], *, plain_http: Iterable[str]) -> JobPods:
    """Take what belongs to ``JobPods`` out of ``options``; hosts come from those of registries."""
    names = [name for name in JobPods.__struct_fields__ if name != "plain_http"]
    found = {name: options.pop(name) for name in names}
    return JobPods(plain_http=tuple(sorted(plain_http)), **found)


def describe_pods(pods: JobPods) -> DescribePod:
    """What describes the pod of a Job. Raises InvalidReference for what is no image."""
    from okd_payload.engines.pod.image import choose_image
    from okd_payload.engines.pod.plain import plain_pod_spec
    from okd_payload.engines.pod.tool import ToolSettings

    settings = ToolSettings(
        image=choose_image(pods.image),
        credentials=pods.credentials,
        trust=pods.trust,
        plain_http=pods.plain_http,
    )

    def describe(arguments: tuple[str, ...]) -> msgspec.Raw:
        spec = plain_pod_spec(arguments, settings, service_account=pods.service_account)
        return msgspec.Raw(msgspec.json.encode(spec))

    return describe
