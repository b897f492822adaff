# SPDX-License-Identifier: Apache-2.0
"""What people and programs see of the controller over HTTP: pages, interfaces, events, feeds."""
