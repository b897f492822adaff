# SPDX-License-Identifier: Apache-2.0
"""Units of work on the database, in threads of their own.

A unit is a function of one connection. Everything it writes is committed together, and units that
write come one after the other, over all instances: what a unit has read stays true until it ends.
SQLite is like that by itself, in PostgreSQL a lock makes it so. Readers see one moment and wait
for nobody.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from okd_payload.controller.records.tables import VERSION, metadata, schema
from okd_payload.errors import InputError, RecordsError, RecordsUnavailable

Result = TypeVar("Result")

_WORKERS = 4
_BUSY_SECONDS = 10
_WRITERS_LOCK = 0x6F6B64
"""The advisory lock of PostgreSQL that a writing unit holds."""
_READS = {"only_reads": True}
_KINDS = ("sqlite", "postgresql")
_EXAMPLE = "write sqlite:///PATH, or postgresql+psycopg://USER@HOST/NAME"


class Database:
    """Runs units of work."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._one = isinstance(engine.pool, StaticPool)
        workers = 1 if self._one else _WORKERS
        self._threads = concurrent.futures.ThreadPoolExecutor(workers, "records")
        self.written: object = None
        """Another one after each write of this process, so that answers kept for a moment end."""

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    @property
    def is_shared(self) -> bool:
        """Whether instances on other machines may use it too."""
        return self.dialect == "postgresql"

    async def read(self, unit: Callable[[Connection], Result]) -> Result:
        """What ``unit`` finds. Raises RecordsUnavailable and RecordsError."""
        return await self._run(functools.partial(self._read, unit))

    async def write(self, unit: Callable[[Connection], Result]) -> Result:
        """What ``unit`` returns, after all it wrote is safe.

        Nothing is written when it raises. Raises RecordsUnavailable and RecordsError.
        """
        return await self._run(functools.partial(self._write, unit))

    async def close(self) -> None:
        """Let go of connections and threads, after units whose caller waits no more have ended."""
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._engine.dispose)

    def prepare(self) -> None:
        """Make the tables where there are none. Raises RecordsError when they are of a newer us."""
        self._write(_prepare)

    def has_tables(self) -> bool:
        """Whether tables were made. Raises RecordsError when they are of a newer us."""
        return self._read(_has_tables)

    async def _run(self, call: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _read(self, unit: Callable[[Connection], Result]) -> Result:
        try:
            with self._engine.connect().execution_options(**_READS) as connection:
                return unit(connection)
        except SQLAlchemyError as error:
            raise _own(error, self._engine.url) from error

    def _write(self, unit: Callable[[Connection], Result]) -> Result:
        try:
            with self._engine.begin() as connection:
                found = unit(connection)
        except SQLAlchemyError as error:
            raise _own(error, self._engine.url) from error
        self.written = object()
        return found


def open_database(text: str) -> Database:
    """The database at the URL ``text``, its tables made.

    Raises InputError for what is no URL of a database, RecordsUnavailable and RecordsError.
    """
    with _own_words(text):
        url = _parse_url(text)
        engine = _open_sqlite(url) if url.get_backend_name() == "sqlite" else _open(url)
    database = Database(engine)
    database.prepare()
    return database


def open_existing(text: str) -> Database | None:
    """The database at the URL ``text`` to be read only; None where none was made yet.

    Nothing is written there. Raises as ``open_database`` does.
    """
    with _own_words(text):
        url = _parse_url(text)
        if url.get_backend_name() != "sqlite":
            engine = _open(url)
        elif not url.database or not Path(url.database).exists():
            return None
        else:
            engine = _open_sqlite(_as_it_is(Path(url.database)))
    database = Database(engine)
    return database if database.has_tables() else None


@contextlib.contextmanager
def _own_words(text: str) -> Iterator[None]:
    """Whatever is wrong with the URL ``text`` becomes InputError, without its password."""
    try:
        yield
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        words = str(error).replace(text, "it")
        raise InputError(f"what is named is no database: {words}", hint=_EXAMPLE) from error


def _parse_url(text: str) -> URL:
    url = make_url(text.strip())  # files and Secrets end their lines
    kind = url.get_backend_name()
    if kind not in _KINDS:
        raise InputError(
            f"what is named is no database of SQLite or PostgreSQL, but of {kind}", hint=_EXAMPLE
        )
    return url


def _as_it_is(path: Path) -> URL:
    """The file as a URL that leaves no trace.

    What a killed process had not moved into the file yet would be moved by whoever closes it and
    may write. Where nothing is left over, it is the other way round: who may not write leaves
    the files behind that readers need.
    """
    left_over = path.with_name(f"{path.name}-wal")
    mode = "ro" if left_over.exists() and left_over.stat().st_size else "rw"
    return make_url(f"sqlite:///file:{quote(str(path.absolute()))}?mode={mode}&uri=true")


def _open(url: URL) -> Engine:
    engine = create_engine(url, pool_size=_WORKERS, pool_pre_ping=True, hide_parameters=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if _only_reads(connection):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        else:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_BUSY_SECONDS}s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")

    return engine


def _open_sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        engine = create_engine(
            url,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
            hide_parameters=True,
        )
    else:
        if "uri" not in url.query:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: we say how
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if _only_reads(connection) else "BEGIN IMMEDIATE")

    return engine


def _only_reads(connection: Connection) -> bool:
    return _READS.items() <= connection.get_execution_options().items()


def _prepare(connection: Connection) -> None:
    if not _has_tables(connection):
        metadata.create_all(connection)
        connection.execute(insert(schema).values(version=VERSION))


def _has_tables(connection: Connection) -> bool:
    if not inspect(connection).has_table(schema.name):
        return False
    found = connection.execute(select(schema.c.version)).scalar_one()
    if found != VERSION:
        raise RecordsError(
            f"the database has version {found} of its tables, this program knows {VERSION}",
            hint="run the newer program, or restore the backup that was made before it",
        )
    return True


def _own(error: SQLAlchemyError, url: URL) -> RecordsError | InputError:
    """``error`` of the database at ``url`` in our words: whether waiting may help matters."""
    if getattr(getattr(error, "orig", None), "sqlite_errorcode", 0) == sqlite3.SQLITE_NOTADB:
        return InputError(
            f"{url.database}: not a database of SQLite, or a damaged one",
            hint="name another file, or put a backup in its place",
        )
    words = " ".join(str(getattr(error, "orig", None) or error).split())
    if isinstance(error, DBAPIError) and (error.connection_invalidated or _may_pass(error)):
        return RecordsUnavailable(
            f"the database cannot be used now: {words}",
            hint="check that it runs, can be reached, and has room on its disk",
        )
    return RecordsError(f"the database refuses: {words}")


def _may_pass(error: DBAPIError) -> bool:
    name = type(error.orig).__name__ if error.orig else ""
    return name in {"OperationalError", "InterfaceError", "AdminShutdown", "DiskFull"}
