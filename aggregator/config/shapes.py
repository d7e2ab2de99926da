"""The three files as pydantic models: which keys there are, of which kind, with which default, and what each means.

Defaults are those of `models`, so that they stand in one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from aggregator import models
from aggregator.config import kinds, scalars
from aggregator.config.scalars import BadValueError

_SETTINGS = models.Settings()
_SOURCE = models.Source(name="", url="")
_RULE = models.Rule()


class Shape(BaseModel):
    """A mapping with known keys. Values never appear in pydantic's errors: they may be secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Section(Shape):
    """A mapping whose keys are all optional, so that it may also be left blank (all its keys commented out)."""

    model_config = ConfigDict(json_schema_extra={"type": ["object", "null"]})

    @model_validator(mode="before")
    @classmethod
    def _blank_means_defaults(cls, data: Any) -> Any:
        return {} if scalars.is_blank(data) else data


# ---------------------------------------------------------------------------------------------- rules


class SoughtShape(Shape):
    """Items that are looked for in a field of their own, whatever `in` says."""

    model_config = ConfigDict(title="Item in a field", json_schema_extra={"minProperties": 1})

    title: kinds.Words = Field((), description="Looked for in the title.")
    text: kinds.Words = Field((), description="Looked for in the text: summary and content.")
    url: kinds.Words = Field((), description="Looked for in the entry's link.")
    author: kinds.Words = Field((), description="Looked for in the author's name.")
    source: kinds.Words = Field((), description="Looked for in the name of the source.")
    language: kinds.Words = Field((), description="Looked for in the language tag, such as zh-Hant.")

    @model_validator(mode="after")
    def _asks_for_something(self) -> SoughtShape:
        if not any(dict(self).values()):
            raise BadValueError("asks for nothing", "write a word behind the field")
        return self


def _kind_of_item(data: Any) -> str:
    return IN_FIELD if isinstance(data, dict) else IN_ANY


# Steps of pydantic's locations that name the kind of an item: the document has none of them.
IN_ANY, IN_FIELD = ITEM_KINDS = ("(word)", "(field)")
Item = Annotated[
    Annotated[kinds.Word, Tag(IN_ANY)] | Annotated[SoughtShape, Tag(IN_FIELD)], Discriminator(_kind_of_item)
]
Items = Annotated[tuple[Item, ...], BeforeValidator(scalars.many, json_schema_input_type=Item | tuple[Item, ...])]


