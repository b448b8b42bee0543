"""Learning a classifier from labelled examples: weights, calibration and threshold. Needs scikit-learn."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, diags, hstack
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from activities.learning.classifier import KINDS, UNHEARD, Calibration, Classifier, Floats, Learned
from schemas.message import digest_of
from schemas.triage import Classification, Example

FOLDS = 4
SEED = 0
STRENGTH = 2.0
"""The inverse of the regularisation: chosen on validation parts of two sets, between 1 and 4 it hardly matters."""
NONE_SHARE = 0.2
"""How many of the messages to come are taken to be none of the categories: no set of examples tells that, and an
answer is worth giving up where more of these than of the others lie below the threshold."""
LOST = 0.003
"""Where there is no example of none, as many right answers may fall below the threshold."""
USUAL = 10.0
"""Occurrences as they usually are that each term is given beside its own: one seen seldom says little of a category."""
PLAIN = 0.3
"""What a term weighs that says nothing of any category, where one that settles it weighs one more."""
SPOKEN = 0.2
"""How much the terms of a message speak for a category by themselves, where the machine's margins differ by about one.
These three were chosen on banking77 and clinc150 together; around them it hardly matters."""
LARGE = 2000
"""With so many examples a term that occurs once says nothing; with fewer it may be all there is."""

Numbers = NDArray[np.int64]


class TooFew(Exception):
    """What is missing from the examples, in words for whoever gave them."""


class Taught(NamedTuple):
    """A classifier, and what is said of its examples by others like it, each taught without the ones it judges."""

    classifier: Classifier
    unseen: Mapping[int, Classification]
    """By the place of the example; those of a category with too few to spare are missing."""


def learn(
    process: str, examples: Sequence[Example], vectors: Sequence[Sequence[float]] = (), embeddings: str = ""
) -> Taught:
    categories = tuple(sorted({one.category for one in examples if one.category is not None}))
    texts = [one.text for one in examples]
    # Not None: none of the categories is the last of them.
    labels = np.array([len(categories) if one.category is None else categories.index(one.category) for one in examples])
    if len(categories) < 2:  # noqa: PLR2004 - there is nothing to choose between
        raise TooFew("examples of at least two categories are needed")
    terms = Terms(texts, labels, np.array(vectors, np.float32) if embeddings else None)
    everything = np.arange(len(texts))
    known, worth, _ = heard = terms.heard(everything)
    fitted = Fitted(terms, heard, everything, len(categories))
    places, margins = unseen(terms, len(categories))
    learned = Learned(
        process=process,
        categories=categories,
        vocabularies=terms.vocabularies(known),
        knows_none=bool((labels == len(categories)).any()),
        calibration=calibrated(margins, labels[places], len(categories)),
        examples=len(texts),
        embeddings=embeddings,
    )
    rows = np.concatenate([known, np.ones(fitted.weights.shape[0] - len(known), bool)])
    found = Classifier(learned, worth[known], fitted.weights[rows].astype(np.float16), fitted.bias)
    return Taught(found, {int(place): found.answer(row) for place, row in zip(places, margins, strict=True)})


def as_expected(examples: Sequence[Example], judged: Iterable[int]) -> Sequence[int]:
    """Places of examples among which as many are none as of the messages to come; all, where none is an example of it.

    Labelled files seldom have so many of them, and what is proved of fewer does not hold where more come.
    """
    places = sorted(judged, key=lambda place: digest_of(examples[place].text.encode()))
    none = [place for place in places if examples[place].category is None]
    others = [place for place in places if examples[place].category is not None]
    most = round(len(none) * (1 - NONE_SHARE) / NONE_SHARE) if none else len(others)
    return [*none, *others[:most]]


class Heard(NamedTuple):
    """What some of the examples teach of each term."""

    known: NDArray[np.bool_]
    worth: Floats
    """What it weighs: its inverse document frequency, the more so the more it tells of the label (the divergence of the
    labels it comes with from the usual ones, Kullback and Leibler's); nothing if it is not known."""
    speaks: Floats
    """How much it speaks for each label that was heard, a row for each term: the logarithms of naive Bayes, centred."""


class Terms:
    """The terms of all examples, once; what some of them teach of each, and what they weigh, as often as needed."""

    def __init__(self, texts: Sequence[str], labels: Numbers, vectors: Floats | None) -> None:
        self.names: list[list[str]] = []
        self.blocks: list[csr_matrix] = []
        self.labels = labels
        self.vectors = vectors
        for terms_of in KINDS:
            found = [sorted(terms_of(text)) for text in texts]
            places = {term: place for place, term in enumerate(sorted({term for terms in found for term in terms}))}
            columns = np.array([places[term] for terms in found for term in terms], np.int32)
            ends = np.concatenate([[0], np.cumsum([len(terms) for terms in found])])
            shape = (len(texts), len(places))
            self.blocks.append(csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=shape))
            self.names.append(list(places))

    def heard(self, rows: Numbers) -> Heard:
        names, said = np.unique(self.labels[rows], return_counts=True)
        usual = (said / len(rows)).astype(np.float32)
        said_so = csr_matrix((self.labels[rows][:, None] == names).astype(np.float32))
        counts = np.vstack([(block[rows].T @ said_so).toarray() for block in self.blocks])
        often = counts.sum(axis=1)
        known = often >= (2 if len(rows) >= LARGE else 1)
        shares = (counts + USUAL * usual) / (often + USUAL)[:, None]
        speaks = np.log(shares / usual)
        tells = (shares * speaks).sum(axis=1) / np.log(len(names))
        rarity = 1 + np.log((1 + len(rows)) / (1 + often))
        worth = np.where(known, rarity * (PLAIN + tells), 0).astype(np.float32)
        speaks = np.where(known[:, None], speaks - speaks.mean(axis=1, keepdims=True), 0)
        return Heard(known, worth, speaks)

    def weighed(self, worth: Floats, rows: Numbers) -> csr_matrix:
        blocks, start = [], 0
        for block in self.blocks:
            values = block[rows] @ diags(worth[start : start + block.shape[1]])
            blocks.append(_of_length_one(values) / len(KINDS) ** 0.5)
            start += block.shape[1]
        if self.vectors is not None:
            blocks.append(_of_length_one(csr_matrix(self.vectors[rows])) / len(KINDS) ** 0.5)
        return hstack(blocks).tocsr()

    def vocabularies(self, known: NDArray[np.bool_]) -> tuple[tuple[str, ...], ...]:
        kept, start = [], 0
        for names in self.names:
            here = known[start : start + len(names)]
            kept.append(tuple(name for name, is_known in zip(names, here, strict=True) if is_known))
            start += len(names)
        return tuple(kept)


