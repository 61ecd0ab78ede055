"""Releases: their files, versions and differences; putting them where others get them, and checking them."""
