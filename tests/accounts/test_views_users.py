"""The people of an account and those of the host: who is shown, invited, changed and revoked."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Invitation, Membership, RoleLevel, Tenant, User
from accounts.services.invitations import find_invitation
from tests.accounts.pages import link_in, of, words
from tests.base import Cast, login, person, snapshot
from tests.factories import InvitationFactory, MembershipFactory

Commits = Callable[..., Any]
#: Where mails go that reach nobody.
UNSENT = ["accounts.mail.ConsoleBackend", "django.core.mail.backends.dummy.EmailBackend"]
#: What changes a person, each with what it posts.
ACTS = {"": {"level": "manage"}, "link/": {}, "password/": {}, "revoke/": {}}


def at(place: Tenant | None, page: str = "") -> str:
    """A page of the account's people, or of the host's."""
    return of(place, f"users/{page}") if place else f"/hub/settings/users/{page}"


def level(user: User, place: Tenant | None) -> str | None:
    return Membership.objects.filter(user=user, tenant=place).values_list("level", flat=True).first()


@pytest.fixture(params=["account", "host"])
def stage(request: pytest.FixtureRequest, cast: Cast) -> tuple[Tenant | None, User, User]:
    """A place with its admin and somebody who may only look."""
    return (cast.shoes, cast.ada, cast.vic) if request.param == "account" else (None, cast.hanna, cast.vera)


Stage = tuple[Tenant | None, User, User]


# --- The list --------------------------------------------------------------------------------------------------------


def test_everybody_is_listed_with_role_and_status(stage: Stage) -> None:
    place, _, viewer = stage
    InvitationFactory.create(
        membership__user__email="ines@example.com", membership__tenant=place, membership__level=RoleLevel.MANAGE
    )
    person("dan", place, RoleLevel.VIEW, status=User.Status.DEACTIVATED)

    page = words(login(viewer).get(at(place)))

    assert f"{viewer.email} You View only Active" in page
    assert "dan@example.com View only Deactivated" in page
    assert re.search(r"ines@example.com Standard Invited \S+@", page)


def test_an_admin_finds_a_button_for_each_person(stage: Stage) -> None:
    place, admin, viewer = stage

    page = login(admin).get(at(place)).content.decode()

    for user in (admin, viewer):
        assert f'href="{at(place, f"{user.pk}/")}"' in page


def test_an_invitation_that_has_expired_is_said_to_have(stage: Stage) -> None:
    place, admin, _ = stage
    InvitationFactory.create(membership__tenant=place, expires_at=timezone.now() - timedelta(minutes=1))

    assert "Invited, the link has expired" in words(login(admin).get(at(place)))


def test_the_list_is_paged_and_costs_the_same_for_many(stage: Stage) -> None:
    place, admin, _ = stage
    client = login(admin)
    with CaptureQueriesContext(connection) as few:
        client.get(at(place))
    MembershipFactory.create_batch(30, tenant=place)
    with CaptureQueriesContext(connection) as many:
        page = client.get(at(place))

    assert len(page.context["table"].paginated_rows) == 25
    assert len(many) == len(few) <= 12


def test_whoever_may_not_change_people_sees_no_buttons(stage: Stage) -> None:
    place, _, viewer = stage

    page = login(viewer).get(at(place)).content.decode().partition('class="page-header')[2]

    assert "Invite" not in page
    assert "/users/" not in page


def test_the_people_of_an_account_are_its_own_affair(cast: Cast) -> None:
    assert login(cast.olaf).get(at(cast.shoes)).status_code == 404
    assert login(cast.hanna).get(at(cast.books)).status_code == 403
    assert login(cast.ada).get(at(None)).status_code == 404


# --- Inviting --------------------------------------------------------------------------------------------------------


def test_an_invited_person_gets_the_link_by_mail_and_the_admin_sees_it(
    stage: Stage, django_capture_on_commit_callbacks: Commits
) -> None:
    place, admin, _ = stage
    client = login(admin)

    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(at(place, "invite/"), {"email": "Ines@Example.com", "level": "manage"})

    query = parse_qs(urlsplit(link_in(page)).query)
    membership = find_invitation(token=query["token"][0], email=query["email"][0]).membership
    assert (membership.user.email, membership.tenant, membership.level) == ("ines@example.com", place, "manage")
    assert [message.to for message in mail.outbox] == [["ines@example.com"]]
    assert "A link was mailed, and another one is here to copy." in words(page)
    mailed = re.search(r"http://\S*/auth/verify/\S+", str(mail.outbox[0].body))
    assert mailed
    assert mailed[0] != link_in(page)  # the mailed one proves the address
    assert client.get(mailed[0]).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"email": ""}, "This field is required."),
        ({"email": "ines"}, "Enter a valid email address."),
        ({"email": "VIC"}, "This person has a role here already."),
        ({"level": "owner"}, "Select a valid choice."),
        ({"email": "a\0@example.com"}, "Null characters are not allowed."),
    ],
)
def test_a_refused_invitation_keeps_what_was_typed(stage: Stage, wrong: dict[str, str], said: str) -> None:
    place, admin, viewer = stage
    typed = {"email": "ines@example.com", "level": "manage"} | wrong
    typed["email"] = typed["email"].replace("VIC", viewer.email.upper())
    client, before = login(admin), snapshot()

    page = client.post(at(place, "invite/"), typed)

    assert page.status_code == 400
    assert said in words(page)
    assert {name: page.context["form"][name].value() for name in typed} == typed
    assert snapshot() == before


# --- Changing --------------------------------------------------------------------------------------------------------


def test_a_role_is_changed(stage: Stage) -> None:
    place, admin, viewer = stage

    page = login(admin).post(at(place, f"{viewer.pk}/"), {"level": "manage"}, follow=True)

    assert level(viewer, place) == RoleLevel.MANAGE
    assert f"The role of {viewer.email} is changed." in words(page)


def test_access_is_revoked(stage: Stage) -> None:
    place, admin, viewer = stage
    asked = login(admin).get(at(place, f"{viewer.pk}/"))
    assert f"Revoke the access of {viewer.email}?" in words(asked)

    page = login(admin).post(at(place, f"{viewer.pk}/revoke/"), follow=True)

    assert level(viewer, place) is None
    assert f"{viewer.email} has no access here any more." in words(page)
    assert login(viewer).get(at(place)).status_code == 404


def test_the_last_admin_stays(stage: Stage) -> None:
    place, admin, _ = stage
    client, before = login(admin), snapshot()

    shown = client.get(at(place, f"{admin.pk}/"))
    demoted = client.post(at(place, f"{admin.pk}/"), {"level": "view"})
    revoked = client.post(at(place, f"{admin.pk}/revoke/"), follow=True)

    assert "The only admin" in words(shown)
    assert "Save" not in words(shown)
    assert "Revoke access" not in words(shown)
    for page in (demoted, revoked):
        assert "The last admin of an account can be neither removed nor demoted." in words(page)
    assert snapshot() == before


def test_an_admin_leaves_where_there_is_another_one(cast: Cast) -> None:
    person("amy", cast.shoes, RoleLevel.ADMIN)

    page = login(cast.ada).post(at(cast.shoes, f"{cast.ada.pk}/revoke/"), follow=True)

    assert page.status_code == 200
    assert "You have no account" in words(page)


def test_a_new_link_replaces_the_earlier_one(stage: Stage, django_capture_on_commit_callbacks: Commits) -> None:
    place, admin, _ = stage
    earlier: Invitation = InvitationFactory.create(
        membership__user__email="ines@example.com", membership__tenant=place, membership__level=RoleLevel.VIEW
    )
    client = login(admin)
    assert "Reset password link" not in words(client.get(at(place, f"{earlier.membership.user_id}/")))

    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(at(place, f"{earlier.membership.user_id}/link/"))

    token = parse_qs(urlsplit(link_in(page)).query)["token"][0]
    assert find_invitation(token=token, email="ines@example.com").membership == earlier.membership
    assert Invitation.objects.get().token_hash != earlier.token_hash
    assert [message.to for message in mail.outbox] == [["ines@example.com"]]


def test_whoever_has_accepted_needs_no_link(stage: Stage) -> None:
    place, admin, viewer = stage
    client, before = login(admin), snapshot()
    assert "Generate invite link" not in words(client.get(at(place, f"{viewer.pk}/")))

    page = client.post(at(place, f"{viewer.pk}/link/"), follow=True)

    assert "This person has accepted the invitation already." in words(page)
    assert snapshot() == before


def test_a_link_to_a_new_password_is_mailed_and_shown_to_those_who_look_after_the_person(
    stage: Stage, django_capture_on_commit_callbacks: Commits
) -> None:
    place, admin, viewer = stage
    client = login(admin)

    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(at(place, f"{viewer.pk}/password/"), follow=True)

    assert [message.to for message in mail.outbox] == [[viewer.email]]
    link = re.search(r"http://\S*/auth/password/reset/key/\S+", str(mail.outbox[0].body))
    assert link
    shown = re.search(r'value="(http://[^"]*/auth/password/reset/key/[^"]*)"', page.content.decode())
    assert shown
    assert shown[1] != link[0]  # the mailed one proves the address
    assert client.get(shown[1], follow=True).status_code == 200
    assert f"A link to a new password was sent to {viewer.email}." in words(page)
    assert "/password/reset/" not in client.get(at(place, f"{viewer.pk}/")).content.decode()
    assert client.get(link[0], follow=True).status_code == 200


def test_a_link_that_would_open_other_accounts_reaches_its_owner_and_nobody_else(
    cast: Cast, django_capture_on_commit_callbacks: Commits
) -> None:
    MembershipFactory.create(user=cast.vic, tenant=cast.other, level=RoleLevel.VIEW)

    with django_capture_on_commit_callbacks(execute=True):
        page = login(cast.ada).post(at(cast.shoes, f"{cast.vic.pk}/password/"), follow=True)

    assert [message.to for message in mail.outbox] == [[cast.vic.email]]
    assert f"A link to a new password was sent to {cast.vic.email}." in words(page)
    assert "/password/reset/" not in page.content.decode().partition('class="page-header')[2]


@pytest.mark.parametrize("backend", UNSENT)
def test_without_a_mail_server_nobody_is_told_that_a_link_was_mailed(
    stage: Stage, settings: Settings, backend: str
) -> None:
    place, admin, viewer = stage
    settings.EMAIL_BACKEND = backend
    client = login(admin)

    invited = words(client.post(at(place, "invite/"), {"email": "ines@example.com", "level": "view"}))
    ines = User.objects.get(email="ines@example.com")
    renewed = words(client.post(at(place, f"{ines.pk}/link/")))
    reset = words(client.post(at(place, f"{viewer.pk}/password/"), follow=True))

    for page in (invited, renewed):
        assert "Mail is not set up: copy the link and send it yourself. It is shown only now" in page
    assert "Earlier links have stopped working." in renewed
    assert "Mail is not set up: the link was sent to nobody." in reset
    for page in (invited, renewed, reset):
        assert "was mailed" not in page
        assert "was sent to v" not in page


def test_a_deactivated_person_gets_no_link(stage: Stage) -> None:
    place, admin, viewer = stage
    User.objects.filter(pk=viewer.pk).update(status=User.Status.DEACTIVATED)
    client, before = login(admin), snapshot()

    assert "Reset password link" not in words(client.get(at(place, f"{viewer.pk}/")))
    client.post(at(place, f"{viewer.pk}/password/"))

    assert mail.outbox == []
    assert snapshot() == before


# --- Borders ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(("who", "status"), [("max", 403), ("vic", 403), ("milo", 403), ("vera", 403), ("olaf", 404)])
def test_only_admins_change_the_people_of_an_account(cast: Cast, who: str, status: int, act: str) -> None:
    client, before = login(getattr(cast, who)), snapshot()

    assert client.post(at(cast.shoes, f"{cast.vic.pk}/{act}"), ACTS[act]).status_code == status
    assert client.post(at(cast.shoes, "invite/"), {"email": "a@example.com", "level": "view"}).status_code == status
    assert snapshot() == before


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(("who", "status"), [("milo", 403), ("vera", 403), ("ada", 404)])
def test_only_admins_change_the_people_of_the_host(cast: Cast, who: str, status: int, act: str) -> None:
    client, before = login(getattr(cast, who)), snapshot()

    assert client.post(at(None, f"{cast.vera.pk}/{act}"), ACTS[act]).status_code == status
    assert client.post(at(None, "invite/"), {"email": "a@example.com", "level": "view"}).status_code == status
    assert snapshot() == before


@pytest.mark.parametrize("act", ACTS)
def test_somebody_of_another_place_is_not_there(cast: Cast, act: str) -> None:
    """Olaf has nothing to do with Shoes; Ada, who has, is none of the host's people."""
    ada, hanna, before = login(cast.ada), login(cast.hanna), snapshot()

    assert ada.post(at(cast.shoes, f"{cast.olaf.pk}/{act}"), ACTS[act]).status_code == 404
    assert hanna.post(at(None, f"{cast.ada.pk}/{act}"), ACTS[act]).status_code == 404
    assert snapshot() == before


def test_the_host_changes_nobody_in_an_account_that_manages_itself(cast: Cast) -> None:
    hanna, before = login(cast.hanna), snapshot()

    for act, typed in ACTS.items():
        assert hanna.post(at(cast.books, f"{cast.bibi.pk}/{act}"), typed).status_code == 403
    assert snapshot() == before


def test_what_changes_something_is_no_link(stage: Stage) -> None:
    place, admin, viewer = stage
    for act in ("link/", "password/", "revoke/"):
        assert login(admin).get(at(place, f"{viewer.pk}/{act}")).status_code == 405
