"""What is left of a kept answer once its person was erased."""

from __future__ import annotations

from typing import Any

import pytest

from returns_api.domain.forgetting import without_words

ADDRESS = {"name": "Anna", "street1": "Lane 1", "city": "Rome", "postcode": "1", "country": "IT"}


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (
            {"address_change": "adc_1", "address": {**ADDRESS, "phone": "+49301"}},
            {
                "address_change": "adc_1",
                "address": {
                    **dict.fromkeys(("name", "street1", "city", "postcode", "phone")),
                    "country": "IT",
                },
            },
        ),
        ({"ruling": "She never sent it.", "award": 5}, {"ruling": None, "award": 5}),
        ({"reason": "changed_mind"}, {"reason": "changed_mind"}),
        ({"reason": "Anna called twice"}, {"reason": None}),
        ({"items": [{"info_request": "Which one?"}]}, {"items": [{"info_request": None}]}),
        ({"note": "note_01arz3ndektsv4rrffq69g5fav"}, {"note": "note_01arz3ndektsv4rrffq69g5fav"}),
    ],
)
def test_words_go_and_the_rest_stays(told: Any, left: Any) -> None:
    assert without_words(told) == left
