"""The API Reference and its console, in the web UI."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from accounts.models import Tenant
from pixels.models import Pixel
from portal.graphql.reference import operations
from tests.accounts.pages import words
from tests.base import Cast, login, snapshot
from tests.factories import PixelFactory

REFERENCE = "/hub/settings/api-reference/"
RUN = f"{REFERENCE}run/"
VIEWER = "{ viewer { kind email } }"
RENAME = "mutation($input: UpdateTenantInput!) { tenantMutations { updateTenant(input: $input) { tenant { name } } } }"


def answer_in(page: Any) -> tuple[int, dict[str, Any]]:
    """The status and the body that the console shows."""
    text = page.content.decode()
    status = re.search(r"HTTP (\d+)", text)
    body = re.search(r"<pre[^>]*><code>(\{.*?)</code>", text[text.index("HTTP") :], re.DOTALL)
    assert status
    assert body
    return int(status[1]), json.loads(unescape(body[1]))


def ask(client: Any, query: str, variables: object = "", *, endpoint: str = "hub", **further: str) -> Any:
    """Run the document in the console, as a page whose scripts work."""
    typed = variables if isinstance(variables, str) else json.dumps(variables)
    return client.post(
        RUN, {"endpoint": endpoint, "query": query, "variables": typed, **further}, headers={"HX-Request": "true"}
    )


# --- The reference ---------------------------------------------------------------------------------------------------


def test_the_reference_lists_every_operation(cast: Cast) -> None:
    page = login(cast.vera).get(REFERENCE).content.decode()

    for operation in operations():
        assert f'href="{REFERENCE}{operation.endpoint}/{operation.name}/"' in page


@pytest.mark.parametrize("operation", operations(), ids=lambda each: f"{each.endpoint}-{each.name}")
def test_every_operation_has_a_page(
    cast: Cast, operation: Any, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    vera = login(cast.vera)
    with django_assert_max_num_queries(12):
        page = vera.get(f"{REFERENCE}{operation.endpoint}/{operation.name}/")

    assert operation.description in words(page)
    for part in ("Arguments", "Codes", "Sample request", "Sample answer", "Try it", f"Returns {operation.returns}"):
        assert part in words(page)


def test_samples_are_about_what_the_person_can_see(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.books, pixel_id="1110001110001")
    PixelFactory.create(tenant=cast.shoes, pixel_id="2220002220002")

    page = login(cast.hanna).get(f"{REFERENCE}capig/updateSignalConfigCapiPublish/")

    assert json.loads(page.context["variables"]) == {
        "tenantId": cast.shoes.pk,
        "id": "2220002220002",
        "input": {"status": 1},
    }
    assert "1110001110001" not in page.content.decode()


def test_what_deletes_or_replaces_names_nothing_that_is_there(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    hanna = login(cast.hanna)

    for page in ("hub/deleteTenant/", "capig/deleteDataSource/", "capig/setupPixelSignalConfig/"):
        shown = hanna.get(f"{REFERENCE}{page}").context
        assert pixel.pixel_id not in shown["variables"]
    assert cast.shoes.pk not in hanna.get(f"{REFERENCE}hub/deleteTenant/").context["variables"]


def test_an_empty_instance_has_samples_too(cast: Cast) -> None:
    Tenant.objects.all().delete()

    assert login(cast.hanna).get(f"{REFERENCE}capig/account/").status_code == 200


@pytest.mark.parametrize("page", ["hub/nothing/", "nothing/tenant/", "hub/tenantMutations/"])
def test_an_unknown_operation_is_not_found(cast: Cast, page: str) -> None:
    assert login(cast.hanna).get(f"{REFERENCE}{page}").status_code == 404


def test_the_reference_is_the_hosts(cast: Cast) -> None:
    ada = login(cast.ada)

    assert ada.get(REFERENCE).status_code == 404
    assert ada.get(f"{REFERENCE}hub/tenant/").status_code == 404
    assert ask(ada, VIEWER).status_code == 404


# --- The console -----------------------------------------------------------------------------------------------------


def test_the_console_answers_what_the_endpoint_would(cast: Cast) -> None:
    page = ask(login(cast.vera), VIEWER)

    assert answer_in(page) == (200, {"data": {"viewer": {"kind": "AGENCY", "email": "vera@example.com"}}})
    assert "<html" not in page.content.decode()


def test_without_scripts_the_answer_comes_with_what_was_typed(cast: Cast) -> None:
    page = login(cast.vera).post(RUN, {"endpoint": "hub", "query": VIEWER, "variables": "{}"})

    assert answer_in(page)[0] == 200
    assert page.context["form"]["query"].value() == VIEWER
    assert "<html" in page.content.decode()


def test_a_mutation_asks_before_it_runs(cast: Cast) -> None:
    hanna, before = login(cast.hanna), snapshot()
    variables = {"input": {"tenantId": cast.shoes.pk, "name": "Boots"}}

    page = ask(hanna, RENAME, variables)
    assert "This is a mutation: it changes what it names, for real." in words(page)
    assert snapshot() == before

    page = ask(hanna, RENAME, variables, confirmed="yes")
    assert answer_in(page) == (200, {"data": {"tenantMutations": {"updateTenant": {"tenant": {"name": "Boots"}}}}})


def test_the_console_has_the_rights_of_the_person_and_no_others(cast: Cast) -> None:
    vera, before = login(cast.vera), snapshot()

    status, body = answer_in(ask(vera, RENAME, {"input": {"tenantId": cast.shoes.pk, "name": "x"}}, confirmed="yes"))
    assert (status, body["errors"][0]["extensions"]["code"]) == (401, 401)

    account = "query($id: ID!) { tenantQueries(tenantId: $id) { account { name } } }"
    status, body = answer_in(ask(vera, account, {"id": cast.books.pk}, endpoint="capig"))
    assert (status, body["errors"][0]["extensions"]["code"]) == (401, 401)
    assert snapshot() == before


@pytest.mark.parametrize(
    ("query", "variables", "said"),
    [
        ("{ nothing }", "", "Cannot query field 'nothing'"),
        ("{", "", "Syntax Error"),
        (VIEWER, "{", "variables: must be valid JSON."),
        (VIEWER, "[]", "variables: must be a JSON object."),
        (VIEWER, "1", "variables: must be a JSON object."),
        (VIEWER, "[" * 50_000, "variables: must be valid JSON."),
        ("x" * 200_000, "", "The request is too large"),
        ("{ viewer { kind } }\nquery a { viewer { kind } }", "", "anonymous operation"),
        ("query a { viewer { kind } } query b { viewer { kind } }", "", "several operations"),
        ("{" + "a{" * 300 + "b" + "}" * 301, "", "nested"),
    ],
)
def test_a_request_that_cannot_run_is_answered_in_words(cast: Cast, query: str, variables: str, said: str) -> None:
    status, body = answer_in(ask(login(cast.hanna), query, variables))

    assert status == 400
    assert said in body["errors"][0]["message"]


@pytest.mark.parametrize("query", ["", "a\0b"])
def test_what_is_no_text_is_refused_at_the_form(cast: Cast, query: str) -> None:
    page = ask(login(cast.hanna), query)

    assert page.status_code == 200
    assert "Document:" in words(page)


def test_a_fault_of_ours_is_answered_with_an_id_alone(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("accounts.schema.queries.TenantModel.objects.visible_to", fail)
    status, body = answer_in(ask(login(cast.hanna), "{ viewer { tenantIds } }"))

    assert status == 500
    assert body["errors"][0]["message"].startswith("Internal error ")


def test_an_unknown_endpoint_is_not_found(cast: Cast) -> None:
    assert ask(login(cast.hanna), VIEWER, endpoint="nothing").status_code == 404


def test_the_console_needs_the_csrf_token(cast: Cast) -> None:
    assert ask(login(cast.hanna, enforce_csrf_checks=True), VIEWER).status_code == 403


def test_an_access_token_is_in_no_answer(cast: Cast) -> None:
    pixel: Pixel = PixelFactory.create(tenant=cast.shoes, access_token="never-shown")
    document = "query($id: ID!) { tenantQueries(tenantId: $id) { account { signalConfigs { id } } } }"

    page = ask(login(cast.hanna), document, {"id": cast.shoes.pk}, endpoint="capig")

    assert pixel.pixel_id in page.content.decode()
    assert "never-shown" not in page.content.decode()
