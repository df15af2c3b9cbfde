"""Why goods come back: the standard catalogue of reasons, each with who is at fault by default.

Owns the codes, their grouping and the built-in titles in five languages. Refuses to own what a
reason *means* for a return: that is the policy's work. A merchant may add reasons or change the
fault of a standard one in the policy document (``domain.policy.document``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Fault(StrEnum):
    """Whose side the cause lies on."""

    BUYER = "buyer"
    MERCHANT = "merchant"
    CARRIER = "carrier"


class ReasonCategory(StrEnum):
    """Groups for menus and reports; no rule depends on them."""

    FIT = "fit"
    PREFERENCE = "preference"
    QUALITY = "quality"
    DESCRIPTION = "description"
    DELIVERY = "delivery"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason a buyer can pick. ``titles`` maps a language (``de``) to a title."""

    code: str
    fault: Fault
    category: ReasonCategory
    titles: Mapping[str, str]

    def title(self, locale: str) -> str:
        """The title in ``locale`` (``de-AT`` falls back to ``de``), else English, else the code."""
        language = locale.replace("_", "-").split("-")[0].lower()
        return self.titles.get(language) or self.titles.get("en") or self.code


def _reason(
    code: str, fault: Fault, category: ReasonCategory, en: str, de: str, fr: str, es: str, zh: str
) -> Reason:
    titles = MappingProxyType({"en": en, "de": de, "fr": fr, "es": es, "zh": zh})
    return Reason(code, fault, category, titles)


_B, _M, _C = Fault.BUYER, Fault.MERCHANT, Fault.CARRIER
_FIT, _PREFERENCE = ReasonCategory.FIT, ReasonCategory.PREFERENCE
_QUALITY, _DESCRIPTION = ReasonCategory.QUALITY, ReasonCategory.DESCRIPTION
_DELIVERY, _OTHER = ReasonCategory.DELIVERY, ReasonCategory.OTHER

