"""Learning a model from labelled texts: a linear support vector machine per class, by dual coordinate descent.

Each row is learned from twice, as a whole and by its beginning alone, because residents write letters and short
messages. The examples and words of the rules are learned from as well, words only for classes the rows say nothing of:
so a model of letters about seven domains still knows an identity card when it sees one. How sure the model may be is
measured on rows it did not learn from, and so are the scores it reports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from errors import SettingsError
from nlp.catalogue import DOMAINS, catalogue
from nlp.classify import Verdict, weigh
from nlp.features import OPENING, Features, read
from nlp.hunch import listen
from nlp.judgement import by_rules
from nlp.model import BLOCKS, HALF, LARGEST, PARTS, UNIT, About, Model, build
from nlp.normalise import fold, tidy

LEAST_ROWS = 200
LEAST_CLASSES = 2
LEAST_OF_A_CLASS = 10
"""Rows, classes, and rows of a class without which learning is no better than the rules."""
FOLDS = 5
ROUNDS = 12
"""Times the rows are looked at; with twice as many not one answer changed."""
PRICE = 2.0
"""What a row on the wrong side costs (C), for a class of average size; an example of the rules costs as much."""
WORD_PRICE = 0.2
"""What a word of the rules costs."""
RARE_CLASS = 8.0
"""How many times as much a row of a small class costs at most."""
USUAL_SHARPNESS = 3.5
"""For a model whose own is not measured yet."""
STRONG = 4.0
"""Weight from which a word of the rules speaks for its class by itself."""
AGAIN = 4
"""Every so many rounds all rows are looked at, in between those that moved the time before."""
STILL = 1e-3
"""Changes below this are none."""
MOST_FEATURES = 15_000
"""The heaviest features are kept: fewer lose accuracy, more lose time and gain nothing on rows not seen."""

Labels = NDArray[np.int64]
Numbers = NDArray[np.float32]


class Row(NamedTuple):
    """A text and what it is about: a domain, or the code or name of a category."""

    text: str
    label: str


class Seen(NamedTuple):
    """The features of a row: all of it, and its beginning as a message of its own; and what the rules make of both."""

    whole: Features
    short: Features
    ruled: tuple[Verdict, Verdict]


class Example(NamedTuple):
    """What the rules know of a class: a text of theirs, the number of the class, what a mistake costs."""

    features: Features
    number: int
    price: float


@dataclass(frozen=True, slots=True)
class Lesson:
    """Everything there is to learn from: `gold` has the number of each row's class in `classes`."""

    classes: tuple[str, ...]
    seen: tuple[Seen, ...]
    gold: Labels
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Answers about rows by models that had not learned from them: margins by class, in the order of the rows."""

    whole: Numbers
    short: Numbers


def learn(rows: Sequence[Row], *, today: date, seed: int = 0) -> Model:
    """A model of `rows` with its scores. Raises `errors.SettingsError` where there are too few to learn from."""
    lesson = prepare(rows)
    held_out = cross_validate(lesson, fold_models(lesson, seed=seed))
    sharpness = best_sharpness(held_out, lesson.gold)
    scores = measure(held_out, lesson.gold, sharpness) | measure_rules(lesson)
    about = About(lesson.classes, len(lesson.seen), today, scores, sharpness)
    return fit(lesson, np.arange(len(lesson.seen)), about, seed=seed)


def prepare(rows: Sequence[Row]) -> Lesson:
    """Read the rows, and what the rules know of the same classes. Raises `errors.SettingsError`."""
    classes, codes = _class_space(rows)
    rows = enough([Row(row.text, codes[row.label.strip()]) for row in rows])
    numbers = {name: number for number, name in enumerate(classes)}
    gold = np.array([numbers[row.label] for row in rows])
    learned = {row.label for row in rows}
    return Lesson(classes, tuple(see(row.text) for row in rows), gold, tuple(_examples(classes, learned)))


def _class_space(rows: Sequence[Row]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The classes a model of these labels tells apart, and the class each way to write a label means."""
    domains = {name: name for name in DOMAINS}
    kinds = [entry.category for entry in catalogue().words]
    codes = {one.name: one.code for one in kinds} | {one.code: one.code for one in kinds}
    labels = {row.label.strip() for row in rows}
    for known in (domains, codes):
        if labels <= known.keys():
            return tuple(dict.fromkeys(known.values())), known
    strange = sorted(labels - (codes.keys() if labels & codes.keys() else domains.keys()))
    raise SettingsError(
        f"{len(strange)} labels are no class Linli knows, such as {'、'.join(strange[:3])}: label all rows with "
        f"domains ({'、'.join(DOMAINS[:3])} …) or all with codes or names of categories "
        f"({kinds[0].code}, {kinds[0].name} …)"
    )


