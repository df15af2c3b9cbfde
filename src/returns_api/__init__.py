"""The returns and refunds department of an online shop, as one service.

Folders are storeys and imports only go down; the same noun stands in every storey:

    cli > app > wiring > api | worker > usecases > db | adapters > ports > domain

``domain`` decides (pure), ``usecases`` load, plan, save and announce in one transaction, ``api``
and ``worker`` are the two doors, ``db`` knows SQL, ``adapters`` know vendors, ``wiring`` chooses.
"""

__version__ = "0.1.0"
