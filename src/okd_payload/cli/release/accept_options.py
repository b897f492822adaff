# SPDX-License-Identifier: Apache-2.0
"""What ``release accept`` may be told: about the cluster, the request, and where to look."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from okd_payload.cli.option_groups import option_group
from okd_payload.cli.release.options import split_commas
from okd_payload.errors import InputError, UnknownName
from okd_payload.release.accept.model import ClusterChoice
from okd_payload.release.cluster.capabilities import TABLES, CapabilityChoice
from okd_payload.release.cluster.settings import DEFAULT_PROFILE, FEATURE_SETS


class StoreChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Where the cluster looks for signatures, besides what its release says."""

    stores: tuple[str, ...] = ()
    only_these: bool = False


accept_options = option_group(
    click.option(
        "--profile",
        default=DEFAULT_PROFILE,
        show_default=True,
        help="The profile of the cluster.",
    ),
    click.option(
        "--feature-set", default="", metavar="SET", help="The feature set of the cluster."
    ),
    click.option(
        "--feature-gate",
        "gates",
        multiple=True,
        metavar="GATE",
        help="An enabled feature gate; by default those that OLD enables for the set.",
    ),
    click.option(
        "--baseline-capability-set",
        "baseline",
        default="",
        metavar="SET",
        help="The capabilities that the cluster began with; by default all.",
    ),
    click.option(
        "--capability",
        "capabilities",
        multiple=True,
        metavar="NAME",
        help="A capability that the cluster has besides.",
    ),
    click.option(
        "--exclude-identifier",
        default="",
        metavar="NAME",
        help="Leave out what is marked as not for clusters of this name.",
    ),
    click.option(
        "--signature-store",
        "stores",
        multiple=True,
        metavar="DIR_OR_URL_OR_FILE",
        help="Look for signatures here first; a file holds ConfigMaps.",
    ),
    click.option(
        "--signature-stores-only",
        is_flag=True,
        help="Ask none of the stores that OLD names, as with spec.signatureStores.",
    ),
    click.option(
        "--allow-explicit-upgrade",
        is_flag=True,
        help="NEW need not be one of the updates on offer.",
    ),
    click.option("--force", is_flag=True, help="Override what an administrator can force."),
    click.option("--skip-images", is_flag=True, help="Do not look up the images of NEW."),
)
"""The options of the command, but for those about finding releases and about registries."""


def take_cluster(options: dict[str, Any]) -> ClusterChoice:
    """Take what says how the cluster is out of ``options``. Raises UnknownName."""
    feature_set, baseline = options.pop("feature_set"), options.pop("baseline")
    if feature_set and feature_set not in FEATURE_SETS:
        raise UnknownName("feature set", feature_set, known=FEATURE_SETS)
    if baseline and baseline not in TABLES.sets:
        raise UnknownName("capability set", baseline, known=TABLES.sets)
    gates = split_commas(options.pop("gates"))
    return ClusterChoice(
        profile=options.pop("profile"),
        feature_set=feature_set,
        gates=frozenset(gates) if gates else None,
        capabilities=CapabilityChoice(
            baseline=baseline, additional=frozenset(split_commas(options.pop("capabilities")))
        ),
        exclude_identifier=options.pop("exclude_identifier"),
    )


def take_stores(options: dict[str, Any]) -> StoreChoice:
    """Take what says where signatures are out of ``options``. Raises InputError."""
    choice = StoreChoice(
        stores=options.pop("stores"), only_these=options.pop("signature_stores_only")
    )
    if choice.only_these and not choice.stores:
        raise InputError("--signature-stores-only goes with --signature-store")
    return choice
