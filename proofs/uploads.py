"""Proof: photos of strangers come in as pixels or not at all, and cost what is allowed.

``script/proof uploads --json`` sends every hostile and every harmless file of the tests over HTTP,
under hostile names, to an API process and a worker (T30): each is refused with its reason or taken;
what is taken is served as a JPEG that holds nothing but pixels, to save and never in place, and to
nobody else; the processes grow by no more than 64 MiB; an upload that broke between its bytes and
its row, and one that nobody used, are swept.
"""

from __future__ import annotations

import asyncio
import io
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from PIL import Image
from proofs.harness.client import Answer, Client
from proofs.harness.memory import peak_mb, resident_mb
from proofs.harness.options import asked
from proofs.harness.report import finish, machine, say
from proofs.harness.shops import Order, bring_orders
from proofs.harness.simulators import Bank
from proofs.harness.stage import Lane, Size, staged
from tests.adapters.test_photos import REFUSED, TAKEN
from tests.support.pictures import GPS, picture

NAMES: Final = (
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "nul%00.jpg",
    "a\u202egpj.exe",
    "x" * 300,
    "photo.jpg.php",
    "<script>.svg",
    "CON",
)
CANARIES: Final = (GPS.encode(), b"Canary Phones", b"script", b"PK\x03\x04", b"52.5")
GROWTH_MB: Final = 64
LARGEST: Final = (8_660, 5_773)
"""Pixels of the largest picture that is allowed."""
SWEPT_SECONDS: Final = 60
SERVED: Final = {
    "content-type": "image/jpeg",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
}
_PASS: Final = "UPDATE photos SET due_at = now() WHERE due_at > now()"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = asked("proof uploads", __doc__, keep=True)
    parser.add_argument("--rounds", type=int, default=3, help="how often every file is sent")
    options = parser.parse_args(arguments)
    return finish(asyncio.run(_prove(options.rounds, keep=options.keep)), as_json=options.json)


async def _prove(rounds: int, *, keep: bool) -> dict[str, Any]:
    begun, wrong = time.monotonic(), list[str]()
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(keep=keep))
        lane = await stack.enter_async_context(stage.lane("uploads", Size()))
        client = await stack.enter_async_context(Client(lane.urls))
        bank = await stack.enter_async_context(Bank(lane.bank_url))
        connection = await stack.enter_async_context(lane.superuser())
        ours, theirs = await bring_orders(lane, client, bank, 2, delivered=True)
        door = Door(lane, client, ours, theirs)
        await door.send("warm", picture())
        early = {program.name: resident_mb(program) for program in (*lane.apis, *lane.workers)}
        for turn in range(rounds):
            say(f"round {turn + 1}: {len(REFUSED) + len(TAKEN)} files")
            await door.round(turn, wrong)
        answer = await door.send("largest", picture(size=LARGEST, kind="PNG"))
        wrong += [] if answer.status == 201 else [f"the largest allowed one: {answer.status}"]
        growth = {
            program.name: peak_mb(program) - early[program.name]
            for program in (*lane.apis, *lane.workers)
        }
        wrong += [f"{name} grew by {mb} MB" for name, mb in growth.items() if mb > GROWTH_MB]
        swept = await _swept(door, connection, wrong)
        wrong += lane.errors()[:5]
    return {
        "proof": "uploads",
        "ok": not wrong,
        **machine(),
        "files": len(REFUSED) + len(TAKEN),
        "rounds": rounds,
        "answers": dict(door.seen),
        "growth_mb": growth,
        **swept,
        "wrong": wrong[:20],
        "seconds": round(time.monotonic() - begun, 1),
    }


