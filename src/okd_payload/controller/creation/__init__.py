# SPDX-License-Identifier: Apache-2.0
"""From the images of a stream to a payload: inputs frozen and kept, assembled, checked, pushed."""
