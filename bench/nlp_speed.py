"""How long a message takes, and how much memory: `python -m bench.nlp_speed [MODEL]` does nothing else, prints JSON."""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

_STARTED = time.perf_counter()

import nlp  # noqa: E402 - its import is part of the start
from nlp import model  # noqa: E402
from nlp.segment import tokenizer  # noqa: E402

LENGTH = 80
ROUNDS = 300
SERIES = 7
_TAIL = "，跟物业说了两次都说在安排，到今天也没有人来，家里有老人和孩子实在不方便，麻烦派人来看看行吗，谢谢了"
MESSAGES = tuple(
    (message + _TAIL)[:LENGTH]
    for message in (
        "五号楼二单元的感应灯从上周起就不亮了，晚上接孩子回来都要摸黑上楼，麻烦派人来看看",
        "请问外地户口的孩子明年上小学，报名要准备哪些材料，是在网上报还是到学校去报呢",
        "后面工地连着三天半夜还在打桩，窗户关了也没用，家里有两个月的婴儿，能不能管一管啊",
        "小区东门外面那条路上的井盖松了，车子一过就咣当咣当响，昨天有个骑车的小伙子摔了一跤",
        "各位邻居，我家橙子到货了，一箱十斤三十五块，要的接龙，今晚八点在南门口自己来拿",
    )
)
"""Messages of eighty characters."""


def measure(path: Path | None) -> dict[str, float]:
    """Start-up, µs a message by the rules alone and with the model at `path`, and what both hold in memory."""
    nlp.prepare()
    figures = {"start_up_ms": (time.perf_counter() - _STARTED) * 1e3}
    gc.collect()
    gc.freeze()  # as running processes do
    lcut, rules = microseconds(tokenizer().lcut), microseconds(nlp.understand)
    figures |= {"jieba_lcut_us": lcut, "us_per_message_rules": rules, "us_per_message": rules}
    before = resident_megabytes()
    if path:
        started = time.perf_counter()
        model.adopt(model.read(path))
        figures["model_load_ms"] = (time.perf_counter() - started) * 1e3
        figures["us_per_message"] = microseconds(nlp.understand)
        figures["model_file_mb"] = path.stat().st_size / 1024 / 1024
    figures |= {"rss_rules_mb": before, "rss_mb": resident_megabytes()}
    return {name: round(value, 1) for name, value in figures.items()}


def microseconds(function: Callable[[str], object]) -> float:
    """Time of one call: the best of several series."""
    best = float("inf")
    for _ in range(SERIES):
        started = time.perf_counter()
        for number in range(ROUNDS):
            function(MESSAGES[number % len(MESSAGES)])
        best = min(best, time.perf_counter() - started)
    return best / ROUNDS * 1e6


def resident_megabytes() -> float:
    """The memory this process holds now; where the system does not say, the most it has held."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 1024 / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]) if len(sys.argv) > 1 else None)))
