"""When a text means, and how that is told."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake.record import Precision, When
from keepsake.words.date import resolve, spots, tell, tell_day
from keepsake.words.date.calendar import easter
from keepsake.words.date.scan import MAX_DATES

#: a Thursday, at 13:14
SAID = datetime(2023, 5, 25, 13, 14, tzinfo=UTC).timestamp()


def day(when: When, zone: str = "UTC") -> tuple[str, str]:
    """First and last day of an interval."""
    where = ZoneInfo(zone)
    return (
        datetime.fromtimestamp(when.start, where).date().isoformat(),
        datetime.fromtimestamp(when.end - 1, where).date().isoformat(),
    )


#: what is said, first day, last day, how it is told; all on Thursday 25 May 2023
CASES = [
    ("I went to a support group yesterday.", "2023-05-24", "2023-05-24", "24 May 2023"),
    ("the day before yesterday I fell", "2023-05-23", "2023-05-23", "23 May 2023"),
    ("last night we sang", "2023-05-24", "2023-05-24", "24 May 2023"),
    ("See you the day after tomorrow", "2023-05-27", "2023-05-27", "27 May 2023"),
    ("I ran a race last Saturday", "2023-05-20", "2023-05-20", "the Saturday before 25 May 2023"),
    ("I saw her on Friday", "2023-05-19", "2023-05-19", "the Friday before 25 May 2023"),
    ("I'll see her on Friday", "2023-05-26", "2023-05-26", "the Friday after 25 May 2023"),
    ("The exam is next Friday", "2023-06-02", "2023-06-02", ""),
    ("Friday before last we danced", "2023-05-12", "2023-05-12", "12 May 2023"),
    ("last week was hard", "2023-05-15", "2023-05-21", "the week before 25 May 2023"),
    ("It happened two weeks ago", "2023-05-08", "2023-05-14", "two weeks before 25 May 2023"),
    ("a few weeks ago we met", "2023-04-17", "2023-05-14", "a few weeks before 25 May 2023"),
    ("two weekends ago we went camping", "2023-05-13", "2023-05-14", "two weekends before 25 May 2023"),
    ("last weekend we went camping", "2023-05-20", "2023-05-21", "the weekend before 25 May 2023"),
    ("We had fun this weekend", "2023-05-20", "2023-05-21", "the weekend before 25 May 2023"),
    ("We will paint this weekend", "2023-05-27", "2023-05-28", "the weekend after 25 May 2023"),
    ("the weekend before last", "2023-05-13", "2023-05-14", "two weekends before 25 May 2023"),
    ("I started school last month", "2023-04-01", "2023-04-30", "April 2023"),
    ("six months ago", "2022-11-01", "2022-11-30", "November 2022"),
    ("a year and a half ago", "2021-11-01", "2021-11-30", "November 2021"),
    ("at the end of next month", "2023-06-21", "2023-06-30", "the end of June 2023"),
    ("last summer we hiked", "2022-06-01", "2022-08-31", "summer 2022"),
    ("in the fall of 2019", "2019-09-01", "2019-11-30", "fall 2019"),
    ("last winter", "2022-12-01", "2023-02-28", "winter 2022/23"),
    ("last year", "2022-01-01", "2022-12-31", "2022"),
    ("ten years ago", "2013-01-01", "2013-12-31", "2013"),
    ("a few years ago I moved here", "2018-01-01", "2021-12-31", "a few years before 2023"),
    ("back in the 90s", "1990-01-01", "1999-12-31", "the 1990s"),
    ("I have painted since March", "2023-03-01", "2023-05-25", "since March 2023"),
    ("married since 2016", "2016-01-01", "2023-05-25", "since 2016"),
    ("the last three months were hard", "2023-02-01", "2023-05-25", "since February 2023"),
    ("the other day I met Jo", "2023-05-18", "2023-05-24", "a few days before 25 May 2023"),
    ("We go in three weeks", "2023-06-12", "2023-06-18", "three weeks after 25 May 2023"),
    ("on May 7th, 2023", "2023-05-07", "2023-05-07", "7 May 2023"),
    ("the exam is on the 14th", "2023-06-14", "2023-06-14", "14 June 2023"),
    ("I saw her on the 14th", "2023-05-14", "2023-05-14", "14 May 2023"),
    ("We liked it, and the flat is ours from the first of July.", "2023-07-01", "2023-07-01", "1 July 2023"),
    ("I bought bread for Memorial Day", "2023-05-29", "2023-05-29", "29 May 2023"),
    ("We will go because I won a trip in June", "2022-06-01", "2022-06-30", ""),
    ("We met on Tuesday, 2 May 2023.", "2023-05-02", "2023-05-02", "2 May 2023"),
    ("last Saturday's race was fun", "2023-05-20", "2023-05-20", "the Saturday before 25 May 2023"),
    ("two days before Christmas we will leave", "2023-12-23", "2023-12-23", "23 December 2023"),
    ("at the end of last year", "2022-09-01", "2022-12-31", "the end of 2022"),
    ("It is due at the end of the month", "2023-05-21", "2023-05-31", "the end of May 2023"),
    ("early next year we will go", "2024-01-01", "2024-05-01", "early 2024"),
    ("7 May", "2023-05-07", "2023-05-07", "7 May 2023"),
    ("it was on 3 December", "2022-12-03", "2022-12-03", "3 December 2022"),
    ("it will be on 3 January", "2024-01-03", "2024-01-03", "3 January 2024"),
    ("from June 3 to June 7 we'll be away", "2023-06-03", "2023-06-07", "3 June 2023 to 7 June 2023"),
    ("We were there May 3-5, 2021", "2021-05-03", "2021-05-05", "3 May 2021 to 5 May 2021"),
    ("2023-02-28", "2023-02-28", "2023-02-28", "28 February 2023"),
    ("17.4.2022", "2022-04-17", "2022-04-17", "17 April 2022"),
    ("early June 2022", "2022-06-01", "2022-06-10", "early June 2022"),
    ("the first weekend of August 2023", "2023-08-05", "2023-08-06", "the weekend of 5 August 2023"),
    ("around Easter 2024", "2024-03-31", "2024-03-31", "31 March 2024"),
    ("last Christmas", "2022-12-25", "2022-12-25", "25 December 2022"),
    ("tomorrow at 5:30 pm", "2023-05-26", "2023-05-26", "26 May 2023, 17:30"),
]


@pytest.mark.parametrize(("text", "first", "last", "told"), CASES)
def test_a_time_is_an_interval(text: str, first: str, last: str, told: str) -> None:
    (when,) = resolve(text, SAID)

    assert day(when) == (first, last)
    assert when.words
    assert when.words in text
    if told:
        assert tell(when, SAID) == told


@pytest.mark.parametrize(
    "text",
    [
        "she may come in march",
        "I fall often",
        "it cost 2000 dollars",
        "every Friday we dance",
        "We sat at table 12",
        "Mark my words",
        "I ran ten kilometres in 58 minutes",
        "I have been there",
        "",
    ],
)
def test_what_means_no_time_gives_none(text: str) -> None:
    assert resolve(text, SAID) == ()


def test_the_day_is_that_of_the_speakers_zone() -> None:
    late = datetime(2023, 5, 25, 2, 0, tzinfo=UTC).timestamp()  # still the 24th in New York

    (when,) = resolve("yesterday", late, "America/New_York")

    assert day(when, "America/New_York") == ("2023-05-23", "2023-05-23")
    assert tell(when, late, "America/New_York") == "23 May 2023"
    assert tell_day(late, "America/New_York") == "24 May 2023"
    assert resolve("yesterday", late, "No/Such_Zone") == resolve("yesterday", late, "UTC")


def test_a_day_when_clocks_change_has_23_hours() -> None:
    (when,) = resolve("12 March 2023", SAID, "America/New_York")
    assert when.end - when.start == 23 * 3600


def test_seasons_turn_round_in_the_south() -> None:
    (when,) = resolve("last summer", SAID, "Australia/Sydney")
    assert day(when, "Australia/Sydney") == ("2022-12-01", "2023-02-28")


def test_figures_are_read_as_the_place_writes_them() -> None:
    (us,) = resolve("5/7/2023", SAID, "America/Chicago")
    (uk,) = resolve("5/7/2023", SAID, "Europe/London")
    assert day(us, "America/Chicago")[0] == "2023-05-07"
    assert day(uk, "Europe/London")[0] == "2023-07-05"


def test_a_time_of_day_joins_its_day() -> None:
    (when,) = resolve("We met last Friday at 7pm.", SAID)
    assert when.precision is Precision.HOUR
    assert datetime.fromtimestamp(when.start, UTC) == datetime(2023, 5, 19, 19, tzinfo=UTC)


def test_each_sentence_has_its_own_tense() -> None:
    first, second = spots("I saw Ann on Monday. I will see her on Tuesday.", SAID)
    assert day(first.when)[0] == "2023-05-22"
    assert day(second.when)[0] == "2023-05-30"
    assert first.start < first.end <= second.start


@pytest.mark.parametrize(
    ("language", "text", "days"),
    [
        ("de", "Gestern war ich mit Ina im Kino, am 3. Mai in München.", ["2023-05-24", "2023-05-03"]),
        (
            "de",
            "Vor zwei Wochen und letzten Sommer, nächsten Freitag. Ich habe 3 Äpfel.",
            ["2023-05-08", "2022-06-01", "2023-06-02"],
        ),
        (
            "fr",
            "Nous avons mangé hier soir avec des amis, le 7 mai 2021, il y a trois ans.",
            ["2023-05-24", "2021-05-07", "2020-01-01"],
        ),
        (
            "es",
            "Ayer fuimos a la playa; hace dos semanas también, y la semana pasada.",
            ["2023-05-24", "2023-05-08", "2023-05-15"],
        ),
        ("es", "Nació el 9 de mayo de 2019", ["2019-05-09"]),
        ("it", "Due settimane fa siamo andati a Roma, domani torno.", ["2023-05-08", "2023-05-26"]),
        ("pt", "Há dois anos, em março de 2022, e amanhã.", ["2021-01-01", "2022-03-01", "2023-05-26"]),
        ("nl", "Drie dagen geleden en vorige maand.", ["2023-05-22", "2023-04-01"]),
    ],
)
def test_other_languages(language: str, text: str, days: list[str]) -> None:
    found = resolve(text, SAID, language=language)
    assert [day(when)[0] for when in found] == days
    assert all(when.words in text for when in found)


def test_easter() -> None:
    assert [easter(year).isoformat() for year in (1961, 2000, 2024, 2038)] == [
        "1961-04-02",
        "2000-04-23",
        "2024-03-31",
        "2038-04-25",
    ]


def test_a_flood_of_dates_is_bounded() -> None:
    assert len(resolve("yesterday. " * 5000, SAID)) == MAX_DATES


PIECES = """last next this the in since from to until two a few couple of years weeks weekends days months ago May march 2023
1999 31 30 99 february monday fri at 5 pm noon early mid end christmas 9999 0 / - . , summer 13.13.2023 9999-12-31 years'"""
WORDS = st.sampled_from(PIECES.split())


@given(
    st.lists(WORDS, max_size=14).map(" ".join),
    st.floats(-1e14, 1e14),
    st.sampled_from(["UTC", "Asia/Tokyo", "", "../x"]),
)
def test_nothing_that_is_said_breaks_it(text: str, said_at: float, zone: str) -> None:
    for spot in spots(text, said_at, zone):
        assert spot.when.start < spot.when.end
        assert 0 <= spot.start < spot.end <= len(text)
        assert tell(spot.when, SAID, zone)


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    resolve(text, SAID)