def _of_length_one(values: csr_matrix) -> csr_matrix:
    lengths = np.sqrt(np.asarray(values.multiply(values).sum(axis=1)).ravel())
    return diags(1 / np.where(lengths > 0, lengths, 1)) @ values


class Fitted:
    """Linear weights, a column for each category and one for none; those without an example are unheard of."""

    def __init__(self, terms: Terms, heard: Heard, rows: Numbers, categories: int) -> None:
        values = terms.weighed(heard.worth, rows)
        machine = LinearSVC(C=STRENGTH, random_state=SEED).fit(values, terms.labels[rows])
        # Of two labels the machine keeps the margin of the second alone.
        two = len(machine.classes_) == 2  # noqa: PLR2004
        weights = np.vstack([-machine.coef_, machine.coef_]) if two else machine.coef_
        bias = np.concatenate([-machine.intercept_, machine.intercept_]) if two else machine.intercept_
        self.weights: Floats = np.zeros((values.shape[1], categories + 1), np.float32)
        self.bias: Floats = np.full(categories + 1, UNHEARD, np.float32)
        self.weights[:, machine.classes_], self.bias[machine.classes_] = weights.T, bias
        by_words = values[:, : len(heard.worth)] @ heard.speaks
        if spread := by_words.std(axis=1).mean():  # there is none where the same words are of every category
            self.weights[: len(heard.worth), machine.classes_] += SPOKEN / spread * heard.speaks

    def margins(self, values: csr_matrix) -> Floats:
        found: Floats = values @ self.weights + self.bias
        return found


def unseen(terms: Terms, categories: int) -> tuple[Numbers, Floats]:
    """Places of examples, and the margins of each as the others would have them.

    What a category has too few of to spare is always learned from, and never judged.
    """
    labels = terms.labels
    order, turns = np.random.default_rng(SEED).permutation(len(labels)), Counter[int]()
    fold = np.full(len(labels), FOLDS)
    often = Counter(labels.tolist())
    for place in order:
        label = int(labels[place])
        if often[label] >= FOLDS:
            fold[place] = turns[label] % FOLDS
            turns[label] += 1
    found = []
    for number in range(FOLDS):
        rest, held = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if len(held):
            heard = terms.heard(rest)
            fitted = Fitted(terms, heard, rest, categories)
            found.append((held, fitted.margins(terms.weighed(heard.worth, held))))
    judged = {label for held, _ in found for label in labels[held].tolist()} - {categories}
    if len(judged) < 2:  # noqa: PLR2004
        raise TooFew(f"at least two categories with {FOLDS} different examples each are needed")
    return np.concatenate([held for held, _ in found]), np.vstack([margins for _, margins in found])


def calibrated(margins: Floats, labels: Numbers, categories: int) -> Calibration:
    """Probabilities and threshold from margins of examples that were not learned from."""
    scope = labels != categories
    best, right = margins[scope, :categories], labels[scope]
    rows = np.arange(len(right))

    def surprise(temperature: float) -> float:
        return float(-log_softmax(best * temperature, axis=1)[rows, right].mean())

    temperature = float(minimize_scalar(surprise, bounds=(0.1, 50), method="bounded").x)
    if scope.all():
        first = np.exp(log_softmax(best * temperature, axis=1)).max(axis=1)
        sure = first[best.argmax(axis=1) == right]
        return Calibration(temperature=temperature, least=float(np.quantile(sure, LOST)) if len(sure) else 1)
    apart = margins[:, :categories].max(axis=1) - margins[:, categories]
    weights = np.where(scope, (1 - NONE_SHARE) / scope.mean(), NONE_SHARE / (~scope).mean())
    line = LogisticRegression(C=1e4).fit(apart[:, None], scope, sample_weight=weights)
    slope, offset = float(line.coef_[0, 0]), float(line.intercept_[0])
    likely = line.predict_proba(apart[:, None])[:, 1]
    answered = margins[:, :categories].argmax(axis=1) == labels
    return Calibration(temperature=temperature, slope=slope, offset=offset, least=_threshold(likely, answered, scope))


def _threshold(likely: Floats, answered: NDArray[np.bool_], scope: NDArray[np.bool_]) -> float:
    """Where most messages are answered rightly, none being a right answer to what is none."""
    order = np.argsort(likely)
    kept = (answered & scope)[order]
    lost = np.concatenate([[0], np.cumsum(kept)]) / scope.sum() * (1 - NONE_SHARE)
    found = np.concatenate([[0], np.cumsum(~scope[order])]) / (~scope).sum() * NONE_SHARE
    best = int(np.argmax(found - lost))
    edges = np.concatenate([[0.0], likely[order], [1.0]])
    return float((edges[best] + edges[best + 1]) / 2)
