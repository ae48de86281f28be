"""What Celery beat starts, and how often. Each task is a sweep that may run late, twice or side by
side (docs/decisions.md).
"""

from typing import Any

HOUR = 3600

_OFTEN = [
    "moderation.tasks.expire_bans",
    "users.tasks.resume_deletion_jobs",
    "transfers.tasks.resume_imports",
    "transfers.tasks.resume_exports",
    "users.tasks.end_leases",
    "users.tasks.purge_deleted",
    "users.tasks.erase_deactivated",
    "users.tasks.remove_dead_gateways",
    "applications.tasks.send_deliveries",
    "applications.tasks.seal_audit",
]
_EACH_MINUTE = ["moderation.tasks.sample_figures", "rollcall.tasks.look"]
_HOURLY = [
    "users.tasks.purge_messages",
    "transfers.tasks.forget_transfers",
    "applications.tasks.forget_deliveries",
    "applications.tasks.forget_requests",
    "applications.tasks.forget_audit",
    "applications.tasks.forget_sessions",
    "users.tasks.forget_tombstones",
    "moderation.tasks.forget_bans",
]


def entries(*, sweep_seconds: int) -> dict[str, dict[str, Any]]:
    """Celery's `beat_schedule`. A message expires when the next one is sent."""
    seconds = dict.fromkeys(_OFTEN, sweep_seconds) | dict.fromkeys(_HOURLY, HOUR)
    seconds |= dict.fromkeys(_EACH_MINUTE, 60)
    return {
        task: {"task": task, "schedule": float(every), "options": {"expires": every}}
        for task, every in seconds.items()
    }
