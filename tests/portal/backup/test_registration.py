"""An instance that was restored does not take over what another one has registered with Meta."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import Tenant
from accounts.principals import OPERATOR
from accounts.services.tenants import delete_tenant
from events import tasks
from events.models import Registrar, Registration, Removal
from events.registration.registrar import Obstacle, instance_id, obstacle
from events.registration.services import allow_registration
from events.sandbox import Sandbox
from events.sandbox.server import serve
from pixels.models import Pixel
from tests.base import Cast
from tests.factories import PixelFactory
from tests.portal.backup.conftest import Run, empty

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_waits_for_an_admins_word_and_tells_so(
    full: Cast, run: Run, file: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BASE_URL = "https://gateway.example.com"
    monkeypatch.setattr(tasks.tell_meta, "delay", tasks.tell_meta)
    production = instance_id()
    run("backup", file)
    empty()
    printed = run("restore", file)
    assert "until a host admin allows it" in printed
    assert obstacle() is Obstacle.RESTORED
    assert instance_id() != production

    sandbox = Sandbox()
    with serve(sandbox) as url:
        settings.GRAPH_API_URL = url
        tasks.keep_registered()
        assert sandbox.registrations.requests == []
        allow_registration(principal=OPERATOR)
        tasks.keep_registered()

    subjects = [request.subject for request in sandbox.registrations.requests if request.method == "POST"]
    assert subjects[0] == "7", "the configuration that was restored is its own now"
    assert Registration.objects.get().state == Registration.State.REGISTERED


def test_a_dry_run_holds_nothing(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    empty()
    printed = run("restore", file, dry_run=True)

    assert "until a host admin allows it" in printed
    assert not Registrar.objects.exists()


def test_a_restore_that_brings_no_pixel_holds_nothing(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    printed = run("restore", file)

    assert "until a host admin allows it" not in printed
    assert obstacle() is not Obstacle.RESTORED


def test_what_is_to_be_removed_stays_with_the_instance_that_registered_it(full: Cast, run: Run, file: Path) -> None:
    delete_tenant(principal=OPERATOR, tenant_id=Tenant.objects.get(name="Shoes").pk)
    assert Removal.objects.count() == 1
    run("backup", file)
    empty()
    run("restore", file)

    assert not Removal.objects.exists()


def test_a_file_of_before_brings_pixels_that_are_not_registered(
    full: Cast, run: Run, file: Path, settings: Settings
) -> None:
    """Their table is not in it."""
    settings.BASE_URL = "https://gateway.example.com"
    Registration.objects.all().delete()
    run("backup", file)
    empty()
    run("restore", file)

    assert Pixel.objects.exists()
    assert not Registration.objects.exists()
    PixelFactory.create(tenant=Tenant.objects.get(name="Shoes"))
    assert Registration.objects.count() == 1
