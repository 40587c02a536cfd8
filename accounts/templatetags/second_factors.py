"""What pages may ask about second factors."""

from __future__ import annotations

from django import template

from accounts.second_factors import must_prove_address

register = template.Library()
register.simple_tag(must_prove_address)
