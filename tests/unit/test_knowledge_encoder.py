"""The port of the encoder on each adapter, and the memory in front of it."""

from typing import Any

import numpy as np
import pytest

from knowledge.encoder import CachedEncoder, Encoder, MiniLmEncoder, shared_encoder

TEXTS = ["can my dog fly", "CAN MY DOG FLY", "", "\x00 \u202e strange", "word " * 3000, "傘 🌂"]


@pytest.fixture(scope="module")
def mini_lm() -> MiniLmEncoder:
    return MiniLmEncoder()


@pytest.fixture(params=["words", "mini_lm", "cached"])
def encoder(request: pytest.FixtureRequest, mini_lm: MiniLmEncoder, word_encoder: Any) -> Encoder:
    return {"words": word_encoder, "mini_lm": mini_lm, "cached": CachedEncoder(word_encoder)}[request.param]


def test_every_text_gets_a_vector_of_length_one(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_text_gives_no_vector(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


def test_the_company_of_other_texts_changes_nothing(encoder: Encoder) -> None:
    together = encoder.encode(TEXTS)
    assert np.allclose(encoder.encode(TEXTS[:1])[0], together[0], atol=1e-5)


def test_an_encoder_says_what_it_is(encoder: Encoder) -> None:
    assert encoder.name
    assert encoder.revision


def test_meaning_counts_more_than_words(mini_lm: MiniLmEncoder) -> None:
    dog, puppy, card = mini_lm.encode(["can my dog fly with me", "travelling with a puppy", "which cards can i use"])
    assert dog @ puppy > dog @ card + 0.2


def test_one_message_is_encoded_once_although_two_ask(word_encoder: Any) -> None:
    encoder = CachedEncoder(word_encoder)
    understanding = encoder.encode(["can my dog fly"])
    retrieval = encoder.encode(["can my dog fly"])
    assert word_encoder.encoded == ["can my dog fly"]
    assert np.array_equal(understanding, retrieval)


def test_only_new_texts_of_a_batch_are_encoded_and_each_once(word_encoder: Any) -> None:
    encoder = CachedEncoder(word_encoder)
    encoder.encode(["a"])
    vectors = encoder.encode(["b", "a", "b"])
    assert word_encoder.encoded == ["a", "b"]
    assert np.array_equal(vectors, word_encoder.encode(["b", "a", "b"]))


def test_the_text_not_asked_for_longest_is_forgotten_first(word_encoder: Any) -> None:
    encoder = CachedEncoder(word_encoder, size=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        encoder.encode([text])
    assert word_encoder.encoded == ["a", "b", "c", "b"]


def test_a_batch_larger_than_the_memory_is_encoded_whole(word_encoder: Any) -> None:
    assert CachedEncoder(word_encoder, size=2).encode(["a", "b", "c", "d"]).shape == (4, 384)


def test_a_process_has_one_encoder() -> None:
    assert shared_encoder() is shared_encoder()
