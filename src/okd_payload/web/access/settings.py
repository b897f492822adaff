# SPDX-License-Identifier: Apache-2.0
"""How a site is open, as its owner writes it: access, webhooks out, notifications in.

The file is YAML with the fields of ``SiteSettings`` in camelCase; secrets are named by files or
stand in it, and then the file is for nobody else to read.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from okd_payload.documents import Document, convert, invalid_field, read_documents
from okd_payload.errors import InputError
from okd_payload.web.access.roles import Role

WEBHOOK_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""Names stand in addresses and in metrics."""
SHORTEST_SECRET = 16
"""Characters of what signs messages: who guesses it could forge them."""
MOST_WEBHOOKS = 100
"""In the settings, and added: each that keeps silent holds a connection and a few events."""


class ProxySettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Whose word about who asks is taken, and in which headers it stands."""

    addresses: tuple[str, ...] = ()
    """Networks of the proxies; nobody's word is taken without."""
    user_header: str = "X-Forwarded-User"
    groups_header: str = "X-Forwarded-Groups"
    group_roles: dict[str, Role] = {}
    """What members of a group may do."""
    user_roles: dict[str, Role] = {}


class AccessSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Who may read and write."""

    anonymous_reading: bool = True
    proxy: ProxySettings = ProxySettings()
    attempts: int = 10
    """Failed logins of one address within a minute before it is refused unheard."""


class ConfiguredWebhook(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A webhook that stands in the file."""

    url: str
    secret: str = ""
    secret_file: str = ""
    events: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()


class WebhookSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Who is told over HTTP, and where that may be."""

    allowed_networks: tuple[str, ...] = ()
    """Private networks that webhooks may be in; others are refused."""
    hooks: dict[str, ConfiguredWebhook] = {}


class NotificationSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """What registries show when they say that something was pushed."""

    secret: str = ""
    """Without one, nobody is listened to."""
    secret_file: str = ""


class SiteSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Everything that the file may say."""

    access: AccessSettings = AccessSettings()
    webhooks: WebhookSettings = WebhookSettings()
    notifications: NotificationSettings = NotificationSettings()
    artifacts: str = ""
    """A host that serves client tools by release, as the old controller has one beside it."""
    forges: tuple[str, ...] = ("github.com", "gitlab.com", "codeberg.org")
    """Hosts whose repositories changelogs read: images could name any."""


Part = TypeVar("Part", ConfiguredWebhook, NotificationSettings)


def read_site_settings(path: Path) -> SiteSettings:
    """The settings in the file ``path``, secrets read. Raises InvalidDocument and InputError."""
    documents = read_documents(path)
    if len(documents) != 1:
        raise InputError(f"{path} holds {len(documents)} documents", hint="write one")
    document = documents[0]
    settings = convert(document, SiteSettings)
    networks = {
        ("access", "proxy", "addresses"): settings.access.proxy.addresses,
        ("webhooks", "allowedNetworks"): settings.webhooks.allowed_networks,
    }
    for place, texts in networks.items():
        for number, text in enumerate(texts):
            try:
                ipaddress.ip_network(text, strict=False)
            except ValueError as error:
                raise invalid_field(document, (*place, number), str(error)) from error
    hooks = {name: _with_secret(hook) for name, hook in settings.webhooks.hooks.items()}
    _check_webhooks(document, hooks)
    return msgspec.structs.replace(
        settings,
        notifications=_with_secret(settings.notifications),
        webhooks=msgspec.structs.replace(settings.webhooks, hooks=hooks),
    )


def _check_webhooks(document: Document, hooks: Mapping[str, ConfiguredWebhook]) -> None:
    """Return when each could be told. Raises InvalidDocument."""
    from okd_payload.oci.registry.messages import parse_target

    place = ("webhooks", "hooks")
    if len(hooks) > MOST_WEBHOOKS:
        raise invalid_field(document, place, f"more than {MOST_WEBHOOKS} webhooks")
    for name, hook in hooks.items():
        if not WEBHOOK_NAME.fullmatch(name):
            raise invalid_field(document, (*place, name), "names are of a-z, 0-9 and -")
        try:
            parse_target(hook.url)
        except InputError as error:
            raise invalid_field(document, (*place, name, "url"), error.message) from error
        if len(hook.secret) < SHORTEST_SECRET or not hook.secret.isprintable():
            words = f"it takes a secret of {SHORTEST_SECRET} characters or more, in one line"
            field = "secretFile" if hook.secret_file else "secret"
            raise invalid_field(document, (*place, name, field), words)


def _with_secret(part: Part) -> Part:
    """``part`` with the secret that its file holds."""
    if not part.secret_file:
        return part
    try:
        text = Path(part.secret_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot read the secret in {part.secret_file}: {error}",
            hint="name a file with one line of text",
        ) from error
    return msgspec.structs.replace(part, secret=text)