def enough(rows: Sequence[Row]) -> list[Row]:
    """The rows of the classes that can be learned. Raises `errors.SettingsError` that says what is missing."""
    counts = Counter(row.label for row in rows)
    kept = [row for row in rows if counts[row.label] >= LEAST_OF_A_CLASS]
    classes = sum(count >= LEAST_OF_A_CLASS for count in counts.values())
    if len(kept) < LEAST_ROWS or classes < LEAST_CLASSES:
        raise SettingsError(
            f"too little to learn from: of {len(rows)} rows {len(kept)} belong to the {classes} classes that have at "
            f"least {LEAST_OF_A_CLASS}; {LEAST_ROWS} rows in {LEAST_CLASSES} such classes are needed. "
            "Until then the rules work alone, and nothing is lost."
        )
    return kept


def see(text: str) -> Seen:
    """Read a row's text as a message is read."""
    folded = fold(tidy(text))
    (whole, first), (short, second) = (_look(one) for one in (folded, folded[:OPENING]))
    return Seen(whole, short, (first, second))


def _look(folded: str) -> tuple[Features, Verdict]:
    """As `nlp.understand` reads it, but for dangers: about them the model is never asked."""
    hits = catalogue().lexicon.scan(folded)
    weighed = weigh(folded, hits)
    return read(folded, hits, weighed), by_rules(folded, weighed, listen(folded))


def _examples(classes: Sequence[str], learned: set[str]) -> Iterator[Example]:
    """The examples of all classes, and the words of those without rows."""
    book = catalogue()
    numbers = {name: number for number, name in enumerate(classes)}
    for entry in book.words:
        name = entry.category.domain if entry.category.domain in numbers else entry.category.code
        for text in entry.category.examples:
            yield Example(_look(fold(tidy(text)))[0], numbers[name], PRICE)
        if name not in learned:
            yield from _words(entry.weights, numbers[name])
    for domain, weights in book.domains.items():
        if domain in numbers and domain not in learned:
            yield from _words(weights, numbers[domain])


def _words(weights: Mapping[int, float], number: int) -> Iterator[Example]:
    entries = catalogue().lexicon.entries
    for entry, weight in weights.items():
        if weight >= STRONG and entries[entry].isalnum():
            yield Example(_look(entries[entry])[0], number, WORD_PRICE)


def folds(gold: Labels, seed: int) -> Iterator[tuple[Labels, Labels]]:
    """Numbers of the rows to learn from and of those to be asked about; every class is spread over all folds."""
    order = np.random.default_rng(seed).permutation(len(gold))
    order = order[gold[order].argsort(kind="stable")]
    for number in range(FOLDS):
        asked = order[number::FOLDS]
        yield np.setdiff1d(order, asked), asked


def fold_models(lesson: Lesson, *, seed: int) -> Iterator[tuple[Model, Labels]]:
    """Models learned from four fifths of the rows, each with the numbers of the rows it has not seen."""
    about = About(lesson.classes, 0, date.min, {}, USUAL_SHARPNESS)
    for known, asked in folds(lesson.gold, seed):
        yield fit(lesson, known, about, seed=seed), asked


def cross_validate(lesson: Lesson, models: Iterable[tuple[Model, Labels]]) -> HeldOut:
    """What each of the models says of the rows it has not seen."""
    whole = np.zeros((len(lesson.seen), len(lesson.classes)), np.float32)
    short = np.zeros_like(whole)
    for model, asked in models:
        for one in asked:
            whole[one] = model.margins(lesson.seen[one].whole)
            short[one] = model.margins(lesson.seen[one].short)
    return HeldOut(whole, short)


