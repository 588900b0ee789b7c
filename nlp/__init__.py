"""Understanding what residents write: intent, category, domain, urgency and places, by rules over readable tables."""

from nlp.catalogue import categories, category, emergency
from nlp.segment import all_words, words
from nlp.understanding import prepare, to_json, understand
from nlp.values import Candidate, Category, Emergency, Match, Understanding

__all__ = [
    "Candidate",
    "Category",
    "Emergency",
    "Match",
    "Understanding",
    "all_words",
    "categories",
    "category",
    "emergency",
    "prepare",
    "to_json",
    "understand",
    "words",
]
