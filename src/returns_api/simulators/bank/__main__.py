"""``python -m returns_api.simulators.bank --host 127.0.0.1 --port 12111 --data-dir DIR``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..kit.control import CommonControl
from ..kit.web import App, run
from .adyen_api import AdyenApi
from .control import Control
from .core import Bank
from .paypal_api import PayPalApi
from .plain_api import PlainApi
from .shopify_api import ShopifyApi
from .stripe_api import StripeApi


def main() -> None:
    """Run the bank until it is stopped."""
    parser = argparse.ArgumentParser(prog="bank", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=12111, help="0 takes a free one")
    parser.add_argument("--data-dir", type=Path, required=True)
    args = parser.parse_args()
    bank = Bank(args.data_dir)
    common = CommonControl(bank.plan, bank.hooks, bank.reset)
    faces = (StripeApi, PayPalApi, AdyenApi, ShopifyApi, PlainApi)
    routes = [route for face in faces for route in face(bank).routes()]
    routes += Control(bank).routes() + common.routes()
    run(App(routes, bank.living), args.host, args.port)


if __name__ == "__main__":
    main()
