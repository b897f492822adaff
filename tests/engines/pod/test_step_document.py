# SPDX-License-Identifier: Apache-2.0
"""Build steps as words: whole, bounded, and nothing that anybody could take for a variable."""

from __future__ import annotations

import base64
import random
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.build.engine import BuildStep, CopiedFiles
from okd_payload.catalog.component import Argument, Copy, Layering, Resources
from okd_payload.documents.words import MOST_BYTES
from okd_payload.engines.pod.step_document import decode_step, encode_step, portable
from okd_payload.errors import BuildError, InputError
from okd_payload.oci.digest import digest_of
from okd_payload.oci.manifest import Platform
from okd_payload.source.model import Commit, FolderSource, GitSource

STEP = BuildStep(
    component="etcd",
    tag="etcd",
    source=GitSource(url="https://example.com/etcd", ref="main"),
    commit=Commit(id="a" * 40, tree="b" * 40, time=7, location="https://example.com/etcd"),
    context_directory=".",
    dockerfile="FROM base\nRUN echo $(params.step) $(results.digest.path)\n",
    images={"base": digest_of(b"base")},
    platform=Platform(architecture="amd64"),
    timestamp=7,
)
TEXT = st.text(max_size=60)
ARGUMENTS = st.lists(st.builds(Argument, TEXT, TEXT), max_size=4).map(tuple)
DIGESTS = st.binary(max_size=8).map(digest_of)
STEPS = st.builds(
    BuildStep,
    component=TEXT,
    tag=TEXT,
    source=st.none()
    | st.builds(GitSource, url=TEXT, ref=TEXT)
    | st.builds(FolderSource, path=TEXT),
    commit=st.none() | st.builds(Commit, id=TEXT, tree=TEXT, time=st.integers(), location=TEXT),
    context_directory=TEXT,
    dockerfile=st.text(max_size=500),
    images=st.dictionaries(TEXT, DIGESTS, max_size=3),
    copied_files=st.lists(
        st.builds(
            CopiedFiles,
            image=DIGESTS,
            copies=st.lists(st.builds(Copy, TEXT, TEXT), max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    build_arguments=ARGUMENTS,
    labels=ARGUMENTS,
    layering=st.sampled_from(Layering),
    platform=st.builds(Platform, architecture=TEXT),
    timestamp=st.integers(min_value=0, max_value=2**40),
    resources=st.builds(Resources, cpu_limit=TEXT, memory_limit=TEXT),
)


@given(STEPS)
def test_what_is_sent_arrives(step: BuildStep):
    """A document gives back the step that it was made of."""
    assert decode_step(encode_step(step)) == step


@given(STEPS)
def test_a_document_is_a_plain_word(step: BuildStep):
    """No shell and no template engine finds anything to substitute in it."""
    assert set(encode_step(step)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
    )


def test_equal_steps_have_equal_documents():
    """The order in which images were found makes no difference."""
    one = {"a": digest_of(b"a"), "b": digest_of(b"b")}
    other = dict(reversed(one.items()))
    assert encode_step(msgspec.structs.replace(STEP, images=one)) == encode_step(
        msgspec.structs.replace(STEP, images=other)
    )


def test_a_document_that_is_too_long_is_refused():
    """What no pod could be told is an error that says what to do about it."""
    noise = random.Random(1).randbytes(MOST_BYTES).hex()
    step = msgspec.structs.replace(STEP, dockerfile=f"FROM base\n# {noise}\n")
    with pytest.raises(BuildError, match="a pod is told at most 98304") as caught:
        encode_step(step)
    assert "Dockerfile in the source" in caught.value.hint


@given(st.text(max_size=200))
def test_what_is_no_document_is_refused(text: str):
    """Whatever else is given, the error says what it should have been."""
    with pytest.raises(InputError, match="this is no step document"):
        decode_step(text)


@given(st.integers(min_value=1, max_value=100))
def test_a_document_that_was_cut_is_refused(count: int):
    """Half a document builds nothing."""
    with pytest.raises(InputError, match="this is no step document"):
        decode_step(encode_step(STEP)[:-count])


def test_a_document_does_not_explode():
    """A few bytes that stand for very many are refused before they are all there."""
    bomb = base64.b64encode(zlib.compress(bytes(64 * 1024 * 1024), 9)).decode()
    with pytest.raises(InputError, match="this is no step document"):
        decode_step(bomb)


def test_paths_of_this_machine_stay_here():
    """A folder is named by its commit, by which a snapshot has it."""
    step = msgspec.structs.replace(STEP, source=FolderSource(path="/home/somebody/etcd"))
    assert portable(step).source == FolderSource(path="/snapshot/" + "a" * 40)
    assert portable(STEP) is STEP
