"""Giving a pixel another name."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import Action
from accounts.views.pages import address, form_page
from accounts.web import AccountRequest, account_page, refusals_in
from pixels.forms import NameForm
from pixels.reads import get_pixel
from pixels.services import rename_pixel


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def rename(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """Call the pixel something else; its token stays."""
    pixel = get_pixel(request.tenant, pixel_id)
    form = NameForm(request.POST) if request.method == "POST" else NameForm(initial={"name": pixel.name})
    if form.is_valid():
        with refusals_in(form):
            renamed = rename_pixel(
                principal=request.principal,
                tenant_id=request.tenant.pk,
                pixel_id=pixel.pixel_id,
                name=form.cleaned_data["name"],
            )
            messages.success(request, _("The pixel is called %(pixel)s now.") % {"pixel": renamed})
            return redirect(address("pixels:detail", request.tenant, pixel.pixel_id))
    return form_page(request, "pixels/rename.html", form, {"pixel": pixel})
