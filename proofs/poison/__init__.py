"""Messages that do harm to whoever reads them, among many good ones (T15).

``shop`` is the shop platform that reads them, installed as an operator installs one; ``load`` sends
both kinds at a steady pace; ``__main__`` judges what became of them.
"""
