"""Shapes of reports."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from returns_api.api.schemas.base import Moment, Out, example

Unit = Literal["text", "count", "minor", "seconds", "ppm"]

_COLUMN: Final = {"name": "units", "unit": "count", "about": "Units that were asked to come back."}
_REASON: Final = {"name": "reason", "unit": "text", "about": "Why, as the buyer said."}
_KIND: Final = {
    "report": "reasons",
    "about": "Why goods come back.",
    "day": "opened",
    "groups": ["reason", "fault", "category"],
    "parameters": ["from", "to", "group", "limit", "format"],
    "columns": [_REASON, _COLUMN],
    "url": "/v1/reports/reasons",
}
_LIST: Final = {
    "zone": "Europe/Berlin",
    "as_of": "2026-11-22T09:12:44Z",
    "items": [_KIND],
}
_REPORT: Final = {
    "report": "reasons",
    "from": "2026-10-01",
    "to": "2026-11-22",
    "zone": "Europe/Berlin",
    "as_of": "2026-11-22T09:12:44Z",
    "group": "reason",
    "currency": None,
    "min_volume": None,
    "columns": [_REASON, _COLUMN],
    "rows": [
        {"reason": "size_too_small", "units": 412},
        {"reason": "changed_mind", "units": 377},
    ],
    "truncated": False,
}
CSV: Final = "reason,units\r\nsize_too_small,412\r\nchanged_mind,377\r\n"


class ColumnOut(Out):
    """One column: `minor` is minor units of the row's currency, `ppm` parts per million."""

    model_config = example(_COLUMN)

    name: str
    unit: Unit
    about: str


class ReportKindOut(Out):
    """A report that can be asked for."""

    model_config = example(_KIND)

    report: str
    about: str
    day: Literal["opened", "placed"] = Field(
        description=(
            "What a day counts: the returns (or complaints) opened on it with all that became of"
            " them, or the orders placed on it with all that came back of them."
        )
    )
    groups: list[str] = Field(description="What rows are told apart by; `group` picks one of it.")
    parameters: list[str]
    columns: list[ColumnOut]
    url: str


class ReportsOut(Out):
    """All reports, the zone in which their days begin, and how old their figures are."""

    model_config = example(_LIST)

    zone: str | None = Field(description="Null until a report was asked for.")
    as_of: Moment | None = Field(description="Null while they are being counted from scratch.")
    items: list[ReportKindOut]


class ReportAnswerOut(Out):
    """The rows of one report over some days. Amounts are never added over currencies."""

    model_config = example(_REPORT)

    report: str
    from_: str = Field(alias="from", description="The first day, in `zone`.")
    to: str = Field(description="The last day.")
    zone: str
    as_of: Moment = Field(description="What was committed by then is counted.")
    group: str | None
    currency: str | None = Field(description="The one that was asked for; null is all of them.")
    min_volume: int | None = Field(description="Rows with less are left out.")
    columns: list[ColumnOut]
    rows: list[dict[str, str | int | None]] = Field(
        description="Each with every column; the first rows say the most."
    )
    truncated: bool = Field(description="There are more rows than `limit`.")
