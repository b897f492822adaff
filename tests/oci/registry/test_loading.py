# SPDX-License-Identifier: Apache-2.0
"""The client is loaded late, stands on no HTTP library, and reads no roots before it has to."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LOADED_LATE = """
import sys
from okd_payload.oci.registry import RegistrySettings
RegistrySettings()
assert "okd_payload.oci.registry.client" not in sys.modules
"""
_LIGHT = """
import sys
from okd_payload.oci.registry import RegistryClient
assert not {"aiohttp", "httpx", "urllib.request", "http.client"} & set(sys.modules)
"""
_OURS_HAVE_ROOTS = """
import ssl
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.oci.registry.certificates import Certificates
found = Certificates(RegistrySettings(certificate_folders=())).context("quay.test")
assert found.cert_store_stats() == ssl.create_default_context().cert_store_stats()
assert found.verify_mode is ssl.CERT_REQUIRED
"""


@pytest.mark.parametrize("program", [_LOADED_LATE, _LIGHT, _OURS_HAVE_ROOTS])
def test_a_fresh_process(program) -> None:
    """Settings load no client, the client no library; contexts have the system's roots."""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
