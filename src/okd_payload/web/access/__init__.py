# SPDX-License-Identifier: Apache-2.0
"""Who may do what: tokens, proxies, roles, and the log of everything that changed something.

Each route says which role it takes; one that says nothing only reads, and one that writes and
says nothing is refused. What a browser sends unasked opens nothing to pages of others.
"""
