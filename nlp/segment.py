"""Cutting Chinese text into words, for search indexes. Understanding a message does not need it."""

from __future__ import annotations

import logging
import tempfile
from functools import cache

import jieba

from nlp.catalogue import data_words
from nlp.normalise import fold, tidy


def words(text: str) -> list[str]:
    """The words of `text` in search form: folded, finer than reading form (小区 in 小区门口), no punctuation."""
    return [word for word in tokenizer().cut_for_search(fold(tidy(text))) if any(map(str.isalnum, word))]


@cache
def tokenizer() -> jieba.Tokenizer:
    """A tokenizer of our own: jieba's shared one keeps its cache where other users of the machine can write."""
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    with tempfile.TemporaryDirectory(prefix="linli-jieba-") as folder:
        tokenizer.tmp_dir = folder
        tokenizer.initialize()
    tokenizer.tmp_dir = None
    for word in data_words():
        tokenizer.add_word(word)
    return tokenizer
