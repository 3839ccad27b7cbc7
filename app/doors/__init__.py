"""Doors own HTTP, one for each audience; each proves who is asking in one `before_request`."""
