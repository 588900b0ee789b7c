"""Cutting Chinese text into words, for search indexes. Understanding a message does not need it."""

from __future__ import annotations

import logging
import tempfile
from functools import cache

import jieba

from nlp.catalogue import community_words
from nlp.normalise import fold, tidy


def words(text: str) -> list[str]:
    """The words of `text` in search form: folded, finer than reading form (小区 in 小区门口), no punctuation.

    Only words of the dictionaries: those jieba would guess differ between a message and the search for it.
    """
    return [word for word in tokenizer().cut_for_search(fold(tidy(text)), HMM=False) if any(map(str.isalnum, word))]


def all_words(text: str) -> set[str]:
    """Every word of the dictionaries that occurs in `text`, overlapping ones as well, those of `words`, and every
    Chinese character.

    What a search index holds: 单元楼道 is cut into 单元楼 and 道 there, but whoever looks for 楼道 or 楼 must find it.
    """
    tidied = fold(tidy(text))
    found = {*tokenizer().cut(tidied, cut_all=True), *tokenizer().cut_for_search(tidied, HMM=False)}
    found |= {character for character in tidied if "\u4e00" <= character <= "\u9fff"}
    return {word for word in found if any(map(str.isalnum, word))}


@cache
def tokenizer() -> jieba.Tokenizer:
    """A tokenizer of our own: jieba's shared one keeps its cache where other users of the machine can write."""
    jieba.setLogLevel(logging.WARNING)
    cutter = jieba.Tokenizer()
    with tempfile.TemporaryDirectory(prefix="linli-jieba-") as folder:
        cutter.tmp_dir = folder
        cutter.initialize()
    cutter.tmp_dir = None
    for word in community_words():
        cutter.add_word(word)
    return cutter
