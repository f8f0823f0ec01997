"""Areas of life, each with a sentence that says what belongs to it.

A memory belongs to the areas whose sentences its vector is near to; what the person corrects goes before that (`keepsake.model`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["DESCRIPTIONS"]

#: by name; vectors are made of the sentences
DESCRIPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "work": "My job and career: colleagues, my boss, meetings, projects, deadlines, clients and the office.",
        "family": "My family: parents, children, brothers, sisters, grandparents, my husband or wife, and relatives.",
        "friends": "My friends and social life: meeting people, parties, dates, neighbours, talks and invitations.",
        "home": "My home and household: the flat, furniture, repairs, cleaning, the garden, pets and moving house.",
        "health": "My health and body: illness, doctors, medicine, sleep, exercise, sport, stress and how I feel.",
        "money": "Money: salary, bills, bank, rent, taxes, insurance, savings, buying and selling things.",
        "travel": "Travel: trips, holidays, flights, trains, hotels, cities and countries I visit, and the road.",
        "leisure": "Hobbies and leisure: music, films, books, games, painting, crafts, photography and nature walks.",
        "learning": "Learning: school, university, courses, exams, languages, reading to study, and new skills.",
        "food": "Food and drink: cooking, recipes, meals, restaurants, baking, coffee and groceries.",
    }
)
