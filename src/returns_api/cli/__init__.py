"""The command line: one module per command, each a thin door to what does the work.

Every command takes ``--json`` (one JSON object on the last line of standard output) and answers
with an exit code that means it: 0 done, 1 not done, 2 not understood. Heavy modules are imported by
the command that needs them.
"""

from __future__ import annotations

import typer

from returns_api.cli.audit import audit
from returns_api.cli.demo import demo
from returns_api.cli.lifecycle import lifecycle
from returns_api.cli.migrate import migrate
from returns_api.cli.openapi import openapi
from returns_api.cli.orders import orders
from returns_api.cli.policy import policy
from returns_api.cli.reconcile import reconcile
from returns_api.cli.serve import serve
from returns_api.cli.shop import create_platform_key, create_shop
from returns_api.cli.up import up
from returns_api.cli.worker import worker

app = typer.Typer(
    name="returns-api",
    help="The returns and refunds department of an online shop, as one service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    serve,
    worker,
    migrate,
    openapi,
    up,
    demo,
    create_shop,
    create_platform_key,
    audit,
    reconcile,
):
    app.command()(command)
app.add_typer(policy)
app.add_typer(lifecycle)
app.add_typer(orders)


def main() -> None:
    """Entry point of the ``returns-api`` program."""
    app()
