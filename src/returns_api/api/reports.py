"""Reports over HTTP: which there are, their rows as JSON or CSV, and counting them anew."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from returns_api.api import csv_files
from returns_api.api.deps import Allowed, Caller, ContextDep, Digits
from returns_api.api.responses import refusals
from returns_api.api.schemas.reports import (
    CSV,
    ColumnOut,
    ReportAnswerOut,
    ReportKindOut,
    ReportsOut,
)
from returns_api.db.engine import Row
from returns_api.domain.access import Scope
from returns_api.domain.report_days import read_date
from returns_api.domain.report_sources import Column
from returns_api.domain.reports import REPORTS, ROWS_MAX, ROWS_USUAL, Report
from returns_api.usecases import reports
from returns_api.usecases.reports import Answered, Question

router = APIRouter(prefix="/v1/reports", tags=["reports"])

Reader = Annotated[Caller, Depends(Allowed(Scope.REPORTS_READ))]
Auditor = Annotated[Caller, Depends(Allowed(Scope.AUDITS_RUN))]
_PARAMETERS: Final = ("from", "to", "group", "limit", "format")


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"


First = Annotated[
    str | None,
    Query(
        alias="from",
        json_schema_extra={"format": "date"},
        description="The first day, in the shop's zone; 30 days up to `to`, if not said.",
        examples=["2026-10-01"],
    ),
]
Last = Annotated[
    str | None,
    Query(
        alias="to",
        json_schema_extra={"format": "date"},
        description="The last day; today, if not said.",
        examples=["2026-11-22"],
    ),
]
Group = Annotated[
    str | None,
    Query(
        pattern="^[a-z_]{1,40}$",
        description="Tell rows apart by this one of the report's `groups` alone.",
        examples=["reason"],
    ),
]
Currency = Annotated[
    str | None,
    Query(
        pattern="^[A-Z]{3}$",
        description="Only this one, in a report about money.",
        examples=["EUR"],
    ),
]
MinVolume = Annotated[
    int | None,
    Query(
        ge=0,
        le=10**9,
        description="In a report of rates: leave out what sold less; 20, if not said.",
        examples=[20],
    ),
    Digits,
]
Limit = Annotated[int, Query(ge=1, le=ROWS_MAX, description="Most rows.", examples=[100]), Digits]


async def question(
    first: First = None,
    last: Last = None,
    group: Group = None,
    currency: Currency = None,
    min_volume: MinVolume = None,
    limit: Limit = ROWS_USUAL,
) -> Question:
    """Dependency: what is asked. Raises ``Invalid`` for what is no day."""
    return Question(
        None if first is None else read_date(first, "from"),
        None if last is None else read_date(last, "to"),
        group,
        currency,
        min_volume,
        limit,
    )


@router.get(
    "",
    operation_id="listReports",
    summary="List reports",
    description="Which there are: their columns with units, and what can be asked of each.",
    responses=refusals(),
)
async def list_reports(ctx: ContextDep, caller: Reader) -> ReportsOut:
    return _list(await reports.view_progress(ctx, caller.principal.shop))


@router.post(
    "/rebuild",
    operation_id="rebuildReports",
    summary="Count all reports anew",
    description=(
        "Drops every figure and counts it again from the returns and orders that are there; the"
        " same ones give the same figures. Until that is done, reports are refused."
    ),
    status_code=202,
    responses=refusals(),
)
async def rebuild_reports(ctx: ContextDep, caller: Auditor) -> ReportsOut:
    return _list(await reports.rebuild(ctx, caller.principal.shop))


@router.get(
    "/{report}",
    operation_id="getReport",
    summary="Read a report",
    description=(
        "The rows over some days of the shop's zone, as JSON or as CSV (`format`, or `Accept:"
        " text/csv`). Figures are brought up to date every few minutes, see `as_of`; a shop's first"
        " question has them made, and is refused until they are."
    ),
    response_model=ReportAnswerOut,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}, "example": CSV}}},
        **refusals(404, 409),
    },
)
async def get_report(
    report: Annotated[
        str, Path(description="One of the list.", examples=["reasons"], max_length=100)
    ],
    ctx: ContextDep,
    caller: Reader,
    asked: Annotated[Question, Depends(question)],
    format_: Annotated[
        Format | None,
        Query(alias="format", description="Goes before `Accept`.", examples=["csv"]),
    ] = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    found = await reports.view_report(ctx, caller.principal.shop, report, asked)
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    if format_ is Format.CSV or (format_ is None and "text/csv" in (accept or "").lower()):
        return Response(_csv(found), media_type=csv_files.CSV_TYPE, headers=headers)
    body = _report(found).model_dump_json(by_alias=True)
    return Response(body, media_type="application/json", headers=headers)


def _list(made: Row | None) -> ReportsOut:
    return ReportsOut(
        zone=(made and made["zone"]) or None,
        as_of=made and made["as_of"],
        items=[_kind(report) for report in REPORTS.values()],
    )


def _kind(report: Report) -> ReportKindOut:
    own = [
        name
        for name, has in (
            ("currency", report.source.money),
            ("min_volume", report.volume is not None),
        )
        if has
    ]
    return ReportKindOut(
        report=report.name,
        about=report.about,
        day="placed" if report.source.placed else "opened",
        groups=list(report.keys),
        parameters=[*_PARAMETERS, *own],
        columns=_columns(report.columns(None)),
        url=f"/v1/reports/{report.name}",
    )


def _columns(columns: tuple[Column, ...]) -> list[ColumnOut]:
    return [
        ColumnOut.model_validate({"name": each.name, "unit": each.unit, "about": each.about})
        for each in columns
    ]


def _report(found: Answered) -> ReportAnswerOut:
    last = found.days.last
    return ReportAnswerOut(
        report=found.report.name,
        from_=found.days.first.isoformat(),
        to=last.isoformat(),
        zone=found.zone,
        as_of=found.as_of,
        group=found.question.group,
        currency=found.question.currency,
        min_volume=found.min_volume,
        columns=_columns(found.report.columns(found.question.group)),
        rows=list(found.rows),
        truncated=found.truncated,
    )


def _csv(found: Answered) -> str:
    columns = found.report.columns(found.question.group)
    return csv_files.written([each.name for each in columns], found.rows)
