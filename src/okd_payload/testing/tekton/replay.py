# SPDX-License-Identifier: Apache-2.0
"""Plays recordings of real runs into a simulated cluster: who watches sees what was recorded.

    scenario = read_scenario(recordings / "tr-step-fails")
    cluster.controllers.append(Replay(lambda run: scenario))
    async with cluster:
        ...                       # create a TaskRun: it lives and fails as the recorded one

Whoever creates a run is given its recording: the new run keeps its own name, labels, owner and
specification, and gets the recorded status, change by change. What the run made (pods, child
runs, claims) appears under names, uids and times that fit the new run. Containers print what they
printed. Nothing here knows Tekton: no event appears that was not recorded.

What the recorder did on the way (cancel, delete a pod) has its recorded consequences, at the
recorded place. With ``awaited`` the replay stands still there until somebody does it to the new
run, so that an engine that cancels can be tested against a real cancellation.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from okd_payload.cluster import Change
from okd_payload.cluster.kinds import POD, SHIPWRIGHT_BUILD
from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    list_at,
    metadata_of,
    name_of,
    namespace_of,
    object_at,
    uid_of,
    with_metadata,
)
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.tekton.recordings import (
    RUN_KINDS,
    RecordedAction,
    RecordedChange,
    Scenario,
)

_STAMP = re.compile(r"2025-01-01T[0-9:]{8}(\.[0-9]+)?Z")
_BEGINNING = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
_LIFE = ("deletionTimestamp", "deletionGracePeriodSeconds", "finalizers", "generation")
"""What the recording says of an object that somebody else made, besides its status."""

Choice = Callable[[JsonObject], Scenario | None]
"""Which recording a new run lives by, if any."""


class Replay:
    """A controller: gives each new run the life of a recorded one."""

    def __init__(self, choose: Choice, *, pace: float = 0.0, awaited: bool = False) -> None:
        """``pace`` is how much of the recorded time passes on the cluster's clock."""
        self._choose = choose
        self._pace = pace
        self._awaited = awaited

    async def __call__(self, cluster: SimulatedCluster) -> None:
        """Play for ever."""
        seen: set[str] = set()
        async with asyncio.TaskGroup() as plays:
            async for change, document in cluster.changes(*RUN_KINDS):
                uid = uid_of(document)
                if change is not Change.ADDED or uid in seen:
                    continue
                scenario = self._choose(document)
                if scenario is not None and scenario.run.kind.kind == document.get("kind"):
                    play = Play(cluster, scenario, document, made=seen)
                    plays.create_task(play.run(pace=self._pace, awaited=self._awaited))


