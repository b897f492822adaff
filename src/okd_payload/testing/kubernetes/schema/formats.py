# SPDX-License-Identifier: Apache-2.0
"""The formats of texts that the API server checks; it lets those alone that it does not know.

The list and its oddities (durations in days and weeks) are those of
``k8s.io/kube-openapi/pkg/validation/strfmt``.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import date

_UNIT = r"(?:ns|us|µs|μs|ms|s|m|h)"
_GO_DURATION = re.compile(rf"[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+){_UNIT})+)")
_LONG_DURATION = re.compile(
    r"(\d+(\.\d+)?\s*(ns|us|ms|s|m|h|d|w|nano(s|second(s)?)?|micro(s|second(s)?)?|"
    r"milli(s|second(s)?)?|sec(ond)?(s)?|min(ute)?(s)?|hour(s)?|hr(s)?|day(s)?|week(s)?)\s*)+"
)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_HOSTNAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9-]+)*")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_URI = re.compile(r"[A-Za-z][-+.A-Za-z0-9]*:\S*|/\S*")


def has_format(value: str, wanted: str) -> bool:
    """Whether ``value`` has the format ``wanted``."""
    check = _FORMATS.get(wanted)
    return check is None or check(value)


def is_go_duration(value: str) -> bool:
    """Whether Go's ``time.ParseDuration`` reads ``value``."""
    return _GO_DURATION.fullmatch(value) is not None


def _is_duration(value: str) -> bool:
    return is_go_duration(value) or _LONG_DURATION.fullmatch(value.lower()) is not None


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_address(version: int) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        try:
            return ipaddress.ip_address(value).version == version
        except ValueError:
            return False

    return check


def _is_network(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return "/" in value


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


_FORMATS: dict[str, Callable[[str], bool]] = {
    "byte": _is_base64,
    "cidr": _is_network,
    "date": _is_date,
    "date-time": _matches(_DATE_TIME),
    "datetime": _matches(_DATE_TIME),
    "duration": _is_duration,
    "email": _matches(_EMAIL),
    "hostname": _matches(_HOSTNAME),
    "ipv4": _is_address(4),
    "ipv6": _is_address(6),
    "uri": _matches(_URI),
    "uuid": _matches(_UUID),
}