def fit(lesson: Lesson, known: Labels, about: About, *, seed: int) -> Model:
    """Weights that separate each class of the rows `known` from the others."""
    seen, gold = [lesson.seen[one] for one in known], lesson.gold[known]
    vocabulary = _vocabulary([one.whole for one in seen])
    parts = [vocabulary.part(one) for both in seen for one in (both.whole, both.short)]
    parts += [vocabulary.part(example.features) for example in lesson.examples]
    answers = np.concatenate((gold.repeat(2), [example.number for example in lesson.examples])).astype(np.int64)
    prices = np.concatenate((np.full(2 * len(seen), PRICE), [example.price for example in lesson.examples]))
    costs = _costs(answers, prices, len(about.classes))
    return vocabulary.model(about, _descend(parts, answers, costs, len(vocabulary.rarity), seed))


class Part(NamedTuple):
    """One message as numbers: the features that are known, and how much of each; of length one altogether."""

    features: Labels
    values: Numbers


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The features worth learning about, numbered block by block, and what each counts: the rarer the more."""

    numbers: tuple[dict[str, int], ...]
    rarity: Numbers

    def part(self, features: Features) -> Part:
        """As `Model.margins` weighs it."""
        found: list[Labels] = []
        values: list[Numbers] = []
        for names, known, part in zip(features[:-1], self.numbers, PARTS, strict=False):
            there = [name for name in names if name in known]
            rows = np.array([known[name] for name in there], np.int64)
            amounts = self.rarity[rows]
            if isinstance(names, dict):
                amounts = amounts * np.array([names[name] for name in there], np.float32)
            found.append(rows)
            values.append(amounts * (part / max(float(np.sqrt(amounts @ amounts)), 1e-9)))
        found.append(np.array([self.numbers[-1][name] for name in features.shares], np.int64))
        values.append(np.array(list(features.shares.values()), np.float32) * PARTS[-1])
        together: Numbers = np.concatenate(values)
        together /= max(float(np.sqrt(together @ together)), 1e-9)
        where: Labels = np.concatenate(found)
        return Part(where, together)

    def model(self, about: About, weights: Numbers) -> Model:
        """The model of these weights, by feature and class; only of the heaviest features."""
        kept = _heaviest(weights, self.numbers[-1].values())
        rows = np.column_stack((self.rarity**2, weights * self.rarity[:, None])) * UNIT
        digits = (np.clip(np.rint(rows), -LARGEST, LARGEST).astype(np.int64) + HALF).astype("<u4")
        names = [[name for name, number in known.items() if kept[number]] for known in self.numbers]
        return build(about, names, digits[kept].tobytes())


def _vocabulary(seen: Sequence[Features]) -> Vocabulary:
    """What stands in enough rows to tell something."""
    least = 2 if len(seen) < 500 else 3 if len(seen) < 1500 else 5  # more rows, more chance meetings
    numbers: list[dict[str, int]] = []
    counts: list[int] = []
    for block in range(len(BLOCKS) - 1):
        found = Counter(chain.from_iterable(one[block] for one in seen))
        kept = {name: count for name, count in found.items() if count >= least}
        numbers.append({name: len(counts) + place for place, name in enumerate(kept)})
        counts += kept.values()
    numbers.append({name: len(counts) + place for place, name in enumerate(DOMAINS)})
    rarity = np.log((1 + len(seen)) / (1 + np.array(counts))) + 1
    return Vocabulary(tuple(numbers), np.concatenate((rarity, np.ones(len(DOMAINS)))).astype(np.float32))


def _costs(answers: Labels, prices: NDArray[np.float64], classes: int) -> Numbers:
    """What a mistake costs, by row and class: rows of small classes cost more when they are missed."""
    counts = np.bincount(answers, weights=prices, minlength=classes)
    usual = prices.sum() / max(int(np.sum(counts >= 2 * LEAST_OF_A_CLASS)), 1)
    scarce = np.minimum(usual / np.maximum(counts, 1e-9), RARE_CLASS)
    right = answers[:, None] == np.arange(classes)
    costs: Numbers = (np.where(right, scarce, 1.0) * prices[:, None]).astype(np.float32)
    return costs


def _descend(parts: Sequence[Part], answers: Labels, costs: Numbers, features: int, seed: int) -> Numbers:
    """Squared hinge loss, each class against the rest, all at once (Hsieh and others, ICML 2008, algorithm 1)."""
    classes = costs.shape[1]
    side = np.where(answers[:, None] == np.arange(classes), 1.0, -1.0).astype(np.float32)
    slack = 0.5 / costs
    weights = np.zeros((features, classes), np.float32)
    duals = np.zeros_like(side)
    shuffle = np.random.default_rng(seed)
    moved = np.ones(len(parts), np.bool_)
    for number in range(ROUNDS):
        looked_at = np.arange(len(parts)) if number % AGAIN == 0 else moved.nonzero()[0]
        for one in shuffle.permutation(looked_at):
            rows, values = parts[one]
            table = weights[rows]
            gradient = side[one] * (values @ table) - 1 + duals[one] * slack[one]
            fresh = np.maximum(duals[one] - gradient / (1 + slack[one]), 0)
            change = (fresh - duals[one]) * side[one]
            moved[one] = np.abs(change).max() > STILL
            if moved[one]:
                weights[rows] = table + np.outer(values, change)
                duals[one] = fresh
    return weights


def _heaviest(weights: Numbers, always: Iterable[int]) -> NDArray[np.bool_]:
    """Which features to keep."""
    heaviness = np.abs(weights).max(axis=1)
    heaviness[list(always)] = np.inf
    kept = np.zeros(len(weights), np.bool_)
    kept[heaviness.argsort()[::-1][:MOST_FEATURES]] = True
    return kept


def best_sharpness(held_out: HeldOut, gold: Labels) -> float:
    """The factor that makes shares of the margins as sure as they are right, over whole texts and short ones.

    One number for a whole model (temperature scaling; Guo and others, ICML 2017).
    """
    both, twice = np.concatenate((held_out.whole, held_out.short)), np.concatenate((gold, gold))
    tried = np.geomspace(0.5, 12, 60)
    losses = [-np.log(softmax(both * factor)[np.arange(len(twice)), twice] + 1e-9).mean() for factor in tried]
    return round(float(tried[int(np.argmin(losses))]), 3)


def measure(held_out: HeldOut, gold: Labels, sharpness: float) -> dict[str, float]:
    """Scores of the held-out answers, on whole texts and on beginnings."""
    scores: dict[str, float] = {}
    for name, margins in (("whole", held_out.whole), ("short", held_out.short)):
        scores[f"{name}_macro_f1"] = round(macro_f1(gold, margins.argmax(axis=1)), 4)
        shares = softmax(margins * sharpness)
        error = calibration_error(shares.max(axis=1), shares.argmax(axis=1) == gold)
        scores[f"{name}_calibration_error"] = round(error, 4)
    return scores


def measure_rules(lesson: Lesson) -> dict[str, float]:
    """Scores of the rules alone on the same rows."""
    numbers = {name: number for number, name in enumerate(lesson.classes)}
    scores: dict[str, float] = {}
    for at, name in enumerate(("whole", "short")):
        verdicts = [one.ruled[at] for one in lesson.seen]
        names = [one.domain if one.domain in numbers else one.category.code if one.category else "" for one in verdicts]
        said = np.array([numbers.get(one or "", -1) for one in names])
        sure, right = np.array([one.confidence for one in verdicts]), said == lesson.gold
        scores[f"rules_{name}_macro_f1"] = round(macro_f1(lesson.gold, said), 4)
        scores[f"rules_{name}_calibration_error"] = round(calibration_error(sure, right), 4)
    return scores


def softmax(scores: Numbers) -> Numbers:
    """Shares that grow with the exponential of the scores."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: Numbers = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def macro_f1(gold: Labels, said: Labels) -> float:
    """The mean of the F1 scores of all classes in `gold`."""
    scores = [
        2 * np.sum((gold == one) & (said == one)) / (np.sum(gold == one) + np.sum(said == one))
        for one in np.unique(gold)
    ]
    return float(np.mean(scores))


def calibration_error(sure: Numbers, right: NDArray[np.bool_], bands: int = 10) -> float:
    """How far confidence and being right lie apart, on average over ten bands of confidence."""
    band = np.minimum((sure * bands).astype(int), bands - 1)
    return float(
        sum(abs(sure[band == one].mean() - right[band == one].mean()) * np.mean(band == one) for one in np.unique(band))
    )
