# SPDX-License-Identifier: Apache-2.0
"""Who may do what at the registry in memory: basic logins, bearer tokens and who issues them."""

from __future__ import annotations

import base64
import binascii
import enum
import itertools
from collections.abc import Iterable, Mapping

import msgspec

from okd_payload.oci.registry.access import Access, Right, format_scopes, parse_scopes


class Login(enum.Enum):
    """What the registry demands."""

    NONE = "none"
    BASIC = "basic"
    BEARER = "bearer"


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """The people a registry knows."""

    passwords: dict[str, str] = {}
    identity_tokens: dict[str, str] = {}
    """User by identity token."""
    anonymous_pull: bool = True
    """Whether tokens to pull are given to everybody."""
    readers: frozenset[str] = frozenset()
    """Users who may pull and not push."""


class Doorkeeper:
    """Checks logins and issues tokens."""

    def __init__(self, login: Login, accounts: Accounts) -> None:
        self._login = login
        self._accounts = accounts
        self._tokens: dict[str, Access] = {}
        self._numbers = itertools.count(1)

    def expire_tokens(self) -> None:
        """No token that was issued so far is valid any longer."""
        self._tokens.clear()

    def refuses(self, authorization: str, access: Access, *, realm: str) -> str | None:
        """The challenge for a request that may not do this, None for one that may."""
        scheme, _, value = authorization.partition(" ")
        if self._login is Login.BASIC:
            user = self._user_of(value) if scheme == "Basic" else None
            return None if user is not None else 'Basic realm="memory"'
        if self._login is Login.BEARER:
            if scheme == "Bearer" and access <= self._tokens.get(value, frozenset()):
                return None
            scopes = " ".join(format_scopes(access))
            return f'Bearer realm="{realm}",service="memory",scope="{scopes}"'
        return None

    def issue(
        self, authorization: str, scopes: Iterable[str], form: Mapping[str, str] | None
    ) -> str | None:
        """A new token by GET (``form`` is None) or POST, None for a wrong login."""
        user: str | None = ""
        if form is not None:
            user = self._user_of_form(form)
        elif authorization:
            user = self._user_of(authorization.partition(" ")[2])
        if user is None:
            return None
        token = f"token-{next(self._numbers)}"
        wanted = parse_scopes(" ".join(scopes))
        self._tokens[token] = frozenset(right for right in wanted if self._may(user, right))
        return token

    def _may(self, user: str, right: Right) -> bool:
        if not user:
            return self._accounts.anonymous_pull and right.action == "pull"
        return right.action == "pull" or user not in self._accounts.readers

    def _user_of(self, basic: str) -> str | None:
        try:
            user, _, password = base64.b64decode(basic).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user if self._accounts.passwords.get(user) == password else None

    def _user_of_form(self, form: Mapping[str, str]) -> str | None:
        if form.get("grant_type") == "refresh_token":
            return self._accounts.identity_tokens.get(form.get("refresh_token", ""))
        user, password = form.get("username", ""), form.get("password", "")
        return user if self._accounts.passwords.get(user) == password else None
