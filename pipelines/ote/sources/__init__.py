"""One module per upstream source: a pure parser and the assets that store its result."""
