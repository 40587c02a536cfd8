"""The form of the API reference's console."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class ConsoleForm(forms.Form):
    """A GraphQL request, as it is typed."""

    query = forms.CharField(label=_("Document"), strip=False, widget=forms.Textarea(attrs={"rows": 14}))
    variables = forms.CharField(
        label=_("Variables"), required=False, strip=False, widget=forms.Textarea(attrs={"rows": 8})
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        for field in self.fields.values():
            field.widget.attrs |= {"class": "font-monospace", "spellcheck": "false", "autocapitalize": "none"}
