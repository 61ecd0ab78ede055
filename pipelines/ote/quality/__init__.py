"""What must be true of every table, checked before anything is published, and the page that reports it."""