class Play:
    """One recording, played for one run."""

    def __init__(
        self,
        cluster: SimulatedCluster,
        scenario: Scenario,
        run: JsonObject,
        *,
        made: set[str] | None = None,
    ) -> None:
        """``made`` collects the uids of everything that is made."""
        self._cluster = cluster
        self._scenario = scenario
        self._run = run
        self._made = set() if made is None else made
        self._present: dict[tuple[str, str], RecordedChange] = {}
        """What was made and is there, by kind and recorded name."""
        self._printed: set[tuple[str, str]] = set()
        self._over = False
        """Whether the run went because the recorded one did."""
        for event in scenario.changes:
            cluster.serve(event.kind)
        self.rewriting = _Rewriting(scenario, run, cluster.state.clock.now())

    async def run(self, *, pace: float = 0.0, awaited: bool = False) -> None:
        """Play from the creation of the run to the last recorded change."""
        clock, at = self._cluster.state.clock, self._scenario.run.milliseconds
        for event in self._scenario.events:
            if pace and event.milliseconds > at:
                await clock.wait((event.milliseconds - at) / 1000 * pace)
            else:
                await asyncio.sleep(0)
            at = max(at, event.milliseconds)
            if not self._over and not self._is_there():
                self._clean()
                return
            if isinstance(event, RecordedChange):
                self._play(event)
            elif awaited and _is_awaited(event):
                await self._until_done(event)

    def _play(self, event: RecordedChange) -> None:
        mine = self.rewriting.is_run(event)
        if mine and event.change is Change.ADDED:
            return
        name = self.rewriting.name(event.name)
        namespace = namespace_of(self._run)
        current = self._cluster.find(event.kind, name, namespace=namespace)
        key = (event.kind.kind, event.name)
        if event.change is Change.ADDED:
            if event.kind == SHIPWRIGHT_BUILD and current is not None:
                self.rewriting.adopt(event, current)
                return
            self.rewriting.invent(event, self._cluster.state.new_uid())
        document = self.rewriting.document(event)
        if key not in self._present and event.change is not Change.ADDED and current is not None:
            document = _with_life(current, document, self._scenario.run.document)
        elif event.kind == POD:
            document = self._with_labels(document)
        self._print(event, document)
        if event.change is Change.DELETED:
            self._over = self._over or mine
            self._present.pop(key, None)
            if current is not None:
                self._remove(event, document)
            return
        if event.change is Change.ADDED:
            self._present[key] = event
            self._made.add(uid_of(document))
        self._cluster.put(event.kind, document)

    def _with_labels(self, pod: JsonObject) -> JsonObject:
        """Pods have the labels of their run."""
        labels = object_at(self._run, "metadata", "labels")
        return with_metadata(pod, labels={**labels, **object_at(pod, "metadata", "labels")})

    def _print(self, event: RecordedChange, document: JsonObject) -> None:
        if event.kind != POD:
            return
        for status in list_at(document, "status", "containerStatuses"):
            container, printed = status["name"], (uid_of(document), status["name"])
            text = self._scenario.logs.get((event.name, container))
            if text is None or printed in self._printed or "waiting" in status["state"]:
                continue
            self._printed.add(printed)
            self._cluster.state.logs.append(document, container, text)

    def _remove(self, event: RecordedChange, last: JsonObject) -> None:
        store = self._cluster.state.store
        for stored in store.everything():
            if stored.key.resource == event.kind.resource and uid_of(stored.document) == uid_of(
                last
            ):
                store.remove(stored.key, last)
        if event.kind == POD:
            self._cluster.state.logs.forget(last)

    def _clean(self) -> None:
        """The run is gone: so is what it made."""
        for event in list(self._present.values()):
            document = self.rewriting.document(event)
            name, namespace = name_of(document), namespace_of(document)
            if self._cluster.find(event.kind, name, namespace=namespace) is not None:
                self._remove(event, document)

    def _is_there(self) -> bool:
        kind, namespace = self._scenario.run.kind, namespace_of(self._run)
        found = self._cluster.find(kind, name_of(self._run), namespace=namespace)
        return found is not None and uid_of(found) == uid_of(self._run)

    async def _until_done(self, action: RecordedAction) -> None:
        """Return when somebody did to the new run what the recorder did to the old one."""
        kind = next((it for it in RUN_KINDS if it.kind == action.kind), None)
        if kind is None:
            return
        name, namespace = self.rewriting.name(action.name), namespace_of(self._run)
        asked = object_at(action.body, "spec")
        wanted = {key: asked[key] for key in ("status", "state") if key in asked}
        async for _ in self._cluster.changes(kind):
            found = self._cluster.find(kind, name, namespace=namespace)
            if found is None or wanted.items() <= found["spec"].items():
                return


