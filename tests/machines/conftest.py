import pytest

from tests.serving import Serving


@pytest.fixture
def serve(tmp_path):
    """Start all of `serve`, with these settings."""
    started = []

    def start(**environment):
        serving = Serving(tmp_path / "serving", **environment)
        started.append(serving)
        return serving.start()

    yield start
    for serving in started:
        serving.stop()
