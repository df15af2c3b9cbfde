"""Documents that repeat what the code knows must repeat it exactly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from returns_api.config import settings_table

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_operations_lists_every_setting() -> None:
    assert settings_table() in (ROOT / "docs/operations.md").read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", document.read_text())
    missing = [link for link in links if not (document.parent / link).exists()]
    assert missing == []


def test_the_readme_leads_to_every_document() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [
        doc.name for doc in (ROOT / "docs").glob("*.md") if f"(docs/{doc.name})" not in readme
    ] == []
