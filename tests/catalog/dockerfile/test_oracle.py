# SPDX-License-Identifier: Apache-2.0
"""Agreement with dockerfile-parse where it is right: no heredocs, no stages of stages."""

from __future__ import annotations

import io

import dockerfile_parse
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.dockerfile import evaluate, parse_dockerfile

_WORD = st.text(alphabet="abcxyz019", min_size=1, max_size=5)
_IMAGE = st.one_of(
    _WORD.map("quay.io/{}:1".format),
    st.sampled_from(["${ONE}", "r/$ONE", "r/${TWO}-x", '"r/$ONE"']),
)
_BODY = st.one_of(
    _WORD.map("RUN make {} \\\n    && true".format),
    _WORD.map("RUN a \\\n  # why\n  b {}".format),
    _WORD.map("LABEL {}=1".format),
    _WORD.map("ENV {} the value".format),
    _WORD.map("ARG {}".format),
    st.just("# a comment"),
    st.just(""),
    st.just("COPY . ."),
)
_STAGE = st.tuples(_IMAGE, st.lists(_BODY, max_size=4))


@given(_WORD, _WORD, st.lists(_STAGE, min_size=1, max_size=4))
def test_instructions_and_images_agree(
    one: str, two: str, stages: list[tuple[str, list[str]]]
) -> None:
    """The same instructions on the same lines, and the same images after substitution."""
    lines = [f"ARG ONE={one}", f"ARG TWO={two}"]
    for number, (image, body) in enumerate(stages):
        lines += [f"FROM {image} AS stage-{number}", *body]
    text = "\n".join(lines) + "\n"
    oracle = dockerfile_parse.DockerfileParser(fileobj=io.BytesIO(text.encode()))
    ours = parse_dockerfile(text, path="D")
    instructions = [(each.name, each.line) for each in ours.arguments]
    for stage in ours.stages:
        instructions.append(("FROM", stage.line))
        instructions += [(each.name, each.line) for each in stage.instructions]
    theirs = [(each["instruction"], each["startline"] + 1) for each in oracle.structure]
    assert instructions == [each for each in theirs if each[0] != "COMMENT"]
    assert [operand.name for operand in evaluate(ours).images] == oracle.parent_images
