"""The forms of an upload and of an export."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext, gettext_lazy

from console.templatetags.words import said_lazily
from transfers import files
from transfers.files import Format
from transfers.kinds import KINDS

FORMATS = {
    Format.CSV: gettext_lazy("CSV, for spreadsheets"),
    Format.JSON_LINES: gettext_lazy("JSON Lines, for programs"),
}


def in_megabytes(size: int) -> str:
    return f"{size // (1024 * 1024):,} MB"


class UploadForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("What is in it"),
        choices=[(kind.name, said_lazily(kind.title)) for kind in KINDS.values()],
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=format_lazy(
            gettext_lazy("CSV or JSON Lines, UTF-8, at most {size}."),
            size=in_megabytes(files.MOST_BYTES),
        ),
        widget=forms.FileInput(
            attrs={
                "accept": ".csv,.jsonl,.ndjson",
                "data-most-bytes": files.MOST_BYTES,
                "data-too-large": format_lazy(
                    gettext_lazy(
                        "The file is larger than {size}. Split it, or import it with "
                        "manage.py import_file."
                    ),
                    size=in_megabytes(files.MOST_BYTES),
                ),
            }
        ),
    )

    def clean_file(self) -> Any:
        file: Any = self.cleaned_data["file"]
        if (file.size or 0) > files.MOST_BYTES:
            raise forms.ValidationError(
                gettext("The file is larger than {size}. Split it.").format(
                    size=in_megabytes(files.MOST_BYTES)
                )
            )
        return file


class ExportForm(forms.Form):
    format = forms.ChoiceField(
        choices=list(FORMATS.items()), widget=forms.RadioSelect, initial=Format.CSV
    )
