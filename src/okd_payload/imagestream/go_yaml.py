# SPDX-License-Identifier: Apache-2.0
"""YAML as the Go programs of the field understand it (``sigs.k8s.io/yaml``).

``documents`` reads what people write for us and is strict; this reads what they wrote for
others. The first document counts and the rest is ignored; keys may repeat and the last wins;
plain ``y``, ``on`` and ``no`` are booleans, ``0x10`` and ``010`` are numbers, ``1e3`` is one
too, dates are text. Where text is expected, numbers and booleans become text again: a tag named
``y`` is called ``true``, one named ``4.10`` is called ``4.1``.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from decimal import Decimal
from operator import itemgetter
from typing import Any, NoReturn, TypeVar

import yaml

from okd_payload.documents import MAX_BYTES, MAX_DEPTH, MAX_NODES, BoundedLoader
from okd_payload.errors import InvalidDocument
from okd_payload.imagestream.go_values import convert

T = TypeVar("T")

_PREFIX = "tag:yaml.org,2002:"
_PLAIN = "plain"
_TEXT_TAG, _MAP_TAG, _SEQUENCE_TAG = (_PREFIX + kind for kind in ("str", "map", "seq"))
_BINARY = _PREFIX + "binary"
_TAGGED: dict[str, tuple[type, ...]] = {
    _PREFIX + "bool": (bool,),
    _PREFIX + "float": (int, float),
    _PREFIX + "int": (int,),
    _PREFIX + "null": (type(None),),
}
"""Tags by which a scalar is resolved as if it were plain, and what must come out."""
_SHOWN = 30


def _in_three_cases(*words: str) -> list[str]:
    return [spelling for word in words for spelling in (word, word.title(), word.upper())]


_WORDS: dict[str, Any] = {
    **dict.fromkeys(_in_three_cases("y", "yes", "true", "on"), True),
    **dict.fromkeys(_in_three_cases("n", "no", "false", "off"), False),
    **dict.fromkeys(["", "~", *_in_three_cases("null")]),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], math.nan),
    **dict.fromkeys(_in_three_cases(".inf", "+.inf"), math.inf),
    **dict.fromkeys(_in_three_cases("-.inf"), -math.inf),
}
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?P<base>0[xX]|0[oO]|0[bB]|0(?=[0-9])|)(?P<digits>\w{1,400})"
)
_BASES = {"": 10, "0": 8, "0o": 8, "0x": 16, "0b": 2}
_DIGITS = {2: "01", 8: "0-7", 10: "0-9", 16: "0-9a-fA-F"}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NUMBER_STARTS = frozenset("0123456789+-.")
_LEAST_INTEGER, _LARGEST_INTEGER = -(2**63), 2**64 - 1
"""What Go has integers for; other numbers are floats, or text when they are not decimal."""
_LARGEST_FLOAT32 = 3.4028235e38
_LEAST_EXPONENT, _EXPONENT_FROM = -4, 6
"""Go's shortest form writes a power of ten below the first bound and from the second on."""


class _Composer(BoundedLoader):
    """Leaves plain scalars without an explicit tag to ``resolve_plain``."""

    def resolve(self, kind: type[yaml.Node], value: object, implicit: Any) -> str:
        """The tag of a node without one; called for every node, so it looks nothing up."""
        del value
        if kind is yaml.ScalarNode:
            return _PLAIN if implicit[0] else _TEXT_TAG
        return _MAP_TAG if kind is yaml.MappingNode else _SEQUENCE_TAG


def decode(content: bytes, kind: type[T], *, path: str) -> T:
    """The first document as a ``kind``, with Go's rules. Raises InvalidDocument."""
    return convert(parse(content, path=path), kind, path=path, text_of=text_of)


