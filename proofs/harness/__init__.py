"""What the long proofs stand on: real processes, and a client that behaves like a real one.

``stage`` starts PostgreSQL on disk with fsync on, the bank, the carrier, API processes and workers;
``programs`` is one process that can be killed and started again; ``client`` loads the API;
``shops`` brings orders in through the service's own doors; ``simulators`` talks to the bank and the
carrier. Refuses to own any figure of any proof.
"""
