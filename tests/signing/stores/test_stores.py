# SPDX-License-Identifier: Apache-2.0
"""Stores of signatures: all kinds look the same to those who search them."""

from __future__ import annotations

import base64
import json

import pytest

from okd_payload.errors import InputError, InvalidDocument, InvalidReference, RegistryUnavailable
from okd_payload.oci.documents import DocumentAnswer
from okd_payload.signing.config_map import ConfigMap
from okd_payload.signing.stores import (
    CombinedStore,
    ConfigMapStore,
    DirectoryStore,
    FoundSignature,
    SearchProblem,
    WebStore,
    open_store,
    read_config_maps,
    read_signatures,
)
from okd_payload.signing.stores.config_maps import LABEL, NAMESPACE
from okd_payload.testing.memory_documents import MemoryDocuments
from okd_payload.testing.memory_signature_store import MemorySignatureStore

DIGEST = "sha256:" + "ab" * 32
FOLDER = DIGEST.replace(":", "=")
NAME = DIGEST.replace(":", "-")


async def search(store, digest=DIGEST):
    """Everything that a search gives."""
    return [found async for found in store.search(digest)]


def web(**answers):
    """A web store with answers by number (``n1``), and what it asked."""
    documents = {
        f"https://s.test/d/{FOLDER}/signature-{name[1:]}": answer
        for name, answer in answers.items()
    }
    asker = MemoryDocuments(documents)
    return WebStore("https://s.test/d/", asker), asker


@pytest.fixture(params=["memory", "folder", "web", "config-map", "combined"])
def store(request, tmp_path):
    """Each kind of store, with two signatures."""
    contents = [b"one", b"two"]
    if request.param == "memory":
        return MemorySignatureStore({DIGEST: contents})
    if request.param == "folder":
        return folder_with(tmp_path, *contents)
    if request.param == "web":
        return web(n1=contents[0], n2=contents[1])[0]
    if request.param == "combined":
        first = MemorySignatureStore({DIGEST: contents[:1]})
        return CombinedStore([first, MemorySignatureStore({DIGEST: contents[1:]})])
    entries = {f"{NAME}-{number}": item for number, item in enumerate(contents)}
    return ConfigMapStore([config_map(entries)])


def folder_with(folder, *contents):
    """A folder with signatures numbered from 1."""
    (folder / FOLDER).mkdir()
    for number, content in enumerate(contents, start=1):
        (folder / FOLDER / f"signature-{number}").write_bytes(content)
    return DirectoryStore(folder)


def config_map(entries, *, namespace=NAMESPACE, labels=(LABEL,)):
    """A ConfigMap with signatures."""
    return ConfigMap(
        namespace=namespace, name="m", labels=dict.fromkeys(labels, "x"), binary_data=entries
    )


async def test_every_store_finds_what_it_has(store):
    """Signatures come in order, each with a place for people to look at."""
    found = await read_signatures(store, DIGEST)
    assert [item.content for item in found] == [b"one", b"two"]
    assert all(item.origin for item in found)
    assert store.description


async def test_every_store_has_nothing_of_others(store):
    """Another digest has no signatures, which is no error."""
    assert await read_signatures(store, "sha256:" + "cd" * 32) == []


async def test_every_store_refuses_what_is_no_digest(store):
    """Nothing that is no digest becomes part of a path."""
    for text in ("", "../x", "sha256:../x", "sha256:ab:cd", "SHA256:ab"):
        with pytest.raises(InvalidReference):
            await read_signatures(store, text)


async def test_only_404_ends_the_search_on_the_web():
    """Other failures, and empty answers, are followed by the next number."""
    store, asker = web(
        n1=DocumentAnswer(503),
        n2=b"",
        n3=RegistryUnavailable("no connection to s.test"),
        n4=DocumentAnswer(206, b"good"),
        n5=DocumentAnswer(410),
    )
    base = f"https://s.test/d/{FOLDER}/signature-"
    assert await search(store) == [
        SearchProblem(f"unable to retrieve signature from {base}1: response status 503"),
        SearchProblem(f"unable to retrieve signature from {base}3: no connection to s.test"),
        FoundSignature(b"good", f"{base}4"),
        SearchProblem(f"unable to retrieve signature from {base}5: response status 410"),
        SearchProblem(f"unable to retrieve signature from {base}6: no more signatures to check"),
    ]
    assert asker.requests == [f"{base}{number}" for number in range(1, 7)]


async def test_nine_answers_are_the_most():
    """Number 10 is never asked for, and the end is told by nobody."""
    store, asker = web(**{f"n{number}": b"x" for number in range(1, 12)})
    assert len(await search(store)) == 9
    assert len(asker.requests) == 9


