"""Typed mapping between Python types, Recon values and JSON.

    fix = form(Fix)
    fix.decode(recon.decode("{lat:1.5,lon:2}"))    # Fix(lat=1.5, lon=2.0)
    fix.encode(Fix(1.5, 2.0))                      # a Record
    fix.from_json(b'{"lat":1.5,"lon":2}')

``docs/reference/form.md`` has the table of types.  The lanes, the turns, the HTTP side and the client call this package; it
knows only the Recon values and the errors.
"""

from natant.codec.form.form import Form, form
from natant.codec.form.free import any_from_json, any_to_json
from natant.codec.form.hint import hints
from natant.codec.form.plan import DEPTH_LIMIT

__all__ = ["DEPTH_LIMIT", "Form", "any_from_json", "any_to_json", "form", "hints"]
