# SPDX-License-Identifier: Apache-2.0
"""An authority of the tests and what it signed, made by openssl."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

_NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:registry.invalid"


def make_keys(folder: Path) -> Path:
    """``folder``, with an authority, a server's certificate and a client's in it."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    authority = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    output = ("-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test authority")
    usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")  # Python insists since 3.13
    run_openssl(folder, "req", *authority, *output, *usage)
    _sign(folder, "server", "/CN=localhost", _NAMES)
    _sign(folder, "client", "/CN=me", "extendedKeyUsage=clientAuth")
    return folder


def server_context(keys: Path) -> ssl.SSLContext:
    """What a server with the certificate speaks."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(keys / "server.cert", keys / "server.key")
    return context


def run_openssl(folder: Path, *arguments: str) -> None:
    """Run openssl in ``folder``."""
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def _sign(folder: Path, name: str, subject: str, extension: str) -> None:
    """A key and a certificate for ``subject``, signed by the authority in ``folder``."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    files = ("-keyout", f"{name}.key", "-out", "request", "-subj", subject)
    run_openssl(folder, "req", *key, *files)
    (folder / "extension").write_text(f"{extension}\nauthorityKeyIdentifier=keyid\n")
    ca = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    more = ("-extfile", "extension", "-out", f"{name}.cert")
    run_openssl(folder, "x509", "-req", "-in", "request", *ca, *more)