class _Rewriting:
    """What the recording calls its objects, and what they are called here."""

    def __init__(self, scenario: Scenario, run: JsonObject, now: float) -> None:
        recorded = scenario.run
        self._recorded = recorded
        self._namespaces = (scenario.name, namespace_of(run))
        self._shift = dt.timedelta(seconds=int(now)) - (
            _BEGINNING - dt.datetime.fromtimestamp(0, dt.UTC)
        )
        self._names = {recorded.name: name_of(run)}
        self.uids = {uid_of(recorded.document): uid_of(run)}
        """The uids here, by those that were recorded."""
        build = object_at(run, "spec", "build").get("name")
        old = object_at(recorded.document, "spec", "build").get("name")
        if build and old:
            self._names[old] = build

    def is_run(self, event: RecordedChange) -> bool:
        """Whether the event is about the run itself."""
        mine = uid_of(self._recorded.document)
        return event.kind == self._recorded.kind and uid_of(event.document) == mine

    def name(self, recorded: str) -> str:
        """What the object of that recorded name is called here."""
        if recorded in self._names:
            return self._names[recorded]
        first = self._recorded.name
        if recorded.startswith(f"{first}-"):
            return self._names[first] + recorded.removeprefix(first)
        return recorded

    def invent(self, event: RecordedChange, uid: str) -> None:
        """A new object: from now on its recorded uid means ``uid``."""
        self.uids[uid_of(event.document)] = uid
        self._names[event.name] = self.name(event.name)

    def adopt(self, event: RecordedChange, current: JsonObject) -> None:
        """An object that is here already stands for the recorded one."""
        self.uids[uid_of(event.document)] = uid_of(current)

    def document(self, event: RecordedChange) -> JsonObject:
        """The recorded object as it is here; the store gives it its resource version."""
        document: JsonObject = self._rewrite(event.document)
        return with_metadata(document, name=self.name(event.name))

    def _rewrite(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._rewrite(it) for key, it in value.items()}
        if isinstance(value, list):
            return [self._rewrite(it) for it in value]
        return self._rewrite_text(value) if isinstance(value, str) else value

    def _rewrite_text(self, text: str) -> str:
        if text in self.uids:
            return self.uids[text]
        if text == self._namespaces[0]:
            return self._namespaces[1]
        if text in self._names:
            return self._names[text]
        text = _STAMP.sub(self._move, text)
        for old, new in sorted(self._names.items(), key=lambda it: -len(it[0])):
            if old == new:
                continue
            # The name of a run is a word like others: only in quotes or behind a slash it is one.
            if old == self._recorded.name:
                text = text.replace(f'"{old}"', f'"{new}"')
                text = re.sub(rf"/{re.escape(old)}(?![\w.-])", f"/{new}", text)
            else:
                text = re.sub(rf"(?<![\w.-]){re.escape(old)}(?![\w-])", new, text)
        if self._namespaces[0] != self._namespaces[1]:
            text = text.replace(f"{self._namespaces[0]}/", f"{self._namespaces[1]}/")
        return text

    def _move(self, match: re.Match[str]) -> str:
        moment = dt.datetime.fromisoformat(match[0][:19] + "+00:00") + self._shift
        return f"{moment:%Y-%m-%dT%H:%M:%S}{match[1] or ''}Z"


def _with_life(current: JsonObject, recorded: JsonObject, first: JsonObject) -> JsonObject:
    """An object that somebody else made, with the recorded status and what belongs to it."""
    metadata = metadata_of(recorded)
    document = with_metadata(
        current,
        labels={**metadata.get("labels", {}), **metadata_of(current).get("labels", {})} or None,
        annotations={
            **metadata.get("annotations", {}),
            **metadata_of(current).get("annotations", {}),
        }
        or None,
        ownerReferences=_owners(current, recorded, first) or None,
        **{name: metadata.get(name) for name in _LIFE},
    )
    spec = dict(object_at(document, "spec"))
    for name in ("status", "statusMessage", "state"):
        if name in recorded.get("spec", {}):
            spec[name] = recorded["spec"][name]
        elif name in first.get("spec", {}):
            spec.pop(name, None)
    document["spec"] = spec
    if "status" in recorded:
        document["status"] = recorded["status"]
    return document


def _owners(current: JsonObject, recorded: JsonObject, first: JsonObject) -> list[JsonObject]:
    """The owners that the object was made with, and those that it was given later."""
    before = [it["name"] for it in list_at(first, "metadata", "ownerReferences")]
    later = list_at(recorded, "metadata", "ownerReferences")
    mine = list_at(current, "metadata", "ownerReferences")
    return [*mine, *(it for it in later if it["name"] not in before and it not in mine)]


def _is_awaited(action: RecordedAction) -> bool:
    """Whether a test can be expected to do this: a run that is cancelled or deleted."""
    return action.http < 300 and action.verb.startswith(("patch", "delete"))
