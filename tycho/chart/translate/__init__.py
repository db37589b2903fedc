"""Compose keys as fields of Kubernetes' objects: one module for each concern."""
