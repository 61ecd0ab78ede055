"""Pages of this repository that are written from the catalog, the commands and a release."""
