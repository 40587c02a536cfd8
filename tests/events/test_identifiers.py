"""What identifies nobody, and what Meta's browser ids and click ids look like."""

from __future__ import annotations

import hashlib
from string import ascii_lowercase

import pytest

from events.intake.hashing.countries import is_code
from events.intake.hashing.states import CODES
from events.intake.hashing.user_data import hash_identifiers
from events.intake.identifiers import HASHES_OF_NOTHING, are_surely_ids, is_fbc, is_fbp, is_no_id, is_nothing
from events.intake.left_out import LeftOut, Reason
from tests.cost import seconds_of

PLACEHOLDERS = [
    *("(null)", "<NULL>", '"null"', "[null]", "'undefined'"),
    *("", " ", "\t\n", "\u200b", "\ufeff", "-", "?", "…", "undefined", "null", "none", "N/A", "NaN", "guest"),
    *("-Infinity", "user_id", "Desconocido", "Anónimo", "invité", "#{user.id}", "[[id]]", "{user.id}"),
    *("false", "TRUE", "[object Object]", "0", "000", "0.0", "-1", "Not Set", "(not set)", "{{user.id}}", "${email}"),
    *("Anonymous", "%email%", "{email}", "<nil>", "%%ID%%", "<%= id %>", "__ID__", "{}", " Undefined "),
    "00000000-0000-0000-0000-000000000000",
]  # fmt: skip


@pytest.mark.parametrize("value", [*PLACEHOLDERS, None, 0, 0.0, -1, float("nan"), False, True, [], {}])
def test_a_placeholder_is_nothing(value: object) -> None:
    assert is_nothing(value)


