"""Times: relative to now, exact, and as a countdown."""

from datetime import UTC, datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html

from applications.lazy_texts import gettext_lazy
from console.templatetags import words

register = template.Library()


@register.simple_tag
def relative_time(moment: datetime | None, none: str = gettext_lazy("never")) -> str:
    if moment is None:
        return str(none)
    moment = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        moment.isoformat(),
        words.exact(moment),
        words.relative(moment, timezone.now()),
    )


@register.simple_tag
def exact_time(moment: datetime | None, none: str = gettext_lazy("never")) -> str:
    if moment is None:
        return str(none)
    moment = moment.astimezone(UTC)
    text = words.exact(moment)
    return format_html(
        '<time datetime="{}" title="{}" data-exact>{}</time>', moment.isoformat(), text, text
    )


@register.simple_tag
def countdown(until: datetime, over: str = gettext_lazy("over")) -> str:
    until = until.astimezone(UTC)
    now = timezone.now()
    return format_html(
        '<time datetime="{}" title="{}" data-countdown data-over="{}">{}</time>',
        until.isoformat(),
        words.exact(until),
        over,
        words.duration(until - now) if until > now else over,
    )