def parse(content: bytes, *, path: str) -> Any:
    """The first document of ``content`` as a plain value, None when there is none.

    All keys are text, sorted by bytes as they come out of Go. ``path`` is only named in errors.
    Raises InvalidDocument.
    """
    if len(content) > MAX_BYTES:
        raise InvalidDocument(f"larger than {MAX_BYTES} bytes", path=path)
    try:
        loader = _Composer(content)
        try:
            node = loader.get_node() if loader.check_node() else None
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InvalidDocument(
            f"not valid YAML: {getattr(error, 'problem', None) or error}",
            path=path,
            line=mark.line + 1 if mark else 0,
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidDocument(f"not valid YAML: {error}", path=path) from error
    return None if node is None else _Builder(path).build(node, 0)


class _Builder:
    """Makes plain values of nodes; an alias counts as many nodes as it stands for."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._left = MAX_NODES

    def build(self, node: yaml.Node, depth: int) -> Any:
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            self._fail("nested too deeply" if depth > MAX_DEPTH else "too many values", node)
        if isinstance(node, yaml.MappingNode):
            return self._build_map(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, depth + 1) for item in node.value]
        return self._build_scalar(node)

    def _build_map(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _PLAIN and key_node.value == "<<":
                self._merge(value_node, depth, found)
            else:
                found[self._build_key(key_node, depth)] = self.build(value_node, depth + 1)
        return dict(sorted(found.items(), key=itemgetter(0)))

    def _merge(self, node: yaml.Node, depth: int, found: dict[str, Any]) -> None:
        sources = node.value[::-1] if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                self._fail("only a mapping can be merged", source)
            found.update(self.build(source, depth + 1))

    def _build_key(self, node: yaml.Node, depth: int) -> str:
        text = text_of(key) if (key := self.build(node, depth + 1)) is not None else None
        if text is None:
            self._fail("a key must be text, a number or a boolean", node)
        return text

    def _build_scalar(self, node: yaml.Node) -> Any:
        text: str = node.value
        if node.tag == _BINARY:
            return self._read_binary(node)
        kinds = _TAGGED.get(node.tag)
        if node.tag != _PLAIN and kinds is None:
            return text
        value = resolve_plain(text)
        if kinds is not None and type(value) not in kinds:
            self._fail(f"{text[:_SHOWN]!r} is no {node.tag.removeprefix(_PREFIX)}", node)
        if isinstance(value, float) and not math.isfinite(value):
            self._fail(f"{text} is no number of JSON", node)
        return value

    def _read_binary(self, node: yaml.Node) -> str:
        """What base64 stands for, as text."""
        try:
            return base64.b64decode("".join(node.value.split()), validate=True).decode(
                errors="replace"
            )
        except ValueError:
            self._fail("!!binary value contains invalid base64 data", node)

    def _fail(self, problem: str, node: yaml.Node) -> NoReturn:
        raise InvalidDocument(problem, path=self._path, line=node.start_mark.line + 1)


def resolve_plain(text: str) -> Any:
    """What a scalar without quotes means: None, a boolean, a number, or text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    plain = text if text[0] == "." else text.replace("_", "")
    number = _INTEGER.fullmatch(plain)
    if number:
        base = _BASES[number["base"].lower()]
        if re.fullmatch(f"[{_DIGITS[base]}]+", number["digits"]):
            whole = int(number["sign"] + number["digits"], base)
            if _LEAST_INTEGER <= whole <= _LARGEST_INTEGER:
                return whole
    if _FLOAT.fullmatch(plain) and math.isfinite(float(plain)):
        return float(plain)
    return text


def text_of(value: Any) -> str | None:
    """Numbers and booleans as text, in the shortest form that a 32-bit float keeps."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _short_float(value)
    return str(value) if isinstance(value, str | int) else None


def _short_float(value: float) -> str:
    """Go's ``strconv.FormatFloat(value, 'g', -1, 32)``."""
    if abs(value) > _LARGEST_FLOAT32:
        return "+Inf" if value > 0 else "-Inf"
    narrow = struct.pack("f", value)
    candidates = (f"{value:.{digits}e}" for digits in range(9))
    text = next(text for text in candidates if struct.pack("f", float(text)) == narrow)
    exponent = int(text.partition("e")[2])
    return format(Decimal(text), "f") if _LEAST_EXPONENT <= exponent < _EXPONENT_FROM else text
