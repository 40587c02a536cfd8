"""What pages may say of mails."""

from __future__ import annotations

from django import template

from portal.mail import is_mail_set_up

register = template.Library()
register.simple_tag(is_mail_set_up)
