# SPDX-License-Identifier: Apache-2.0
"""The database: functions over one connection, run in units of work by ``Database``.

``releases``, ``runs``, ``streams``, ... read and write frozen values of ``controller.model``;
each function takes the connection of a unit of work, so that what belongs together is written
together or not at all. SQLite is the default and also the twin (``sqlite:///:memory:``);
several instances share a PostgreSQL.
"""

from okd_payload.controller.records.database import Database, open_database

__all__ = ["Database", "open_database"]
