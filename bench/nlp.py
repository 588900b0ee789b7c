"""How well and how fast Linli understands what residents write: `linli bench nlp`.

Accuracy is measured on labelled tables outside the project: letters of citizens (`complaints_dev.csv`, columns text and
label) and messages as people type them (`chat_dev.jsonl`), looked for in `../shared/data`. Where they are absent their
figures are None and `skipped` says so. The model is always asked about rows it has not learned from, five times a
fifth; the plain methods beside it learn from the same rows and answer the same ones. Speed and memory need no data.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import nlp
from bench.plain_methods import METHODS, cross_validated
from nlp import model, training

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LETTERS = DATA / "complaints_dev.csv"
CHAT = DATA / "chat_dev.jsonl"
SHORT = 40
"""Characters of a letter that stand for a short message."""
SEED = 0


def run() -> dict[str, Any]:
    """Everything in one object; about two minutes where the labelled letters are."""
    nlp.prepare()
    figures: dict[str, Any] = {"letters_macro_f1": None, "short_macro_f1": None, "rules_macro_f1": None}
    peers: dict[str, Any] = {}
    skipped: list[str] = []
    if LETTERS.exists():
        figures |= _letters(peers)
    else:
        skipped.append(f"no labelled letters at {LETTERS}: nothing to learn from, speed is that of the rules alone")
    if CHAT.exists():
        figures |= {f"chat_{name}": value for name, value in _chat().items()}
    else:
        skipped.append(f"no labelled messages at {CHAT}")
    figures |= _speed(model.adopted(), peers)
    model.adopt(None)
    ratios = {"understand_to_jieba_lcut": round(figures["us_per_message"] / peers["jieba_lcut_us"], 3)}
    for kind, peer in (("letters", "char_svm_macro_f1"), ("short", "char_svm_short_macro_f1")):
        if figures[f"{kind}_macro_f1"] and peers.get(peer):
            ratios[f"{kind}_to_char_svm"] = round(figures[f"{kind}_macro_f1"] / peers[peer], 3)
    return {"figures": figures | ({"skipped": skipped} if skipped else {}), "peers": peers, "ratios": ratios}


def _speed(held: model.Model | None, peers: dict[str, Any]) -> dict[str, Any]:
    """Time and memory, in a process of its own that has done nothing else."""
    with tempfile.TemporaryDirectory(prefix="linli-bench-") as folder:
        path = Path(folder) / "model"
        if held:
            model.write(held, path)
        command = [sys.executable, "-m", "bench.nlp_speed", *([str(path)] if held else [])]
        place = {"PYTHONPATH": str(Path(nlp.__file__).parents[1])}
        said = subprocess.run(command, check=True, capture_output=True, env=os.environ | place)  # noqa: S603 - our own
    figures: dict[str, Any] = json.loads(said.stdout)
    peers["jieba_lcut_us"] = figures.pop("jieba_lcut_us")
    return figures


def read_letters() -> list[training.Row]:
    """The labelled letters."""
    with LETTERS.open(encoding="utf-8", newline="") as table:
        return [training.Row(row["text"], row["label"]) for row in csv.DictReader(table)]


def macro_f1(gold: Sequence[str], said: Sequence[str | None]) -> float:
    """The mean of the F1 scores of every class that occurs in `gold`."""
    hits = Counter(one for one, other in zip(gold, said, strict=True) if one == other)
    wanted, given = Counter(gold), Counter(said)
    return sum(2 * hits[name] / (wanted[name] + given[name]) for name in wanted) / len(wanted)


def _letters(peers: dict[str, Any]) -> dict[str, Any]:
    """Accuracy and confidence on letters and their beginnings; leaves a model of all letters adopted."""
    rows = read_letters()
    gold, texts = [row.label for row in rows], [row.text for row in rows]
    shorts = [text[:SHORT] for text in texts]
    model.adopt(None)
    figures = _scored("rules", gold, [nlp.understand(one) for one in texts], [nlp.understand(one) for one in shorts])
    lesson = training.prepare(rows)
    started = time.perf_counter()
    models = list(training.fold_models(lesson, seed=SEED))
    held_out = training.cross_validate(lesson, models)
    whole, short = [nlp.Understanding("chat")] * len(rows), [nlp.Understanding("chat")] * len(rows)
    for one, asked in _calibrated(models, held_out, lesson):
        model.adopt(one)
        for number in asked:
            whole[number], short[number] = nlp.understand(texts[number]), nlp.understand(shorts[number])
    figures |= _scored("", gold, whole, short)
    sharpness = training.best_sharpness(held_out, lesson.gold)
    about = model.About(lesson.classes, len(rows), date.today(), {}, sharpness)  # noqa: DTZ011 - never written
    kept = model.load(model.dump(training.fit(lesson, np.arange(len(rows)), about, seed=SEED)))
    figures |= {"train_s": round(time.perf_counter() - started, 1), "model_features": sum(map(len, kept.known))}
    model.adopt(kept)
    folds = [asked for _, asked in models]
    for name in METHODS:
        said = cross_validated(name, texts, shorts, gold, folds)
        peers |= {f"{name}_{kind}": round(macro_f1(gold, one), 4) for kind, one in zip(_KINDS, said, strict=True)}
    return figures


_KINDS = ("macro_f1", "short_macro_f1")


def _calibrated(
    models: Sequence[tuple[model.Model, training.Labels]], held_out: training.HeldOut, lesson: training.Lesson
) -> Iterator[tuple[model.Model, training.Labels]]:
    """Each fold's model, made as sure as the rows of the other folds allow."""
    for one, asked in models:
        others = np.setdiff1d(np.arange(len(lesson.gold)), asked)
        part = training.HeldOut(held_out.whole[others], held_out.short[others])
        about = replace(one.about, sharpness=training.best_sharpness(part, lesson.gold[others]))
        yield model.Model(about, one.known), asked


