# SPDX-License-Identifier: Apache-2.0
"""The parts of ``okd-payload serve``: the controller put together, HTTP, logs, the demo."""
