# SPDX-License-Identifier: Apache-2.0
"""The HTTP client is loaded late, and without roots that nobody needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LOADED_LATE = """
import sys
from okd_payload.oci.registry import RegistrySettings
RegistrySettings()
assert "aiohttp" not in sys.modules
"""
_WITHOUT_ROOTS = """
import os
os.environ["SSL_CERT_FILE"] = "/of/the/user"
before = dict(os.environ)
from okd_payload.oci.registry import RegistryClient
import aiohttp.connector
assert dict(os.environ) == before
assert aiohttp.connector._SSL_CONTEXT_VERIFIED.cert_store_stats()["x509"] == 0
"""
_OURS_HAVE_ROOTS = """
import ssl
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.oci.registry.certificates import Certificates
found = Certificates(RegistrySettings(certificate_folders=())).context("quay.test")
assert found.cert_store_stats() == ssl.create_default_context().cert_store_stats()
assert found.verify_mode is ssl.CERT_REQUIRED
"""


@pytest.mark.parametrize("program", [_LOADED_LATE, _WITHOUT_ROOTS, _OURS_HAVE_ROOTS])
def test_a_fresh_process(program) -> None:
    """Settings load no client; loading it reads no roots, changes no variable; ours have them."""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
