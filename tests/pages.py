"""An account's pages, as a person's browser asks for them."""

from __future__ import annotations

import html
import re
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import Tenant, User
from tests.base import login


def address(name: str, tenant: Tenant, /, *args: object, **query: Any) -> str:
    """The page's address."""
    return reverse(name, args=args, query={"tenant": tenant.pk, **query})


def see(who: User | Client, name: str, tenant: Tenant, /, *args: object, **query: Any) -> str:
    """The page's HTML, as far as it is shown: without the tags' attributes, and with plain spaces."""
    return text_of(get(who, name, tenant, *args, **query))


def get(who: User | Client, name: str, tenant: Tenant, /, *args: object, **query: Any) -> Any:
    """The answer to a GET, which must be a page."""
    answer = _client(who).get(address(name, tenant, *args, **query))
    assert answer.status_code == 200, answer.status_code
    return answer


def post(who: User | Client, name: str, tenant: Tenant, /, *args: object, **data: Any) -> Any:
    """The answer to a POST."""
    return _client(who).post(address(name, tenant, *args), data)


def text_of(answer: HttpResponse) -> str:
    """What a reader of the answer sees."""
    shown = re.sub(r"<(script|title|svg)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", shown)).split())


def _client(who: User | Client) -> Client:
    return who if isinstance(who, Client) else login(who)
