"""Identifiers in paths: any character, also an encoded slash; the last segment of a path is the resource."""

from __future__ import annotations

from flask import request
from werkzeug.routing import BaseConverter

from api.errors import FieldError, invalid
from recommender.column_kinds import KINDS, BadValue


class IdentifierConverter(BaseConverter):
    """Matches what no later part of the rule needs: slashes, dots and line ends are part of the identifier."""

    part_isolating = False
    regex = r"[\s\S]+?"


def checked_for_writing(parameter: str, identifier: str) -> str:
    """The identifier where it can be stored; else the 422 that says why it cannot."""
    try:
        request.environ["PATH_INFO"].encode("latin-1").decode()
        return str(KINDS["identifier"].parse(identifier))
    except UnicodeDecodeError:
        raise invalid([FieldError("not_unicode", "is not UTF-8 when decoded", parameter=parameter)]) from None
    except BadValue as bad:
        raise invalid([FieldError(bad.code, str(bad), parameter=parameter)]) from None
