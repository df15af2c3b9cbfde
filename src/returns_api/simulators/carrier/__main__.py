"""``python -m returns_api.simulators.carrier --host 127.0.0.1 --port 12112 --data-dir DIR``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..kit.control import CommonControl
from ..kit.web import App, run
from .control import Control
from .core import Carrier
from .dhl_api import DhlApi
from .easypost_api import EasyPostApi
from .pickup_api import PickupApi
from .shippo_api import ShippoApi


def main() -> None:
    """Run the carrier until it is stopped."""
    parser = argparse.ArgumentParser(prog="carrier", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=12112, help="0 takes a free one")
    parser.add_argument("--data-dir", type=Path, required=True)
    args = parser.parse_args()
    carrier = Carrier(args.data_dir)
    common = CommonControl(carrier.plan, carrier.hooks, carrier.reset)
    faces = [*EasyPostApi(carrier).routes(), *ShippoApi(carrier).routes()]
    faces += [*PickupApi(carrier).routes(), *DhlApi(carrier).routes()]
    routes = faces + Control(carrier).routes() + common.routes()
    run(App(routes, carrier.living), args.host, args.port)


if __name__ == "__main__":
    main()
