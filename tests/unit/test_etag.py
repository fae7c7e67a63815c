"""Preconditions as RFC 9110 reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from items.etag import EntityTagError, parse

opaque = st.text(st.characters(min_codepoint=0x23, max_codepoint=0x7E), max_size=8)


@pytest.mark.parametrize(
    ("value", "strongly", "weakly"),
    [
        ('"1-a"', True, True),
        ('W/"1-a"', False, True),
        ("*", True, True),
        (" * ", True, True),
        ("\t*\t", True, True),
        ('"0", "1-a"', True, True),
        ('"0",W/"1-a" ,"2"', False, True),
        (',, "1-a",', True, True),
        ('"x"', False, False),
        ('""', False, False),
        ('"*"', False, False),
    ],
)
def test_what_matches_the_current_tag(value: str, strongly: bool, weakly: bool) -> None:
    condition = parse(value)
    assert condition.matches_strongly('"1-a"') is strongly
    assert condition.matches_weakly('"1-a"') is weakly


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        ",",
        "1-a",
        '"1-a',
        '1-a"',
        'w/"1-a"',
        'W/ "1-a"',
        '*, "1"',
        '"a" "b"',
        '"a, \\"1-a"',
        '"a";"b"',
        '"a\x00"',
        '"é\u0100"',
        "\ud800",
    ],
)
def test_what_is_no_list_of_tags(value: str) -> None:
    with pytest.raises(EntityTagError):
        parse(value)


@given(
    st.lists(st.tuples(st.booleans(), opaque), min_size=1, max_size=5),
    st.sampled_from([",", " , ", ",,\t"]),
)
def test_a_list_reads_back_as_it_was_written(tags: list[tuple[bool, str]], separator: str) -> None:
    condition = parse(separator.join(f'{"W/" if weak else ""}"{tag}"' for weak, tag in tags))
    assert condition.weak == {f'"{tag}"' for weak, tag in tags if weak}
    assert condition.strong == {f'"{tag}"' for weak, tag in tags if not weak}


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(value: str) -> None:
    try:
        parse(value)
    except EntityTagError:
        return
    assert "*" in value or '"' in value
