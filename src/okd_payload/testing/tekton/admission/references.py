# SPDX-License-Identifier: Apache-2.0
"""Rules for references to Tasks, Pipelines and StepActions: by name, or by a resolver.

Whether what is named exists is found out when it runs, never here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from okd_payload.testing.tekton.admission.model import Reference
from okd_payload.testing.tekton.admission.names import qualified_name_problems
from okd_payload.testing.tekton.admission.parameters import check_given_once
from okd_payload.testing.tekton.admission.refusals import (
    FieldError,
    both,
    invalid_value,
    missing,
    needs_flag,
)

_LIKE_A_URL = re.compile(r"[\w-]+:\/\/*")


def check_reference(reference: Reference) -> Iterator[FieldError]:
    """Names are names, and a resolver stands for itself."""
    name = reference.name
    if reference.resolver or reference.params is not None:
        if reference.params is not None:
            if name:
                yield both("name", "params")
            if not reference.resolver:
                yield missing("resolver")
            yield from check_given_once(reference.params)
        if reference.resolver and name:
            if _LIKE_A_URL.search(name):
                yield _concise_syntax()
            else:
                yield invalid_value("invalid URI for request", "name")
    elif not name:
        yield missing("name")
    elif _LIKE_A_URL.search(name):
        yield _concise_syntax()
        yield missing("resolver")
    elif problems := qualified_name_problems(name):
        yield invalid_value(",".join(problems), "name")


def _concise_syntax() -> FieldError:
    return needs_flag("enable-concise-resolver-syntax", "use concise resolver syntax", "")
