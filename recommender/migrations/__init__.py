"""Revisions of the store's schema, run by ``recommender.store_engine``."""
