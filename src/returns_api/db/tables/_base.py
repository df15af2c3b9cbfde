"""The shape every table shares: tenant first in every key, explicit names for every constraint."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.schema import SchemaItem

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ColumnOf = Column[Any]


def tenant_table(
    name: str, *items: SchemaItem, key: Iterable[str] = ("id",), root: bool = False
) -> Table:
    """A table of one shop's rows: ``shop_id`` leads the primary key.

    Row-level security is switched on by the migrations for every table made here; see
    ``tenant_tables()``. Only ``root`` tables point at ``shops``: everything else hangs below a
    parent of the same shop, and a key to ``shops`` on each row would make every insert lock it.
    """
    table = Table(
        name,
        metadata,
        Column("shop_id", UUID(as_uuid=True), nullable=False),
        *([uuid_("id")] if "id" in key else []),
        *items,
        PrimaryKeyConstraint("shop_id", *key),
    )
    if root:
        table.append_constraint(ForeignKeyConstraint(["shop_id"], ["shops.shop_id"]))
    return table


def tenant_tables() -> tuple[Table, ...]:
    """Every table whose rows belong to one shop."""
    return tuple(t for t in metadata.sorted_tables if "shop_id" in t.c)


def uuid_(name: str, *, null: bool = False) -> ColumnOf:
    return Column(name, UUID(as_uuid=True), nullable=null)


def text_(name: str, *, null: bool = False, default: str | None = None) -> ColumnOf:
    return Column(
        name, Text, nullable=null, server_default=None if default is None else text(f"'{default}'")
    )


def texts(name: str) -> ColumnOf:
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'"))


def integer(name: str, *, null: bool = False, default: int | None = None) -> ColumnOf:
    return Column(
        name, Integer, nullable=null, server_default=None if default is None else text(str(default))
    )


def money(name: str, *, null: bool = False, default: int | None = None) -> ColumnOf:
    """Integer minor units; never numeric, which takes NaN and silently drops huge values."""
    return Column(
        name,
        BigInteger,
        nullable=null,
        server_default=None if default is None else text(str(default)),
    )


def moment(name: str, *, null: bool = False, now: bool = False) -> ColumnOf:
    return Column(
        name,
        DateTime(timezone=True),
        nullable=null,
        server_default=text("clock_timestamp()") if now else None,
    )


def flag(name: str, *, default: bool = False) -> ColumnOf:
    return Column(name, Boolean, nullable=False, server_default=text(str(default).lower()))


def json_(name: str, *, null: bool = False, default: dict[str, Any] | None = None) -> ColumnOf:
    return Column(
        name,
        JSONB,
        nullable=null,
        server_default=None if default is None else text(f"'{json.dumps(default)}'"),
    )


def bytes_(name: str, *, null: bool = False) -> ColumnOf:
    return Column(name, LargeBinary, nullable=null)


def currency() -> ColumnOf:
    return Column("currency", CHAR(3), nullable=False)


def one_of(column: str, values: Iterable[str], *, name: str | None = None) -> CheckConstraint:
    """The column holds one of ``values``: the lifecycle table and the database agree."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name or column)


def at_least(minimum: int, *columns: str) -> list[SchemaItem]:
    return [CheckConstraint(f"{c} >= {minimum}", name=f"{c}_min") for c in columns]


def belongs_to(
    table: str, column: str, *extra: tuple[str, str], cascade: bool = False
) -> ForeignKeyConstraint:
    """A foreign key that cannot leave the shop; ``extra`` pairs pin further columns."""
    pairs = [("shop_id", "shop_id"), (column, "id"), *extra]
    return ForeignKeyConstraint(
        [here for here, _ in pairs],
        [f"{table}.{there}" for _, there in pairs],
        ondelete="CASCADE" if cascade else None,
    )


def paid_by(column: str) -> ForeignKeyConstraint:
    """The payment that ``column`` names was told for this row, and for no other in the shop."""
    return ForeignKeyConstraint(
        ["shop_id", column, "id"],
        [f"payment_references.{name}" for name in ("shop_id", "reference", "used_by")],
    )


def due_index(table: str, column: str, where: str) -> Index:
    """A small index over what a sweep looks for, and nothing else."""
    return Index(f"ix_{table}_{column}_sweep", column, postgresql_where=text(where))
