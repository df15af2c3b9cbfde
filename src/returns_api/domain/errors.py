"""Every way a request can be refused, as a class with a stable ``code`` and typed context.

HTTP status codes are not known here: ``api/errors.py`` holds the one table from class to status.
``context`` becomes extra members of the problem document, so it must be JSON-ready and free of
personal data.
"""

from __future__ import annotations

from typing import ClassVar


class ReturnsError(Exception):
    """Base of every expected failure. ``detail`` is a full sentence for the caller."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "The request could not be carried out"

    def __init__(self, detail: str, **context: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.context = context


class NotFound(ReturnsError):
    """The thing does not exist, or belongs to somebody else: the two look the same on purpose."""

    code = "not_found"
    title = "Not found"


class Invalid(ReturnsError):
    """The input is well-formed but cannot be right; ``context['errors']`` names each field."""

    code = "invalid_request"
    title = "The request is not valid"


class DoesNotFit(Invalid):
    """The input could be right, but not with what is stored or with what time it is.

    ``Invalid`` itself can be known without looking: the API's description says it. This one cannot.
    """

    code = "does_not_fit"
    title = "The request does not fit what is there"


def unfit(name: str, problem: str) -> DoesNotFit:
    """The refusal of one field of a request."""
    return DoesNotFit(problem, errors=[{"field": name, "problem": problem}])


class PhotoRefused(Invalid):
    """The bytes are no picture that is taken here; ``context['because']`` says why."""

    code = "photo_refused"
    title = "This is not a picture that can be taken"


class Unauthenticated(ReturnsError):
    code = "unauthenticated"
    title = "Credentials are missing, unknown, expired or revoked"


class Forbidden(ReturnsError):
    code = "forbidden"
    title = "This credential may not do that"


class BadSignature(ReturnsError):
    """Same answer for an unknown shop, an unknown source and a wrong signature."""

    code = "bad_signature"
    title = "The signature does not match"


class Conflict(ReturnsError):
    code = "conflict"
    title = "The thing is not in a state that allows this"


class ActionNotAllowed(Conflict):
    """``context['state']`` and ``context['allowed']`` say where it stands and what would work."""

    code = "action_not_allowed"
    title = "This action is not allowed now"


class NothingLeftToReturn(Conflict):
    code = "nothing_left_to_return"
    title = "Nothing left to return"


class NothingLeftToRefund(Conflict):
    code = "nothing_left_to_refund"
    title = "The refund is larger than what is left of the payment"


class NotEnoughCredit(Conflict):
    """``context['balance']`` is what can be spent now; nothing was taken."""

    code = "not_enough_credit"
    title = "The store credit has less left than that"


class OwnApproval(Conflict):
    """Whoever asked for a refund cannot be the second person."""

    code = "own_approval"
    title = "Nobody approves what they asked for"


class ApprovalChanged(Conflict):
    """``context['binding']`` is what there is to approve now; nothing was done."""

    code = "approval_changed"
    title = "This is not what you would approve"


class RefundableChanged(Conflict):
    """``expected_refundable`` differs from what is refundable now; nothing was done."""

    code = "refundable_changed"
    title = "The refundable amount is not what you expected"


class NotEligible(Conflict):
    """The policy refuses; ``context['because']`` and ``context['flips_if']`` explain."""

    code = "not_eligible"
    title = "The policy does not allow this return"


class QuoteExpired(Conflict):
    code = "quote_expired"
    title = "The quote is no longer binding"


class QuoteUsed(Conflict):
    code = "quote_used"
    title = "The quote was already accepted"


class PreconditionFailed(ReturnsError):
    code = "precondition_failed"
    title = "The thing changed since you read it"


class PreconditionRequired(ReturnsError):
    code = "precondition_required"
    title = "If-Match is required"


class IdempotencyKeyMissing(ReturnsError):
    code = "idempotency_key_missing"
    title = "Idempotency-Key is required"


class IdempotencyKeyReused(ReturnsError):
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request"


class IdempotencyInProgress(ReturnsError):
    code = "idempotency_in_progress"
    title = "A request with this Idempotency-Key is still running"


class DuplicateReference(Conflict):
    code = "duplicate_reference"
    title = "This reference was used before"


class PolicyInvalid(ReturnsError):
    """The policy document cannot be read; ``context['findings']`` lists line, path, suggestion."""

    code = "policy_invalid"
    title = "The policy document is not valid"


class RateLimited(ReturnsError):
    """``context['retry_after']`` is in whole seconds."""

    code = "rate_limited"
    title = "Too many requests"


class Unavailable(ReturnsError):
    """The database is away or overloaded; the same request may be sent again."""

    code = "unavailable"
    title = "The service cannot answer right now"
