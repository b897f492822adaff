# SPDX-License-Identifier: Apache-2.0
"""The settings of a site are read as the documents show them, and what is wrong is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from okd_payload.errors import InputError
from okd_payload.web.access.identity import address_of, is_listed
from okd_payload.web.access.roles import Role
from okd_payload.web.access.settings import ProxySettings, SiteSettings, read_site_settings

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "use-the-api.md"


def write(folder: Path, text: str) -> Path:
    """A file with settings."""
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_of_the_documents_is_understood(tmp_path):
    """Each field of it, and the secrets in its files."""
    found = re.search(r"```yaml\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    for name in ("ci-secret", "registry-secret"):
        (tmp_path / name).write_text(f"the {name} of it\n")
    text = found.group(1).replace("/etc/okd-payload", str(tmp_path))
    settings = read_site_settings(write(tmp_path, text))
    assert settings.access.proxy.group_roles == {"okd-release-managers": Role.MANAGER}
    assert settings.access.proxy.user_roles == {"ada": Role.ADMINISTRATOR}
    assert settings.webhooks.hooks["ci"].secret == "the ci-secret of it"
    assert settings.notifications.secret == "the registry-secret of it"


def test_a_site_without_settings_takes_nobodys_word():
    """No proxy, no private network, no registry; reading is open, writing needs a token."""
    settings = SiteSettings()
    assert settings.access.anonymous_reading
    assert settings.access.proxy.addresses == ()
    assert settings.webhooks.allowed_networks == ()
    assert settings.notifications.secret == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("access: {anonymousRaeding: false}", "anonymousRaeding"),
        ("access: {proxy: {addresses: [everywhere]}}", "everywhere"),
        ("webhooks: {allowedNetworks: [10.0.0.0/99]}", "10.0.0.0/99"),
        ("access: {proxy: {groupRoles: {a: king}}}", "king"),
        ("notifications: {secretFile: /nowhere/at/all}", "/nowhere/at/all"),
        ("webhooks: {hooks: {a/b: {url: 'https://ci.test'}}}", "webhooks.hooks.a/b"),
        ("webhooks: {hooks: {ci: {url: 'https://ci.test'}}}", "webhooks.hooks.ci.secret"),
        ("webhooks: {hooks: {ci: {url: 'https://ci.test', secret: short}}}", "16 characters"),
        (f"webhooks: {{hooks: {{ci: {{url: 'ftp://x', secret: {'x' * 16}}}}}}}", "hooks.ci.url"),
        ("---\n{}\n---\n{}\n", "2 documents"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, words):
    """A word that is not known is no setting: it might have closed something."""
    with pytest.raises(InputError, match=re.escape(words)):
        read_site_settings(write(tmp_path, text))


@pytest.mark.parametrize(
    ("peer", "said", "expected"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
    ],
)
def test_an_address_is_what_a_listed_proxy_saw(peer, said, expected):
    """Whoever writes the header himself writes further to the left, where nobody looks."""
    proxy = ProxySettings(addresses=("10.0.0.0/8",))
    assert address_of(peer, {"x-forwarded-for": said}, proxy) == expected


def test_addresses_are_listed_by_what_they_mean():
    """IPv4 inside IPv6 too; what is no address is in no list."""
    assert is_listed("::ffff:10.1.2.3", ("10.0.0.0/8",))
    assert not is_listed("testclient", ("0.0.0.0/0", "::/0"))