class Door:
    """Sends files for one order, as its agent; another buyer looks on."""

    def __init__(self, lane: Lane, client: Client, ours: Order, theirs: Order) -> None:
        self.lane, self.client, self.ours, self.theirs = lane, client, ours, theirs
        self.seen: Counter[str] = Counter()
        self._sent = 0

    async def send(self, key: str, body: bytes, name: str = "photo.jpg") -> Answer:
        encoded = "".join(f"%{byte:02x}" for byte in name.encode())
        headers = {
            "authorization": f"Bearer {self.lane.demo['keys']['agent']}",
            "content-type": "image/jpeg",
            "content-disposition": f"attachment; filename*=UTF-8''{encoded}",
            "idempotency-key": key.replace(" ", "-"),
        }
        path = f"/v1/orders/{self.ours.public}/photos"
        return await self.client.send_raw("POST", path, headers, body)

    async def round(self, turn: int, wrong: list[str]) -> None:
        """Every file once, each under one of the hostile names."""
        for number, (name, (body, because)) in enumerate(REFUSED.items()):
            answer = await self.send(f"{turn} {name}", body, NAMES[number % len(NAMES)])
            self.seen[f"{answer.status}"] += 1
            told = answer.json().get("because") if answer.status == 422 else None
            if told != because:
                wrong.append(f"{name}: {answer.status} {told}, not {because}")
        for number, (name, body) in enumerate(TAKEN.items()):
            answer = await self.send(f"{turn} {name}", body, NAMES[number % len(NAMES)])
            self.seen[f"{answer.status}"] += 1
            if answer.status != 201:
                wrong.append(f"{name}: {answer.status}")
                continue
            await self._shown(name, answer.json(), wrong)

    async def _shown(self, name: str, photo: dict[str, Any], wrong: list[str]) -> None:
        """What the link serves, and that nobody else has one."""
        link = urlsplit(photo["link"])
        shown = await self.client.send_raw("GET", f"{link.path}?{link.query}", {}, b"")
        with Image.open(io.BytesIO(shown.body)) as made:
            plain = made.format == "JPEG" and not made.getexif()
        headers = all(shown.headers.get(key) == value for key, value in SERVED.items())
        saved = shown.headers.get("content-disposition", "").startswith("attachment")
        if shown.status != 200 or not (plain and headers and saved):
            wrong.append(f"{name}: served as {shown.status} {dict(shown.headers)}")
        if any(canary in shown.body for canary in CANARIES):
            wrong.append(f"{name}: something of the file is left")
        body = {"order": self.theirs.public}
        agent = self.lane.demo["keys"]["agent"]
        session = await self.client.send("POST", "/v1/buyer-sessions", agent, body)
        other = await self.client.send(
            "GET", f"/v1/photos/{photo['photo']}", session.json()["token"]
        )
        if other.status != 404:
            wrong.append(f"{name}: another buyer gets {other.status}")


async def _swept(door: Door, connection: Any, wrong: list[str]) -> dict[str, Any]:
    """Break an upload behind its bytes, let the promised time pass, and look for bytes."""
    (api,) = door.lane.apis
    store = door.lane.folder / "photos"
    api.kill()
    api.start(crashpoint="U1:1")
    await door.lane.ready()
    broken = asyncio.create_task(door.send("broken", picture(99)))
    while not api.ended():  # noqa: ASYNC110 - a process has no event to wait for
        await asyncio.sleep(0.05)
    broken.cancel()
    await asyncio.gather(broken, return_exceptions=True)
    api.start()
    await door.lane.ready()
    rows, files = await connection.fetchval("SELECT count(*) FROM photos"), _files(store)
    await connection.execute(_PASS)
    for _ in range(SWEPT_SECONDS):
        if not _files(store):
            break
        await asyncio.sleep(1)
    left = _files(store)
    wrong += [f"{left} files are left"] if left else []
    wrong += [] if files else ["there was nothing to sweep"]
    return {"rows": rows, "files_before_the_sweep": files, "files_left": left}


def _files(folder: Path) -> int:
    return sum(each.is_file() for each in folder.rglob("*"))


if __name__ == "__main__":
    sys.exit(main())
