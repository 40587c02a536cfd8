"""Mails: how they look, where they go, and what happens when they cannot."""

from __future__ import annotations

import html
import logging
import re
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from threading import Event, Semaphore

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import translation
from limits import parse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

import accounts.mail
from accounts.mail import Kind, as_name, compose, may_mail, send_in_background, send_later
from accounts.models import HostSettings, Membership
from accounts.principals import principal_of_user
from accounts.services.mail import send_test_mail
from common.background import Background
from common.errors import Conflict, InvalidInput, NotAuthorized
from common.validation import clean_email
from tests.base import Cast


class Refusing:
    """A mail server that is not there."""

    def __init__(self, **kwargs: object) -> None: ...

    def send_messages(self, messages: object) -> int:
        raise smtplib.SMTPServerDisconnected("no mail server")


REFUSING = f"{__name__}.Refusing"


def invitation(cast: Cast) -> EmailMessage:
    membership = Membership.objects.get(user=cast.vic)
    return compose(
        "emails/invitation", "nora@example.com", {"membership": membership, "link": "https://x.example/?a&b"}
    )


def test_a_mail_has_a_text_and_the_same_in_html(cast: Cast) -> None:
    message = invitation(cast)
    [(page, kind)] = message.alternatives  # type: ignore[attr-defined]

    assert message.subject == "Your invitation to Gateway Portal"
    assert "https://x.example/?a&b" in message.body
    assert kind == "text/html"
    assert 'href="https://x.example/?a&amp;b"' in page
    assert "Shoes" in page


def test_an_accounts_name_is_no_html_in_a_mail(cast: Cast) -> None:
    cast.shoes.name = "<b>Shoes</b> & more"
    cast.shoes.save()
    message = invitation(cast)

    assert "<b>Shoes</b> & more" in message.body
    assert "&lt;b&gt;Shoes" in message.alternatives[0][0]  # type: ignore[attr-defined]


def test_a_mail_speaks_the_language_of_who_sends_it(cast: Cast) -> None:
    with translation.override("es"):
        assert invitation(cast).subject == "Tu invitación a Gateway Portal"


def send_invitation(cast: Cast, to: str = "nora@example.com", account: str = "Shoes") -> bool:
    context = {"membership": Membership.objects.get(user=cast.vic), "link": "https://x.example/?a&b"}
    return send_later("emails/invitation", to, context, kind=Kind.INVITATION, language="", account=account)


