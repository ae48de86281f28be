"""The forms of an upload and of an export."""

from typing import Any

from django import forms

from transfers import files
from transfers.files import Format
from transfers.kinds import KINDS

FORMATS = {Format.CSV: "CSV, for spreadsheets", Format.JSON_LINES: "JSON Lines, for programs"}


def in_megabytes(size: int) -> str:
    return f"{size // (1024 * 1024):,} MB"


class UploadForm(forms.Form):
    kind = forms.ChoiceField(
        label="What is in it", choices=[(kind.name, kind.title) for kind in KINDS.values()]
    )
    file = forms.FileField(
        label="File",
        help_text=f"CSV or JSON Lines, UTF-8, at most {in_megabytes(files.MOST_BYTES)}.",
        widget=forms.FileInput(
            attrs={
                "accept": ".csv,.jsonl,.ndjson",
                "data-most-bytes": files.MOST_BYTES,
                "data-too-large": f"The file is larger than {in_megabytes(files.MOST_BYTES)}. "
                "Split it, or import it with manage.py import_file.",
            }
        ),
    )

    def clean_file(self) -> Any:
        file: Any = self.cleaned_data["file"]
        if (file.size or 0) > files.MOST_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {in_megabytes(files.MOST_BYTES)}. Split it."
            )
        return file


class ExportForm(forms.Form):
    format = forms.ChoiceField(
        choices=list(FORMATS.items()), widget=forms.RadioSelect, initial=Format.CSV
    )
