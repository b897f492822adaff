# SPDX-License-Identifier: Apache-2.0
"""The drawing of progress in a terminal: what is told scrolls, what runs stays below it.

Apart from ``cli.progress``, because rich takes longer to import than most commands to run. Rich
redraws in a thread of its own, so that times go on while no event comes.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from okd_payload.cli.progress import Running, Tally
from okd_payload.progress import Event, Started

_REDRAWS_A_SECOND = 4
_ROOM_FOR_OTHERS = 4
_MEGABYTE = 1_000_000


class LiveView:
    """A listener that draws; a context, because the terminal must be put in order again."""

    def __init__(
        self, tally: Tally, *, colored: bool | None, console: Console | None = None
    ) -> None:
        self._tally = tally
        self._lock = threading.Lock()
        self._spinner = Spinner("dots")
        self._console = console or Console(stderr=True, no_color=colored is False, highlight=False)
        self._live = Live(
            get_renderable=self._draw,
            console=self._console,
            redirect_stdout=False,
            refresh_per_second=_REDRAWS_A_SECOND,
        )

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._tally.running.clear()
        self._live.stop()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            line = self._tally.take(event)
        if line and not isinstance(event, Started):  # what runs is drawn below
            self._console.print(Text.assemble((line.word, line.color), " ", line.text))

    def _draw(self) -> Group:
        with self._lock:
            rows = [self._draw_row(running) for running in self._tally.running.values()]
            summary = self._tally.summary()
        room = max(1, self._console.size.height - _ROOM_FOR_OTHERS)
        table = Table.grid(padding=(0, 1))
        for _ in range(5):
            table.add_column(no_wrap=True, overflow="ellipsis")
        for row in rows[:room]:
            table.add_row(self._spinner, *row)
        more = [Text(f"  and {len(rows) - room} more")] if len(rows) > room else []
        return Group(table, *more, Text(summary, style="bold"))

    def _draw_row(self, running: Running) -> tuple[Text, ...]:
        texts = (
            running.activity,
            running.subject,
            self._tally.elapsed(running),
            _describe_share(running) or running.detail,
        )
        return tuple(Text(text) for text in texts)


def _describe_share(running: Running) -> str:
    if not running.total:
        return ""
    share = f"{100 * running.done // running.total} %"
    return share if running.total < _MEGABYTE else f"{share} of {running.total // _MEGABYTE} MB"
