"""Sensitive words: what calls a person, what does not, and how the rules are written."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.phrases import PhraseError, compiled, plain
from handoff.policy import PolicyError
from handoff.sensitivity import Assessment, Category, Sensitivity, is_tangled
from handoff.sensitivity_policy import SENSITIVE, load_sensitivity

RULES = load_sensitivity()

CALLS = {
    "asks_for_person": [
        "Can I speak to a human please?",
        "let me talk to a real person",
        "I'd like to chat with one of your agents",
        "put me through to your manager",
        "Please transfer me to a representative",
        "HUMAN PLEASE",
        "agent",
        "I don’t want to talk to a bot",
        "stop, no more robots",
        "is anyone there?",
        "could somebody call me back about this",
        "I need a person, not a machine",
        "why don't you let me speak to a person",
        "can't I just speak with somebody from your team?",
        "connect me with an advisor",
    ],
    "complaint": [
        "I would like to make a complaint",
        "how do I complain about a flight",
        "I've been on hold for two hours",
        "nobody answers your phone",
        "still waiting for my refund",
        "you cancelled our flight and nobody told us",
        "the crew were so rude to my mum",
        "this isn't good enough, very disappointed",
        "we sat on the tarmac for three hours",
        "I want my money back",
        "your agent hung up on me",
    ],
    "anger": [
        "worst airline EVER",
        "this is absolutely ridiculous",
        "I am furious with you",
        "What a joke of a company",
        "never flying with you again",
        "wtf is going on",
        "your app sucks",
        "fed up with this",
        "sooooo annoyed right now",
        "shame on you Kestrel",
        "how dare you",
        "this has been a nightmare",
    ],
    "legal": [
        "you will hear from my lawyer",
        "my solicitor is looking at this",
        "I'll sue you",
        "see you in court",
        "I'm taking this to the small claims court",
        "I am considering legal action",
        "I shall write to the ombudsman",
        "this is a breach of contract",
        "I know my rights and will report you to the CAA: know my rights",
    ],
    "fraud": [
        "somebody used my card to buy a ticket",
        "I don't recognise this charge",
        "my account was hacked",
        "I think I got a phishing mail in your name",
        "is this email really from you?",
        "there is a fake Kestrel account asking for money",
        "my wallet was stolen at the gate",
        "I lost my credit card",
        "I never made this booking",
        "all my miles have disappeared",
        "someone is impersonating you",
        "please block my card",
    ],
    "safety": [
        "there is a bomb on the plane",
        "smoke in the cabin and nobody reacts",
        "we had an emergency landing",
        "a passenger is threatening the crew",
        "a man groped me on board",
        "I felt unsafe the whole flight",
        "the pilot seemed drunk",
        "my son is missing at the airport",
        "the seat belt was broken",
        "your steward hit me",
    ],
    "self_harm": [
        "I want to die",
        "I'm going to kill myself",
        "i just wanna die honestly",
        "I don't want to live any more",
        "there's no reason to live",
        "thinking about suicide",
        "I wish I was dead",
        "everyone would be better off without me",
        "my brother tried to kill himself last night",
        "I can't go on like this",
        "I want to end it all",
        "I've been cutting myself",
        "I don’t want to kill myself but I can’t take it",
        "I w\u200bant to d\u200bie",
        "i don t want to be alive",
    ],
    "discrimination": [
        "your staff were racist to my family",
        "this is discrimination",
        "I was refused because of my religion",
        "they searched us because we are Muslim",
        "a homophobic remark by your crew",
        "your agent misgendered me twice",
        "treated differently because of my hijab: because of my hijab",
    ],
    "press": [
        "I'm a journalist with a question about your fleet",
        "could your press office get in touch",
        "I am writing an article about delays",
        "is this a comment for our readers? media enquiry",
        "I work for the BBC and would like a statement",
        "we would like to interview your CEO",
    ],
    "medical": [
        "my father had a heart attack last week, can he fly",
        "I have a severe peanut allergy",
        "is my wife OK to travel? she is 30 weeks pregnant",
        "I'm bringing insulin with me",
        "she had a seizure on board",
        "I broke my leg and need more room",
        "do I need a doctor's letter? my doctor said so",
        "I use a portable oxygen concentrator",
        "we all got food poisoning from the meal",
    ],
    "accessibility": [
        "I need a wheelchair at the gate",
        "my mother is blind and travels alone",
        "can I bring my guide dog",
        "my son is autistic and needs quiet",
        "how do I book special assistance",
        "I can't walk far",
        "my dad has dementia",
        "I am hard of hearing",
    ],
    "bereavement": [
        "my father passed away and I have to change my flight",
        "I need to get to a funeral",
        "my grandmother died yesterday",
        "there was a death in the family",
        "we lost my husband last month: I lost my husband",
        "the ticket was for my late wife",
    ],
    "personal_data": [
        "delete all my data",
        "this is a GDPR request",
        "I want a copy of the data you hold about me",
        "which information do you store about me",
        "you shared my personal details, data breach!",
        "somebody else's booking shows in my app",
    ],
    "abuse": [
        "fuck you",
        "you are a bunch of idiots",
        "go to hell",
        "hope your airline goes bankrupt: hope you rot",
        "you stupid moron",
    ],
    "lost_property": [
        "my suitcase is missing",
        "you lost my bag",
        "where is our luggage?",
        "I left my tablet on the plane",
        "our pushchair didn't arrive",
        "the bags never came: my bag never came",
    ],
    "service_problem": [
        "I missed my connection because you were late",
        "the seat was broken and filthy",
        "I was charged twice for the same seat",
        "your website keeps crashing",
        "my flight has been cancelled",
        "the voucher code doesn't work",
        "my card was declined",
        "my account is locked",
    ],
    "account_closure": [
        "please close my account",
        "I want to delete my Kestrel account",
        "how do I cancel my membership",
    ],
    "tangled": [
        "Can I bring a dog? What does a second bag cost? And when does check-in open?",
        "how much is a window seat? is breakfast included? do you fly to Oslo on Sundays?",
    ],
}

DOES_NOT_CALL = [
    "can I speak to my friend's seat",
    "what are your legal terms for pets?",
    "this is killer service, love it",
    "What's the lowest return fare to Paris?",
    "how much is a ticket from Manchester to Rome on 3 March",
    "Are you a bot?",
    "am I talking to a real person?",
    "are you human",
    "can I take a knife in my hold bag?",
    "how many bags may I check in",
    "do you fly to Dublin on Sundays",
    "Thanks, your crew were fantastic",
    "great customer service today, thank you!",
    "where is my order?",
    "my order KA-482913 has not arrived yet",
    "when will my parcel be delivered",
    "is flight KA 204 delayed?",
    "will the flight be cancelled because of the snow?",
    "how can I cancel my booking",
    "What happens if I miss my flight?",
    "do you sell gift cards",
    "where can I print my boarding card",
    "can't wait to fly with you again!",
    "no complaints, all went well",
    "not a complaint, just a question about seats",
    "I don't need a human, thanks",
    "my phone died, can I still board?",
    "died laughing at your safety video",
    "I'm dying to see Rome",
    "I'd rather die than fly with the others, you're the best",
    "that view is to die for",
    "Does the lounge have a food court?",
    "do you have in-flight Wi-Fi?",
    "press the button twice, right?",
    "what time does check-in close",
    "Is breakfast included in premium?",
    "hello",
    "no worries, thank you so much",
    "holy shit that sunset was beautiful",
    "bloody brilliant flight, cheers",
    "fucking love you guys",
    "is there a student discount?",
    "Which documents do I need for Iceland?",
    "How do I get a refund if my flight is cancelled?",
    "am I entitled to compensation for a delay?",
    "what should I do if my luggage is lost?",
    "Can pregnant women fly?",
    "my plans changed, can I get my money back?",
    "I need seats for four people",
    "when are people there?",
    "when will somebody answer me?",
    "tell me a joke",
    "no, I meant Tuesday",
    "it's KA-482913 and ana.silva@example.com",
    "has my parcel shipped?",
    "not right now, just a one way ticket",
    "no that's not right, from Rome",
    "please ignore the first number, it's KA-482913",
    "sorry for the inconvenience, I meant premium",
    "still waiting for my order",
    "zero bags",
    "how early should I be at the airport",
    "I want to see Paris in the spring",
    "2 adults and a child to Madrid please, 4 to 9 May",
    "how long is the flight to Athens?",
    "@KestrelAir what is your baggage allowance?",
    "https://example.com/lawyer-fraud-bomb is that your page about seats",
    "Bath bombs from the shop: are they allowed in hand luggage?",
    "do I have to pay an extra charge for a window seat",
    "my job interview is on Monday, is there a morning flight?",
    "What? Really? Why? OK",
    "Is it open? When is it open? Is it open today?",
    "",
    "   ",
    "👍👍👍",
    "\u202e\u200b",
]


def names(assessment: Assessment) -> set[str]:
    return {match.category.name for match in assessment.matches}


@pytest.mark.parametrize(("category", "text"), [(name, text) for name, texts in CALLS.items() for text in texts])
def test_a_sensitive_message_calls_a_person_for_its_reason(category: str, text: str) -> None:
    assessment = RULES.assess(text)
    assert category in names(assessment)
    assert assessment.needs_person
    assert assessment.reason


@pytest.mark.parametrize("text", DOES_NOT_CALL)
def test_praise_and_plain_questions_stay_with_the_bot(text: str) -> None:
    assessment = RULES.assess(text)
    assert not assessment.matches
    assert not assessment.needs_person
    assert assessment.reason is None
    assert assessment.priority == 0


def test_there_are_enough_sentences_for_the_rules_to_mean_something() -> None:
    assert sum(map(len, CALLS.values())) + len(DOES_NOT_CALL) >= 120
    assert {category.name for category in RULES.categories()} == set(CALLS)


def test_the_most_urgent_reason_comes_first() -> None:
    assessment = RULES.assess("Worst airline ever, I want to speak to a manager, I just want to die")
    assert assessment.reason == "self_harm"
    assert assessment.priority == 100
    assert {"anger", "asks_for_person"} <= names(assessment)


def test_a_problem_that_an_article_may_solve_can_be_answered_first() -> None:
    for text in ("my suitcase is missing", "my flight has been cancelled", "Where are the best seats?"):
        assert RULES.assess(text).may_answer_first
    for text in ("my suitcase is missing and I want to speak to a manager", "worst airline, my flight was cancelled"):
        assert not RULES.assess(text).may_answer_first
    assert not RULES.assess("I want to die").may_answer_first
    assert not Assessment(complete=False).may_answer_first


def test_self_harm_stands_above_everything_and_gets_words_of_care() -> None:
    first = RULES.categories()[0]
    assert (first.name, first.priority) == ("self_harm", 100)
    for notice in (first.notice_public, first.notice_private):
        assert "sorry" in notice
        assert "116 123" in notice
        assert "999" in notice


def test_every_notice_fits_into_a_post_and_names_no_link() -> None:
    for category in RULES.categories():
        assert 20 < len(category.notice_public) <= 260
        assert "http" not in category.notice_public + category.notice_private
        assert "\n" not in category.notice_public + category.notice_private


def test_the_evidence_points_at_the_customers_own_words() -> None:
    text = "Hi 👋 @KestrelAir, I’d like to SPEAK to a HÚMAN, please"
    match = RULES.assess(text).top
    assert match
    begins, ends = match.span
    assert text[begins:ends] == "SPEAK to a HÚMAN"
    assert match.phrase.startswith("talk*/speak*")


def test_a_negator_in_another_clause_takes_nothing_back() -> None:
    assert RULES.assess("No, I want to speak to a person").needs_person
    assert RULES.assess("Not now. Worst service.").needs_person


def test_a_text_is_read_up_to_its_limit_and_a_hostile_one_in_bounded_time() -> None:
    assert RULES.assess("I want to die " + "x" * 200_000).reason == "self_harm"
    for text in ("don't want to " * 700, "no one can " * 900, "\u0301" * 10_000, "a " * 5_000):
        assert RULES.assess(text) is not None


class Slow:
    """Rules with a phrase that takes longer than is allowed."""

    category = Category(name="slow", reason="slow", priority=1, notice_public="-", notice_private="-")

    def matches(self, text: object, negated: object) -> object:
        raise TimeoutError


def test_a_text_that_cannot_be_read_in_time_goes_to_a_person() -> None:
    rules = Sensitivity([], negators=[])
    rules._rules = [Slow()]  # type: ignore[list-item]
    assessment = rules.assess("anything")
    assert not assessment.complete
    assert assessment.needs_person
    assert assessment.reason == "sensitive"


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=300))
def test_no_text_breaks_the_rules_and_spans_stay_inside(text: str) -> None:
    for match in RULES.assess(text).matches:
        begins, ends = match.span
        assert 0 <= begins < ends <= len(text)


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("complain*", "I COMPLAINED", True),
        ("complain", "complained", False),
        ("sue you", "sue, you", True),
        ("sue you", "I'm Sue. You?", False),
        ("talk/speak to", "speak to", True),
        ("to a? person", "to person", True),
        ("to a? person", "to the person", False),
        ("stole ... card", "stole my new credit bank card", True),
        ("stole ... card", "stole one two three four five card", False),
        ("stole ... card", "stole it. My card", False),
        ("don't care", "DONT care", True),
        ("dont care", "don’t care", True),
        ("dont care", "don t care", True),
        ("cafe", "CAFÉ", True),
        ("worst", "worrrrrst", True),
        ("worst", "worsttttt", True),
        ("= agent", " Agent! ", True),
        ("= agent", "travel agent", False),
        ("bomb", "http://x.test/bomb @bomb", False),
        ("want out", "want... out", True),
        ("a.b", "a.b", None),
        ("", "", None),
        ("... x", "", None),
        ("x ...", "", None),
        ("x ... ... y", "", None),
        ("a? b", "", None),
        ("a/", "", None),
        ("*", "", None),
        ("(x)+", "", None),
    ],
)
def test_the_language_of_phrases(phrase: str, text: str, found: bool | None) -> None:
    if found is None:
        with pytest.raises(PhraseError):
            compiled([phrase])
        return
    assert bool(compiled([phrase]).search(plain(text).text)) is found


@pytest.mark.parametrize(
    ("text", "tangled"),
    [
        ("Where is check-in? How heavy may my bag be? Is there a vegan meal?", True),
        ("where is check-in. how heavy may my bag be. is there a vegan meal", True),
        ("When does it open? When exactly does it open? So when does it open then?", False),
        ("Where is check-in? How heavy may my bag be?", False),
        ("Why? Why? Why?", False),
        ("I flew to Rome. It was sunny. We ate well. I would go again.", False),
    ],
)
def test_several_different_questions_are_tangled(text: str, tangled: bool) -> None:
    assert is_tangled(text) is tangled


def changed(folder: Path, old: str, new: str) -> Path:
    """The shipped file with one place changed."""
    text = SENSITIVE.read_text(encoding="utf-8")
    assert old in text
    path = folder / "sensitive.yml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("    priority: 100", "    priority: 101", "self_harm: priority “101” must be a whole number from 0 to 100"),
        ("    priority: 100", "    priority: high", "priority “high” must be a whole number"),
        ("    reason: self_harm\n", "", "self_harm: reason is missing"),
        ("    negation: ignored", "    negation: maybe", "negation must be “ignored”"),
        ("      - suicid*", "      - (suicid", "self_harm: “\\(suicid” has .* Correct the phrase"),
        ("      - suicid*", "      - 5", "self_harm: phrases must be a list of texts"),
        ("    phrases:\n", "    frases:\n", "self_harm: unknown key “frases”"),
        ("answer_first: true ", "answer_first: maybe ", "service_problem: answer_first must be true or false"),
        ("  safety:\n", "  self_harm:\n", "(?i)duplicate key"),
        ("    questions: 3", "    questions: 1", "tangled: questions “1”"),
        ("    questions: 3   #", "    #", "tangled: it has no phrases"),
        ("negators: [not,", "negators: ['((',", r"negators: “\(\(”"),
        ("categories:\n", "categories: []\nmore:\n", "unknown key “more”"),
        (
            "      We're really sorry",
            "      " + "Really " * 40 + "sorry",
            "public has .* characters; keep it under 260",
        ),
        ("categories:", "categories: [", "line \\d+"),
    ],
)
def test_a_mistake_in_the_rules_is_told_with_its_place(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    with pytest.raises(PolicyError, match=complaint) as refusal:
        load_sensitivity(changed(tmp_path, old, new))
    assert str(refusal.value).startswith("sensitive.yml")


@pytest.mark.parametrize("text", ["categories: {}", "categories: {legal: sue}", "categories: 5"])
def test_rules_without_categories_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sensitive.yml"
    path.write_text(text)
    with pytest.raises(PolicyError, match=r"sensitive\.yml"):
        load_sensitivity(path)
