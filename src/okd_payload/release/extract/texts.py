# SPDX-License-Identifier: Apache-2.0
"""What people read who unpack an archive of tools, or find a folder of them.

They say nothing of the time or the machine, so that the archives of one release are equal wherever
they are made.
"""

from __future__ import annotations

from typing import Final

_LICENSE = """
## License

Licensed under the Apache License 2.0. The source code is at <https://github.com/{repository}>.
"""

_CLIENT = """\
# Command-line client

`oc` works with OpenShift, OKD and any other Kubernetes cluster. `kubectl` is the same program
under the name by which Kubernetes knows it.

## Install

Move `oc` and `kubectl` to a folder on your PATH, then log in to a cluster:

    oc login API_URL

`oc help` shows what else there is.
"""

_CLIENT_WINDOWS = """\
# Command-line client

`oc.exe` works with OpenShift, OKD and any other Kubernetes cluster.

## Install

Move `oc.exe` to a folder on your PATH, then log in to a cluster:

    oc login API_URL

`oc.exe help` shows what else there is. A copy of `oc.exe` with the name `kubectl.exe` behaves as
kubectl does.
"""

_INSTALL = """\
# Installer

`{program}` makes a cluster of the release that it was extracted from, in a cloud or on machines
of your own.

## Install

Move `{program}` to a folder on your PATH, or run it where it is:

    ./{program} create cluster

`./{program} help` shows what else there is.
"""

_CREDENTIALS = """\
# Cloud credentials utility

`ccoctl` makes and removes the credentials that a cluster needs in its cloud, from outside of the
cluster, for clusters whose cloud-credential-operator runs in manual mode.

## Install

Move `ccoctl` to a folder on your PATH, or run it where it is. `ccoctl help` shows what there is.
"""

_READMES: Final = {
    ("client", False): (_CLIENT, "openshift/oc"),
    ("client", True): (_CLIENT_WINDOWS, "openshift/oc"),
    ("install", False): (_INSTALL, "openshift/installer"),
    ("credentials", False): (_CREDENTIALS, "openshift/cloud-credential-operator"),
}

RELEASE_PREAMBLE: Final = """\
Client tools for OpenShift
--------------------------

The archives beside this file hold command-line tools of one release. The file sha256sum.txt has
their checksums, `sha256sum --check sha256sum.txt` compares them. Where sha256sum.txt.asc is
there too, `gpg --verify sha256sum.txt.asc sha256sum.txt` says who vouches for them.

The installer and the clients belong to this release:

---

"""
"""How ``release.txt`` begins; the release as ``release info --pullspecs`` shows it follows."""


def readme_for(kind: str, program: str, *, for_windows: bool) -> str:
    """The page about ``program`` in its archive."""
    text, repository = _READMES[kind, for_windows]
    return text.format(program=program) + _LICENSE.format(repository=repository)
