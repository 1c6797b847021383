"""JSON in and out with orjson."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


class OrjsonProvider(JSONProvider):
    """Instants end in Z; NaN, half surrogates and duplicate documents are refused when read."""

    def dumps(self, obj: Any, **options: Any) -> str:
        """The JSON text of a value."""
        return orjson.dumps(obj, option=OPTIONS).decode()

    def loads(self, s: str | bytes, **options: Any) -> Any:
        """The value of a JSON text; raises ValueError."""
        return orjson.loads(s)

    def response(self, *args: Any, **keywords: Any) -> Response:
        """A response of type application/json."""
        body = orjson.dumps(self._prepare_response_obj(args, keywords), option=OPTIONS)
        return Response(body, content_type="application/json")
