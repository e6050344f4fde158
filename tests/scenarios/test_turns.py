"""What a customer gets for what they write: told through the real ledger, with an assistant that has a script."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from actions.attempt_count import RememberedAttemptCount
from bot.answer import Answer, AssistantFailed, Question
from bot.burst import Gathering
from bot.casework import Casework
from bot.channels.x.text import shorten, weighted_length
from bot.memory import Memory
from bot.notices import Company, Notices
from bot.responder import Responder
from bot.turns import Turns
from handoff.changes import Announced, Changes
from handoff.hours_policy import load_hours
from handoff.ledger import Conversation, Line
from handoff.packet import Packet
from handoff.sensitivity_policy import load_sensitivity
from handoff.words import Entry, Message, Outcome, Owner, Place, Reason
from tests.support.account import until
from tests.support.answerers import ScriptedAnswerer, a_call_for_a_person, an_answer
from tests.support.ledger import NOON, House, a_customer, a_message, an_entry, house_on, later


class FixedClock:
    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class Frontdesk:
    """A responder over a real ledger; what customers write is handled at once."""

    def __init__(
        self,
        house: House,
        *,
        most_failures: int = 3,
        gathering: Gathering | None = None,
        restored_at: datetime | None = None,
    ) -> None:
        self.house = house
        self.answerer = ScriptedAnswerer()
        self.counts = RememberedAttemptCount()
        self.clock = FixedClock()
        hours = load_hours()
        notices = Notices(
            Company(name="Kestrel Air", privacy="https://kestrel.example/privacy"),
            hours,
            reply_minutes=60,
            weighted_length=weighted_length,
            shorten=shorten,
        )
        self.turns = Turns(
            answerer=self.answerer,
            sensitivity=load_sensitivity(),
            notices=notices,
            casework=Casework(house.ledger, house.desk),
            counts=self.counts,
            oldest_answered=timedelta(hours=24),
            restored_at=restored_at,
            turn_limit_s=0.5,
        )
        self.responder = Responder(
            ledger=house.ledger,
            leases=house.leases("responder", "one"),
            turns=self.turns,
            clock=self.clock,
            arrivals=Changes(house.redis, Announced.ARRIVALS),
            poll_s=0.01,
            renew_s=0.05,
            most_failures=most_failures,
            gathering=gathering,
        )
        self.written = 0

    async def write(self, text: str, *, place: Place = Place.PUBLIC, **changes: Any) -> Message:
        """A customer writes; nobody has looked yet."""
        self.written += 1
        message = a_message(self.written, text=text, place=place).model_copy(update=changes)
        await self.house.ledger.receive(message, self.clock.now())
        return message

    async def reads(self, place: Place = Place.PUBLIC) -> None:
        """The account is read now, to its end."""
        now = self.clock.now()
        await self.house.ledger.mark_read(place, now, now)

    async def hear(self, text: str, *, place: Place = Place.PUBLIC, **changes: Any) -> list[Entry]:
        """A customer writes and gets a turn; what we say to it."""
        message = await self.write(text, place=place, **changes)
        before = {line.entry.id for line in await self.lines() if line.entry}
        fence = await self.house.fence("responder", message.conversation)
        while await self.responder.respond(message.conversation, fence) == "committed":
            continue
        return [line.entry for line in await self.lines() if line.entry and line.entry.id not in before]

    async def lines(self) -> list[Line]:
        return await self.house.ledger.transcript("x:1001")

    async def conversation(self) -> Conversation:
        snapshot = await self.house.ledger.snapshot("x:1001")
        assert snapshot is not None
        return snapshot.conversation

    async def outcomes(self) -> list[tuple[str | None, str]]:
        """Outcome and rule of every message, in order."""
        messages = [line.message for line in await self.lines() if line.message]
        records = [await self.house.ledger.message_record(m.conversation, m.id) for m in messages]
        return [(record.get("outcome"), record.get("rule", "")) for record in records]

    async def journalled(self, kind: str) -> list[dict[str, Any]]:
        """The facts of every record of a kind, oldest first."""
        found = [fields for part in self.house.ledger.partitions for _, fields in await self.house.ledger.journal(part)]
        return [json.loads(fields["facts"]) for fields in found if fields["kind"] == kind]

    async def packet(self) -> Packet:
        (case, _), *_ = await self.house.desk.open_cases()
        return Packet.model_validate_json(case.packet)


@pytest.fixture
async def frontdesk(redis_url: str) -> AsyncIterator[Frontdesk]:
    async with house_on(redis_url) as house:
        yield Frontdesk(house)


async def a_person_owns(frontdesk: Frontdesk) -> str:
    """Ana has the conversation; the id of its case."""
    (case, _), *_ = await frontdesk.house.desk.open_cases()
    await frontdesk.house.desk.take(case.id, "ana", (await frontdesk.conversation()).epoch, NOON)
    return case.id


async def test_an_answer_goes_to_the_outbox_with_its_article(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script["How many bags?"] = an_answer("You can take two bags.")

    (said,) = await frontdesk.hear("How many bags?")

    assert "You can take two bags." in said.text
    assert (said.author, said.place, said.reply_to) == ("bot", Place.PUBLIC, "1")
    assert said.articles == ("KB-baggage@v3",)
    assert await frontdesk.outcomes() == [("answered", "")]


async def test_the_first_automated_message_says_that_a_machine_answers(frontdesk: Frontdesk) -> None:
    first = await frontdesk.hear("How many bags?")
    second = await frontdesk.hear("And how heavy?")
    private = await frontdesk.hear("Hello?", place=Place.PRIVATE)

    told = ["automated assistant" in said[0].text for said in (first, second, private)]
    assert told == [True, False, True]
    assert "https://kestrel.example/privacy" in private[0].text
    assert "https://" not in first[0].text


async def test_several_waiting_messages_become_one_turn(frontdesk: Frontdesk) -> None:
    await frontdesk.write("Hi")
    await frontdesk.write("how many bags")

    said = await frontdesk.hear("to Rome?")

    assert len(said) == 1
    assert said[0].reply_to == "3"
    assert [question.text for question in frontdesk.answerer.asked] == ["Hi\nhow many bags\nto Rome?"]
    assert [outcome for outcome, _ in await frontdesk.outcomes()] == ["answered"] * 3


async def test_public_and_private_words_are_never_mixed_into_one_turn(frontdesk: Frontdesk) -> None:
    await frontdesk.write("how many bags?")

    said = await frontdesk.hear("my order is KA-482913", place=Place.PRIVATE)

    assert [entry.place for entry in said] == [Place.PUBLIC, Place.PRIVATE]
    assert [q.text for q in frontdesk.answerer.asked] == ["how many bags?", "my order is KA-482913"]


async def test_stop_is_honoured_at_once_and_for_good(frontdesk: Frontdesk) -> None:
    (confirmed,) = await frontdesk.hear("STOP", place=Place.PRIVATE)
    later = await frontdesk.hear("how many bags?", place=Place.PRIVATE)
    public = await frontdesk.hear("how many bags?")

    assert "no more automated replies" in confirmed.text
    assert (later, public) == ([], [])
    assert (await frontdesk.outcomes())[1:] == [("silent", "opted_out")] * 2
    assert frontdesk.answerer.asked == []


async def test_start_turns_automated_replies_on_again(frontdesk: Frontdesk) -> None:
    await frontdesk.hear("Stop.", place=Place.PRIVATE)
    await frontdesk.hear("START", place=Place.PRIVATE)

    said = await frontdesk.hear("how many bags?", place=Place.PRIVATE)

    assert len(said) == 1


async def test_a_question_with_the_word_stop_is_a_question(frontdesk: Frontdesk) -> None:
    await frontdesk.hear("When do you stop check-in?")

    assert (await frontdesk.conversation()).opted_out is False
    assert len(frontdesk.answerer.asked) == 1


@pytest.mark.parametrize(
    "text", ["Opt me out", "don't message me again", "STOP @KestrelAir", "no more messages, please!"]
)
async def test_stop_in_other_words_is_honoured_without_a_person(frontdesk: Frontdesk, text: str) -> None:
    (said,) = await frontdesk.hear(text, place=Place.PRIVATE)

    assert "no more automated replies" in said.text
    assert (await frontdesk.conversation()).opted_out
    assert await frontdesk.house.desk.open_cases() == []
    assert await frontdesk.hear("How many bags?", place=Place.PRIVATE) == []

    (said,) = await frontdesk.hear("opt me back in", place=Place.PRIVATE)
    assert "on again" in said.text


async def test_stop_counts_while_a_person_owns_too(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script["hm"] = a_call_for_a_person()
    await frontdesk.hear("hm")
    await a_person_owns(frontdesk)

    await frontdesk.hear("stop", place=Place.PRIVATE)

    conversation = await frontdesk.conversation()
    assert (conversation.opted_out, str(conversation.owner)) == (True, "agent:ana")


async def test_self_harm_gets_words_of_care_at_the_head_of_the_queue(frontdesk: Frontdesk) -> None:
    (said,) = await frontdesk.hear("I want to kill myself")

    (case, owner), *_ = await frontdesk.house.desk.open_cases()
    packet = await frontdesk.packet()
    assert (case.reason, case.priority, owner.kind) == (Reason.SELF_HARM, 100, "queue")
    assert said.author == "desk"
    assert (packet.evidence.rule, packet.evidence.matched) == ("sensitive:self_harm", "kill myself")
    assert (await frontdesk.conversation()).tracker is None


async def test_the_agent_of_a_sensitive_case_gets_what_was_understood_and_suggestions(frontdesk: Frontdesk) -> None:
    await frontdesk.hear("I want to speak to a human about my bags")

    packet = await frontdesk.packet()
    assert packet.reason is Reason.ASKED_FOR_PERSON
    assert [understood.intent for understood in packet.understood] == ["ask_knowledge"]
    assert [suggestion.article for suggestion in packet.suggestions] == ["KB-baggage@v3"]


async def test_a_failing_assistant_does_not_stand_in_the_way_of_a_person(frontdesk: Frontdesk) -> None:
    def fail() -> Answer:
        raise AssistantFailed("the model is gone")

    frontdesk.answerer.script["I want to speak to a human"] = fail

    (said,) = await frontdesk.hear("I want to speak to a human")

    assert "colleague" in said.text
    assert (await frontdesk.packet()).reason is Reason.ASKED_FOR_PERSON


async def test_a_soft_complaint_may_be_answered_surely_and_otherwise_goes_to_a_person(frontdesk: Frontdesk) -> None:
    sure, unsure = "my flight was delayed 5 hours, what do I get?", "still delayed, what now?"
    frontdesk.answerer.script |= {
        sure: an_answer("From three hours on you get 250 pounds."),
        unsure: an_answer("A or B?", failed=True),
    }
    (answered,) = await frontdesk.hear(sure)
    assert "250 pounds" in answered.text

    await frontdesk.hear(unsure)

    assert (await frontdesk.packet()).reason is Reason.COMPLAINT


async def test_whoever_opted_out_and_complains_reaches_a_person_in_silence(frontdesk: Frontdesk) -> None:
    await frontdesk.hear("STOP")

    said = await frontdesk.hear("my flight was delayed 5 hours, what do I get?")

    assert said == []
    assert (await frontdesk.outcomes())[1] == ("case_opened", "")


async def test_the_third_wrong_try_is_not_forgotten_over_a_complaint(frontdesk: Frontdesk) -> None:
    text = "my parcel was delayed 5 hours, KA-1 a@b.example"
    frontdesk.answerer.script[text] = an_answer(needs_person=Reason.UNVERIFIED, attempts={"wrong": 3})

    await frontdesk.hear(text, place=Place.PRIVATE)

    assert (await frontdesk.packet()).reason is Reason.UNVERIFIED
    assert Memory.model_validate_json((await frontdesk.conversation()).memory).attempts == {"wrong": 3}


async def test_urgent_words_raise_a_case_that_waits_and_get_words_of_care(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script["hm"] = a_call_for_a_person()
    await frontdesk.hear("hm")

    (said,) = await frontdesk.hear("I want to kill myself")

    (case, _), *_ = await frontdesk.house.desk.open_cases()
    assert "Samaritans" in said.text
    assert case.priority == 100
    assert (await frontdesk.outcomes())[1] == ("joined", "")


async def test_urgent_words_while_a_person_owns_are_left_to_that_person(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script["hm"] = a_call_for_a_person()
    await frontdesk.hear("hm")
    await a_person_owns(frontdesk)

    said = await frontdesk.hear("I want to kill myself")

    (case, _), *_ = await frontdesk.house.desk.open_cases()
    assert (said, case.priority) == ([], 100)


async def test_an_assistant_that_takes_too_long_is_given_up_and_a_person_looks(frontdesk: Frontdesk) -> None:
    class Endless:
        async def answer(self, question: Question) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

    frontdesk.turns._answerer = Endless()

    (said,) = await frontdesk.hear("how many bags?")

    packet = await frontdesk.packet()
    assert "colleague" in said.text
    assert (packet.reason, packet.evidence.detail) == (Reason.BOT_ERROR, "no answer within 0.5 s")


async def test_three_messages_typed_in_ten_seconds_get_one_answer(frontdesk: Frontdesk) -> None:
    frontdesk = Frontdesk(frontdesk.house, gathering=Gathering(quiet_s=6, cap_s=20))
    fence = await frontdesk.house.fence("responder", "x:1001")
    results = []
    for seconds, text in ((0, "hi"), (5, "how many bags"), (10, "to Rome?")):
        frontdesk.clock.moment = later(seconds)
        await frontdesk.write(text, sent_at=later(seconds))
        await frontdesk.reads()
        results.append(await frontdesk.responder.respond("x:1001", fence))
    frontdesk.clock.moment = later(16)
    await frontdesk.reads()
    results.append(await frontdesk.responder.respond("x:1001", fence))

    assert results == ["gathering", "gathering", "gathering", "committed"]
    assert [question.text for question in frontdesk.answerer.asked] == ["hi\nhow many bags\nto Rome?"]


async def test_three_messages_get_one_answer_though_the_account_is_read_every_twelve_seconds(
    frontdesk: Frontdesk,
) -> None:
    frontdesk = Frontdesk(frontdesk.house, gathering=Gathering(quiet_s=6, cap_s=20))
    fence = await frontdesk.house.fence("responder", "x:1001")
    frontdesk.clock.moment = later(1)
    await frontdesk.write("hi", sent_at=NOON)
    await frontdesk.reads()
    frontdesk.clock.moment = later(12)
    unread = await frontdesk.responder.respond("x:1001", fence)
    frontdesk.clock.moment = later(13)
    for seconds, text in ((5, "how many bags"), (10, "to Rome?")):
        await frontdesk.write(text, sent_at=later(seconds))
    await frontdesk.reads()
    results = [unread, await frontdesk.responder.respond("x:1001", fence)]
    frontdesk.clock.moment = later(25)
    await frontdesk.reads()
    results.append(await frontdesk.responder.respond("x:1001", fence))

    assert results == ["gathering", "gathering", "committed"]
    assert [question.text for question in frontdesk.answerer.asked] == ["hi\nhow many bags\nto Rome?"]


async def test_what_is_read_long_after_it_was_written_is_answered_at_once(frontdesk: Frontdesk) -> None:
    frontdesk = Frontdesk(frontdesk.house, gathering=Gathering(quiet_s=6, cap_s=20))
    fence = await frontdesk.house.fence("responder", "x:1001")
    frontdesk.clock.moment = later(11)
    await frontdesk.write("how many bags?", sent_at=NOON)
    await frontdesk.reads()

    assert await frontdesk.responder.respond("x:1001", fence) == "committed"


async def test_a_customer_who_never_stops_typing_is_answered_at_the_cap(frontdesk: Frontdesk) -> None:
    frontdesk = Frontdesk(frontdesk.house, gathering=Gathering(quiet_s=6, cap_s=20))
    fence = await frontdesk.house.fence("responder", "x:1001")
    for seconds in (0, 5, 10, 15, 20):
        frontdesk.clock.moment = later(seconds)
        await frontdesk.write(f"and {seconds}", sent_at=later(seconds))
        await frontdesk.reads()
        result = await frontdesk.responder.respond("x:1001", fence)

    assert result == "committed"
    assert len(frontdesk.answerer.asked) == 1


async def test_nobody_waits_for_ever_while_the_account_cannot_be_read(frontdesk: Frontdesk) -> None:
    frontdesk = Frontdesk(frontdesk.house, gathering=Gathering(quiet_s=6, cap_s=20))
    fence = await frontdesk.house.fence("responder", "x:1001")
    await frontdesk.write("how many bags?", sent_at=NOON)
    results = []
    for seconds in (19, 21, 94, 95):
        frontdesk.clock.moment = later(seconds)
        results.append(await frontdesk.responder.respond("x:1001", fence))

    assert results == ["gathering", "gathering", "gathering", "committed"]


async def test_stop_is_not_waited_for(frontdesk: Frontdesk) -> None:
    frontdesk = Frontdesk(frontdesk.house, gathering=Gathering(quiet_s=6, cap_s=20))
    await frontdesk.write("how many bags")

    said = await frontdesk.hear("STOP")

    assert "no more automated replies" in said[-1].text


async def test_messages_that_no_turn_can_be_stored_for_go_to_a_person(frontdesk: Frontdesk) -> None:
    """What is stored of a conversation may be broken; its customer is not left waiting for ever."""
    message = await frontdesk.write("how many bags?")
    partition = frontdesk.house.ledger.partition_of(message.conversation)
    await frontdesk.house.redis.hset(f"{partition}:conv:{message.conversation}", "memory", "no JSON")
    stop = asyncio.Event()
    running = asyncio.create_task(frontdesk.responder.run(stop))

    async with asyncio.timeout(20):
        while await frontdesk.house.ledger.waiting(frontdesk.house.ledger.partitions):  # noqa: ASYNC110 (in Redis)
            await asyncio.sleep(0.01)
    stop.set()
    await running

    packet = await frontdesk.packet()
    (said,) = [line.entry for line in await frontdesk.lines() if line.entry]
    assert (packet.reason, packet.evidence.rule) == (Reason.BOT_ERROR, "turn_not_stored")
    assert "colleague" in said.text


async def test_three_questions_at_once_go_to_a_person(frontdesk: Frontdesk) -> None:
    await frontdesk.hear("How early must I check in? Can my dog fly? How do I change the name on a ticket?")

    assert (await frontdesk.packet()).reason is Reason.TANGLED


async def test_whoever_opted_out_and_is_in_distress_still_reaches_a_person(frontdesk: Frontdesk) -> None:
    await frontdesk.hear("STOP")

    said = await frontdesk.hear("I want to kill myself")

    assert said == []
    assert (await frontdesk.outcomes())[1] == ("case_opened", "")


async def test_the_hand_over_says_when_to_expect_a_reply_and_promises_it(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script["hm"] = a_call_for_a_person()

    (said,) = await frontdesk.hear("hm")

    (case, _), *_ = await frontdesk.house.desk.open_cases()
    assert "You can expect a reply today by 13:00 (London time)." in said.text
    assert case.promise is not None
    assert case.promise.due_at - NOON == timedelta(minutes=60)


MOMENTS = {
    "in hours": NOON,
    "at night": NOON.replace(hour=22),
    "on a holiday": NOON.replace(month=12, day=25),
    "before a weekend": NOON.replace(month=11, day=27, hour=21),
}
SENTENCES = {
    "self_harm": ("I want to kill myself", Reason.SELF_HARM),
    "safety": ("There was smoke in the cabin on my flight", Reason.SAFETY),
    "fraud": ("Someone used my card on your site, this is fraud", Reason.FRAUD),
    "legal": ("You will hear from my lawyer", Reason.LEGAL),
    "discrimination": ("Your crew made racist remarks about my family", Reason.DISCRIMINATION),
    "press": ("I'm a journalist and would like a comment from you", Reason.PRESS),
    "medical": ("My father had a heart attack, can he fly", Reason.MEDICAL),
    "accessibility": ("I am a wheelchair user and nobody helped me off", Reason.ACCESSIBILITY),
    "bereavement": ("My mother passed away and I must cancel", Reason.BEREAVEMENT),
    "personal_data": ("Please delete all my personal data under GDPR", Reason.PERSONAL_DATA),
    "asks_for_person": ("Can I talk to a human please", Reason.ASKED_FOR_PERSON),
    "complaint": ("I want to make a complaint about your staff", Reason.COMPLAINT),
    "anger": ("Worst airline ever, I am absolutely furious", Reason.COMPLAINT),
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
@pytest.mark.parametrize(("text", "reason"), SENTENCES.values(), ids=SENTENCES)
async def test_at_every_hand_over_the_customer_learns_who_is_there_and_by_when_to_expect_a_reply(
    frontdesk: Frontdesk, moment: datetime, text: str, reason: Reason
) -> None:
    frontdesk.clock.moment = moment

    (said,) = await frontdesk.hear(text, sent_at=moment)

    (case, _), *_ = await frontdesk.house.desk.open_cases()
    assert case.reason is reason
    assert (await frontdesk.packet()).evidence.matched
    assert weighted_length(said.text) <= 280
    assert "automated assistant" in said.text
    assert re.search(r"(here until|back) .*(reply|expect a reply) ", said.text), said.text
    assert case.promise is not None


async def test_at_night_the_hand_over_says_when_people_are_back(frontdesk: Frontdesk) -> None:
    frontdesk.clock.moment = NOON.replace(hour=22)
    frontdesk.answerer.script["hm"] = a_call_for_a_person()

    (said,) = await frontdesk.hear("hm")

    assert "People are back tomorrow at 08:00" in said.text
    assert "You can expect a reply tomorrow by 09:00" in said.text


@pytest.mark.parametrize("failure", [AssistantFailed("an action was too slow"), ValueError("broken component")])
async def test_when_the_assistant_fails_the_customer_is_told_and_a_person_looks(
    frontdesk: Frontdesk, failure: Exception
) -> None:
    def fail() -> Answer:
        raise failure

    frontdesk.answerer.script["how many bags?"] = fail

    (said,) = await frontdesk.hear("how many bags?")

    (case, _), *_ = await frontdesk.house.desk.open_cases()
    assert case.reason is Reason.BOT_ERROR
    assert "colleague" in said.text


@pytest.mark.parametrize("place", Place)
async def test_when_fares_or_orders_cannot_be_read_the_customer_is_told_so_and_a_person_looks(
    frontdesk: Frontdesk, place: Place
) -> None:
    frontdesk.answerer.script["lowest fare to Paris"] = a_call_for_a_person(Reason.SOURCE_DOWN)

    (said,) = await frontdesk.hear("lowest fare to Paris", place=place)

    (case, _), *_ = await frontdesk.house.desk.open_cases()
    assert case.reason is Reason.SOURCE_DOWN
    assert "I can't look that up right now, so a colleague will." in said.text
    assert "reply today by 13:00" in said.text
    assert case.promise is not None


async def test_an_empty_answer_is_a_failure(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script["how many bags?"] = an_answer()

    (said,) = await frontdesk.hear("how many bags?")

    assert "colleague" in said.text
    assert (await frontdesk.packet()).reason is Reason.BOT_ERROR


async def test_while_a_person_owns_the_bot_is_silent_and_not_even_asked(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script["hm"] = a_call_for_a_person()
    await frontdesk.hear("hm")
    await a_person_owns(frontdesk)

    said = await frontdesk.hear("how many bags?")

    assert said == []
    assert (await frontdesk.outcomes())[1] == ("joined", "")
    assert [question.text for question in frontdesk.answerer.asked] == ["hm"]


async def test_given_back_the_bot_speaks_again_and_knows_what_it_should(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script["hm"] = a_call_for_a_person()
    await frontdesk.hear("hm")
    case = await a_person_owns(frontdesk)
    conversation = await frontdesk.conversation()
    notice = an_entry("x:1001", author="desk")
    await frontdesk.house.desk.give_back(case, "ana", notice, conversation.epoch, conversation.seq, NOON)

    said = await frontdesk.hear("and to Milan?")

    assert len(said) == 1
    question = frontdesk.answerer.asked[-1]
    assert (question.tracker, question.kept) == (None, {"destination": "ROM"})


async def test_an_old_message_goes_to_a_person_and_is_never_answered(frontdesk: Frontdesk) -> None:
    said = await frontdesk.hear("how many bags?", sent_at=NOON - timedelta(days=3))

    assert said == []
    assert (await frontdesk.packet()).reason is Reason.TOO_OLD


async def test_what_was_written_before_a_restore_goes_to_people_for_it_may_have_been_answered(
    frontdesk: Frontdesk,
) -> None:
    frontdesk = Frontdesk(frontdesk.house, restored_at=later(60))
    await frontdesk.hear("how many bags?", sent_at=later(59))
    assert (await frontdesk.packet()).reason is Reason.TOO_OLD


async def test_what_is_written_after_a_restore_is_answered(frontdesk: Frontdesk) -> None:
    frontdesk = Frontdesk(frontdesk.house, restored_at=later(60))
    assert len(await frontdesk.hear("how many bags?", sent_at=later(61))) == 1


async def test_a_picture_alone_is_asked_about_once_and_then_a_person_looks(frontdesk: Frontdesk) -> None:
    (asked,) = await frontdesk.hear("", pictures=1)
    (told,) = await frontdesk.hear("", pictures=1)

    assert "pictures" in asked.text
    assert "colleague" in told.text
    assert (await frontdesk.packet()).reason is Reason.UNREADABLE


@pytest.mark.parametrize("text", ["", "   \n\t "])
async def test_an_empty_message_is_asked_about(frontdesk: Frontdesk, text: str) -> None:
    (asked,) = await frontdesk.hear(text)

    assert "couldn't read" in asked.text


async def test_the_same_public_answer_is_not_given_twice_a_person_looks(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script |= {text: an_answer("Two bags.") for text in ("bags?", "bags", "BAGS??")}
    await frontdesk.hear("bags?")
    await frontdesk.hear("bags")

    (said,) = await frontdesk.hear("BAGS??")

    assert "colleague" in said.text
    assert (await frontdesk.packet()).reason is Reason.REPEATED_FAILURE


async def test_several_replies_are_one_post_in_public_and_several_messages_in_private(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script["bags?"] = an_answer("Two bags.", "23 kg each.")

    public = await frontdesk.hear("bags?")
    private = await frontdesk.hear("bags?", place=Place.PRIVATE)

    assert (len(public), len(private)) == (1, 2)
    assert "Two bags. 23 kg each." in public[0].text


async def test_a_public_answer_never_exceeds_a_post(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script["bags?"] = an_answer("One bag may weigh 23 kg. " * 30)

    (said,) = await frontdesk.hear("bags?")

    assert weighted_length(said.text) <= 280


async def test_a_post_that_does_not_summon_us_goes_to_a_person_with_the_answer_as_a_suggestion(
    frontdesk: Frontdesk,
) -> None:
    """X would refuse the reply (summoned-reply rule), so nobody is left waiting for it."""
    said = await frontdesk.hear("how many bags?", summons_us=False)

    packet = await frontdesk.packet()
    assert said == []
    assert packet.reason is Reason.CANNOT_REPLY
    assert packet.suggestions[0].text == "About how many bags?: two bags."


async def test_the_packet_holds_everything_said_understood_and_tried_in_both_places(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script["no, something else"] = a_call_for_a_person()
    await frontdesk.hear("how many bags?")
    await frontdesk.hear("no, something else", place=Place.PRIVATE)

    packet = await frontdesk.packet()

    assert [(line.who, line.place) for line in packet.transcript] == [
        ("customer", Place.PUBLIC),
        ("bot", Place.PUBLIC),
        ("customer", Place.PRIVATE),
    ]
    assert [u.message for u in packet.understood] == ["post:1", "dm:2"]
    assert packet.understood[0].certainty == 0.93
    assert packet.slots == {"destination": "ROM"}
    assert packet.tried[0].article == "KB-baggage@v3"
    assert packet.promises[-1].due_at == NOON + timedelta(minutes=60)


async def test_the_packet_of_a_second_case_names_the_first(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script |= {"hm": a_call_for_a_person(), "again": a_call_for_a_person(Reason.COMPLAINT)}
    await frontdesk.hear("hm")
    case = await a_person_owns(frontdesk)
    conversation = await frontdesk.conversation()
    await frontdesk.house.desk.resolve(case, "ana", conversation.epoch, conversation.seq, NOON)

    await frontdesk.hear("again")

    (earlier,) = (await frontdesk.packet()).earlier_cases
    assert (earlier.case, earlier.resolution, earlier.agent) == (case, "resolved", "ana")


@pytest.mark.parametrize("missing", sorted(Packet.model_fields))
async def test_a_packet_with_a_missing_part_is_refused(frontdesk: Frontdesk, missing: str) -> None:
    frontdesk.answerer.script["hm"] = a_call_for_a_person()
    await frontdesk.hear("hm")
    parts = (await frontdesk.packet()).model_dump(mode="json")

    with pytest.raises(ValueError, match=missing):
        Packet.model_validate({name: part for name, part in parts.items() if name != missing})


async def test_a_wrong_verification_is_counted_once_however_often_the_turn_runs(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script["KA-1 a@b.example"] = an_answer("That does not match.", failed_order_key="abc")
    message = await frontdesk.write("KA-1 a@b.example", place=Place.PRIVATE)
    snapshot = await frontdesk.house.ledger.snapshot(message.conversation)
    assert snapshot is not None
    from bot.burst import first_burst

    for _ in range(2):
        await frontdesk.turns.decide(first_burst(snapshot), 1, NOON)

    assert await frontdesk.counts.count("abc") == 1


async def test_order_details_and_wordings_of_failures_stay_out_of_public_notices(frontdesk: Frontdesk) -> None:
    def fail() -> Answer:
        raise AssistantFailed("order KA-482913 of mia@example.com")

    frontdesk.answerer.script["where is it?"] = fail
    (said,) = await frontdesk.hear("where is it?")

    assert "KA-482913" not in said.text


async def test_what_was_said_privately_does_not_come_up_in_public(frontdesk: Frontdesk) -> None:
    await frontdesk.hear("to Rome?", place=Place.PUBLIC)
    await frontdesk.hear("from Leeds on 3 May", place=Place.PRIVATE)
    await frontdesk.hear("and back?", place=Place.PUBLIC)
    await frontdesk.hear("in business?", place=Place.PUBLIC)

    first, private, public, further = frontdesk.answerer.asked
    assert first.tracker is None
    assert (private.tracker, dict(private.kept)) == ('{"events": []}', {"destination": "ROM"})
    assert (public.tracker, dict(public.kept)) == (None, {})
    assert further.tracker == '{"events": []}'


async def test_a_running_responder_answers_whatever_waits_and_ends_in_good_order(frontdesk: Frontdesk) -> None:
    for number in range(1, 9):
        message = a_message(number, customer=a_customer(number), text=f"bags {number}?")
        await frontdesk.house.ledger.receive(message, NOON)
    stop = asyncio.Event()
    running = asyncio.create_task(frontdesk.responder.run(stop))

    async with asyncio.timeout(10):
        while await frontdesk.house.ledger.waiting(frontdesk.house.ledger.partitions):  # noqa: ASYNC110 (in Redis)
            await asyncio.sleep(0.01)
    assert frontdesk.responder.trouble is None
    stop.set()
    await running

    taken_over = await frontdesk.house.leases("responder", "two").renew(NOON)
    assert len(frontdesk.answerer.asked) == 8
    assert sorted(taken_over) == frontdesk.house.ledger.partitions


async def test_after_redis_was_full_a_running_responder_goes_on(frontdesk: Frontdesk) -> None:
    await frontdesk.write("bags 1?")
    stop, redis = asyncio.Event(), frontdesk.house.redis
    running = asyncio.create_task(frontdesk.responder.run(stop))

    async def is_answered() -> bool:
        return not await frontdesk.house.ledger.waiting(frontdesk.house.ledger.partitions)

    async def says_so() -> bool:
        return "cannot be renewed" in (frontdesk.responder.trouble or "")

    async def is_well() -> bool:
        return frontdesk.responder.trouble is None

    await until(is_answered)
    await redis.config_set("maxmemory", "1mb")
    try:
        await until(says_so)
    finally:
        await redis.config_set("maxmemory", "0")
    await until(is_well)
    await frontdesk.write("bags 2?")
    await until(is_answered)
    stop.set()
    await running


async def test_a_turn_that_cannot_be_stored_is_told_until_it_is(frontdesk: Frontdesk) -> None:
    frontdesk = Frontdesk(frontdesk.house, most_failures=1000)
    message = await frontdesk.write("bags?")
    key = f"{frontdesk.house.ledger.partition_of(message.conversation)}:conv:{message.conversation}"
    await frontdesk.house.redis.hset(key, "memory", "no memory at all")
    stop = asyncio.Event()
    running = asyncio.create_task(frontdesk.responder.run(stop))

    async def says_so() -> bool:
        return "could not be stored" in (frontdesk.responder.trouble or "")

    async def is_well() -> bool:
        return frontdesk.responder.trouble is None

    await until(says_so)
    for _ in range(20):  # leases that are renewed do not hide it
        await asyncio.sleep(0.01)
        assert await says_so()
    await frontdesk.house.redis.hset(key, "memory", "{}")
    await until(is_well)
    stop.set()
    await running

    assert await frontdesk.outcomes() == [(Outcome.ANSWERED, "")]


async def test_the_owner_after_a_hand_over_is_the_queue(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script["hm"] = a_call_for_a_person()
    await frontdesk.hear("hm")

    assert (await frontdesk.conversation()).owner == Owner(kind="queue")
    assert (await frontdesk.outcomes()) == [(Outcome.CASE_OPENED, "")]


async def test_the_journal_says_which_answers_were_none(frontdesk: Frontdesk) -> None:
    frontdesk.answerer.script |= {
        "bags?": an_answer("Hand or hold?", failed=True),
        "hand": an_answer("Eight kilograms."),
    }
    for words, pictures in (("bags?", 0), ("hand", 0), ("", 1)):
        await frontdesk.hear(words, pictures=pictures)

    assert [facts.get("failed") for facts in await frontdesk.journalled("outcome")] == [True, False, True]
