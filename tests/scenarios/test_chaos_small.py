"""A small `make chaos`: each process killed once at its work, and nothing lost, said twice or out of order."""

from __future__ import annotations

import pytest

from bot.settings import read_settings
from tests.chaos.phases import ONE_OF_EACH, PHASES
from tests.chaos.run import Chaos


@pytest.mark.slow
@pytest.mark.timeout(480)
@pytest.mark.usefixtures("trained_model")
def test_kills_of_every_process_at_work_lose_and_repeat_nothing() -> None:
    phases = [phase for phase in PHASES if f"{phase.victim}: {phase.name}" in ONE_OF_EACH]
    chaos = Chaos(read_settings(), seed=7, kills=len(phases), messages=60, customers=15, say=print)
    report = chaos.run(phases)
    assert {kill.phase.victim for kill in report.kills} == {"redis", "responder", "channel", "desk"}
    assert all(kill.in_flight.is_something for kill in report.kills)
    assert report.audit.evidence == ()
    assert (report.audit.lost, report.audit.duplicated, report.audit.order_violations) == (0, 0, 0)
    assert (report.agent_lost, report.agent_duplicated) == (0, 0)
    assert (report.thoughts, report.in_parts) == (len(phases), ())
    assert sum(report.audit.outcomes.values()) == report.messages == 60 + 3 * len(phases)
    assert report.agent_replies > 0
