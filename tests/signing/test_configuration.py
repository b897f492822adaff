# SPDX-License-Identifier: Apache-2.0
"""What a payload's ConfigMap says about keys and stores."""

from __future__ import annotations

import base64

import pytest

from okd_payload.signing.config_map import ConfigMap, decode_config_map
from okd_payload.signing.configuration import (
    ANNOTATION,
    UnusableConfiguration,
    find_configuration,
    load_configuration,
    split_store_address,
)
from okd_payload.testing.memory_signer import MemorySigner


@pytest.fixture(scope="module")
def key():
    """A public key, armoured."""
    return MemorySigner().public_key.decode()


def config_map(**data):
    """An annotated ConfigMap with these entries."""
    return ConfigMap(
        namespace="ns",
        name="keys",
        annotations={ANNOTATION: ""},
        data={name.replace("_", "-"): text for name, text in data.items()},
    )


def test_entries_are_told_apart(key):
    """Keys and stores go by their prefixes, everything else is ignored."""
    loaded = load_configuration(
        config_map(
            verifier_public_key_b=key,
            verifier_public_key_=key,
            store_x=" https://s.test/a?b=c\n",
            other="",
            Store_y="no",
        )
    )
    assert list(loaded.rings) == ["verifier-public-key-", "verifier-public-key-b"]
    assert loaded.stores == {"store-x": "https://s.test/a?b=c"}
    assert loaded.ignored == ("Store-y", "other")
    assert loaded.source == "the config map ns/keys"


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({}, "did not provide any signature stores to read from"),
        ({"store_a": "https://s.test"}, "did not provide any GPG public keys"),
        ({"verifier_public_key_a": "x"}, 'has an invalid key "verifier-public-key-a" that must be'),
        ({"store_a": "oci://s.test"}, 'has an invalid key "store-a": must be a valid URL'),
    ],
)
def test_unusable_configurations(entries, expected):
    """A ConfigMap that lacks something or is wrong is told in the words of the cluster."""
    with pytest.raises(UnusableConfiguration, match=f"the config map ns/keys {expected}"):
        load_configuration(config_map(**entries))


def test_the_first_annotated_one_decides(key):
    """Unannotated ones are passed over, and a bad first one is not made good by a second."""
    good = config_map(verifier_public_key_a=key, store_a="https://s.test")
    assert find_configuration([ConfigMap(data=good.data), good]) == load_configuration(good)
    assert find_configuration([ConfigMap(data=good.data)]) is None
    with pytest.raises(UnusableConfiguration):
        find_configuration([config_map(), good])


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("https://host", True),
        ("HTTP://host:8080/p%20q?x#y", True),
        ("https://host:/p", True),
        ("https://host:99999/p", True),
        ("https://user:word@host/p", True),
        ("https://[::1]:80/p", True),
        ("file:///folder", True),
        ("https://host:port/p", False),
        ("https://a:b:c/p", False),
        ("https://[::1/p", False),
        ("https://ho st/p", False),
        ("https://host/%zz", False),
        ("https://host/a\x7f", False),
        ("https://host/a\nb", False),
        ("ftp://host/p", False),
        ("host/p", False),
        ("", False),
    ],
)
def test_addresses_of_stores(address, taken):
    """What Go takes for an address of http, https or file is one."""
    assert (split_store_address(address) is not None) == taken


def test_config_maps_are_decoded():
    """The parts that matter are there, null is nothing, unknown fields do no harm."""
    value = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "n", "namespace": "s", "labels": {"l": None}, "annotations": None},
        "data": {"a": "b"},
        "binaryData": {"c": base64.b64encode(b"\x00").decode() + "\n"},
        "immutable": True,
    }
    assert decode_config_map(value) == ConfigMap(
        namespace="s", name="n", labels={"l": ""}, data={"a": "b"}, binary_data={"c": b"\x00"}
    )


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "Secret"},
        {"apiVersion": "v2"},
        {"data": {"a": 1}},
        {"data": []},
        {"binaryData": {"a": "no base64"}},
        {"binaryData": {"a": 5}},
        {"binaryData": {"a": "AAA=="}},
        {"immutable": "yes"},
        {"metadata": {"finalizers": ["a", 1]}},
        {"metadata": {"uid": 7}},
        {"metadata": "n"},
        {"metadata": {"labels": {"a": True}}},
        {"metadata": {"name": 5}},
    ],
)
def test_config_maps_that_cannot_be_decoded(change):
    """One value of another type, and there is no ConfigMap."""
    assert decode_config_map({"apiVersion": "v1", "kind": "ConfigMap"} | change) is None
