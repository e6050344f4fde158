"""What the journal tells the report, beside what happened: failures, promises, and which turn wrote what."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from handoff.words import Outcome, Place, Promise, in_ms
from tests.support.ledger import NOON, House, a_case, a_message, a_turn, an_entry


async def told(house: House, conversation: str, kind: str) -> dict[str, Any]:
    """The facts of the last record of a kind."""
    records = await house.ledger.journal(house.ledger.partition_of(conversation))
    found = [json.loads(fields["facts"]) for _, fields in records if fields["kind"] == kind]
    return dict(found[-1])


async def test_an_outcome_says_whether_the_bot_had_no_answer(house: House) -> None:
    message = a_message()
    await house.ledger.receive(message, NOON)
    fence = await house.fence("responder", message.conversation)
    turn = a_turn(message.conversation, [message.id], fence=fence, outcome=Outcome.ANSWERED)
    await house.ledger.commit_turn(turn.model_copy(update={"failed": True, "intent": "ask_knowledge"}), NOON)

    facts = await told(house, message.conversation, "outcome")
    assert facts["failed"] is True
    assert facts["intent"] == "ask_knowledge"


async def test_words_of_the_bot_name_their_turn_and_their_place(house: House) -> None:
    message = a_message()
    await house.ledger.receive(message, NOON)
    fence = await house.fence("responder", message.conversation)
    turn = a_turn(message.conversation, [message.id], fence=fence, entries=(an_entry(message.conversation),))
    await house.ledger.commit_turn(turn, NOON)

    assert await told(house, message.conversation, "entry_queued") == {
        "entry": "e1",
        "author": "bot",
        "place": Place.PUBLIC,
        "turn": turn.turn_id,
    }


async def test_a_case_that_opens_tells_by_when_a_reply_was_promised(house: House) -> None:
    message, due_at = a_message(), NOON + timedelta(minutes=30)
    await house.ledger.receive(message, NOON)
    promise = Promise(told_at=NOON, due_at=due_at, wording="Within half an hour.")
    case = a_case().model_copy(update={"promise": promise})
    fence = await house.fence("responder", message.conversation)
    await house.ledger.commit_turn(a_turn(message.conversation, [message.id], fence=fence, case=case), NOON)

    assert (await told(house, message.conversation, "case_opened"))["promise_due_ms"] == in_ms(due_at)


async def test_words_with_a_link_say_so_since_they_cost_more(house: House) -> None:
    message = a_message()
    await house.ledger.receive(message, NOON)
    fence = await house.fence("responder", message.conversation)
    entry = an_entry(message.conversation).model_copy(update={"text": "Read https://kestrelair.example/bags."})
    await house.ledger.commit_turn(a_turn(message.conversation, [message.id], fence=fence, entries=(entry,)), NOON)

    assert (await told(house, message.conversation, "entry_queued"))["link"] is True
