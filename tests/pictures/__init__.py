"""The pictures of the documentation: a company of our own, a real browser, and a list of stations (``stations``)."""