#: In place of a shop's own id, these are none; elsewhere they may be a name, a city or a state.
NO_IDS = [
    *("not-set", "visitor", "user", "customer", "test", "nobody", "nil", "uid", "id", "no-user", "logged-out"),
    *("external-id", "n\\a", "null_null", "undefined undefined", "null@null", "none,none", "$user_id", "@@user@@"),
    *("{user-id}", "{ user.id }", "*|UNIQID|*", "<?php echo $id ?>", ":user_id", "nouser"),
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    *("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "0" * 32, "{00000000-0000-0000-0000-000000000000}", "n/a, n/a", "Guest_User"),
    *("0000-00-00", "0000-00-00T00:00:00Z", "+0", "-1.0", "__USER1__", "%user1%", "@@u1@@", "#REF!", "not set/not set"),
]  # fmt: skip


@pytest.mark.parametrize("value", [*NO_IDS, *PLACEHOLDERS])
def test_a_placeholder_is_no_id_alone_or_beside_ids(value: str) -> None:
    assert is_no_id(value)
    assert not are_surely_ids(["ada", value])


@pytest.mark.parametrize("value", ["nil", "test", "visitor", "id", "user", "ID"])
def test_what_is_no_id_may_be_a_name_or_a_state(value: str) -> None:
    assert not is_nothing(value)


@pytest.mark.parametrize(
    "value",
    ["ada", "u-1", "user7", "test-4711", "visitor-a", "nilsson", "iduna", "NA", "nana", "@ada", "ada@example.com"],
)
def test_what_may_be_an_id_is_one(value: str) -> None:
    assert not is_no_id(value)
    assert are_surely_ids(["u1", value])


@pytest.mark.parametrize(
    "text",
    [
        *("(not set)", "{{user_id}}", "[object object]", "(none)", "<null>", "'null'", "0000", "0000000000", "0.00"),
        *("{{email}}", "none ", "null\n", "undefined\r\n", "\u00a0", "\u200b", "none\u00a0", "n/a ", "[null]", '"N/A"'),
        *("0" * 15, "NOT_SET", "notSet", "%%EMAIL%%", "${user.email}", "{{ customer.email }}", "$email", "*|EMAIL|*"),
        *("...", "[undefined]", " null", "-1", "0000-00-00"),
    ],
)
def test_a_hash_of_a_placeholder_is_nothing_however_it_was_written(text: str) -> None:
    digest = hashlib.sha256(text.encode()).hexdigest()

    assert digest in HASHES_OF_NOTHING
    assert is_no_id(digest)


@pytest.mark.parametrize("text", ["visitor", "test", "ffffffff-ffff-ffff-ffff-ffffffffffff"])
def test_hashes_of_words_that_are_no_id_are_none_either_and_count_in_other_fields(text: str) -> None:
    digest = hashlib.sha256(text.encode()).hexdigest()

    assert is_no_id(digest)
    assert digest not in HASHES_OF_NOTHING


def test_no_country_state_or_number_of_a_date_has_a_hash_of_nothing() -> None:
    texts = [first + second for first in ascii_lowercase for second in ascii_lowercase]
    texts = [text for text in texts if is_code(text) or text in CODES] + [f"{number:02}" for number in range(1, 32)]

    assert len(texts) > 300
    assert HASHES_OF_NOTHING.isdisjoint(hashlib.sha256(text.encode()).hexdigest() for text in texts)


@pytest.mark.parametrize("algorithm", ["sha256", "md5", "sha1"])
@pytest.mark.parametrize(
    "text", ["", " ", "0", "none", "None", "NONE", "null", "n/a", "N/A", "undefined", "[object Object]", "guest", "NaN"]
)
def test_its_hash_is_nothing_either(text: str, algorithm: str) -> None:
    digest = hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()

    assert is_nothing(digest)
    assert is_nothing(f" {digest.upper()} ")
    assert is_nothing(f"{digest}.AQYCAQAA")


@pytest.mark.parametrize(
    "value",
    [
        *("ada", "u-1", "7", 7, "1.0", "NA", "na", "Nil", "Nunn", "Nonea", "0a", "정", "ada@example.com", ["x"]),
        *("fb.1.1596403881668.1116446470", hashlib.sha256(b"ada").hexdigest(), "x" * 1_000_000),
    ],
)
def test_what_may_be_an_identifier_is_something(value: object) -> None:
    assert not is_nothing(value)


@pytest.mark.parametrize("text", [" " * 1_000_000, "0." * 500_000, "{{" * 500_000, "\u200b" * 1_000_000])
def test_a_value_as_long_as_a_body_takes_no_time(text: str) -> None:
    assert seconds_of(lambda: is_nothing(text), enough=0.2) < 0.2


@pytest.mark.parametrize("appendix", ["", ".AQ", ".Bg", ".AQQCAQMC", ".AQYCAQAA"])
def test_the_forms_of_browser_ids_and_click_ids(appendix: str) -> None:
    assert is_fbp(f"fb.1.1596403881668.1116446470{appendix}")
    assert is_fbc(f"fb.2.1596403881668.IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2of_aem_Rx{appendix}")


@pytest.mark.parametrize(
    "text",
    [
        *("fb.1.0.0", "fb.1.0.1116446470", "fb.1.1596403881668.0", "fb.1.1596403881668.000.AQ", "fb.0.00.1"),
        *("", "undefined", "1116446470", "fb.1.1596403881668", "fb.1.1596403881668.", "fb.1..1116446470"),
        *("fb.x.1596403881668.1116446470", "fb.1.1596403881668.undefined", "fb.1.1596403881668.11.abc", "FB.1.2.3"),
        *(
            "fb.1.1596403881668.IwAR2F4",
            "fb.1.1596403881668.1116446470\n",
            "fb.1.15964０.1",
            "_fbp=fb.1.1596403881668.1",
        ),
    ],
)
def test_what_is_no_browser_id(text: str) -> None:
    assert not is_fbp(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "IwAR2F4", "fb.1.1596403881668", "fb.1.1596403881668.", "fb.1.1596403881668.null"),
        *("fb.1.1596403881668.undefined.AQ", "fb.1.1596403881668.Iw AR", "fb.1.1596403881668.IwAR.no-appendix"),
    ],
)
def test_what_is_no_click_id(text: str) -> None:
    assert not is_fbc(text)


def test_hashing_returns_what_it_left_out() -> None:
    user_data = {"em": "ada@example.com", "ph": ["?", "1650"], "fn": "…", "ln": None}

    assert hash_identifiers(user_data) == [
        LeftOut("user_data.ph", Reason.NOTHING),
        LeftOut("user_data.fn", Reason.NOTHING),
    ]
    assert set(user_data) == {"em", "ph"}


def test_each_reason_is_a_short_code_and_a_sentence() -> None:
    for reason in Reason:
        assert len(reason.value) <= 30
        assert str(reason.label).startswith(("It ", "There "))
        assert str(reason.label).endswith(".")
