"""An editor publishes; responders answer from it within a second, and never from half of it."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from knowledge import keys
from knowledge.index import Answer
from knowledge.publish import Publisher, PublishFailed, PublishOutcome, PublishResult
from knowledge.published import NothingPublished, PublishedKnowledge
from knowledge.source import DEFAULT_FOLDER, read_source

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Editor:
    """Somebody with a folder of articles who publishes it."""

    def __init__(self, redis: "Redis", encoder: Any, folder: Path) -> None:
        self.encoder, self.folder = encoder, folder
        self._publisher = Publisher(redis, encoder)
        self._commands = 0

    def writes(self, article: str, old: str, new: str) -> None:
        path = self.folder / "articles" / f"{article}.md"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    async def publishes(self, *, command: str | None = None, expected: int | None = None) -> PublishResult:
        self._commands += 1
        return await self._publisher.publish(
            read_source(self.folder, NOW),
            by="ana",
            now=NOW,
            command_id=command or f"{id(self)}-{self._commands}",
            expected=expected,
        )


def make_folder(folder: Path) -> Path:
    (folder / "articles").mkdir(parents=True)
    for name in ("pets", "wifi", "lounge", "refunds", "meals"):
        shutil.copy(DEFAULT_FOLDER / "articles" / f"{name}.md", folder / "articles")
    shutil.copytree(DEFAULT_FOLDER / "facts", folder / "facts")
    return folder


def connect(url: str) -> "Redis":
    return Redis.from_url(url, socket_timeout=10, socket_connect_timeout=10, retry=Retry(NoBackoff(), 0))


@pytest.fixture
async def redis(redis_url: str) -> "AsyncIterator[Redis]":
    async with connect(redis_url) as redis:
        yield redis


@pytest.fixture
def editor(redis: "Redis", word_encoder: Any, tmp_path: Path) -> Editor:
    return Editor(redis, word_encoder, make_folder(tmp_path / "knowledge"))


@pytest.fixture
async def responder(redis: "Redis", word_encoder: Any) -> AsyncIterator[PublishedKnowledge]:
    async with PublishedKnowledge(redis, encoder_revision=word_encoder.revision) as published:
        yield published


def said(published: PublishedKnowledge, article: str, *, private: bool = False) -> str:
    answer = published.current.answer(article, private=private, now=NOW)
    assert isinstance(answer, Answer)
    return answer.text


async def until(condition: Callable[[], bool], limit_s: float = 5) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 the condition is looked at from outside
            await asyncio.sleep(0.01)


async def test_a_changed_article_is_answered_within_a_second(editor: Editor, responder: PublishedKnowledge) -> None:
    await editor.publishes()
    await responder.wait_for(1)
    editor.writes("meals", "Water is free", "Tea is free")
    await editor.publishes()
    published_at = time.monotonic()
    await until(lambda: said(responder, "meals").startswith("Tea is free"))
    assert time.monotonic() - published_at < 1
    assert responder.status.version == 2


async def test_before_anything_is_published_the_remedy_is_named(responder: PublishedKnowledge) -> None:
    with pytest.raises(NothingPublished, match="run `frontdesk knowledge publish`"):
        _ = responder.current
    assert responder.status.version is None
    assert "frontdesk knowledge publish" in str(responder.status.error)


async def test_only_the_changed_article_gets_a_new_version(editor: Editor, responder: PublishedKnowledge) -> None:
    await editor.publishes()
    editor.writes("pets", "title: Travelling with pets", "title: Animals")
    result = await editor.publishes()
    assert (result.version, result.changed) == (2, ("pets",))
    index = await responder.wait_for(2)
    assert [index.article(name).ref for name in ("pets", "wifi")] == ["KB-pets@v2", "KB-wifi@v1"]  # type: ignore[union-attr]


async def test_a_deleted_article_is_gone_and_does_not_reuse_its_number(
    editor: Editor, responder: PublishedKnowledge
) -> None:
    path = editor.folder / "articles" / "pets.md"
    text = path.read_text()
    await editor.publishes()
    path.unlink()
    await editor.publishes()
    index = await responder.wait_for(2)
    assert index.article("pets") is None
    path.write_text(text.replace("title: Travelling with pets", "title: Animals"))
    await editor.publishes()
    index = await responder.wait_for(3)
    assert index.article("pets").ref == "KB-pets@v2"  # type: ignore[union-attr]


async def test_unchanged_texts_are_not_encoded_again(editor: Editor) -> None:
    first = await editor.publishes()
    assert first.encoded == len(editor.encoder.encoded) > 60
    editor.writes("pets", "title: Travelling with pets", "title: Animals")
    second = await editor.publishes()
    assert second.encoded == 1
    assert editor.encoder.encoded[first.encoded :] == ["Animals"]


async def test_publishing_the_same_again_changes_nothing(editor: Editor) -> None:
    await editor.publishes()
    again = await editor.publishes()
    assert (again.outcome, again.version) == (PublishOutcome.UNCHANGED, 1)


async def test_one_of_two_editors_publishes_and_the_other_is_told(
    redis: "Redis", word_encoder: Any, editor: Editor, tmp_path: Path
) -> None:
    await editor.publishes()
    other = Editor(redis, word_encoder, make_folder(tmp_path / "other"))
    editor.writes("pets", "title: Travelling with pets", "title: Animals")
    other.writes("pets", "title: Travelling with pets", "title: Beasts")
    results = await asyncio.gather(editor.publishes(expected=1), other.publishes(expected=1))
    assert sorted(result.outcome for result in results) == [PublishOutcome.LOST, PublishOutcome.PUBLISHED]
    assert {result.version for result in results} == {2}


async def test_ten_editors_at_once_make_one_version_each_or_lose(
    redis: "Redis", word_encoder: Any, tmp_path: Path
) -> None:
    editors = [Editor(redis, word_encoder, make_folder(tmp_path / str(n))) for n in range(10)]
    for n, editor in enumerate(editors):
        editor.writes("pets", "title: Travelling with pets", f"title: Pets {n}")
    results = await asyncio.gather(*(editor.publishes() for editor in editors))
    won = [result.version for result in results if result.outcome is PublishOutcome.PUBLISHED]
    assert len(won) + sum(result.outcome is PublishOutcome.LOST for result in results) == 10
    assert sorted(won) == list(range(1, len(won) + 1))
    assert int(await redis.get(keys.CURRENT)) == len(won) >= 1


async def test_the_same_command_again_gives_the_same_result_and_no_second_version(editor: Editor) -> None:
    first = await editor.publishes(command="c1")
    editor.writes("pets", "title: Travelling with pets", "title: Animals")
    again = await editor.publishes(command="c1")
    assert (again.outcome, again.version) == (PublishOutcome.PUBLISHED, first.version)


async def test_an_article_without_a_title_refuses_the_whole_publication(
    editor: Editor, responder: PublishedKnowledge
) -> None:
    await editor.publishes()
    await responder.wait_for(1)
    editor.writes("wifi", "title: Wi-Fi on board\n", "")
    editor.writes("meals", "Water is free", "Tea is free")
    result = await editor.publishes()
    assert result.outcome is PublishOutcome.REFUSED
    assert [problem.field for problem in result.problems] == ["title"]
    assert said(responder, "meals").startswith("Water is free")
    assert responder.current.article("wifi") is not None


async def test_a_broken_gate_refuses_the_publication(editor: Editor) -> None:
    (editor.folder / "gate.yml").write_text("answer_precision: [")
    result = await editor.publishes()
    assert (result.outcome, result.version) == (PublishOutcome.REFUSED, 0)


async def test_articles_too_few_to_be_measured_are_refused_with_a_reason(editor: Editor) -> None:
    for name in ("wifi", "lounge", "refunds", "meals"):
        (editor.folder / "articles" / f"{name}.md").unlink()
    result = await editor.publishes()
    assert result.outcome is PublishOutcome.REFUSED
    assert "at least two articles" in str(result.problems[-1])


async def test_a_damaged_version_is_reported_and_the_old_one_stays(
    redis: "Redis", editor: Editor, responder: PublishedKnowledge
) -> None:
    await editor.publishes()
    await responder.wait_for(1)
    await redis.hset(keys.version_key(2), mapping={"document": b"{", "vectors": b"", "checksum": b"x"})
    await redis.set(keys.CURRENT, 2)
    await until(lambda: responder.status.error is not None)
    assert "version 2 of the knowledge cannot be used: its checksum is wrong" in str(responder.status.error)
    assert responder.status.version == 1
    assert said(responder, "meals").startswith("Water is free")
    repaired = await editor.publishes()
    assert (repaired.outcome, repaired.version) == (PublishOutcome.PUBLISHED, 3)
    await responder.wait_for(3)
    assert responder.status.error is None


async def test_knowledge_encoded_by_another_model_is_not_answered_from(
    redis: "Redis", editor: Editor, word_encoder: Any
) -> None:
    await editor.publishes()
    async with PublishedKnowledge(redis, encoder_revision="words-2") as published:
        assert "its vectors are from words-1" in str(published.status.error)
        with pytest.raises(NothingPublished):
            _ = published.current


async def test_a_redis_that_lost_the_knowledge_does_not_silence_the_responder(
    redis: "Redis", editor: Editor, responder: PublishedKnowledge
) -> None:
    await editor.publishes()
    await responder.wait_for(1)
    await redis.flushall()
    await until(lambda: responder.status.error is not None)
    assert said(responder, "meals")
    assert (await editor.publishes()).version == 1


async def test_a_full_redis_refuses_clearly_and_keeps_what_was_published(
    redis: "Redis", editor: Editor, responder: PublishedKnowledge
) -> None:
    await editor.publishes()
    await responder.wait_for(1)
    editor.writes("meals", "Water is free", "Tea is free")
    await redis.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(PublishFailed, match="Redis is full; nothing was published"):
            await editor.publishes()
        assert int(await redis.get(keys.CURRENT)) == 1
        assert not await redis.exists(keys.version_key(2))
    finally:
        await redis.config_set("maxmemory", "0")
    assert said(responder, "meals").startswith("Water is free")
    assert (await editor.publishes()).version == 2


async def test_while_redis_is_away_the_responder_answers_and_catches_up_after(
    own_redis: Any, word_encoder: Any, tmp_path: Path
) -> None:
    async with connect(own_redis.url) as redis:
        editor = Editor(redis, word_encoder, make_folder(tmp_path / "knowledge"))
        await editor.publishes()
        async with PublishedKnowledge(redis, encoder_revision=word_encoder.revision) as responder:
            own_redis.stop()
            await until(lambda: responder.status.error is not None)
            assert "Redis does not answer" in str(responder.status.error)
            assert said(responder, "meals").startswith("Water is free")
            editor.writes("meals", "Water is free", "Tea is free")
            with pytest.raises(PublishFailed, match="Redis did not answer"):
                await editor.publishes()
            own_redis.start()
            await until(lambda: responder.status.error is None)
            assert (await editor.publishes()).version == 2
            await until(lambda: said(responder, "meals").startswith("Tea is free"))


async def test_publications_in_a_row_are_never_seen_half(editor: Editor, responder: PublishedKnowledge) -> None:
    await editor.publishes()
    await responder.wait_for(1)
    seen: set[tuple[int, str, str]] = set()

    async def watch() -> None:
        while True:
            index = responder.current
            article = index.article("meals")
            assert article is not None
            seen.add((index.version, article.article.title, article.article.public[:20]))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    titles = {1: "Meals and drinks on board"}
    for number in range(2, 7):
        titles[number] = f"Meals {number}"
        editor.writes("meals", f"title: {titles[number - 1]}", f"title: {titles[number]}")
        await editor.publishes()
        await responder.wait_for(number)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert {(number, title) for number, title, _ in seen} == set(titles.items())
