"""The demo: a shop with keys for every role, and one return that goes the whole way over HTTP.

``shop`` makes the shop, ``platform`` plays the shop platform that sends webhooks, ``receiver`` the
merchant's server that takes ours, ``flow`` is the journey itself. Refuses to own any rule of the
service: everything that the journey learns, it learns from answers over HTTP.
"""

from returns_api.demo.shop import seed

__all__ = ["seed"]
