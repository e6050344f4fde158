"""Replies go out once, in order, whatever the network and the platform do: real tweepy, HTTP, sandbox and Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from handoff.words import Message, NewCase, Place, Reason
from tests.support.account import (
    Desk,
    answer,
    delivery_of,
    ingress_of,
    running,
    state_of,
    until,
    until_state,
    waiting_messages,
)
from tests.support.ledger import House, a_turn
from tests.support.sandbox import MIA, TOM, Sandbox


async def received(house: House, x: Sandbox, handle: str = MIA) -> Message:
    """The newest message of a customer, once it has been read."""
    conversation = f"x:{await x.user_id(handle)}"
    messages: list[Message] = await until(lambda: waiting_messages(house, conversation))
    return messages[-1]


async def a_mention(house: House, x: Sandbox, text: str = "@KestrelAir where is my bag?", handle: str = MIA) -> Message:
    await x.post(text, author=handle)
    async with running(ingress_of(house, x.channel)):
        return await received(house, x, handle)


async def a_direct_message(house: House, x: Sandbox, text: str = "where is my order?") -> Message:
    await x.write(text)
    async with running(ingress_of(house, x.channel)):
        return await received(house, x)


async def test_a_mention_is_answered_in_public_and_a_direct_message_in_private(house: House, x: Sandbox) -> None:
    mention = await a_mention(house, x)
    assert mention.text == "where is my bag?"
    assert mention.customer.handle == MIA
    public = await answer(house, mention, "Please send us a direct message.", offers_private=True)
    direct = await a_direct_message(house, x)
    private = await answer(house, direct, "It left Leeds this morning.")
    async with running(delivery_of(house, x.channel)):
        for entry in (*public, *private):
            assert (await until_state(house, entry, "sent"))["external_id"]
    post, message = await x.sent()
    assert (post["kind"], post["in_reply_to"], bool(post["deep_link"])) == ("post", mention.platform_id, True)
    assert (message["kind"], message["recipient"]) == ("dm", MIA)


async def test_a_reply_whose_answer_got_lost_is_posted_exactly_once(house: House, x: Sandbox) -> None:
    await x.fault("drop_after", "/2/tweets", method="POST", times=1)
    (entry,) = await answer(house, await a_mention(house, x), "Your bag is in Leeds.")
    async with running(delivery_of(house, x.channel)):
        record = await until_state(house, entry, "sent")
    assert await x.said() == ["Your bag is in Leeds."]
    assert (record["attempts"], record["doubts"]) == ("1", "1")
    assert record["external_id"] == (await x.sent())[0]["id"]


async def test_a_direct_message_whose_answer_got_lost_is_sent_exactly_once(house: House, x: Sandbox) -> None:
    await x.fault("drop_after", "/2/dm_conversations/with/{id}/messages", method="POST", times=1)
    message = await a_direct_message(house, x)
    first, second = await answer(house, message, "It left Leeds.", "It left Leeds.")  # alike, yet two
    async with running(delivery_of(house, x.channel)):
        await until_state(house, second, "sent")
    assert await state_of(house, first) == "sent"
    assert await x.said() == ["It left Leeds.", "It left Leeds."]


async def test_a_reply_that_never_arrived_is_sent_again_after_two_looks(house: House, x: Sandbox) -> None:
    await x.fault("drop_before", "/2/tweets", method="POST", times=1)
    (entry,) = await answer(house, await a_mention(house, x), "Your bag is in Leeds.")
    async with running(delivery_of(house, x.channel)):
        record = await until_state(house, entry, "sent")
    assert await x.said() == ["Your bag is in Leeds."]
    assert record["attempts"] == "2"


@pytest.mark.parametrize("kind", ["error", "unavailable"])
async def test_server_errors_end_in_one_post(house: House, x: Sandbox, kind: str) -> None:
    await x.fault(kind, "/2/tweets", method="POST", times=2)
    (entry,) = await answer(house, await a_mention(house, x), "Your bag is in Leeds.")
    async with running(delivery_of(house, x.channel)):
        await until_state(house, entry, "sent")
    assert await x.said() == ["Your bag is in Leeds."]


async def test_an_outage_delays_and_loses_nothing(house: House, x: Sandbox) -> None:
    entries = [
        *await answer(house, await a_mention(house, x), "First.", "Second.", "Third."),
        *await answer(house, await a_mention(house, x, handle=TOM), "For Tom."),
    ]
    await x.fault("outage")
    delivery = delivery_of(house, x.channel)
    async with running(delivery):

        async def notices() -> bool:
            return "public" in (delivery.trouble or "")

        await until(notices)
        await x.mend()
        for entry in entries:
            await until_state(house, entry, "sent")
    said = await x.said()
    assert sorted(said) == ["First.", "For Tom.", "Second.", "Third."]
    assert [text for text in said if text != "For Tom."] == ["First.", "Second.", "Third."]


async def test_a_closed_inbox_blocks_the_reply_and_calls_a_person(house: House, x: Sandbox) -> None:
    message = await a_direct_message(house, x)
    await x.tell("POST", "blocks", blocker=MIA, blocked="KestrelAir")
    (entry,) = await answer(house, message, "It left Leeds this morning.")
    desk = Desk()
    async with running(delivery_of(house, x.channel, desk=desk)):
        record = await until_state(house, entry, "blocked")
    assert record["detail"] == "dm_closed"
    assert desk.told == [(entry.id, "dm_closed")]
    ((case, owner),) = await house.desk.open_cases()
    assert (case.reason, str(owner)) == ("not_delivered", "queue")


async def deletes_the_post(x: Sandbox, mention: Message) -> None:
    await x.tell("DELETE", f"posts/{mention.platform_id}")


async def is_suspended(x: Sandbox, mention: Message) -> None:
    await x.tell("PATCH", f"users/{MIA}", suspended=True)


async def locks_the_account(x: Sandbox, mention: Message) -> None:
    await x.tell("PATCH", f"users/{MIA}", protected=True)


@pytest.mark.parametrize("happens", [deletes_the_post, is_suspended, locks_the_account])
async def test_a_post_that_is_gone_or_hidden_cannot_be_answered_and_a_person_is_called(
    house: House, x: Sandbox, happens: Callable[[Sandbox, Message], Awaitable[None]]
) -> None:
    mention = await a_mention(house, x)
    (entry,) = await answer(house, mention, "Your bag is in Leeds.")
    await happens(x, mention)
    desk = Desk()
    async with running(delivery_of(house, x.channel, desk=desk)):
        record = await until_state(house, entry, "blocked")
    assert record["detail"] == "target_gone"
    assert desk.told == [(entry.id, "target_gone")]
    assert await x.said() == []
    ((case, owner),) = await house.desk.open_cases()
    assert (case.reason, str(owner)) == ("not_delivered", "queue")


async def test_a_post_that_does_not_mention_us_is_not_answered_and_a_person_is_called(house: House, x: Sandbox) -> None:
    mention = await a_mention(house, x)
    await answer(house, mention, "Which flight?")
    async with running(delivery_of(house, x.channel)):
        (ours,) = await until(x.sent)
    await x.post("the one to Paris", in_reply_to=ours["id"])  # X adds the mention, the customer did not
    async with running(ingress_of(house, x.channel)):
        reply = await received(house, x)
    assert reply.text == "the one to Paris"
    assert not reply.summons_us
    (entry,) = await answer(house, reply, "That is in belt 4.")
    async with running(delivery_of(house, x.channel)):
        record = await until_state(house, entry, "blocked")
    assert record["detail"] == "not_summoned"
    assert await x.said() == ["Which flight?"]
    assert len(await house.desk.open_cases()) == 1


async def test_the_same_words_twice_are_refused_as_a_duplicate_and_go_to_a_person(house: House, x: Sandbox) -> None:
    (first,) = await answer(house, await a_mention(house, x), "Bags may weigh 23 kg.")
    async with running(delivery_of(house, x.channel)):
        await until_state(house, first, "sent")
    (second,) = await answer(house, await a_mention(house, x), "Bags may weigh 23 kg.")
    async with running(delivery_of(house, x.channel)):
        record = await until_state(house, second, "blocked")
    assert record["detail"] == "duplicate"
    assert await x.said() == ["Bags may weigh 23 kg."]
    assert len(await house.desk.open_cases()) == 1


async def test_an_exhausted_limit_holds_up_public_replies_only(house: House, x: Sandbox) -> None:
    await x.tell("POST", "limits", profile="ppu", overrides={"POST /2/tweets": 1})
    first, second = await answer(house, await a_mention(house, x), "First.", "Second.")
    async with running(delivery_of(house, x.channel)):
        await until_state(house, first, "sent")
        record = await until_state(house, second, "retry_at")
        (private,) = await answer(house, await a_direct_message(house, x), "In private.")
    assert int(record["due_ms"]) - int(record["sending_ms"]) > 60_000
    assert await x.said() == ["First."]
    assert await state_of(house, private) == "queued"  # behind the second one: order holds across both places


async def test_a_refused_account_stops_everything_and_says_so(house: House, x: Sandbox) -> None:
    await x.fault("error", "/2/tweets", method="POST", status=402)
    (entry,) = await answer(house, await a_mention(house, x), "Your bag is in Leeds.")
    delivery = delivery_of(house, x.channel)
    async with running(delivery):

        async def says_so() -> bool:
            return "account" in (delivery.trouble or "")

        await until(says_so)
        assert await x.said() == []
        await x.mend()
        await until_state(house, entry, "sent")
        assert delivery.trouble is None


async def test_a_reply_overtaken_by_a_person_is_not_sent(house: House, x: Sandbox) -> None:
    mention = await a_mention(house, x)
    (entry,) = await answer(house, mention, "Your bag is in Leeds.")
    newer = mention.model_copy(update={"id": "post:1900000000000000777", "text": "I want a person"})
    await house.ledger.receive(newer, newer.sent_at)
    fence = await house.fence("responder", mention.conversation)
    case = NewCase(reason=Reason.ASKED_FOR_PERSON, packet="{}")
    ruling = await house.ledger.commit_turn(
        a_turn(mention.conversation, [newer.id], fence=fence, case=case), newer.sent_at
    )
    assert ruling.case
    async with running(delivery_of(house, x.channel)):
        record = await until_state(house, entry, "cancelled")
    assert record["detail"] == "stale_epoch"
    assert await x.said() == []


async def test_a_killed_delivery_is_replaced_and_its_post_stays_one(house: House, x: Sandbox) -> None:
    (entry,) = await answer(house, await a_mention(house, x), "Your bag is in Leeds.")
    conversation = entry.conversation
    now = datetime.now(UTC)
    held = await house.leases("delivery", "dead", ttl_s=0.3).renew(now)
    claim = await house.outbox.claim(conversation, held[house.ledger.partition_of(conversation)], now)
    assert claim is not None
    await x.channel.send(claim.entry)  # and dies before it can write that down
    async with running(delivery_of(house, x.channel, holder="living")):
        record = await until_state(house, entry, "sent")
    assert await x.said() == ["Your bag is in Leeds."]
    assert record["external_id"] == (await x.sent())[0]["id"]


async def test_replies_to_one_customer_keep_their_order_while_others_pass(house: House, x: Sandbox) -> None:
    await x.fault("drop_before", "/2/tweets", method="POST", times=1)
    mine = await answer(house, await a_mention(house, x), "One.", "Two.", "Three.")
    async with running(delivery_of(house, x.channel)):
        await until_state(house, mine[0], "unknown", "sent")
        toms = await answer(house, await a_mention(house, x, handle=TOM), "For Tom.")
        await until_state(house, toms[0], "sent")
        await until_state(house, mine[-1], "sent")
    said = await x.said()
    assert [text for text in said if text != "For Tom."] == ["One.", "Two.", "Three."]


async def test_a_link_that_the_platform_wraps_is_recognised_as_ours(house: House, x: Sandbox) -> None:
    await x.fault("drop_after", "/2/dm_conversations/with/{id}/messages", method="POST", times=1)
    message = await a_direct_message(house, x)
    assert message.place is Place.PRIVATE
    (entry,) = await answer(house, message, "See https://kestrelair.example/bags?a=1&b=2 & call us.")
    async with running(delivery_of(house, x.channel)):
        await until_state(house, entry, "sent")
    assert len(await x.said()) == 1
