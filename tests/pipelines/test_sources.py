"""Data sources: ids that are nobody else's, and the script in a website's pages."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEntry, IngressDomain
from pipelines.models import Source
from pipelines.services import sources
from tests.base import Cast, snapshot
from tests.factories import IngressDomainFactory, PixelFactory, SourceFactory
from tests.pipelines.conftest import Api

TAKEN = "this pixel is connected in another account already."
AMONG = "aamFields: must be among em, fn, ln, ph, ge, ct, st, zp, country, db, external_id."
CODE = """\
<!-- Signals Gateway Pixel Code -->
<script>
!function(f,b,e,v,n,t,s)
{if(f.cbq)return;n=f.cbq=function(){n.callMethod?
n.callMethod.apply(n,arguments):n.queue.push(arguments)};
if(!f._cbq)f._cbq=n;n.push=n;n.loaded=!0;n.version='2.0';
n.queue=[];t=b.createElement(e);t.async=!0;
t.src=v;s=b.getElementsByTagName(e)[0];
s.parentNode.insertBefore(t,s)}(window,document,'script',
'%(host)s/sdk/4711/events.js');
cbq('setHost', '%(host)s/');
cbq('init', '4711');
cbq('track', 'PageView');
</script>
<!-- End Signals Gateway Pixel Code -->
"""


def make(api: Api, **given: Any) -> dict[str, Any]:
    return {"name": "Website", "dataSourceType": "ADVERTISER_HOSTED_PIXEL", "pipelineId": api.pipeline(), **given}


@pytest.mark.parametrize("factory", [PixelFactory, SourceFactory])
def test_the_id_of_another_accounts_pixel_or_source_is_taken(cast: Cast, api: Api, factory: Any) -> None:
    name = "pixel_id" if factory is PixelFactory else "source_id"
    factory.create(tenant=cast.books, **{name: "4711"})
    given = make(api, dataSourceId="4711")
    before = snapshot()

    assert api.refusal("createDataSourceForPipeline", **given) == (400, f"dataSourceId: {TAKEN}")
    pixel = {"pixelId": "4711", "businessId": "1", "accessToken": "secret", "externalId": ""}
    assert api.refusal("createConversionApiGatewayPipeline", **pixel) == (400, f"pixelId: {TAKEN}")
    assert api.refusal("setupPixelSignalConfig", input=pixel) == (400, f"pixelId: {TAKEN}")
    assert snapshot() == before


def test_a_sources_id_is_no_pixels_in_the_same_account(cast: Cast, api: Api) -> None:
    api.source(api.pipeline(), dataSourceId="4711")
    pixel = {"pixelId": "4711", "businessId": "1", "accessToken": "secret", "externalId": ""}

    assert api.refusal("setupPixelSignalConfig", input=pixel) == (
        400,
        "pixelId: is the id of a data source of this account that is no Meta Pixel.",
    )


@pytest.mark.parametrize("given", ["no digits", "1" * 21, "٣", "-1", "1" * 10_000])
def test_an_id_is_1_to_20_digits(api: Api, given: str) -> None:
    wanted = make(api, dataSourceId=given)

    assert api.refusal("createDataSourceForPipeline", **wanted) == (400, "dataSourceId: must be 1 to 20 digits.")


@pytest.mark.parametrize("given", ["", None])
def test_an_empty_id_stands_for_a_new_one(api: Api, given: str | None) -> None:
    assert len(api.get("createDataSourceForPipeline", **make(api, dataSourceId=given))["id"]) == 19


def test_a_made_id_that_is_taken_is_made_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    PixelFactory.create(pixel_id="1000000000000000007")
    found = iter([7, 8])
    monkeypatch.setattr("pipelines.services.sources.secrets.randbelow", lambda _: next(found))

    assert sources.new_source_id() == "1000000000000000008"


@pytest.mark.parametrize("kind", ["META_PIXEL", "UNKNOWN"])
def test_a_source_is_of_a_kind_that_can_be_made(api: Api, kind: str) -> None:
    assert api.refusal("createDataSourceForPipeline", **make(api, dataSourceType=kind))[0] == 400


def test_a_source_that_joins_is_of_the_kind_that_is_named(api: Api) -> None:
    source = api.source(api.pipeline())

    assert api.refusal(
        "createDataSourceForPipeline", **make(api, dataSourceId=source, dataSourceType="FILE_UPLOAD")
    ) == (
        400,
        "dataSourceType: must be the type that this data source has.",
    )


@pytest.mark.parametrize(
    "given",
    [
        {"type": "FILE_UPLOAD"},
        {"dataSourceType": "FILE_UPLOAD"},
        {"type": "FILE_UPLOAD", "dataSourceType": "FILE_UPLOAD"},
    ],
)
def test_a_type_goes_by_either_name(api: Api, given: dict[str, str]) -> None:
    source = api.source(api.pipeline())

    assert api.get("updateDataSource", input={"id": source, **given})["type"] == "FILE_UPLOAD"


def test_two_types_that_differ_are_refused(api: Api) -> None:
    given = {"id": api.source(api.pipeline()), "type": "FILE_UPLOAD", "dataSourceType": "ADVERTISER_HOSTED_SDK"}

    assert api.refusal("updateDataSource", input=given) == (
        400,
        "dataSourceType: must be the same as type, or be left out.",
    )


def test_the_header_code_is_the_references(api: Api, settings: Any) -> None:
    settings.BASE_URL = "https://gateway.example.net"
    source = api.source(api.pipeline(), dataSourceId="4711")

    code = api.get("createGatewayPixelHeaderCode", dataSourceId=source)

    assert code == CODE % {"host": "https://gateway.example.net"}


def test_the_header_codes_host_is_the_accounts_own_domain_once_it_is_verified(cast: Cast, api: Api) -> None:
    domain = IngressDomainFactory.create(tenant=cast.shoes, ingress="capig.example.com")
    source = api.source(api.pipeline(), dataSourceId="4711")
    assert "capig.example.com" not in api.get("createGatewayPixelHeaderCode", dataSourceId=source)

    domain.status = IngressDomain.Status.VERIFIED
    domain.save()

    assert api.get("createGatewayPixelHeaderCode", dataSourceId=source) == CODE % {"host": "https://capig.example.com"}


def test_a_file_has_no_script(api: Api) -> None:
    source = api.source(api.pipeline(), dataSourceType="FILE_UPLOAD")

    assert api.refusal("createGatewayPixelHeaderCode", dataSourceId=source)[0] == 400
    assert api.refusal("updateGatewayPixelConfig", pixelId=source, config={"enableAam": True})[0] == 400


def test_a_script_begins_with_first_party_cookies_alone(api: Api) -> None:
    source = api.source(api.pipeline())

    assert api.get("updateGatewayPixelConfig", pixelId=source) == {
        "id": source,
        "name": "Website",
        "enabledStatus": True,
        "plugins": ["FIRST_PARTY_COOKIE"],
        "aamFields": [],
        "enableContactDataHash": False,
        "customIntegrityScript": "",
        "estRuleGroups": [],
        "iwlParameters": [],
        "creationSourcePlatform": None,
        "creationSourceId": None,
    }


def test_a_script_is_configured(api: Api) -> None:
    source = api.source(api.pipeline())
    config = {
        "enabledStatus": False,
        "enableAam": True,
        "enableFirstPartyCookie": False,
        "aamFields": ["ph", "em", "em"],
        "enableAutomaticForkMetaPixelEvent": True,
        "enableContactDataHash": True,
        "customIntegrityScript": "function (event) {\n\treturn {shouldDrop: false};\n}",
    }

    answer = api.get("updateGatewayPixelConfig", pixelId=source, config=config)

    assert (answer["enabledStatus"], answer["plugins"]) == (False, ["AUTOMATIC_ADVANCED_MATCHING"])
    assert (answer["aamFields"], answer["enableContactDataHash"]) == (["em", "ph"], True)
    assert answer["customIntegrityScript"] == config["customIntegrityScript"]
    assert Source.objects.get().fork_meta_pixel
    assert api.get("updateGatewayPixelConfig", pixelId=source, config={}) == answer


def test_advanced_matching_reads_all_fields_where_none_was_ever_named(api: Api) -> None:
    source = api.source(api.pipeline())

    answer = api.get("updateGatewayPixelConfig", pixelId=source, config={"enableAam": True})

    assert answer["aamFields"] == ["em", "fn", "ln", "ph", "ge", "ct", "st", "zp", "country", "db", "external_id"]


UNREADABLE = (
    "customIntegrityScript: must be a function that browsers can read. "
    "From line 2 on: SyntaxError: Unexpected identifier 'x'"
)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"aamFields": ["em", "iban"]},
            AMONG,
        ),
        (
            {"aamFields": ["em"] * 400},
            AMONG,
        ),
        ({"customIntegrityScript": "x" * 20_001}, "customIntegrityScript: must have at most 20,000 characters."),
        ({"customIntegrityScript": "event => event\nx"}, UNREADABLE),
        ({"customIntegrityScript": "x\x00"}, "customIntegrityScript: must not contain control characters."),
    ],
)
def test_a_script_is_bounded(api: Api, config: dict[str, Any], words: str) -> None:
    source = api.source(api.pipeline())
    before = snapshot()

    assert api.refusal("updateGatewayPixelConfig", pixelId=source, config=config) == (400, words)
    assert snapshot() == before


def test_the_log_shows_the_beginning_of_a_long_script(api: Api) -> None:
    source = api.source(api.pipeline())
    api.get("updateGatewayPixelConfig", pixelId=source, config={"customIntegrityScript": "y" * 20_000})

    changes = AuditEntry.objects.get(act="configure data source").changes
    assert changes == {"custom_integrity_script": ["", f"{'y' * 200}…"]}
