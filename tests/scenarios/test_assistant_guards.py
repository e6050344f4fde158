"""Rasa's private parts that we rely on, and what must never happen beside a turn."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.model import MODEL, ModelBroken, ModelMissing, check_model
from bot.tracker_store import MOST_TURNS, TurnTrackerStore
from tests.support.dialogue import Dialogue

REPO = Path(__file__).parents[2]


async def test_a_turn_stores_nothing_on_its_own(assistant: Any) -> None:
    await Dialogue(assistant=assistant, conversation="x:guard").hears("hello")
    store = assistant._store
    assert list(await store.keys()) == []
    assert store._collected == {}
    assert store.event_broker is None
    assert type(assistant._agent.processor.tracker_store) is TurnTrackerStore  # without the fail-safe wrapper
    assert assistant._agent.tracker_store is store


async def test_the_same_session_asked_again_gives_the_same_answer(assistant: Any) -> None:
    dialogue = Dialogue(assistant=assistant)
    await dialogue.hears("lowest fare to Paris")
    before = dialogue.tracker
    first = await dialogue.hears("from London")
    dialogue.tracker = before  # the turn was not committed; the message is handled again
    assert await dialogue.hears("from London") == first


async def test_two_conversations_side_by_side_do_not_mix(assistant: Any) -> None:
    import asyncio

    one, other = (Dialogue(assistant=assistant, conversation=f"x:{number}") for number in (71, 72))
    await asyncio.gather(one.hears("lowest fare to Paris"), other.hears("lowest fare to Rome"))
    texts = await asyncio.gather(one.hears("from London"), other.hears("from London"))
    assert [text.split(",")[0] for text in texts] == ["London to Paris", "London to Rome"]


async def test_a_session_is_cut_after_twenty_turns_and_keeps_its_slots(in_private: Dialogue) -> None:
    import json

    await in_private.hears("fare from London to Paris")
    for _ in range(MOST_TURNS + 1):
        await in_private.say("hello")
    events = json.loads(in_private.tracker or "")["events"]
    assert sum(event["event"] == "user" for event in events) < MOST_TURNS
    assert (await in_private.hears("and to Rome?")).startswith("London to Rome")


async def test_one_message_is_encoded_once(make_assistant: Callable[..., Any]) -> None:
    from knowledge.encoder import shared_encoder

    texts: list[str] = []
    encoder = shared_encoder()
    inner = encoder._encoder

    class Counting:
        name, revision = inner.name, inner.revision

        def encode(self, many: Any) -> Any:
            texts.extend(many)
            return inner.encode(many)

    encoder._encoder = Counting()
    try:
        await Dialogue(assistant=make_assistant()).hears("may I take my old tortoise into the cabin with me?")
    finally:
        encoder._encoder = inner
    assert texts == ["may I take my old tortoise into the cabin with me?"]


async def test_it_is_ready_only_when_it_understands_a_known_sentence(assistant: Any) -> None:
    await assistant.check_ready()


def test_answers_of_our_actions_pass_rasas_own_check_too(assistant: Any) -> None:
    import jsonschema
    from rasa.core.actions.action import RemoteAction

    from actions.turn import Result, Why

    response = {"text": "hi", "custom": Result(why=Why(rule="x")).as_json(), "buttons": [], "elements": []}
    event = {"event": "slot", "timestamp": None, "name": "asked", "value": None}
    jsonschema.validate({"events": [event], "responses": [response]}, RemoteAction.action_response_format_spec())


@pytest.mark.parametrize("content", [b"", b"not a model at all"])
def test_a_corrupt_model_names_the_remedy(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelMissing, match="frontdesk train"):
        check_model(tmp_path / MODEL)
    (tmp_path / MODEL).write_bytes(content)
    with pytest.raises(ModelBroken, match="frontdesk train"):
        check_model(tmp_path / MODEL)


def test_a_second_training_trains_nothing(trained_model: Path) -> None:
    from bot.model import train_if_changed

    told: list[str] = []
    made = trained_model.stat().st_mtime_ns
    assert train_if_changed(trained_model.parent, say=told.append) == trained_model
    assert trained_model.stat().st_mtime_ns == made
    assert told == []


def test_no_customer_text_is_printed_or_logged(trained_model: Path, tmp_path: Path) -> None:
    """In a process of its own, as the responder sets it up: logs first, then Rasa."""
    script = textwrap.dedent(
        f"""
        import asyncio, warnings
        warnings.simplefilter("ignore")
        from bot.logs import set_up_logs
        set_up_logs("responder", level="debug")
        from bot.answer import ContactRoutes, Question
        from bot.assistant import Assistant
        from handoff.hours_policy import load_hours
        from handoff.words import Place
        from pathlib import Path
        from datetime import UTC, datetime
        assistant = Assistant(
            model_path=Path({str(trained_model)!r}), hours=load_hours(), contact=ContactRoutes(),
            company="Kestrel Air", reply_minutes=30, knowledge=None, fares=None, orders=None, counts=None,
        )
        now = datetime.now(UTC)
        for text in ("hello xyzzyword", "fare from London to Xyzzyword"):
            question = Question(conversation="x:1", message_id="post:1", text=text, place=Place.PUBLIC, now=now)
            try:
                asyncio.run(assistant.answer(question))
            except Exception as error:
                print(type(error).__name__)
        """
    )
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "AssistantFailed" in ran.stdout  # there are no fares: a failing action is logged too
    assert "xyzzyword" not in (ran.stdout + ran.stderr).lower()
