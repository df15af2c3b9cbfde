"""The stories: many ways in which a return can go, each told to its end over HTTP.

Everybody in a story (buyer, agent, warehouse, finance, admin, arbiter) does only what the answers
offer to them; bank, carrier, mail server and the merchant's own server play their part; time is
moved for all of them at once. At the end of each the books are audited and the messages counted.

``table`` lists them by family, ``performing`` tells them one after the other; ``world`` is what
they share, ``scene`` what each has of its own. Refuses to know any rule of the service.
"""
