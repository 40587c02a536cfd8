"""The websites whose visitors' browsers may send to a pixel."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import Action
from accounts.views.pages import address, form_page
from accounts.web import AccountRequest, account_page, refusals_in
from pixels.forms import WebsitesForm
from pixels.reads import get_pixel
from pixels.services import set_browser_websites


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def limit_websites(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """A list of them, or all."""
    pixel = get_pixel(request.tenant, pixel_id)
    form = (
        WebsitesForm(request.POST)
        if request.method == "POST"
        else WebsitesForm(initial={"websites": "\n".join(pixel.browser_websites)})
    )
    if form.is_valid():
        with refusals_in(form):
            changed = set_browser_websites(
                principal=request.principal,
                tenant_id=request.tenant.pk,
                pixel_id=pixel.pixel_id,
                websites=form.cleaned_data["websites"].split(),
            )
            messages.success(request, _("The websites that may send to %(pixel)s are changed.") % {"pixel": changed})
            return redirect(address("pixels:sending", request.tenant, pixel.pixel_id))
    return form_page(request, "pixels/websites.html", form, {"pixel": pixel})