def _scored(
    who: str, gold: Sequence[str], whole: Sequence[nlp.Understanding], short: Sequence[nlp.Understanding]
) -> dict[str, Any]:
    """Figures of the rules, or with `who` empty of rules and model."""
    figures: dict[str, Any] = {}
    for kind, said in (("letters", whole), ("short", short)):
        name = f"{who}_{kind}" if who else kind
        right = np.array([one == other.domain for one, other in zip(gold, said, strict=True)])
        sure = np.array([other.domain_confidence for other in said], np.float32)
        figures |= {
            f"{name}_macro_f1": round(macro_f1(gold, [one.domain for one in said]), 4),
            f"{name}_accuracy": round(float(right.mean()), 4),
            f"{name}_calibration_error": round(training.calibration_error(sure, right), 4),
            f"{name}_reliability": _reliability(sure, right),
        }
    if who == "rules":
        figures["rules_macro_f1"] = figures["rules_letters_macro_f1"]
    return figures


def _reliability(sure: training.Numbers, right: Any) -> list[list[float]]:
    """For each tenth of confidence: the mean confidence, the share that was right, how many answers."""
    band = np.minimum((sure * 10).astype(int), 9)
    return [
        [
            round(float(sure[band == one].mean()), 3),
            round(float(right[band == one].mean()), 3),
            int((band == one).sum()),
        ]
        for one in np.unique(band)
    ]


def _chat() -> dict[str, Any]:
    """Scores of typed messages, with whatever model is adopted, and of the domain by the rules alone."""
    rows = [json.loads(line) for line in CHAT.read_text(encoding="utf-8").splitlines() if line.strip()]
    said = [nlp.understand(row["text"]) for row in rows]
    with_model, model_held = said, model.adopted()
    model.adopt(None)
    ruled = [nlp.understand(row["text"]) for row in rows]
    model.adopt(model_held)
    about = [number for number, row in enumerate(rows) if row["domain"]]
    domains = [rows[number]["domain"] for number in about]
    reports = [(row["intent"] == "report", one.intent == "report") for row, one in zip(rows, said, strict=True)]
    urgent = [(bool(row["urgent"]), one.urgent) for row, one in zip(rows, said, strict=True)]
    places = [(row["place"], one.places) for row, one in zip(rows, said, strict=True) if row["place"]]
    found = [any(gold in place or place in gold for place in there) for gold, there in places]
    return {
        "rows": len(rows),
        "intent_macro_f1": round(macro_f1([row["intent"] for row in rows], [one.intent for one in said]), 4),
        "domain_macro_f1": round(macro_f1(domains, [with_model[number].domain for number in about]), 4),
        "rules_domain_macro_f1": round(macro_f1(domains, [ruled[number].domain for number in about]), 4),
        "report_recall": _share(reports),
        "report_precision": _share([(one, other) for other, one in reports]),
        "urgent_recall": _share(urgent),
        "urgent_precision": _share([(one, other) for other, one in urgent]),
        "place_recall": round(sum(found) / max(len(found), 1), 4),
    }


def _share(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Of the pairs whose first is true, the share whose second is true too; None without any."""
    chosen = [other for one, other in pairs if one]
    return round(sum(chosen) / len(chosen), 4) if chosen else None
