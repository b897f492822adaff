# SPDX-License-Identifier: Apache-2.0
"""Reading Dockerfiles: lines, directives, heredocs, stages, errors."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.dockerfile import Dockerfile, decode_dockerfile, parse_dockerfile
from okd_payload.errors import InvalidDocument


def _parse(text: str) -> Dockerfile:
    return parse_dockerfile(text, path="Dockerfile")


def _outline(dockerfile: Dockerfile) -> list[tuple[str, str, list[str]]]:
    return [
        (stage.image, stage.name, [each.name for each in stage.instructions])
        for stage in dockerfile.stages
    ]


def test_stages_and_instructions_with_lines() -> None:
    """Stages come in order with image, name and platform; every instruction knows its line."""
    found = _parse(
        "ARG A=1\n"
        "\n"
        "FROM --platform=$BUILDPLATFORM golang:1.21 AS builder\n"
        "# a comment\n"
        "RUN make\n"
        "from base\n"
        "copy --from=builder /a /a\n"
    )
    assert _outline(found) == [("golang:1.21", "builder", ["RUN"]), ("base", "", ["COPY"])]
    assert found.stages[0].platform == "$BUILDPLATFORM"
    assert [argument.text for argument in found.arguments] == ["A=1"]
    assert found.stages[1].line == 6
    assert found.stages[1].instructions[0].line == 7
    assert found.stages[1].instructions[0].flag("from") == "builder"


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN one \\\n  two\n",
        "FROM a\nRUN one \\  \n\n  two\n",
        "FROM a\nRUN one \\\n# why\n  # and again\n  two\n",
        "FROM a\r\nRUN one \\\r\n  two\r\n",
        "\ufeffFROM a\nRUN one \\\n  two",
        "# escape=`\nFROM a\nRUN one `\n  two\n",
        "# Escape = `\n# check=skip=all\nFROM a\nRUN one `\n  two",
        "#syntax=docker/dockerfile:1\n#escape=`\nFROM a\nRUN one `\n  two",
        "FROM a\nRUN one \\\n  two \\\n",
        "FROM \\\n a\nRUN one \\\n  two \\",
        "\\\nFROM a\nRUN one \\\n  two",
    ],
)
def test_continuations(text: str) -> None:
    """Lines are joined at the escape character, over comments, blank lines, CRLF and the end."""
    found = _parse(text)
    assert _outline(found) == [("a", "", ["RUN"])]
    assert found.stages[0].instructions[0].text.split() == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("FROM a\nRUN echo \\\\\nRUN b\n", 2),
        ("FROM a\n# comment \\\nRUN b\n", 1),
        ("# a comment\n# escape=`\nFROM a\nRUN x `\nRUN b\n", 2),
        ("\n# escape=`\nFROM a\nRUN x `\nRUN b\n", 2),
        ("# other=1\n# escape=`\nFROM a\nRUN x `\nRUN b\n", 2),
    ],
)
def test_what_does_not_continue(text: str, count: int) -> None:
    """A doubled escape, a comment, and a directive that comes too late continue nothing."""
    assert len(_parse(text).stages[0].instructions) == count


@pytest.mark.parametrize(
    ("text", "heredocs"),
    [
        ("RUN <<EOF\nFROM x\nEOF\n", [("EOF", "FROM x\n")]),
        ("RUN <<'EOF'\n$x\nEOF\n", [("EOF", "$x\n")]),
        ('RUN 3<<"E F" cat\na\nE F\n', [("E F", "a\n")]),
        ("RUN cat <<-EOF\n\ta\n\tEOF\n", [("EOF", "\ta\n")]),
        (
            "COPY <<A <<B /dst/\none\nB\nA\ntwo\nB\n",
            [("A", "one\nB\n"), ("B", "two\n")],
        ),
        ("RUN \\\n  <<EOF \\\n  cat\nx\nEOF\n", [("EOF", "x\n")]),
        ("ONBUILD RUN <<EOF\nx\nEOF\n", [("EOF", "x\n")]),
        ("ADD <<EOF /x\n\nEOF\n", [("EOF", "\n")]),
        ('RUN cat <<< "here"\n', []),
        ("RUN echo $((1 << 3)) a<<b\n", []),
        ("RUN echo '\\'' \"<<EOF\"\n", []),
        ("ENV A=<<EOF\n", []),
        ('RUN ["a", "<<EOF"]\n', []),
        ('COPY --from=a ["<<EOF", "/b"]\n', []),
    ],
)
def test_heredocs(text: str, heredocs: list[tuple[str, str]]) -> None:
    """Heredocs are taken out of RUN, COPY and ADD, however quoted; nothing else is one."""
    found = _parse(f"FROM a\n{text}USER 1\n")
    first, second = found.stages[0].instructions
    assert [(each.name, each.content) for each in first.heredocs] == heredocs
    assert second.name == "USER"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 0, "no FROM"),
        ("# only a comment\n", 0, "no FROM"),
        ("ARG A\n", 0, "no FROM"),
        ("RUN x\nFROM a\n", 1, "RUN stands before the first FROM"),
        ("FROM a\nRUM x\n", 2, "'RUM' is no instruction"),
        ("FROM a\n\n  && x\n", 3, "'&&' is no instruction"),
        ("FROM\n", 1, "FROM  is not FROM IMAGE"),
        ("FROM a b\n", 1, "FROM a b is not FROM IMAGE"),
        ("FROM a # why\n", 1, "is not FROM IMAGE"),
        ("FROM a IS b\n", 1, "is not FROM IMAGE"),
        ("FROM a AS 1b\n", 1, "'1b' cannot be the name"),
        ("FROM a\nRUN <<EOF\nx\n", 2, "the heredoc <<EOF does not end"),
        ("FROM a\nONBUILD FROM b\n", 2, "ONBUILD cannot trigger FROM"),
        ("FROM a\nONBUILD\n", 2, "ONBUILD cannot trigger nothing"),
        ("# escape=x\nFROM a\n", 1, "'x' cannot escape"),
        ("# escape=`\n# escape=`\nFROM a\n", 2, "given twice"),
    ],
)
def test_errors_name_the_line(text: str, line: int, message: str) -> None:
    """What no builder accepts is refused with file, line and reason."""
    with pytest.raises(InvalidDocument) as caught:
        _parse(text)
    assert message in str(caught.value)
    assert (caught.value.path, caught.value.line) == ("Dockerfile", line)


def test_hint_for_a_mistyped_instruction() -> None:
    """The nearest instruction is offered."""
    with pytest.raises(InvalidDocument) as caught:
        _parse("FROM a\nENTRYPIONT x\n")
    assert caught.value.hint == "did you mean ENTRYPOINT?"


def test_bytes_that_are_no_text_are_refused() -> None:
    """A binary file is no Dockerfile, and the error says on which line that shows."""
    assert decode_dockerfile(b"FROM a\n", path="D").stages[0].image == "a"
    with pytest.raises(InvalidDocument, match="D:2: not UTF-8 text"):
        decode_dockerfile(b"FROM a\n\xff\xfe\n", path="D")


def test_absurdly_long_files_are_refused() -> None:
    """Size is bounded, because Dockerfiles come from anywhere."""
    with pytest.raises(InvalidDocument, match="longer than"):
        _parse("FROM a\n" + "#" * 1024 * 1024)


_LINES = st.sampled_from(
    [
        *("FROM a", "FROM a AS b", "FROM \\", " a AS \\", "ARG X=1", "COPY --from=b /a /b", "# c"),
        *("RUN <<EOF", "RUN <<-'E F' x", "EOF", "E F", "", "  \\", "ENV A=b", "LABEL a b", "\t"),
        *("# escape=`", "RUN a `", "ONBUILD COPY --from=b . .", "RUN --mount=type=bind,from=b x"),
        *("\ufeff", "FROM ${X:-a}", "COPY --from=0 a b", "HEALTHCHECK NONE \\"),
    ]
)


@given(
    st.one_of(
        st.text(max_size=100),
        st.lists(_LINES, max_size=8).map("\n".join),
        st.lists(_LINES, max_size=8).map("\r\n".join),
    )
)
def test_any_text_gives_a_dockerfile_or_the_one_error(text: str) -> None:
    """No text makes the reader fail in any other way, and operands stand where it says."""
    with contextlib.suppress(InvalidDocument):
        for stage in _parse(text).stages:
            written = iter(text[stage.image_span.start : stage.image_span.end])
            assert all(character in written for character in stage.image)
            assert stage.image_span.end <= stage.end <= len(text)
