"""The explorer: a static site made from one release, where people look before they download."""
