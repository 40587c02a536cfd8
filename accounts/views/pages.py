"""What the views of accounts share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from accounts.models import Tenant


def address(view_name: str, tenant: Tenant | None = None, *args: object) -> str:
    """The page's address: of the account, or of the host where there is none."""
    path = reverse(view_name, args=args)
    return f"{path}?{urlencode({'tenant': tenant.pk})}" if tenant else path


def form_page(
    request: HttpRequest, template: str, form: Form, context: Mapping[str, Any] | None = None
) -> HttpResponse:
    """The page with the form: 400 where it was refused, with what was typed."""
    return render(request, template, {"form": form, **(context or {})}, status=400 if form.errors else 200)
