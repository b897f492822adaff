# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as a client of registries needs it, over asyncio's transports and nothing else.

Bytes are read and written in ``heads`` and ``bodies``, which know no network; ``connection``
moves them; ``dialling`` opens connections, through proxies too; ``pool`` keeps them. Why this is
not a library: ``docs/decisions/0025-http-of-our-own.md``.
"""