def test_a_mail_waits_for_the_commit(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        send_invitation(cast)
        assert mail.outbox == []

    assert len(mail.outbox) == 1


def test_a_mail_that_cannot_be_sent_stops_nothing_and_is_logged_without_its_text(
    cast: Cast,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.EMAIL_BACKEND = REFUSING

    with caplog.at_level(logging.ERROR), django_capture_on_commit_callbacks(execute=True):
        send_invitation(cast)

    assert "A mail could not be sent: SMTPServerDisconnected." in caplog.text
    assert "x.example" not in caplog.text


# --- How many mails somebody gets -------------------------------------------------------------------------------------


def test_a_recipient_gets_a_few_mails_a_day_whoever_asks(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        went_out = [send_invitation(cast, account=f"account {number}") for number in range(300)]

    assert went_out == [True] * 5 + [False] * 295
    assert len(mail.outbox) == 5


@pytest.mark.parametrize(
    ("addresses", "mailboxes"),
    [
        ([f"nora+{number}@example.com" for number in range(10)], 1),
        (["nora@gmail.com", "n.o.r.a@gmail.com", "No.Ra+x@googlemail.com"], 1),
        (["nora@example.com", "n.ora@example.com", "nora@example.net", "+nora@example.com"], 4),
    ],
)
def test_addresses_that_lead_to_one_mailbox_are_one_recipient(
    db: None, settings: Settings, addresses: list[str], mailboxes: int
) -> None:
    settings.MAIL_RECIPIENT_RATE_LIMIT = parse("1/day")

    assert sum(may_mail(Kind.INVITATION, address) for address in addresses) == mailboxes


@pytest.mark.parametrize(
    "address",
    [
        '"ada"@example.com',
        '"\\ada"@example.com',
        '"a\\da"@example.com',
        '"ada"+x@example.com',
        "ada@[192.0.2.1]",
        "(x)ada@example.com",
        "ada(x)@example.com",
        "ada@example.com.",
        "ada @example.com",
        "ada@b\u00fccher.example",
        "\uff41da@example.com",
    ],
)
def test_another_spelling_of_a_mailbox_is_no_address(address: str) -> None:
    """Each would be counted apart, and go to the same person."""
    with pytest.raises(InvalidInput):
        clean_email("email", address)


def test_invitations_do_not_keep_a_reset_or_a_warning_away(cast: Cast) -> None:
    for _ in range(10):
        send_invitation(cast, cast.ada.email)

    assert may_mail(Kind.PASSWORD, cast.ada.email)
    assert may_mail(Kind.NOTICE, cast.ada.email)


def test_a_partner_invites_a_thousand_people_in_a_loop(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert all(send_invitation(cast, f"person{number}@example.com") for number in range(1_000))

    assert len(mail.outbox) == 1_000


def test_an_account_sends_so_many_a_day_and_no_more(cast: Cast, settings: Settings) -> None:
    settings.MAIL_ACCOUNT_RATE_LIMIT = parse("3/day")

    assert [send_invitation(cast, f"person{number}@example.com") for number in range(5)] == [True] * 3 + [False] * 2
    assert send_invitation(cast, "person9@example.com", account="Books")


@pytest.mark.parametrize("kind", [Kind.PASSWORD, Kind.NOTICE])
def test_an_account_that_has_sent_its_invitations_stops_nothing_else(kind: Kind, db: None, settings: Settings) -> None:
    settings.MAIL_ACCOUNT_RATE_LIMIT = parse("3/day")
    for number in range(4):
        may_mail(Kind.INVITATION, f"person{number}@example.com", "shoes")

    assert may_mail(kind, "ada@example.com", "shoes")


def test_no_number_of_notices_to_others_keeps_one_away(db: None, settings: Settings) -> None:
    """A loop of one of the host's admins must not silence "your password was changed"."""
    settings.MAIL_ACCOUNT_RATE_LIMIT = parse("3/day")
    for number in range(4):
        may_mail(Kind.NOTICE, f"person{number}@example.com")

    assert may_mail(Kind.NOTICE, "ada@example.com")


# --- Waiting ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def jam(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Event]:
    """Mails go out in the background, two invitations' worth of threads and room; none is sent before the event."""
    settings.MAIL_IN_BACKGROUND = True
    go_on = Event()
    monkeypatch.setattr(accounts.mail, "_invitations", Background("Invitations", threads=2, room=2))
    monkeypatch.setattr(accounts.mail, "_others", Background("Mails", threads=2, room=2))
    yield go_on
    go_on.set()


def stuck(until: Event, begun: Semaphore | None = None) -> None:
    if begun:
        begun.release()
    until.wait(60)


def test_a_thousand_invitations_delay_no_new_password(jam: Event) -> None:
    sent = Event()
    for _ in range(4):
        send_in_background(Kind.INVITATION, partial(stuck, jam))

    send_in_background(Kind.PASSWORD, sent.set)

    assert sent.wait(20)


def test_where_too_many_wait_a_mail_is_not_promised(jam: Event, cast: Cast) -> None:
    begun = Semaphore(0)
    for _ in range(2):
        send_in_background(Kind.INVITATION, partial(stuck, jam, begun))
        assert begun.acquire(timeout=20)  # each has a thread
    for _ in range(2):
        send_in_background(Kind.INVITATION, partial(stuck, jam))

    assert not send_invitation(cast, "nora@example.com")


def test_what_waits_when_the_process_stops_is_sent_or_told(caplog: pytest.LogCaptureFixture) -> None:
    done = []
    background = Background("Mails", threads=1, room=9)
    for number in range(3):
        background.submit(lambda number=number: done.append(number))  # type: ignore[misc]
    assert background.finish(60) == 0
    assert done == [0, 1, 2]

    go_on = Event()
    for _ in range(3):
        background.submit(lambda: go_on.wait(60))
    assert background.finish(0.1) == 3
    assert "Mails: 3 were not done when the process stopped." in caplog.text
    go_on.set()


def test_a_process_sends_what_waits_before_it_ends() -> None:
    """One that has started by itself, and one that multiprocessing has started, as the web server's workers are."""
    work = "import time; from common.background import Background as B; b = B('x', threads=1, room=9); "
    work += "[b.submit(lambda: (time.sleep(0.2), print('done', flush=True))) for _ in range(3)]"
    forked = f"import multiprocessing as m; p = m.get_context('fork').Process(target=exec, args=({work!r}, {{}})); "
    forked += "p.start(); p.join()"
    for program in (work, forked):
        answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert answer.stdout.count("done") == 3


# --- What somebody wrote ----------------------------------------------------------------------------------------------

#: What mail programs make a link of.
LINKS = re.compile(r"https?:/|www\.\w|\w[.。．｡]\w|\w@\w|mailto:\w|tel:[+\w]|\\\\\w", re.IGNORECASE)


@pytest.mark.parametrize(
    "written",
    [
        "URGENT: pay at http://evil.example/pay now",
        "https://evil.example",
        "evil.example/path?a=b",
        "www.evil.example",
        "evil。example",
        "pay@evil.example",
        "mailto:pay@evil.example",
        "tel:+491234",
        "\\\\evil\\share",
    ],
)
def test_no_mail_program_makes_a_link_of_a_name(cast: Cast, written: str) -> None:
    assert LINKS.search(written)
    cast.shoes.name = written
    cast.shoes.save()
    HostSettings.objects.create(name=written)
    message = invitation(cast)
    texts = [message.subject, message.body, message.alternatives[0][0]]  # type: ignore[attr-defined]

    for text in texts:
        ours = re.sub(r"https://x\.example/\?a&(amp;)?b", "", re.sub(r"<(?!/?p\b)[^>]*>", "", text))
        assert not LINKS.search(ours), ours
        assert written.replace("\u200b", "") in html.unescape(text).replace("\u200b", "")


@pytest.mark.parametrize("written", ["Call +34 600 111 222 now", "0034-600-111222", "(600)111222"])
def test_no_phone_makes_a_number_to_call_of_a_name(written: str) -> None:
    assert not re.search(r"\d\d|\+\d", as_name(written))
    assert as_name(written).replace("\N{ZERO WIDTH SPACE}", "") == written


def test_an_accounts_name_is_quoted(cast: Cast) -> None:
    message = invitation(cast)

    assert "to the account “Shoes”." in message.body
    assert "to the account “Shoes”." in message.alternatives[0][0]  # type: ignore[attr-defined]


def test_without_a_mail_server_mails_are_printed_beside_what_commands_print(
    cast: Cast, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "accounts.mail.ConsoleBackend"
    invitation(cast).send()

    printed = capsys.readouterr()
    assert "https://x.example/?a&b" in printed.err
    assert printed.out == ""


def test_the_host_tries_its_mail_server(cast: Cast) -> None:
    send_test_mail(principal=principal_of_user(cast.hanna), email="Hanna@Example.com")

    assert [message.to for message in mail.outbox] == [["hanna@example.com"]]


def test_the_trial_tells_what_the_mail_server_says(cast: Cast, settings: Settings) -> None:
    settings.EMAIL_BACKEND = REFUSING

    with pytest.raises(Conflict, match="no mail server"):
        send_test_mail(principal=principal_of_user(cast.hanna), email="hanna@example.com")


def test_only_the_hosts_admins_try_it(cast: Cast) -> None:
    for user in (cast.milo, cast.vera, cast.ada):
        with pytest.raises(NotAuthorized):
            send_test_mail(principal=principal_of_user(user), email="hanna@example.com")
    with pytest.raises(InvalidInput):
        send_test_mail(principal=principal_of_user(cast.hanna), email="nobody")
    assert mail.outbox == []
