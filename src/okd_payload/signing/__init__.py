# SPDX-License-Identifier: Apache-2.0
"""Signatures of releases: OpenPGP simple signing, keyrings, signature stores.

Making signatures:

* ``signer``: the seam to one key; ``key_file`` and ``gpg`` hold it.

Judging them, as clusters do:

* ``config_map`` and ``configuration``: ``find_configuration`` gives the keys and stores of a
  payload;
* ``stores``: ``open_stores`` and ``open_store`` give a ``SignatureStore`` to search;
* ``verification``: ``verify_digest`` gives the ``Verdict`` of a cluster, in its words;
* ``claim`` and ``openpgp``: what a signature says, and who made it.

Judging them, as people should: ``detached`` for files that clusters never see.
"""
