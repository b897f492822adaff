# SPDX-License-Identifier: Apache-2.0
"""Client tools of releases, taken out of their images when somebody wants them."""
