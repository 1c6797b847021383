"""What a value of each kind may look like: parsed one by one for requests, and in bulk for files.

The scalar ``parse`` is the definition. ``parse_series`` converts at once what is certainly good and gives the rest
to ``parse``, so a file and a request can never disagree.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

IDENTIFIER_CHARACTERS = 256
TEXT_CHARACTERS = 20_000
# What is stored must be written into answers again, and orjson writes no more than 254 levels.
MOST_LEVELS = 64

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_INTEGER = re.compile(r"\s*[+-]?\d{1,18}(\.0+)?\s*")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII)
_INSTANT_WITH_OFFSET = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


class BadValue(ValueError):
    """A value that its column cannot hold: ``code`` for programs, the message for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Kind:
    """A kind of column: its pandas dtype, its parser, and its conversion in bulk.

    ``convert`` returns the converted values and a mask of those that are certainly good; the others are parsed
    one by one.
    """

    name: str
    dtype: str
    parse: Callable[[Any], Any]
    convert: Callable[[pd.Series], tuple[pd.Series, pd.Series]]


def shown(value: Any) -> str:
    """A value as it may stand in a message: quoted and short."""
    try:
        text = repr(value)
    except RecursionError:
        return f"a {type(value).__name__} nested too deeply to show"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _clean_text(value: Any, limit: int) -> str:
    if not isinstance(value, str):
        raise BadValue("wrong_type", f"{shown(value)} is not text")
    if len(value) > limit:
        raise BadValue("too_long", f"{len(value)} characters are more than {limit}")
    if "\x00" in value:
        raise BadValue("control_character", "the character U+0000 cannot be stored")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadValue("not_unicode", f"{shown(value)} holds half of a surrogate pair") from None
    return value


def _parse_identifier(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value == "":
        raise BadValue("missing_value", "an identifier is empty")
    return _clean_text(value, IDENTIFIER_CHARACTERS)


def _parse_text(value: Any) -> str:
    return _clean_text(value, TEXT_CHARACTERS)


def _parse_word(value: Any) -> str:
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise BadValue("wrong_type", f"{shown(value)} is not a lower-case word")
    return value


def _parse_instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        moment = _python_datetime(value)
    elif isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value.upper())
        except ValueError:
            raise BadValue("wrong_type", f"{shown(value)} is no time of any calendar") from None
    else:
        raise BadValue("wrong_type", f"{shown(value)} is not an instant such as 2017-12-04T16:05:00Z")
    if moment.tzinfo is None:
        raise BadValue("naive_instant", f"{shown(str(value))} has no offset; write it with Z or +01:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise BadValue("out_of_range", f"{shown(value)} lies outside the calendar") from None


def _python_datetime(value: datetime) -> datetime:
    # A Timestamp of pandas reaches beyond the calendar of Python; nanoseconds are cut off.
    if not hasattr(value, "to_pydatetime"):
        return value
    try:
        moment: datetime = value.to_pydatetime(warn=False)
    except (ValueError, OverflowError):
        raise BadValue("out_of_range", f"{shown(value)} lies outside the calendar") from None
    return moment


def _parse_decimal(value: Any) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    text_is_number = isinstance(value, str) and _NUMBER.fullmatch(value) is not None
    if isinstance(value, str) and value.strip().lower().lstrip("+-") in {"nan", "inf", "infinity"}:
        raise BadValue("not_finite", f"{shown(value)} is not a finite number")
    if not is_number and not text_is_number:
        raise BadValue("wrong_type", f"{shown(value)} is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadValue("not_finite", f"{shown(value)} is not a finite number")
    return number


def _parse_integer(value: Any) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value.split(".")[0])
    number = _parse_decimal(value)
    if number != int(number):
        raise BadValue("wrong_type", f"{shown(value)} is not a whole number")
    if abs(number) >= 2**63:
        raise BadValue("out_of_range", f"{shown(value)} is too large")
    return int(number)


def _parse_boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise BadValue("wrong_type", f"{shown(value)} is neither true nor false")


def _parse_list(value: Any) -> str:
    try:
        entries = json.loads(value) if isinstance(value, str) else list(value)
    except (TypeError, ValueError, RecursionError):
        raise BadValue("wrong_type", f"{shown(value)} is not a list; write it as a JSON array") from None
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise BadValue("wrong_type", f"{shown(value)} is not a list of texts")
    return json.dumps([_clean_text(entry, TEXT_CHARACTERS) for entry in entries], ensure_ascii=False)


def _parse_object(value: Any) -> str:
    try:
        entries = json.loads(value) if isinstance(value, str) else value
        is_flat = _is_within_levels(entries, MOST_LEVELS)
        text = json.dumps(entries, ensure_ascii=False, sort_keys=True, allow_nan=False) if is_flat else ""
    except RecursionError:
        is_flat = False
    except (TypeError, ValueError):
        raise BadValue("wrong_type", f"{shown(value)} is not a JSON object") from None
    if not is_flat:
        raise BadValue("too_deep", f"{shown(value)} has more than {MOST_LEVELS} levels")
    if not isinstance(entries, dict):
        raise BadValue("wrong_type", f"{shown(value)} is not a JSON object")
    return _clean_text(text, TEXT_CHARACTERS)


def _is_within_levels(value: Any, levels: int) -> bool:
    if not isinstance(value, (dict, list)):
        return True
    parts = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_within_levels(part, levels - 1) for part in parts)