async def test_who_has_enough_stops_asking():
    """The next number is asked for when somebody wants it."""
    store, asker = web(n1=b"x", n2=b"y")
    async for _ in store.search(DIGEST):
        break
    assert len(asker.requests) == 1


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("https://s.test", "https://s.test/{}/signature-1"),
        ("https://s.test/a//b/../c/", "https://s.test/a/c/{}/signature-1"),
        ("https://s.test/%41%20%3F?q=1", "https://s.test/A%20%3F/{}/signature-1?q=1"),
        ("HTTP://s.test:8080/ü", "http://s.test:8080/%C3%BC/{}/signature-1"),
    ],
)
async def test_addresses_are_cleaned_like_paths(address, asked):
    """Dots and double slashes go, escapes are normal, the query stays."""
    asker = MemoryDocuments()
    await search(open_store(address, asker))
    assert asker.requests == [asked.format(FOLDER)]


async def test_too_large_answers_are_problems():
    """A signature of many megabytes is not read, and the search goes on."""
    store, _ = web(n1=b"x" * 5_000_000, n2=b"good")
    problem, found, _ = await search(store)
    assert "more than 4194304 bytes" in problem.message
    assert found.content == b"good"


async def test_folders_may_have_odd_things(tmp_path):
    """What is no file, or too large, is a problem; a gap ends the search."""
    store = folder_with(tmp_path)
    (tmp_path / FOLDER / "signature-1").mkdir()
    (tmp_path / FOLDER / "signature-2").write_bytes(b"x" * 5_000_000)
    (tmp_path / FOLDER / "signature-3").write_bytes(b"good")
    (tmp_path / FOLDER / "signature-5").write_bytes(b"unseen")
    first, second, found = await search(store)
    assert "unable to read signature" in first.message
    assert "more than 4194304 bytes" in second.message
    assert found.content == b"good"


async def test_config_maps_need_namespace_and_label():
    """Any key with the right beginning counts, in ConfigMaps where clusters look."""
    entries = {f"{NAME}": b"1", f"{NAME}-42": b"2", f"{NAME}abc": b"3", f"x{NAME}": b"no"}
    store = ConfigMapStore(
        [
            config_map({f"{NAME}-1": b"no"}, namespace="default"),
            config_map({f"{NAME}-1": b"no"}, labels=()),
            config_map(entries),
        ]
    )
    found = await read_signatures(store, DIGEST)
    assert [item.content for item in found] == [b"1", b"2", b"3"]


async def test_config_maps_come_from_files(tmp_path):
    """Files of JSON, YAML and lists are read, and whole folders of them."""
    item = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "m", "namespace": NAMESPACE, "labels": {LABEL: ""}},
        "binaryData": {f"{NAME}-1": base64.b64encode(b"sig").decode()},
    }
    (tmp_path / "a.json").write_text(json.dumps(item))
    (tmp_path / "b.yaml").write_text(f"---\n{json.dumps(item)}\n---\n{json.dumps(item)}\n")
    (tmp_path / "c.yml").write_text(json.dumps({"kind": "List", "items": [item]}))
    (tmp_path / "d.txt").write_text("no document")
    maps = read_config_maps(tmp_path)
    assert [found.content for found in await read_signatures(ConfigMapStore(maps), DIGEST)] == [
        b"sig"
    ] * 4
    assert len(read_config_maps(tmp_path / "b.yaml")) == 2


def test_files_without_config_maps_are_errors(tmp_path):
    """Who names a file expects something in it."""
    path = tmp_path / "a.yaml"
    path.write_text("kind: ConfigMap\napiVersion: v1\nbinaryData: {a: 5}\n")
    with pytest.raises(InvalidDocument, match="no ConfigMap that a cluster could decode"):
        read_config_maps(path)


async def test_combined_stores_go_on_after_an_empty_one():
    """All stores are searched in turn, and the end names them."""
    store = CombinedStore([MemorySignatureStore(), MemorySignatureStore({DIGEST: [b"x"]})])
    *_, last = await search(store)
    assert last == SearchProblem(
        "serial signature store wrapping signatures in memory, signatures in memory:"
        " no more signatures to check"
    )
    assert [item.content for item in await read_signatures(store, DIGEST)] == [b"x"]


def test_addresses_that_are_none(tmp_path):
    """A scheme that nobody serves is an error of whoever wrote it."""
    with pytest.raises(InputError, match="no address of a signature store"):
        open_store("s3://bucket/folder", MemoryDocuments())
    assert open_store(str(tmp_path), MemoryDocuments()).description == f"file://{tmp_path}"
    assert open_store("file:///a/x/..", MemoryDocuments()).description == "file:///a"
