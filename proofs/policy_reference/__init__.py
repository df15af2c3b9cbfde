"""What a policy decides, a second time: straight from the plain document, rule by rule.

Written from ``docs/policy.md`` alone. It shares the calendar (``domain.calendars``, which has a
proof of its own) and the law packs' files with the engine and nothing else: no index, no atoms, no
models, no caches. Slow and plain on purpose. Amounts are integers of minor units of EUR or USD.
"""
