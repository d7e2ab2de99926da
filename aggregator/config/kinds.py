"""The kinds of values that keys take: each a reader of `scalars` or `values`, with its JSON Schema for editors.

The schema of a kind accepts whatever its reader accepts; it need not refuse all that the reader refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from aggregator import models
from aggregator.config import scalars, values
from aggregator.config.scalars import Context

T = TypeVar("T")

RULE_ACTS = ("add", "remove", "only")
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")

_VARIABLE = r"\$\{"
_TEXT: dict[str, Any] = {"type": ["string", "number"], "pattern": r"\S"}


def _read(reader: Callable[[object, Context], T]) -> PlainValidator:
    """`reader` as a pydantic validator, which finds its `Context` in pydantic's."""

    def validate(value: object, info: ValidationInfo) -> T:
        assert isinstance(info.context, Context)
        return reader(value, info.context)

    return PlainValidator(validate)


def _shape(pattern: str, **more: object) -> WithJsonSchema:
    """The schema of a text of that shape, or with a variable in it, whose value an editor cannot know."""
    return WithJsonSchema({"type": "string", "pattern": f"{pattern}|{_VARIABLE}", **more})


def _free(**more: object) -> WithJsonSchema:
    """The schema of a free text. A plain number is taken as typed, but to an editor it is a number."""
    return WithJsonSchema(_TEXT | more)


def _among(words: tuple[str, ...]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"enum": list(words)}, {"type": "string", "pattern": _VARIABLE}]})


Title = Annotated[str, _read(values.title), _free()]
Note = Annotated[str, _read(scalars.any_text), WithJsonSchema({"type": ["string", "number"]})]
Label = Annotated[str, _read(values.label), _free(pattern=r"^[^/\\.\s]([^/\\]*[^/\\\s])?$")]
# A term that must exist: `checks` says more about one that does not than its shape could.
KnownTerm = Annotated[str, _read(scalars.text), _free(pattern=rf"^{values.TERM}$|{_VARIABLE}")]
Term = Annotated[
    str,
    _read(values.term),
    _free(**{"pattern": rf"^{values.TERM}$|{_VARIABLE}", "not": {"enum": list(models.RESERVED_TERMS)}}),
]
Word = Annotated[str, _read(values.word), _free()]
Path = Annotated[str, _read(values.path), _free(pattern=r"^\s*[^~\s]")]
Secret = Annotated[str, _read(values.secret), WithJsonSchema({"type": ["string", "number"], "minLength": 1})]
SecretFile = Annotated[str, _read(values.secret_file), _free()]
HeaderName = Annotated[str, _read(values.header_name)]
HeaderValue = Annotated[str, _read(values.header_value), _free()]

Url = Annotated[str, _read(values.url), _shape(r"^[hH][tT][tT][pP][sS]?://[^/?#@\s]+([/?#]\S*)?$")]
BaseUrl = Annotated[str, _read(values.base_url), _shape(r"^$|^[hH][tT][tT][pP][sS]?://[^/?#@\s]+(/[^?#\s]*)?$")]
Host = Annotated[str, _read(values.host), _shape(r"^[^/@\s\[\]]+$", examples=["feeds.example.com"])]
Network = Annotated[IPv4Network | IPv6Network, _read(values.network), _shape(r"^[0-9A-Za-z.:%]+(/[0-9.]+)?$")]
Listen = Annotated[
    tuple[str, int],
    _read(values.listen),
    PlainSerializer(values.listen_text),
    _shape(r"^(\[[^\[\]\s]+\]|[^:\[\]\s]+):[0-9]{1,5}$"),
]
Language = Annotated[str, _read(values.language), _shape(f"^{values.LANGUAGE}$", examples=["zh-Hans", "zh-TW", "en"])]
SiteLanguage = Annotated[str, _read(values.site_language), _among(values.SITE_LANGUAGES)]
Timezone = Annotated[str, _read(values.timezone), _shape(r"^[A-Za-z][A-Za-z0-9_+/-]*$", examples=["Asia/Shanghai"])]

