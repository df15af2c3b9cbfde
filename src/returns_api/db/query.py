"""Statements built once with SQLAlchemy Core and run on asyncpg.

SQLAlchemy gives composition, typing and the same tables as the migrations; compiling a statement
once and handing asyncpg the finished text costs nothing per call. A ``Query`` knows the names of
its parameters, so a missing or misspelt one is an error at the call, not a NULL in the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from asyncpg import Record
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    FromClause,
    TableValuedAlias,
    Text,
    Uuid,
    any_,
    bindparam,
    column,
    func,
    literal,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.compiler import FROM_LINTING

_DIALECT: Final = PGDialect_asyncpg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

SHOP: Final = bindparam("shop", required=True, type_=Uuid())
"""The tenant, filled in by the transaction; every statement on a tenant table names it."""


def here(table: FromClause) -> ColumnElement[bool]:
    """Only rows of this shop. Row-level security says so too; this is the belt."""
    return table.c.shop_id == SHOP


def given(name: str, type_: Any = None) -> BindParameter[Any]:
    """A parameter that the caller must pass."""
    return bindparam(name, required=True, type_=type_)


def json_rows(source: str | ColumnElement[Any], /, **types: Any) -> TableValuedAlias:
    """A JSON array of objects as rows; ``types`` are their columns. ``source`` is the parameter
    that holds it, or a column."""
    array = given(source, JSONB) if isinstance(source, str) else source
    columns = (column(name, type_) for name, type_ in types.items())
    return func.jsonb_to_recordset(array).table_valued(*columns).render_derived(with_types=True)


def prefixed(name: str, columns: Iterable[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """Columns of another noun beside a row's own: ``name_column`` each, taken out by ``part``."""
    return [col.label(f"{name}_{col.key}") for col in columns]


def part(row: Record, name: str) -> dict[str, Any]:
    """What ``prefixed`` put into a row, under the columns' own names."""
    start = len(name) + 1
    return {key[start:]: value for key, value in row.items() if key.startswith(f"{name}_")}


def among(col: ColumnElement[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """``col = ANY (array)``: one plan whatever the number, where IN would make a text for each."""
    return col == any_(literal(list(values), ARRAY(Text)))


class Query:
    """One compiled statement. ``bind(**params)`` gives the positional arguments.

    Tables that no condition joins are warned of, which the tests take for an error: they multiply.
    """

    __slots__ = ("_fixed", "_free", "_names", "sql")

    def __init__(self, statement: Executable) -> None:
        compiled = statement.compile(  # type: ignore[attr-defined]
            dialect=_DIALECT, linting=FROM_LINTING
        )
        self.sql: str = str(compiled)
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        required = {
            bind.key
            for bind in compiled.bind_names
            if bind.required or (bind.value is None and bind.callable is None)
        }
        self._fixed = {n: v for n, v in compiled.params.items() if n not in required}
        self._free = frozenset(n for n in self._names if n in required)

    @property
    def of_shop(self) -> bool:
        """Whether the statement names the tenant."""
        return "shop" in self._free

    @property
    def parameters(self) -> int:
        """How many positional arguments the statement takes."""
        return len(self._names)

    def bind(self, params: dict[str, Any]) -> list[Any]:
        """Positional arguments in the statement's order.

        Raises:
            TypeError: a parameter is missing or unknown.
        """
        if params.keys() != self._free:
            missing, unknown = self._free - params.keys(), params.keys() - self._free
            raise TypeError(f"missing {sorted(missing)}, unknown {sorted(unknown)} in: {self.sql}")
        fixed = self._fixed
        return [params[n] if n in params else fixed[n] for n in self._names]
