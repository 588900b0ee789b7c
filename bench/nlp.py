"""How well and how fast the rules understand: `linli bench nlp`.

Accuracy is measured on a labelled table outside the project (`../shared/data/complaints_dev.csv`, columns title, text,
label); where it is absent the accuracy figures are None and `skipped` says so. Speed and memory need no data.
"""

from __future__ import annotations

import csv
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nlp
from nlp.segment import tokenizer

LETTERS = Path(__file__).resolve().parents[2] / "shared" / "data" / "complaints_dev.csv"
TITLE = 30
"""Characters of a letter that stand for its title where it has none."""
ROUNDS = 400

_MESSAGES = (
    "五号楼二单元的感应灯从上周起就不亮了，晚上接孩子回来都要摸黑上楼，麻烦派人来看看",
    "请问外地户口的孩子明年上小学，报名要准备哪些材料，是在网上报还是到学校去报呢，谢谢",
    "后面工地连着三天半夜还在打桩，窗户关了也没用，家里有两个月的婴儿，能不能管一管啊",
    "家里厨房闻到很重的煤气味，阀门已经关了还是有味道，我们在三栋一单元六楼，快来人看看",
    "各位邻居，我家橙子到货了，一箱十斤三十五块，要的接龙，今晚八点在南门口自己来拿，谢谢",
)


def run() -> dict[str, Any]:
    """Figures of the rules; peers that need training come with the learned model."""
    nlp.prepare()
    ours, jieba_lcut = _microseconds(nlp.understand), _microseconds(tokenizer().lcut)
    figures: dict[str, Any] = {
        "letters_macro_f1": None,
        "short_macro_f1": None,
        "rules_macro_f1": None,
        "us_per_message": round(ours, 1),
        "rss_mb": round(_resident_megabytes(), 1),
    }
    if LETTERS.exists():
        figures |= _accuracy()
    else:
        figures["skipped"] = f"no labelled letters at {LETTERS.name}"
    return {
        "figures": figures,
        "peers": {"jieba_lcut_us": round(jieba_lcut, 1)},
        "ratios": {"understand_to_jieba_lcut": round(ours / jieba_lcut, 3)},
    }


def macro_f1(gold: Sequence[str], said: Sequence[str | None]) -> float:
    """The mean of the F1 scores of every class that occurs in `gold`."""
    hits = Counter(one for one, other in zip(gold, said, strict=True) if one == other)
    wanted, given = Counter(gold), Counter(said)
    return sum(2 * hits[name] / (wanted[name] + given[name]) for name in wanted) / len(wanted)


def _accuracy() -> dict[str, float]:
    with LETTERS.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    gold = [row["label"] for row in rows]
    letters = [nlp.understand(row["text"]).domain for row in rows]
    short = [nlp.understand((row["title"].strip() or row["text"])[:TITLE]).domain for row in rows]
    whole = round(macro_f1(gold, letters), 4)
    # Rules are all there is, so they are also the product's own figure.
    return {"letters_macro_f1": whole, "short_macro_f1": round(macro_f1(gold, short), 4), "rules_macro_f1": whole}


def _microseconds(function: Callable[[str], object]) -> float:
    """Time of one call on a message of some forty characters: the best of five series, in microseconds."""
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        for number in range(ROUNDS):
            function(_MESSAGES[number % len(_MESSAGES)])
        best = min(best, time.perf_counter() - started)
    return best / ROUNDS * 1e6


def _resident_megabytes() -> float:
    """The most memory this process has held; the kernel counts in KiB, on macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
