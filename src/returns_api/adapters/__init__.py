"""Everything that knows a vendor: pure ``build_*``/``parse_*`` around thin HTTP, one file a vendor.

Only ``wiring`` chooses among them (``registry``), and only ``http`` knows the HTTP library.
"""
