"""Files to download, sent a part at a time."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse


def download(
    request: HttpRequest, parts: Iterator[bytes], *, name: str, content_type: str
) -> StreamingHttpResponse:
    """A file with this name. Memory is that of one part, under WSGI and under ASGI."""
    return StreamingHttpResponse(
        _later(parts) if isinstance(request, ASGIRequest) else parts,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _later(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    read = sync_to_async(lambda: next(parts, None))
    while (part := await read()) is not None:
        yield part
