# SPDX-License-Identifier: Apache-2.0
"""The recorded verdicts of the cluster's verifier and loader, through the checks of ``accept``.

Verification ConfigMaps are manifests of the running release, stores are served as they were
recorded, payloads are the update.
"""

from __future__ import annotations

import base64
import collections
import json
import posixpath
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from okd_payload.errors import RegistryUnavailable
from okd_payload.oci.documents import DocumentAnswer
from okd_payload.release.accept.check import Surroundings, check_update
from okd_payload.release.accept.model import ClusterChoice, Outcome, Side, UpdateRequest
from okd_payload.release.accept.objects import check_loading, load_running, load_wanted
from okd_payload.release.accept.signature import check_signature
from okd_payload.release.accept.unpack import read_unpacked
from okd_payload.release.cluster.tree import PayloadFolder, PayloadTree
from okd_payload.signing.digests import digest_of
from okd_payload.signing.stores import CombinedStore, ConfigMapStore, open_stores, read_config_maps
from okd_payload.testing.clock import ManualClock

_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
_SIGNATURES = sorted((_DATA / "signature-vectors" / "cases").glob("*/case.json"))
_PAYLOADS = sorted((_DATA / "payload-vectors" / "cases").glob("*.json"))
_RECORDED = 1_785_000_000
"""When the signatures were judged: July 2026."""
_REFERENCES = json.dumps(
    {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": "4.19.9"},
    }
).encode()
_METADATA = b'{"kind": "cincinnati-metadata-v0", "version": "4.19.9"}'


def _running(manifests, **options):
    files = {"image-references": _REFERENCES, "release-metadata": _METADATA, **manifests}
    tree = PayloadTree(own=PayloadFolder(), release=PayloadFolder(files=files))
    return load_running(Side(name="running", tree=tree), ClusterChoice(**options))


class _Web:
    """The stores of a case, served."""

    def __init__(self, case, folder):
        self._responses = case.get("responses", {})
        self._folders = {
            _place(urlsplit(url)): folder / name for url, name in case["stores"].items()
        }

    async def ask_document(self, url, *, limit):
        address = urlsplit(url)
        store, name = posixpath.split(address.path)
        store, digest = posixpath.split(store)
        status = self._responses.get(name, 200)
        if status < 0:
            raise RegistryUnavailable("connection refused")
        if status != 200:
            return DocumentAnswer(status)
        folder = self._folders.get(_place(address._replace(path=store)))
        path = folder / digest / name if folder else None
        if path is None or not path.is_file():
            return DocumentAnswer(404)
        content = path.read_bytes()
        assert len(content) <= limit
        return DocumentAnswer(200, content)


def _place(address):
    """What must be equal for a request to reach a store."""
    return address.netloc, posixpath.normpath(address.path), address.query


def _causes(texts):
    return collections.Counter(
        text for text in texts if not text.endswith("no more signatures to check")
    )


@pytest.mark.parametrize("path", _SIGNATURES, ids=lambda path: path.parent.name)
async def test_signatures(path):
    """The cluster's verifier and we verify the same updates, and refuse in the same words."""
    case = json.loads(path.read_text())
    root = path.parents[2]
    manifests = {
        f"0000_90_keys_{number}.yaml": (root / name).read_bytes()
        for number, name in enumerate(case["configmaps"])
    }
    in_cluster = None
    if "cluster_configmaps" in case:
        config_maps = [
            item
            for name in case["cluster_configmaps"]
            for item in read_config_maps(path.parent / name)
        ]
        in_cluster = ConfigMapStore(config_maps)
    web = _Web(case, path.parent)
    digest = digest_of(case["reference"]) if "reference" in case else case["digest"]
    check = await check_signature(
        digest,
        _running(manifests).payload,
        lambda keys: open_stores(keys, web, before=in_cluster),
        clock=ManualClock(_RECORDED),
    )
    accepted = check.outcome is Outcome.PASSED
    assert accepted == (case["verdict"] == "accept"), check
    if accepted:
        return
    if case["verdict"] == "load-error":
        assert _head(check.message) == _head(case["error"])
        assert check.reason == ""
        return
    assert check.message == f"The update cannot be verified: {_sorted_names(case['error'])}"
    assert case.get("update_error", check.message) == check.message
    assert check.reason == "ImageVerificationFailed"
    assert _causes(check.causes) == _causes(case.get("causes", ()))


def _head(message):
    """The message up to what the parser of keys says."""
    return message.partition("must be a GPG public key:")[0]


def _sorted_names(message):
    """The message with the entries in order; the cluster names them in a random one."""
    start, colon, names = message.partition("against keyrings: ")
    return start + colon + ", ".join(sorted(names.split(", "))) if colon else message


@pytest.mark.parametrize("path", _PAYLOADS, ids=lambda path: path.stem)
def test_payloads(path, tmp_path):
    """The cluster's loader and we load the same updates, and refuse for the same reason."""
    case = json.loads(path.read_text())
    options = case["options"]
    running = _running(
        {},
        profile=options["profile"],
        feature_set=options["feature_set"],
        exclude_identifier=options["exclude_identifier"],
        gates=frozenset(options["enabled_feature_gates"] or ()),
    )
    _write(case, tmp_path)
    tree = read_unpacked(tmp_path)
    side = Side(name="update", pull_spec=options["release_image"], tree=tree)
    check = check_loading(load_wanted(side, running))
    assert (check.outcome is Outcome.REFUSED) == (case["verdict"] == "error"), check
    assert check.reason == case.get("reason", "")
    if check.reason:
        head = case["error"].partition("error parsing:")[0].replace("$DIR", side.folder)
        assert check.message.startswith(head)


def _write(case, root):
    """Write a payload as it was unpacked."""
    for name in case["dirs"]:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, text in case["files"].items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = text.encode() if isinstance(text, str) else base64.b64decode(text["base64"])
        path.write_bytes(content)
    for name, target in case.get("symlinks", {}).items():
        (root / name).symlink_to(target)


async def test_an_update_from_end_to_end(tmp_path):
    """The shipped example loads, but nobody signed it and nothing leads to it from elsewhere."""
    path = next((path for path in _PAYLOADS if path.stem == "run-level--realistic"), None)
    if path is None:
        pytest.skip("recordings are not at hand")
    _write(json.loads(path.read_text()), tmp_path)
    files = {"image-references": _REFERENCES, "release-metadata": _METADATA}
    old = Side(
        name="old", tree=PayloadTree(own=PayloadFolder(), release=PayloadFolder(files=files))
    )
    new = Side(
        name="new", pull_spec="q.test/r@sha256:1", digest="sha256:1", tree=read_unpacked(tmp_path)
    )
    acceptance = await check_update(
        old,
        new,
        cluster=ClusterChoice(),
        request=UpdateRequest(),
        around=Surroundings(open_stores=lambda _: CombinedStore([]), clock=ManualClock(_RECORDED)),
    )
    assert not acceptance.accepted
    assert {check.name: check.outcome.value for check in acceptance.checks} == {
        "digest": "passed",
        "signature": "refused",
        "retrieval": "passed",
        "payload": "passed",
        "edge": "passed",
        "version": "passed",
        "architecture": "passed",
        "objects": "noted",  # it brings no keys
        "images": "not-done",
    }
