"""Patterns of keys: Java's syntax, the whole key, and never longer than is good for the others."""

import pytest

from rules.node.key_patterns import LONGEST_KEY, LONGEST_PATTERN, KeyPatterns

SLOW = "(.*?,){12}P"


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("temperature", ["temperature"], ["temperature2", "Temperature", "my temperature"]),
        ("temp", ["temp"], ["temperature"]),
        ("temp.*", ["temp", "temperature"], ["my temp"]),
        ("a|ab", ["a", "ab"], ["abc"]),
        ("(?!temp).*", ["humidity", ""], ["temperature"]),
        ("(?i)temp", ["TEMP", "temp"], ["temperature"]),
        (r"\d+", ["42"], ["٤٢", "4a"]),
        (r"\Qa.b\E\d", ["a.b1"], ["axb1", "a.b"]),
        (r"\Qa.b", ["a.b"], ["axb"]),
        ("[a-z&&[^aeiou]]+", ["xyz"], ["xyza"]),
        ("a++b", ["aab"], ["aaa"]),
        (r"(?<twice>[ab])\k<twice>", ["aa", "bb"], ["ab"]),
        (r"\p{Lower}{2,3}", ["ab", "abc"], ["a", "AB", "abcd"]),
        ("[({?]+", ["({?"], ["a"]),
        ("a.b", ["a.b", "axb"], ["ab"]),
        ("sensor-1 ü", ["sensor-1 ü"], ["sensor-1 u"]),
    ],
)
def test_a_pattern_is_javas_and_matches_the_whole_key(pattern: str, matching: list[str], others: list[str]) -> None:
    matches = KeyPatterns([pattern]).matches()
    assert [key for key in matching + others if matches(key)] == matching


def test_any_of_several_patterns_will_do_and_none_matches_nothing() -> None:
    matches = KeyPatterns(["a", "b.*", "c"]).matches()
    assert [key for key in ("a", "bb", "c", "d") if matches(key)] == ["a", "bb", "c"]
    assert not KeyPatterns([]).matches()("a")


@pytest.mark.parametrize(
    "broken",
    ["(", "[a", "a**", "*", "a{x}", "a{e<=1}", "(?R)", "(?1)", "(?|a)", "a" * LONGEST_PATTERN + ".", r"\p{Nothing}"],
)
def test_what_is_no_pattern_of_java_is_refused_when_the_node_is_made(broken: str) -> None:
    with pytest.raises(ValueError, match=r"pattern|regular expression"):
        KeyPatterns([broken])


def test_a_pattern_that_takes_too_long_fails_its_key_and_not_the_others() -> None:
    matches = KeyPatterns([SLOW]).matches()
    with pytest.raises(ValueError, match="take too long"):
        matches("1," * 40)
    assert not matches("a")


def test_a_batch_gives_up_when_its_patterns_have_taken_long_enough() -> None:
    matches = KeyPatterns([SLOW]).matches()
    for length in range(40, 60):
        with pytest.raises(ValueError, match="take too long"):
            matches("1," * length)
    with pytest.raises(ValueError, match="take too long"):
        matches("a")


def test_a_key_of_absurd_length_matches_nothing() -> None:
    matches = KeyPatterns([".*"]).matches()
    assert matches("x" * LONGEST_KEY) and not matches("x" * (LONGEST_KEY + 1))
