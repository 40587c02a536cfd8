"""What pages may say of mails, and mails of names."""

from __future__ import annotations

from django import template

from accounts.mail import as_name, is_mail_set_up

register = template.Library()
register.simple_tag(is_mail_set_up)
register.filter(as_name)
