"""The HTML for a website's head that loads the script of its data source."""

from __future__ import annotations

from django.db import transaction

from accounts.audit import record
from accounts.models import Tenant
from accounts.principals import Principal
from accounts.services.routing import address_of
from pipelines.lookups import find_gateway_source, to_edit
from pipelines.models import Source
from pipelines.services import acts
from pipelines.services.sources import refuse_files

#: Loads the script, and keeps what it is told until it is there.
LOADER = """\
!function(f,b,e,v,n,t,s)
{if(f.cbq)return;n=f.cbq=function(){n.callMethod?
n.callMethod.apply(n,arguments):n.queue.push(arguments)};
if(!f._cbq)f._cbq=n;n.push=n;n.loaded=!0;n.version='2.0';
n.queue=[];t=b.createElement(e);t.async=!0;
t.src=v;s=b.getElementsByTagName(e)[0];
s.parentNode.insertBefore(t,s)}(window,document,'script',
'%(host)s/sdk/%(id)s/events.js');
cbq('setHost', '%(host)s/');
cbq('init', '%(id)s');
"""
_CODE = (
    "<!-- Signals Gateway Pixel Code -->\n<script>\n"
    + LOADER
    + "cbq('track', 'PageView');\n</script>\n<!-- End Signals Gateway Pixel Code -->\n"
)


def header_code(tenant: Tenant, source: Source) -> str:
    """The code of the account's source. Its host is the account's own domain where that is verified."""
    return filled(_CODE, tenant, source)


def filled(code: str, tenant: Tenant, source: Source) -> str:
    """Code with the script's address and the source's id in it."""
    return code % {"host": address_of(tenant).rstrip("/"), "id": source.source_id}


@transaction.atomic
def make_header_code(*, principal: Principal, tenant_id: str, source_id: str) -> str:
    """The same for whoever may change the account's data, as an act of theirs."""
    tenant = to_edit(principal, tenant_id)
    source = find_gateway_source(tenant, source_id, field="dataSourceId")
    refuse_files(source, "dataSourceId")
    record(principal, acts.MAKE_HEADER_CODE, source, tenant=tenant)
    return header_code(tenant, source)