class RuleShape(Shape):
    """One rule: it hits when every `all`, at least one `any` (where given) and no `none` is found."""

    model_config = ConfigDict(
        title="Rule",
        json_schema_extra={
            "anyOf": [{"required": ["any"]}, {"required": ["all"]}],
            "not": {"required": ["act", "weight"]},
        },
    )

    any: Items = Field((), description="At least one of these words, phrases or /patterns/ must be found.")
    all: Items = Field((), description="All of these must be found.")
    none: Items = Field((), description="None of these may be found.")
    fields: kinds.RuleFields = Field(_RULE.fields, alias="in", description="Where they are looked for.")
    act: kinds.RuleAct = Field(
        _RULE.act, description="What a hit does: file there (add), keep out (remove), or file only there (only)."
    )
    weight: kinds.Weight | None = Field(
        _RULE.weight, description="A hit only adds this to the category's score, in place of an act."
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> RuleShape:
        if not self.any and not self.all:
            raise BadValueError("has neither any nor all", "a rule must ask for something")
        if not self.fields:
            raise BadValueError("'in' names no field", "name one, or remove the key", key="in")
        if self.weight is not None and "act" in self.model_fields_set:
            raise BadValueError("there are both act and weight", "a rule decides, or it weighs", key="weight")
        return self


class SourceRuleShape(RuleShape):
    """One rule for the entries of one source."""

    model_config = ConfigDict(title="Rule of a source")

    category: kinds.KnownTerm = Field(description="The term of the category that the rule is about.")


# ---------------------------------------------------------------------------------------------- sources.yaml


class SourceShape(Shape):
    """One feed that is polled."""

    model_config = ConfigDict(
        title="Source",
        json_schema_extra={
            "dependentRequired": {"password": ["username"], "password_file": ["username"]},
            "not": {"required": ["password", "password_file"]},
        },
    )

    name: kinds.Title = Field(
        description="Its identity, unique. A new name is a new source, unless `formerly` has the old one."
    )
    url: kinds.Url = Field(description="The feed's address, http or https. A new address keeps the source's history.")
    category: kinds.Terms = Field(_SOURCE.categories, description="The term, or a list of terms, for all its entries.")
    prior: kinds.Prior = Field(
        {}, description="By term, which share of its entries belongs there: counts beside title and text."
    )
    rules: tuple[SourceRuleShape, ...] = Field((), description="Rules for its entries only.")
    every: kinds.SecondOrMore | None = Field(
        _SOURCE.every, description="Fixed polling interval; without it the feed's own rhythm."
    )
    language: kinds.Language | None = Field(
        _SOURCE.language, description="The language of its entries where they name none."
    )
    timezone: kinds.Timezone | None = Field(_SOURCE.timezone, description="The time zone of dates that name none.")
    enabled: kinds.Boolean = Field(_SOURCE.enabled, description="false: it is not polled, its entries stay.")
    headers: kinds.Headers = Field({}, repr=False, description="Request header fields that are sent to it.")
    username: kinds.Secret | None = Field(
        _SOURCE.username, repr=False, description="User name for HTTP authentication."
    )
    password: kinds.Secret | None = Field(
        _SOURCE.password, repr=False, description="Password; better a variable, ${NAME}."
    )
    password_file: kinds.SecretFile | None = Field(
        None,
        repr=False,
        description="File with the password in its first line; a relative path counts from the configuration's folder.",
    )
    full: kinds.Boolean = Field(
        _SOURCE.full, description="false: an excerpt with the link is published, not the whole text."
    )
    excerpt: kinds.UpToHundredThousand = Field(_SOURCE.excerpt, description="Length of the excerpt in characters.")
    formerly: kinds.Names = Field(_SOURCE.formerly, description="Names that the source had before.")


class SourcesShape(Shape):
    """The feeds that are polled."""

    model_config = ConfigDict(title="sources.yaml")

    sources: tuple[SourceShape, ...] = Field(description="The list of sources.")


# ---------------------------------------------------------------------------------------------- categories.yaml


class LabelsShape(Section):
    """The label in each language."""

    model_config = ConfigDict(title="Labels")

    zh_hans: kinds.Label | None = Field(None, alias="zh-Hans", description="The label in 简体中文.")
    zh_hant: kinds.Label | None = Field(None, alias="zh-Hant", description="The label in 繁體中文.")
    en: kinds.Label | None = Field(None, description="The label in English.")


class CategoryShape(Shape):
    """One category."""

    model_config = ConfigDict(title="Category")

    term: kinds.Term = Field(description="Its identity for ever, in the feeds' addresses.")
    label: kinds.Label = Field(description="Its name, which is an address too.")
    labels: LabelsShape = Field(default_factory=lambda: LabelsShape.model_validate({}))
    parent: kinds.KnownTerm | None = Field(None, description="The term of the category that holds its stories too.")
    threshold: kinds.WeightOrNone | None = Field(
        None, description="The score from which on an entry belongs to it; none: no score is enough."
    )
    rules: tuple[RuleShape, ...] = Field((), description="What files entries there, keeps them out, or weighs.")


class CategoriesShape(Shape):
    """The categories that entries are filed into."""

    model_config = ConfigDict(title="categories.yaml")

    categories: tuple[CategoryShape, ...] = Field(description="The list of categories.")


# ---------------------------------------------------------------------------------------------- aggregator.yaml


class SiteShape(Section):
    """How the published site names itself."""

    model_config = ConfigDict(title="Site")

    title: kinds.Title = Field(_SETTINGS.site.title, description="The title of the site and of its feeds.")
    base_url: kinds.BaseUrl = Field(
        _SETTINGS.site.base_url, description="The public address; empty: links are relative."
    )
    language: kinds.SiteLanguage = Field(_SETTINGS.site.language, description="The language of pages and labels.")
    hosts: tuple[kinds.Host, ...] = Field(
        _SETTINGS.site.hosts, description="Further host names that the site answers to."
    )


class FetchShape(Section):
    """Limits of one fetch, and manners towards hosts."""

    model_config = ConfigDict(title="Fetch")

    allow_networks: tuple[kinds.Network, ...] = Field(
        _SETTINGS.fetch.allow_networks, description="Private networks that may be fetched from, in CIDR notation."
    )
    deadline: kinds.SecondOrMore = Field(_SETTINGS.fetch.deadline, description="The most that one fetch may take.")
    max_body: kinds.Size = Field(_SETTINGS.fetch.max_body, description="The largest document, decompressed.")
    concurrency: kinds.UpToThousand = Field(
        _SETTINGS.fetch.concurrency, description="Fetches at once, each until its document is read."
    )
    per_host: kinds.UpToThousand = Field(_SETTINGS.fetch.per_host, description="Fetches at once from one host.")
    host_gap: kinds.Duration = Field(_SETTINGS.fetch.host_gap, description="Pause between two fetches from one host.")
    contact: kinds.Note = Field(_SETTINGS.fetch.contact, description="Address or page named in the User-Agent field.")


class PollShape(Section):
    """Bounds of the polling interval of sources without `every`."""

    model_config = ConfigDict(title="Poll")

    floor: kinds.SecondOrMore = Field(_SETTINGS.poll.floor, description="The shortest interval.")
    ceiling: kinds.SecondOrMore = Field(_SETTINGS.poll.ceiling, description="The longest interval.")

    @model_validator(mode="after")
    def _floor_is_below_ceiling(self) -> PollShape:
        if self.floor > self.ceiling:
            floor, ceiling = scalars.duration_text(self.floor), scalars.duration_text(self.ceiling)
            key = "floor" if "floor" in self.model_fields_set else "ceiling"
            raise BadValueError(f"poll.floor, {floor}, is above poll.ceiling, {ceiling}", "raise the ceiling", key=key)
        return self


class PublishShape(Section):
    """What a live feed carries."""

    model_config = ConfigDict(title="Publish")

    limit: kinds.UpToMillion = Field(_SETTINGS.publish.limit, description="Stories in a feed.")
    max_age: kinds.SecondOrMoreOrNone = Field(
        _SETTINGS.publish.max_age, description="How long a story stays in a feed."
    )
    backfill: kinds.Duration = Field(
        _SETTINGS.publish.backfill,
        description="Entries of a source added later that are older than this are not announced.",
    )


class StoreShape(Section):
    """What is kept."""

    model_config = ConfigDict(title="Store")

    keep: kinds.DayOrMore = Field(_SETTINGS.keep, description="How long texts are stored.")


class LogShape(Section):
    """What the daemon logs."""

    model_config = ConfigDict(title="Log")

    level: kinds.LogLevel = Field(_SETTINGS.log_level, description="The least level that is logged.")
    format: kinds.LogFormat = Field(_SETTINGS.log_format, description="Lines for people, or JSON lines.")


class AggregatorShape(Section):
    """The settings of the daemon. Every key is optional."""

    model_config = ConfigDict(title="aggregator.yaml")

    site: SiteShape = Field(default_factory=lambda: SiteShape.model_validate({}))
    listen: kinds.Listen = Field((_SETTINGS.listen_host, _SETTINGS.listen_port), description="Where it serves HTTP.")
    data: kinds.Path = Field(
        str(_SETTINGS.data),
        description="The data folder; a relative path counts from the configuration folder's parent.",
    )
    fetch: FetchShape = Field(default_factory=lambda: FetchShape.model_validate({}))
    poll: PollShape = Field(default_factory=lambda: PollShape.model_validate({}))
    publish: PublishShape = Field(default_factory=lambda: PublishShape.model_validate({}))
    store: StoreShape = Field(default_factory=lambda: StoreShape.model_validate({}))
    log: LogShape = Field(default_factory=lambda: LogShape.model_validate({}))


# ---------------------------------------------------------------------------------------------- the keys of shapes

FILES: dict[str, type[Shape]] = {"sources": SourcesShape, "categories": CategoriesShape, "aggregator": AggregatorShape}


def keys(shape: type[Shape]) -> dict[str, type[Shape] | None]:
    """The keys of `shape` as written in YAML, each with the shape of what it holds, or of the items of its list."""
    fields = shape.model_fields.items()
    return {field.alias or name: _shape_in(field.annotation) for name, field in fields}


def _shape_in(annotation: object) -> type[Shape] | None:
    if isinstance(annotation, type) and issubclass(annotation, Shape):
        return annotation
    return next(filter(None, map(_shape_in, get_args(annotation))), None)


def _all_keys(shape: type[Shape]) -> Iterator[str]:
    for key, inner in keys(shape).items():
        yield key
        if inner:
            yield from _all_keys(inner)


ALL_KEYS = frozenset(key for shape in FILES.values() for key in _all_keys(shape))
