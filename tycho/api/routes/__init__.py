"""All routes: the first Tycho's verbs, and the readable ones over the same verbs."""

from __future__ import annotations

from fastapi import APIRouter

from tycho.api.routes import changing, health, pausing, reading, seed, watching

router = APIRouter()
router.include_router(seed.router)
router.include_router(reading.router)
router.include_router(changing.router)
router.include_router(pausing.router)
router.include_router(watching.router)
router.include_router(health.router)