def _convert_text(limit: int) -> Callable[[pd.Series], tuple[pd.Series, pd.Series]]:
    def convert(series: pd.Series) -> tuple[pd.Series, pd.Series]:
        import pandas as pd

        if pd.api.types.is_integer_dtype(series.dtype) and limit == IDENTIFIER_CHARACTERS:
            return series.astype("string"), series.notna()
        if not _is_text(series):
            return _nothing_certain(series, "string")
        try:
            texts = series.astype("string")
        except UnicodeEncodeError:
            return _nothing_certain(series, "string")
        certain = texts.str.len().between(1, limit) & ~texts.str.contains("\x00", regex=False)
        return texts, certain.fillna(False).astype(bool)

    return convert


def _convert_instant(series: pd.Series) -> tuple[pd.Series, pd.Series]:
    import pandas as pd

    if isinstance(series.dtype, pd.DatetimeTZDtype):
        moments = series.dt.tz_convert("UTC").dt.as_unit("us")
    elif _is_text(series):
        texts = series.astype("string")
        plausible = texts.str.fullmatch(_INSTANT_WITH_OFFSET).fillna(False).astype(bool)
        moments = pd.to_datetime(texts.where(plausible), format="ISO8601", utc=True, errors="coerce").dt.as_unit("us")
    else:
        return _nothing_certain(series, "datetime64[us, UTC]")
    return moments, moments.between(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def _is_text(series: pd.Series) -> bool:
    import pandas as pd

    if series.dtype != object:
        return bool(pd.api.types.is_string_dtype(series.dtype))
    return bool(pd.api.types.infer_dtype(series, skipna=True) == "string")


def _convert_decimal(series: pd.Series) -> tuple[pd.Series, pd.Series]:
    import numpy as np
    import pandas as pd

    if pd.api.types.is_bool_dtype(series.dtype):
        return _nothing_certain(series, "float64")
    if pd.api.types.is_string_dtype(series.dtype) and series.dtype != object:
        numbers = pd.to_numeric(series, errors="coerce")
    elif pd.api.types.is_numeric_dtype(series.dtype):
        numbers = series
    else:
        return _nothing_certain(series, "float64")
    values = numbers.astype("Float64").to_numpy(dtype="float64", na_value=np.nan)
    return pd.Series(values, index=series.index), pd.Series(np.isfinite(values), index=series.index)


def _convert_integer(series: pd.Series) -> tuple[pd.Series, pd.Series]:
    import numpy as np
    import pandas as pd

    values, certain = _convert_decimal(series)
    whole = certain & (values.abs() < 2**53) & (values == np.floor(values))
    return values.where(whole).astype("Int64"), pd.Series(whole.to_numpy(dtype=bool), index=series.index)


def _convert_boolean(series: pd.Series) -> tuple[pd.Series, pd.Series]:
    import pandas as pd

    if pd.api.types.is_bool_dtype(series.dtype):
        return series.astype("boolean"), series.notna()
    return _nothing_certain(series, "boolean")


def _nothing_certain(series: pd.Series, dtype: str) -> tuple[pd.Series, pd.Series]:
    import pandas as pd

    return pd.Series(None, index=series.index, dtype=dtype), pd.Series(False, index=series.index)


def _convert_one_by_one(series: pd.Series) -> tuple[pd.Series, pd.Series]:
    return _nothing_certain(series, "string")


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("identifier", "string", _parse_identifier, _convert_text(IDENTIFIER_CHARACTERS)),
        Kind("text", "string", _parse_text, _convert_text(TEXT_CHARACTERS)),
        Kind("word", "string", _parse_word, _convert_one_by_one),
        Kind("instant", "datetime64[us, UTC]", _parse_instant, _convert_instant),
        Kind("decimal", "float64", _parse_decimal, _convert_decimal),
        Kind("integer", "Int64", _parse_integer, _convert_integer),
        Kind("boolean", "boolean", _parse_boolean, _convert_boolean),
        Kind("list", "string", _parse_list, _convert_one_by_one),
        Kind("object", "string", _parse_object, _convert_one_by_one),
    )
}
