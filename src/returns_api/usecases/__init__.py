"""One public async function = one intention = its own transaction(s).

A use case reads top to bottom: load (lock), plan (pure), save (compare-and-set), announce, enqueue.
It never calls another use case, and no transaction is open while it waits for anyone outside.
"""
