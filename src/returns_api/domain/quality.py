"""Quality reports: what a supplier should hear of goods that came back for what they are.

One report for each return line with a reason of quality (``reasons.is_quality``), once, when the
return is closed and its units are graded or will not be. Ids, codes and counts only: what the buyer
wrote stays here. Owns what a report says and when; refuses to own rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from returns_api.domain.reasons import category_of

REPORTED: Final = ("kept", "settled")
"""States of lines that are reported: what was refused or never came says nothing."""
GRADED_WITHIN: Final = timedelta(days=14)
"""How long a closed return waits for the grades of units that were paid for at receipt."""


def report_at(
    lines: Iterable[Mapping[str, Any]], closed_at: datetime | None, now: datetime
) -> datetime | None:
    """When to look again, because units that came are not graded yet; None to report now."""
    if closed_at is None or all(line["inspected"] >= line["received"] for line in lines):
        return None
    last = closed_at + GRADED_WITHIN
    return last if now < last else None


def report(line: Mapping[str, Any]) -> dict[str, Any]:
    """What an event tells of one line. ``grade`` is that of most units, the first by name among
    equals; None where nobody graded any."""
    grades = dict(sorted((line["grades"] or {}).items()))
    return {
        "sku": line["sku"],
        "product": line["product_id"],
        "vendor": line["vendor"],
        "options": line["options"],
        "reason": line["reason"],
        "category": category_of(line["reason"]),
        "fault": line["fault"],
        "quantity": line["quantity"],
        "grade": max(grades, key=lambda grade: grades[grade], default=None),
        "grades": grades,
        "noted": line["noted"],
    }
