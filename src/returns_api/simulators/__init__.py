"""Programs of their own for development and proofs: a bank and a carrier that count what they do.

They import nothing else of the service and nothing of the service imports them: they speak to it
over HTTP only, in a real vendor's wire format, and outlive its crashes with their own ledgers.
"""
