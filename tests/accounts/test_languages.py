"""The language of a person: from the browser at first, chosen on any page, kept for every browser and for mails."""

from __future__ import annotations

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import AuditEntry, User
from accounts.principals import OPERATOR, principal_of_user
from accounts.services.invitations import send_invitation
from accounts.services.languages import choose_language
from accounts.services.passwords import mail_new_password, send_password_reset
from accounts.services.people import add_user_with_role
from accounts.services.proof import mail_proof
from accounts.services.rescue import vouch_for_address
from common.errors import InvalidInput
from tests.base import Cast, login
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _no_attempts_of_earlier_tests() -> None:
    cache.clear()


def language_of(user: User) -> str:
    return User.objects.get(pk=user.pk).language


def sign_in(user: User, browser: str) -> Client:
    client = Client(headers={"Accept-Language": browser})
    assert client.post("/auth/login/", {"login": user.email, "password": PASSWORD}).status_code == 302
    return client


def shown_in(client: Client) -> str:
    page = client.get("/auth/settings/").content.decode()
    return page.partition('<html lang="')[2][:2]


def test_the_first_sign_in_takes_the_browsers_and_later_ones_leave_it(cast: Cast) -> None:
    cast.ada.set_password(PASSWORD)
    cast.ada.save()

    assert shown_in(sign_in(cast.ada, "es-MX,en;q=0.5")) == "es"
    assert language_of(cast.ada) == "es"
    assert not AuditEntry.objects.exists()
    assert shown_in(sign_in(cast.ada, "en")) == "es"
    assert language_of(cast.ada) == "es"


def test_whoever_accepts_an_invitation_has_the_language_of_their_browser(cast: Cast) -> None:
    role = f"advertiser-view-{cast.shoes.pk}"
    link = add_user_with_role(principal=OPERATOR, email="nora@example.com", role_name=role).invitation_link

    Client(headers={"Accept-Language": "es"}).post(link, {"password": PASSWORD, "repeated": PASSWORD})

    assert User.objects.get(email="nora@example.com").language == "es"


def test_a_choice_on_any_page_holds_in_every_browser_and_is_recorded(cast: Cast) -> None:
    first, second = login(cast.ada), login(cast.ada)
    first.post("/i18n/setlang/", {"language": "es", "next": "/hub/"})

    assert [shown_in(first), shown_in(second)] == ["es", "es"]
    entry = AuditEntry.objects.get(act="choose language")
    assert (entry.actor, entry.tenant_id, entry.changes) == ("ada@example.com", cast.shoes.pk, {"language": ["", "es"]})
    log = second.get(f"/hub/capig/activity/?tenant={cast.shoes.pk}").content.decode()
    assert "eligió un idioma" in log
    assert "Español" in log

    second.post("/i18n/setlang/", {"language": "es"})
    assert AuditEntry.objects.filter(act="choose language").count() == 1


def test_a_choice_is_recorded_by_one_statement_however_many_roles_somebody_has(cast: Cast) -> None:
    for _ in range(5):
        MembershipFactory.create(user=cast.ada)

    with CaptureQueriesContext(connection) as asked:
        choose_language(user=cast.ada, language="es")

    assert sum("INSERT" in each["sql"] for each in asked) == 1
    assert AuditEntry.objects.filter(act="choose language").count() == 6


@pytest.mark.parametrize("wrong", ["fr", "", "es-MX", "x" * 300])
def test_a_language_that_the_portal_does_not_speak_changes_nothing(cast: Cast, wrong: str) -> None:
    login(cast.ada).post("/i18n/setlang/", {"language": wrong})
    with pytest.raises(InvalidInput, match="must be one of en, es"):
        choose_language(user=cast.ada, language=wrong)

    assert language_of(cast.ada) == ""
    assert not AuditEntry.objects.exists()


def test_strangers_and_asking_choose_for_nobody(cast: Cast) -> None:
    Client().post("/i18n/setlang/", {"language": "es"})
    login(cast.ada).get("/i18n/setlang/?language=es")

    assert not User.objects.exclude(language="").exists()


def test_whoever_sees_as_somebody_else_chooses_for_the_browser_alone(cast: Cast) -> None:
    User.objects.filter(pk=cast.ada.pk).update(language="en")
    staff = login(cast.hanna)
    staff.post("/see-as/", {"user_pk": str(cast.ada.pk)})
    staff.post("/i18n/setlang/", {"language": "es"})

    assert shown_in(staff) == "es"
    assert (language_of(cast.ada), language_of(cast.hanna)) == ("en", "")


