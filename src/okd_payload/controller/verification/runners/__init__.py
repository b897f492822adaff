# SPDX-License-Identifier: Apache-2.0
"""Who runs verifications: one module for each kind of runner, all behind one protocol.

``make_runners`` gives all that can be made of what is known; ``settings.KINDS`` says what each
kind takes.
"""

from okd_payload.controller.verification.runners.table import RunnerChoices, make_runners

__all__ = ["RunnerChoices", "make_runners"]
