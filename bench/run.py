"""One run: a start of everything, then one responder and the peer in turns, over the same Redis."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import threading
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from bench.figures import Measured
from bench.ours import MIX as OUR_MIX
from bench.ours import embedded_redis, our_side, responder
from bench.peer import MIX as PEER_MIX
from bench.peer import Peer, peer_side
from bench.program import resident_mb
from bench.side import Asking, p95
from bench.sizes import Sizes
from bot.folder import Folder
from bot.own_stack import free_ports, own_folder, own_settings, own_stack
from bot.preparation import Preparation
from bot.settings import Settings, child_environment

Say = Callable[[str], None]


class Benchmark:
    """What one run needs to know."""

    def __init__(self, settings: Settings, sizes: Sizes, *, say: Say) -> None:
        self._settings = settings
        self._sizes = sizes
        self._say = say

    def prepare(self) -> None:
        """Our model and the peer, trained; the peer is kept in `var/bench-peer`. Raises CannotStart, ProgramFailed."""
        environment = child_environment(self._settings, "")
        Preparation(Folder(self._settings.var), environment, say=self._say, stop=threading.Event()).train()
        made = Peer(self._settings.var / "bench-peer")
        if not made.is_made:
            self._say("The peer is trained, once: some minutes.")
        made.make()

    async def run(self, own: Settings, start_s: float) -> Measured:
        """Both sides in the folder of a stack that has run. Raises NotAnswered, ProgramFailed."""
        made, [port] = Peer(self._settings.var / "bench-peer"), free_ports(1)
        with (
            embedded_redis(own) as redis_url,
            responder(own, redis_url) as process,
            made.running(redis_url=redis_url, port=port, scratch=own.var) as address,
        ):
            async with our_side(own) as our, peer_side(address) as theirs:
                return await self._measured(Asking(our), Asking(theirs), process, start_s)

    async def _measured(self, ours: Asking, peer: Asking, process: subprocess.Popen[bytes], start_s: float) -> Measured:
        sizes, load = self._sizes, os.getloadavg()[0]
        self._say("Warming up.")
        await ours.warm_up(sizes.warm_up, sizes)
        await peer.warm_up(min(sizes.warm_up, 100), sizes)
        before, asked = resident_mb(process), ours.asked
        rates, times = await self._rounds(ours, peer)
        self._say("One customer's long conversation.")
        growths = [(await ours.growth(sizes.growth_turns), await peer.growth(sizes.growth_turns))
                   for _ in range(sizes.growth_customers)]  # fmt: skip
        self._say("The responder's memory.")
        await ours.warm_up(max(sizes.messages - (ours.asked - asked), 1), sizes)
        return Measured(
            start_s=start_s,
            ours_per_s=statistics.median(mine for mine, _ in rates),
            peer_per_s=statistics.median(theirs for _, theirs in rates),
            ours_p95_s=statistics.median(mine for mine, _ in times),
            peer_p95_s=statistics.median(theirs for _, theirs in times),
            ours_growth=statistics.median(mine for mine, _ in growths),
            peer_growth=statistics.median(theirs for _, theirs in growths),
            rss_before_mb=before,
            rss_mb=resident_mb(process),
            messages=ours.asked - asked,
            conditions=self._conditions(load),
        )

    async def _rounds(self, ours: Asking, peer: Asking) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Rates and 95th percentiles, ours and the peer's of each round; they take turns, as the machine may change."""
        sizes = self._sizes
        rates, times = [], []
        for number in range(sizes.rounds):
            self._say(f"Round {number + 1} of {sizes.rounds}.")
            rate = await ours.throughput(sizes.customers, sizes.senders)
            rates.append((rate, await peer.throughput(sizes.customers, sizes.senders)))
            time = p95(await ours.single(sizes.single))
            times.append((time, p95(await peer.single(sizes.single))))
        return rates, times

    def _conditions(self, load: float) -> dict[str, Any]:
        return {
            "sizes": asdict(self._sizes),
            "cpus": os.cpu_count(),
            "load_at_begin": round(load, 1),
            "load_at_end": round(os.getloadavg()[0], 1),
            "quiet_s": 0,
            "our_mix": list(OUR_MIX),
            "peer_mix": list(PEER_MIX),
            "peer": f"rasa init, Rasa {version('rasa')}, redis-py {version('redis')}, its own Redis stores unchanged",
        }


def benchmark(settings: Settings, sizes: Sizes, *, say: Say) -> Measured:
    """A whole run on a stack of its own. Raises what a start raises, NotAnswered and ProgramFailed."""
    run = Benchmark(settings, sizes, say=say)
    run.prepare()
    with own_folder(settings, say=say) as folder:
        own = own_settings(settings, folder, limits="off")
        with own_stack(own, say=lambda _: None, stop=threading.Event()) as stack:
            start_s = stack.ready_after_s
        return asyncio.run(run.run(own, start_s))
