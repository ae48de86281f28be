"""Roof of the house: composes everything below it. Settings, urls, pages, Server API."""

from console.celery import app as celery_app

__all__ = ["celery_app"]