def test_a_language_that_is_spoken_no_more_is_as_good_as_none(cast: Cast, settings: Settings) -> None:
    User.objects.filter(pk=cast.ada.pk).update(language="pt")

    assert shown_in(login(cast.ada)) == "en"


def test_the_page_of_ones_own_settings_shows_it(cast: Cast) -> None:
    User.objects.filter(pk=cast.ada.pk).update(language="es")
    page = login(cast.ada).get("/auth/settings/").content.decode()

    assert '<option value="es" lang="es" selected>Español</option>' in page
    assert "ada@example.com" in page
    assert Client().get("/auth/settings/").status_code == 302


@pytest.mark.parametrize(("language", "says"), [("en", "Saved."), ("es", "Guardado.")])
def test_the_page_of_ones_own_settings_says_that_they_are_saved_in_the_language_that_was_chosen(
    cast: Cast, language: str, says: str
) -> None:
    for before in ("en", "es"):
        User.objects.filter(pk=cast.ada.pk).update(language=before)
        chosen = {"language": language, "next": "/auth/settings/"}
        page = login(cast.ada).post("/i18n/setlang/", chosen, follow=True)
        assert [str(message) for message in page.context["messages"]] == [says]


def test_what_is_not_saved_is_not_said_to_be(cast: Cast) -> None:
    client = login(cast.ada)
    for chosen in ({"language": "fr", "next": "/auth/settings/"}, {"language": "es", "next": "/hub/"}):
        client.post("/i18n/setlang/", chosen)
    assert not list(client.get("/auth/settings/").context["messages"])


def subjects(commits: DjangoCaptureOnCommitCallbacks, act: object) -> list[str]:
    with commits(execute=True):
        act()  # type: ignore[operator]
    return [str(message.subject) for message in mail.outbox]


@pytest.mark.parametrize(("own", "subject"), [("", "Tu invitación a"), ("en", "Your invitation to")])
def test_an_invitation_is_in_the_language_of_whoever_invites_unless_one_has_a_language(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, own: str, subject: str
) -> None:
    User.objects.filter(pk=cast.max.pk).update(language="es")
    User.objects.filter(pk=cast.olaf.pk).update(language=own)

    def invite() -> None:
        answer = login(User.objects.get(pk=cast.ada.pk)).post(
            f"/hub/capig/users/invite/?tenant={cast.shoes.pk}", {"email": cast.olaf.email, "level": "view"}
        )
        assert answer.status_code == 200

    User.objects.filter(pk=cast.ada.pk).update(language="es")
    assert subjects(django_capture_on_commit_callbacks, invite)[0].startswith(subject)


def test_an_invitation_of_the_command_line_is_in_english(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    MembershipFactory.create(user=cast.olaf, tenant=cast.shoes, accepted_at=None)

    def invite() -> None:
        send_invitation(principal=OPERATOR, email=cast.olaf.email, user_type="ADVERTISER", tenant_id=cast.shoes.pk)

    assert subjects(django_capture_on_commit_callbacks, invite) == ["Your invitation to Gateway Portal"]


def test_other_mails_are_in_the_language_of_who_gets_them(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    User.objects.update(language="es", proven_at=None)
    cast.max.refresh_from_db()
    hanna = principal_of_user(cast.hanna)

    def send() -> None:
        with translation.override("en"):
            send_password_reset(principal=hanna, user_id=str(cast.ada.pk), tenant_id=cast.shoes.pk)
            mail_new_password(email="vic@example.com")
            mail_proof(user=cast.max)
            vouch_for_address(principal=OPERATOR, user_id=str(cast.milo.pk))

    told = subjects(django_capture_on_commit_callbacks, send)
    assert len(told) == 4
    assert not [subject for subject in told if "your" in subject.lower() or "password" in subject.lower()]
    assert "el operador" in str(mail.outbox[-1].body)  # who acted is told in it, too


def test_who_is_not_known_to_have_one_gets_a_new_password_in_that_of_the_browser(cast: Cast) -> None:
    with translation.override("es"):
        mail_new_password(email="ada@example.com")

    assert "contraseña" in str(mail.outbox[0].subject)
