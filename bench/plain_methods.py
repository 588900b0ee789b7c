"""The plain methods Linli is compared with, from scikit-learn: what anybody would try first on such rows.

They are given the same rows as Linli's own model, whole and by their beginnings, and are asked about the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.segment import tokenizer

METHODS = ("char_svm", "jieba_svm", "complement_nb")


def cross_validated(
    name: str, texts: Sequence[str], shorts: Sequence[str], gold: Sequence[str], folds: Sequence[NDArray[np.int64]]
) -> tuple[list[str], list[str]]:
    """What the method says of whole texts and of short ones, learned from the rows outside the fold they stand in."""
    whole, short = [""] * len(texts), [""] * len(texts)
    for asked in folds:
        known = np.setdiff1d(np.arange(len(texts)), asked)
        vectors, method = _made(name)
        method.fit(
            vectors.fit_transform([texts[one] for one in known] + [shorts[one] for one in known]),
            [gold[one] for one in known] * 2,
        )
        for said, source in ((whole, texts), (short, shorts)):
            answers = method.predict(vectors.transform([source[one] for one in asked]))
            for one, answer in zip(asked, answers, strict=True):
                said[one] = str(answer)
    return whole, short


def _made(name: str) -> tuple[Any, Any]:
    """Vectors and method; the settings are the best of a few tried on the same rows."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - a second to load
    from sklearn.naive_bayes import ComplementNB  # noqa: PLC0415
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    if name == "jieba_svm":
        vectors = TfidfVectorizer(tokenizer=tokenizer().lcut, token_pattern=None, min_df=2, sublinear_tf=True)
        return vectors, LinearSVC(C=1.0)
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=5, sublinear_tf=True)
    return vectors, LinearSVC(C=1.0, tol=0.01) if name == "char_svm" else ComplementNB(alpha=0.3)