STANDARD: Final[tuple[Reason, ...]] = (
    _reason("size_too_small", _B, _FIT, "Too small", "Zu klein", "Trop petit",
            "Demasiado pequeño", "尺码偏小"),
    _reason("size_too_large", _B, _FIT, "Too large", "Zu groß", "Trop grand",
            "Demasiado grande", "尺码偏大"),
    _reason("does_not_fit", _B, _FIT, "Does not fit", "Passt nicht", "Ne va pas",
            "No me queda bien", "不合身"),
    _reason("incompatible", _B, _FIT, "Does not work with what I have",
            "Passt nicht zu meinem Gerät", "Incompatible avec mon équipement",
            "No es compatible con lo que tengo", "与我的设备不兼容"),
    _reason("changed_mind", _B, _PREFERENCE, "Changed my mind", "Meinung geändert",
            "J'ai changé d'avis", "He cambiado de opinión", "不想要了"),
    _reason("no_longer_needed", _B, _PREFERENCE, "No longer needed", "Nicht mehr benötigt",
            "Plus nécessaire", "Ya no lo necesito", "不再需要"),
    _reason("ordered_by_mistake", _B, _PREFERENCE, "Ordered by mistake",
            "Versehentlich bestellt", "Commandé par erreur", "Pedido por error", "误下单"),
    _reason("ordered_several", _B, _PREFERENCE, "Ordered several to choose from",
            "Mehrere zur Auswahl bestellt", "Plusieurs commandés pour choisir",
            "Pedí varios para elegir", "多买供挑选"),
    _reason("better_price", _B, _PREFERENCE, "Found it cheaper", "Günstiger gefunden",
            "Trouvé moins cher", "Lo encontré más barato", "发现更低价格"),
    _reason("style", _B, _PREFERENCE, "Do not like the style", "Stil gefällt nicht",
            "Le style ne me plaît pas", "No me gusta el estilo", "款式不喜欢"),
    _reason("color", _B, _PREFERENCE, "Do not like the colour", "Farbe gefällt nicht",
            "La couleur ne me plaît pas", "No me gusta el color", "颜色不喜欢"),
    _reason("withdrawal", _B, _PREFERENCE, "Withdrawal from the contract",
            "Widerruf des Vertrags", "Rétractation", "Desistimiento", "撤回合同"),
    _reason("gift_not_wanted", _B, _PREFERENCE, "Gift that is not wanted",
            "Unerwünschtes Geschenk", "Cadeau non désiré", "Regalo no deseado", "礼物不需要"),
    _reason("defective", _M, _QUALITY, "Defective", "Defekt", "Défectueux", "Defectuoso",
            "有质量问题"),
    _reason("stopped_working", _M, _QUALITY, "Stopped working", "Funktioniert nicht mehr",
            "Ne fonctionne plus", "Ha dejado de funcionar", "使用后损坏"),
    _reason("poor_quality", _M, _QUALITY, "Poor quality", "Schlechte Qualität",
            "Mauvaise qualité", "Mala calidad", "质量差"),
    _reason("expired", _M, _QUALITY, "Expired or spoiled", "Abgelaufen oder verdorben",
            "Périmé ou avarié", "Caducado o en mal estado", "过期或变质"),
    _reason("recalled", _M, _QUALITY, "Recalled by the maker", "Vom Hersteller zurückgerufen",
            "Rappelé par le fabricant", "Retirado por el fabricante", "厂家召回"),
    _reason("missing_parts", _M, _DESCRIPTION, "Parts are missing", "Teile fehlen",
            "Pièces manquantes", "Faltan piezas", "缺少配件"),
    _reason("not_as_described", _M, _DESCRIPTION, "Not as described",
            "Entspricht nicht der Beschreibung", "Non conforme à la description",
            "No coincide con la descripción", "与描述不符"),
    _reason("wrong_item", _M, _DESCRIPTION, "Wrong item received", "Falscher Artikel geliefert",
            "Mauvais article reçu", "Artículo equivocado", "发错商品"),
    _reason("not_genuine", _M, _DESCRIPTION, "Seems not to be genuine", "Wirkt nicht echt",
            "Semble être une contrefaçon", "Parece una falsificación", "疑似假货"),
    _reason("damaged_in_transit", _C, _DELIVERY, "Damaged in transit",
            "Beim Transport beschädigt", "Endommagé pendant le transport",
            "Dañado en el transporte", "运输中损坏"),
    _reason("arrived_late", _C, _DELIVERY, "Arrived too late", "Zu spät angekommen",
            "Arrivé trop tard", "Llegó demasiado tarde", "送达太晚"),
    _reason("not_received", _C, _DELIVERY, "Never arrived", "Nie angekommen", "Jamais arrivé",
            "Nunca llegó", "未收到"),
    _reason("other", _B, _OTHER, "Another reason", "Anderer Grund", "Autre raison",
            "Otro motivo", "其他原因"),
)  # fmt: skip
"""Order is the order of menus. Codes are part of the API: one is never renamed or reused."""

BY_CODE: Final[Mapping[str, Reason]] = MappingProxyType(
    {reason.code: reason for reason in STANDARD}
)


QUALITY_REASONS: Final = frozenset(
    reason.code
    for reason in STANDARD
    if reason.category in {_QUALITY, _DESCRIPTION} or reason.code == "damaged_in_transit"
)
"""Those that say something about the goods or how they were packed, not about the buyer."""


def is_quality(code: str, fault: str) -> bool:
    """Whether a supplier has to hear of it. Of the shop's own reasons, those that are its fault."""
    if code in BY_CODE:
        return code in QUALITY_REASONS
    return fault == Fault.MERCHANT


def category_of(code: str) -> str:
    """The group of a reason; ``custom`` for the shop's own."""
    found = BY_CODE.get(code)
    return "custom" if found is None else found.category.value


def catalogue(extra: Mapping[str, Reason]) -> Mapping[str, Reason]:
    """The standard reasons with a merchant's own added or put in their place."""
    return MappingProxyType({**BY_CODE, **extra})
