"""Adyen's texts of one refund, the published vector, and the keys of both."""

from __future__ import annotations

from typing import Any

from returns_api.ports.payments import (
    PaymentAccount,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

PUBLISHED_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"


PUBLISHED_SIGNATURE = "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="


KEY = "0A" * 32


REFERENCE = "trf_00000000000000000001"


PAYMENT, REFUND = "PSP0000000000001", "REF0000000000001"


ACCOUNT = PaymentAccount("https://checkout-test.adyen.com/", "api-key", "TestMerchant")


REQUEST = RefundRequest(REFERENCE, "key_1", PAYMENT, 1_299, "EUR")


RECEIVED: dict[str, Any] = {
    "merchantAccount": "TestMerchant",
    "paymentPspReference": PAYMENT,
    "pspReference": REFUND,
    "reference": REFERENCE,
    "status": "received",
    "amount": {"currency": "EUR", "value": 1_299},
}


EVIDENCE = ProviderRefund(REFUND, PAYMENT, REFERENCE, RefundStatus.SUCCEEDED, 1_299, "EUR")


def published_item() -> dict[str, Any]:
    """The item of Adyen's published example."""
    return {
        "additionalData": {"hmacSignature": PUBLISHED_SIGNATURE},
        "amount": {"currency": "EUR", "value": 1_130},
        "eventCode": "AUTHORISATION",
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "TestPayment-1407325143704",
        "pspReference": "7914073381342284",
        "success": "true",
    }
