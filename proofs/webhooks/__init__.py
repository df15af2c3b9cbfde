"""Webhooks in both directions at full size (T13 and T14).

``told`` is what shop platforms send, ``inbound`` how it is spoilt and what has to come of it all
the same, ``outbound`` the way of our own messages to receivers that fail.
"""
