# SPDX-License-Identifier: Apache-2.0
"""All objects of a kind as they were at one moment, page by page.

Pages of one list show the state of the first, for some minutes; after that the server offers the
rest as it is now, which would be no state that ever was. Then the list is read again, at once
and whole.
"""

from __future__ import annotations

from okd_payload.cluster.api import Api
from okd_payload.cluster.objects import read_page, with_kind
from okd_payload.cluster.protocol import ObjectList
from okd_payload.cluster.request import Subject, request_about

_PAGE = "500"


_FORGOTTEN = frozenset({400, 410, 422, 500, 504})
"""How servers refuse to show a moment that is past, or yet to come."""


async def list_objects(
    api: Api, subject: Subject, *, labels: str = "", fields: str = ""
) -> ObjectList:
    """The objects that fit the selectors. Raises ClusterError."""
    selection = (("labelSelector", labels), ("fieldSelector", fields))
    whole = await _read(api, subject, selection)
    return whole or await _read_whole(api, subject, selection)


async def list_past(
    api: Api, subject: Subject, *, labels: str, fields: str, moment: str
) -> ObjectList | None:
    """The objects as they were at the ``moment``; None when the server does not know any more."""
    selection = (("labelSelector", labels), ("fieldSelector", fields))
    return await _read(api, subject, selection, moment=moment)


async def _read_whole(
    api: Api, subject: Subject, selection: tuple[tuple[str, str], ...]
) -> ObjectList:
    request = request_about(subject, "list", query=selection)
    page = read_page((await api.ask(request)).body, request.about)
    items = tuple(with_kind(item, subject.kind) for item in page.items or ())
    return ObjectList(items, page.metadata.resource_version)


async def _read(
    api: Api, subject: Subject, selection: tuple[tuple[str, str], ...], *, moment: str = ""
) -> ObjectList | None:
    """The list in pages; None when its moment is over before its end."""
    items: list[bytes] = []
    more = ""
    while True:
        when = ("resourceVersion", moment), ("resourceVersionMatch", "Exact" if moment else "")
        where = (("continue", more),) if more else when
        query = (*selection, ("limit", _PAGE), *where)
        request = request_about(subject, "list", query=query)
        answer = await api.answer(request)
        if answer.status in _FORGOTTEN and moment:
            return None
        if answer.status == 410 and more:
            return None
        if not answer.good:
            raise api.refused(request, answer)
        part = read_page(answer.body, request.about)
        items += (with_kind(item, subject.kind) for item in part.items or ())
        more = part.metadata.continues
        if not more:
            return ObjectList(tuple(items), part.metadata.resource_version)
