# SPDX-License-Identifier: Apache-2.0
"""Making tokens, and knowing them again.

A token is ``okdp_ID_SECRET``. The id finds the record; the secret is 256 random bits in text and
is shown once. What is compared is the hash over the whole text, in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable

import msgspec

from okd_payload.controller.records import tokens
from okd_payload.controller.records.tokens import Token
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, UnknownName
from okd_payload.web.access.roles import Role, parse_roles

_USE_SECONDS = 60.0
"""The last use is written no more often."""
_FORM = re.compile(r"okdp_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._+-]{0,127}")


class MintedToken(msgspec.Struct, frozen=True, kw_only=True):
    """A new token, and the text that only its owner gets."""

    token: Token
    text: str


async def mint_token(
    surroundings: Surroundings,
    name: str,
    *,
    roles: Iterable[str],
    seconds: float | None,
    actor: str,
) -> MintedToken:
    """Make a token for ``name``, which ends after ``seconds``. Raises InputError."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is no name for a token", hint="use letters, digits and @ . _ + -"
        )
    given = parse_roles(roles)
    now = surroundings.clock.now()
    identity = secrets.token_hex(6)
    text = f"okdp_{identity}_{secrets.token_urlsafe(32)}"
    token = Token(
        id=identity,
        name=name,
        roles=tuple(role.value for role in given),
        hash=hash_of(text),
        created=now,
        created_by=actor,
        expires=None if seconds is None else now + seconds,
    )
    await surroundings.database.write(lambda unit: tokens.write(unit, token))
    return MintedToken(token=token, text=text)


async def revoke_token(surroundings: Surroundings, identity: str) -> Token:
    """End the token at once; doing it again changes nothing. Raises UnknownName."""
    found = await surroundings.database.read(lambda unit: tokens.find(unit, identity))
    if found is None:
        raise UnknownName("token", identity, known=())
    if found.revoked is not None:
        return found
    revoked = msgspec.structs.replace(found, revoked=surroundings.clock.now())
    await surroundings.database.write(lambda unit: tokens.write(unit, revoked))
    return revoked


async def recognise(surroundings: Surroundings, text: str) -> Token | None:
    """The valid token that ``text`` is; None for anything else."""
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    identity = form.group(1)
    found = await surroundings.database.read(lambda unit: tokens.find(unit, identity))
    if found is None or found.parent or not is_text_of(found, text):
        return None
    if not found.is_valid(surroundings.clock.now()):
        return None
    await note_use(surroundings, found)
    return found


async def note_use(surroundings: Surroundings, token: Token) -> None:
    """Remember that ``token`` was seen, to the minute."""
    now = surroundings.clock.now()
    if token.used is None or now - token.used >= _USE_SECONDS:
        await surroundings.database.write(lambda unit: tokens.note_use(unit, token.id, time=now))


def is_text_of(token: Token, text: str) -> bool:
    """Whether ``text`` is what was shown when ``token`` was made."""
    return hmac.compare_digest(token.hash, hash_of(text))


def roles_of(token: Token) -> tuple[Role, ...]:
    """What the token opens."""
    return tuple(Role(role) for role in token.roles)


def hash_of(text: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(text.encode()).hexdigest()
