"""Static files are collected when they have changed."""

from rollcall import collected


def test_they_are_collected_again_only_after_a_change(tmp_path, settings, monkeypatch):
    runs = []
    monkeypatch.setattr(collected, "call_command", lambda *_, **__: runs.append(1))
    for name in ("source", "collected"):
        (tmp_path / name).mkdir()
    settings.STATICFILES_DIRS = [tmp_path / "source"]
    settings.STATIC_ROOT = tmp_path / "collected"
    for total, change in enumerate(("first", "second, longer"), start=1):
        (tmp_path / "source" / "page.css").write_text(change)
        for _ in range(2):
            collected.collect()
            assert len(runs) == total