RuleField = Annotated[str, _read(partial(scalars.choice, among=values.FIELDS)), _among(values.FIELDS)]
RuleAct = Annotated[str, _read(partial(scalars.choice, among=RULE_ACTS)), _among(RULE_ACTS)]
LogLevel = Annotated[str, _read(partial(scalars.choice, among=LOG_LEVELS)), _among(LOG_LEVELS)]
LogFormat = Annotated[str, _read(partial(scalars.choice, among=LOG_FORMATS)), _among(LOG_FORMATS)]
Boolean = Annotated[bool, _read(scalars.boolean), WithJsonSchema({"type": "boolean"})]


def _whole(most: int) -> tuple[PlainValidator, WithJsonSchema]:
    schema = WithJsonSchema({"type": "integer", "minimum": 1, "maximum": most})
    return _read(partial(scalars.whole, least=1, most=most)), schema


_thousand = _whole(1_000)
_million = _whole(1_000_000)
_hundred_thousand = _whole(100_000)
UpToThousand = Annotated[int, _thousand[0], _thousand[1]]
UpToMillion = Annotated[int, _million[0], _million[1]]
UpToHundredThousand = Annotated[int, _hundred_thousand[0], _hundred_thousand[1]]

_SHARES = {"least": 0.001, "most": 0.999}
_WEIGHTS = {"least": -20.0, "most": 20.0}
_share: dict[str, Any] = {"type": "number", "minimum": _SHARES["least"], "maximum": _SHARES["most"]}
_weight: dict[str, Any] = {"type": "number", "minimum": _WEIGHTS["least"], "maximum": _WEIGHTS["most"]}
Share = Annotated[float, _read(partial(scalars.decimal, **_SHARES))]
Weight = Annotated[float, _read(partial(scalars.decimal, **_WEIGHTS)), WithJsonSchema(_weight)]
WeightOrNone = Annotated[
    float,
    _read(partial(scalars.optional_decimal, **_WEIGHTS)),
    WithJsonSchema({"anyOf": [{"const": "none"}, _weight], "examples": [2.5]}),
]

_size = _shape(r"^0*[1-9][0-9]*(B|KB|MB|GB|KiB|MiB|GiB)$", examples=["15MiB", "500KiB", "2MB"])
Size = Annotated[int, _read(scalars.size), PlainSerializer(scalars.size_text), _size]

_DURATION = r"^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$|^0$"
_duration = _shape(_DURATION, examples=["30m", "6h", "1d", "1h30m", "90s"])
_duration_text = PlainSerializer(scalars.duration_text)


def _at_least(least: timedelta) -> PlainValidator:
    return _read(partial(scalars.duration, least=least))


Duration = Annotated[timedelta, _read(scalars.duration), _duration_text, _duration]
SecondOrMore = Annotated[timedelta, _at_least(timedelta(seconds=1)), _duration_text, _duration]
DayOrMore = Annotated[timedelta, _at_least(timedelta(days=1)), _duration_text, _duration]
SecondOrMoreOrNone = Annotated[
    timedelta | None,
    _read(partial(scalars.optional_duration, least=timedelta(seconds=1))),
    PlainSerializer(scalars.optional_duration_text),
    _shape(f"^none$|{_DURATION}", examples=["none", "3d"]),
]

# Lists that may be written as a single value.
Names = Annotated[tuple[Title, ...], BeforeValidator(scalars.many, json_schema_input_type=Title | tuple[Title, ...])]
Terms = Annotated[
    tuple[KnownTerm, ...], BeforeValidator(scalars.many, json_schema_input_type=KnownTerm | tuple[KnownTerm, ...])
]
Words = Annotated[tuple[Word, ...], BeforeValidator(scalars.many, json_schema_input_type=Word | tuple[Word, ...])]
Prior = Annotated[
    dict[KnownTerm, Share],
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": rf"^{values.TERM}$|{_VARIABLE}"},
            "additionalProperties": _share,
        }
    ),
]
RuleFields = Annotated[
    tuple[RuleField, ...],
    BeforeValidator(scalars.many, json_schema_input_type=RuleField | tuple[RuleField, ...]),
]
Headers = Annotated[
    dict[HeaderName, HeaderValue],
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": f"^{values.HEADER_NAME}$", "not": {"enum": list(values.FETCHERS_HEADERS)}},
            "additionalProperties": _TEXT,
        }
    ),
]
