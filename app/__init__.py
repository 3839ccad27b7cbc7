"""Leima: a brand's own loyalty service over shops that it does not own. Start reading at `app.wsgi`."""
