"""The classifier: none of these is an answer, examples alone decide, and an artefact is what was learned."""

import json
import os
from pathlib import Path

import pytest

from activities.learning.categories import TooFew, as_expected, learn
from activities.learning.classifier import Classifier, NoModel, load, newest, save
from activities.learning.classifiers import Classifiers, examples_in
from schemas.triage import CATEGORY, Example
from workers.settings import REPOSITORY, Settings

PROCESS = "request-triage"
CHARTERS = REPOSITORY / "deploy" / "charters"
DATA = REPOSITORY.parent / "shared" / "data" / "evaluate"
STEP = int(os.environ.get("STEP", "2"))
"""Of the public examples every second one, which takes a quarter of the time. Before a release: `STEP=1`."""
OWN = list(examples_in((CHARTERS / f"{PROCESS}.examples.jsonl").read_text()))


@pytest.fixture(scope="module")
def own() -> Classifier:
    return learn(PROCESS, OWN).classifier


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("When will our order HL-55012 be delivered?", "order_status"),
        ("I want to return the meter and get a refund", "return_request"),
        ("Our logger shows error E17 and restarts", "technical_fault"),
        ("Please send us an offer for thirty sensors", "quotation_request"),
        ("Please send a copy of the invoice", "invoice_copy"),
        ("I forgot my password and cannot log in", "account_change"),
    ],
)
def test_charters_own_examples_teach_its_categories(own: Classifier, text: str, category: str) -> None:
    assert own.classify(text).category == category


@pytest.mark.parametrize("text", ["What is the capital of Italy?", "zxcv", "", "¯\\_(ツ)_/¯", "😀"])
def test_what_no_category_wants_is_none_of_these(own: Classifier, text: str) -> None:
    assert own.classify(text).category is None


def test_artefact_answers_as_what_was_learned(own: Classifier, tmp_path: Path) -> None:
    again = load(save(own, tmp_path))

    assert [again.classify(one.text) for one in OWN] == [own.classify(one.text) for one in OWN]


def test_same_examples_give_the_same_artefact(own: Classifier, tmp_path: Path) -> None:
    assert save(own, tmp_path) == save(learn(PROCESS, OWN).classifier, tmp_path)


def test_file_that_is_no_artefact_is_named(tmp_path: Path) -> None:
    path = tmp_path / "request-triage-0.npz"
    path.write_bytes(b"cos\nsystem\n(S'true'\ntR.")

    with pytest.raises(NoModel, match="is no artefact"):
        load(path)


def test_two_categories_are_enough_and_one_is_not() -> None:
    yes, no = (
        [Example(text=f"{word} {number}", category=word) for number in ("one", "two", "three", "four")]
        for word in ("yes", "no")
    )

    assert learn(PROCESS, yes + no).classifier.classify("yes please").category == "yes"
    with pytest.raises(TooFew):
        learn(PROCESS, yes)


def test_examples_that_say_nothing_of_their_category_teach_no_confidence() -> None:
    same = [Example(text=f"where is it {number}", category=name) for number in range(8) for name in ("lost", "late")]

    found = learn(PROCESS, same).classifier.classify("where is it 3")

    assert found.confidence <= 0.6


def test_newest_artefact_is_taken_and_without_one_the_charters_examples(own: Classifier, tmp_path: Path) -> None:
    at_hand = Classifiers(tmp_path, CHARTERS)

    assert at_hand.of(PROCESS).digest == ""
    path = save(own, tmp_path)
    assert newest(tmp_path, PROCESS) == path
    assert at_hand.of(PROCESS).digest.startswith(path.stem.removeprefix(f"{PROCESS}-"))


def test_what_was_learned_is_kept_in_the_home() -> None:
    assert Settings(home=Path("there")).model_folder == Path("there/models")


def _labelled(name: str) -> list[Example]:
    file = DATA / f"{name}.jsonl"
    if not file.exists():
        pytest.skip(f"{file} is absent")
    lines = map(json.loads, file.read_text().splitlines())
    return [Example(text=line["text"], category=line["expected"][CATEGORY]) for line in lines]


@pytest.mark.timeout(400)
def test_requests_and_others_are_told_apart_on_public_examples() -> None:
    examples, held_out = _labelled("clinc150.train")[::STEP], _labelled("clinc150.val")

    learned = learn(PROCESS, examples).classifier

    right = [(one.category, learned.classify(one.text).category == one.category) for one in held_out]
    scope = [is_right for category, is_right in right if category is not None]
    none = [is_right for category, is_right in right if category is None]
    assert sum(scope) / len(scope) >= (0.90 if STEP == 1 else 0.85)
    assert sum(none) / len(none) >= 0.78


@pytest.mark.parametrize(("none", "others"), [(0, 40), (4, 16), (30, 40)])
def test_what_is_proved_is_proved_of_messages_with_as_many_of_none_as_are_expected(none: int, others: int) -> None:
    examples = [Example(text=f"none {at}") for at in range(none)]
    examples += [Example(text=f"one {at}", category="one") for at in range(40)]

    kept = [examples[place] for place in as_expected(examples, range(len(examples)))]

    assert (sum(one.category is None for one in kept), sum(one.category == "one" for one in kept)) == (none, others)
