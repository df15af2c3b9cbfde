"""The three ways an outside call can fail to give a plain answer.

The difference decides what happens to money: *rejected* frees it, *unavailable* means the request
certainly did not act and may be sent again, *unknown* keeps it blocked until somebody asked.
"""

from __future__ import annotations


class ProviderRejected(Exception):
    """The provider understood and said no; sending the same again will not help.

    ``code`` is the provider's own machine-readable reason, ``message`` free of personal data.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class ProviderUnavailable(Exception):
    """The request was certainly not acted on; ``retry_after`` is in seconds, when it was named."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutcomeUnknown(Exception):
    """The request may or may not have acted: a timeout, a reset, an unreadable answer."""
