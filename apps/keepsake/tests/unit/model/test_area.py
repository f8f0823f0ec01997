"""Areas begin with their descriptions and follow the person's corrections, as far as these go."""

from __future__ import annotations

import numpy as np
from support.person import Bags

from keepsake.model import Placed
from keepsake.model.area import AREA_LIMIT, CATEGORY_LIMIT, Areas
from keepsake.words.area import DESCRIPTIONS

BAGS = Bags()


def best(areas: Areas, text: str) -> str:
    return areas.shares(BAGS.embed([text]), [text])[0][0].name


def test_what_is_described_belongs_where_it_is_described() -> None:
    areas = Areas.prior(BAGS)

    for name, description in DESCRIPTIONS.items():
        assert best(areas, description) == name
    assert all(len(shares) <= AREA_LIMIT for shares in areas.shares(BAGS.embed(["tea", "work family money"])))


def test_a_correction_teaches_a_word_that_no_model_knows() -> None:
    placed = [
        Placed(1.0, "d:1#0", "Atlas slipped another week", "Atlas"),
        Placed(2.0, "d:2#0", "Rex ate the sofa", "Rex"),
    ]
    areas = Areas.learn(BAGS, placed)

    assert best(areas, "Late call about Atlas") == "Atlas"
    assert best(areas, "walked Rex along the canal") == "Rex"
    assert best(areas, DESCRIPTIONS["health"]) == "health"


def test_the_latest_correction_of_a_memory_counts_and_their_order_does_not_else() -> None:
    text = "Atlas slipped another week"
    twice = [
        Placed(1.0, "d:1#0", text, "Rex"),
        Placed(2.0, "d:1#0", text, "Atlas"),
        Placed(3.0, "d:2#0", "barked", "Rex"),
    ]
    areas = Areas.learn(BAGS, twice, ["Rex", "Atlas"])
    turned = Areas.learn(BAGS, [twice[2], *twice[:2]], ["Rex", "Atlas"])

    assert best(areas, text) == "Atlas"
    np.testing.assert_allclose(areas.chances(BAGS.embed([text])), turned.chances(BAGS.embed([text])), atol=1e-3)


def test_it_comes_back_as_it_was_and_without_an_embedder_there_are_no_areas() -> None:
    areas = Areas.learn(BAGS, [Placed(1.0, "d:1#0", "Atlas slipped", "Atlas")])
    again = Areas.unpack(areas.pack())
    vectors = BAGS.embed(["Atlas again", "the doctor"])

    assert again.shares(vectors, ["Atlas again", "the doctor"]) == areas.shares(vectors, ["Atlas again", "the doctor"])
    assert again.pack() == areas.pack()
    assert Areas.prior(None).shares(vectors) == [(), ()]


def test_categories_have_a_bound() -> None:
    areas = Areas.prior(BAGS, [f"category {number}" for number in range(CATEGORY_LIMIT + 7)])

    assert len(areas.names) == len(DESCRIPTIONS) + CATEGORY_LIMIT
