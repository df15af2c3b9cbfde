"""The ids in addresses that more than one noun's endpoints name.

An id of one noun alone stands with its endpoints. Refuses to own how an id is read
(``schemas.base.path_id``).
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from returns_api.api.schemas.base import example_id

OrderPath = Annotated[str, Path(examples=[example_id("ord")], max_length=100)]
ReturnPath = Annotated[str, Path(alias="return", examples=[example_id("ret")], max_length=100)]
ComplaintPath = Annotated[str, Path(examples=[example_id("cpl")], max_length=100)]
