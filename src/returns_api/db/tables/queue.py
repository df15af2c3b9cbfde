"""The job queue's own tables, as far as our statements write them.

pgqueuer owns their meaning; the migrations own their creation. They stand outside ``metadata`` so
that nobody takes them for tables of the house.
"""

from typing import Final

from sqlalchemy import Column, Enum, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

queue_metadata: Final = MetaData()

_STATUS = Enum(
    "queued",
    "picked",
    "successful",
    "exception",
    "canceled",
    "deleted",
    "failed",
    name="pgqueuer_status",
    create_type=False,
)

pgqueuer = Table(
    "pgqueuer",
    queue_metadata,
    Column("id", Integer, primary_key=True),
    Column("priority", Integer),
    Column("entrypoint", Text),
    Column("payload", LargeBinary),
    Column("execute_after", TIMESTAMP(timezone=True)),
    Column("status", _STATUS),
    Column("headers", JSONB),
)

pgqueuer_log = Table(
    "pgqueuer_log",
    queue_metadata,
    Column("id", Integer, primary_key=True),
    Column("created", TIMESTAMP(timezone=True)),
    Column("job_id", Integer),
    Column("status", _STATUS),
    Column("priority", Integer),
    Column("entrypoint", Text),
)
