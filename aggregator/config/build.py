"""The validated shapes as the frozen values that the rest of the program works with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aggregator import models
from aggregator.config.shapes import (
    AggregatorShape,
    CategoryShape,
    LabelsShape,
    RuleShape,
    SoughtShape,
    SourceShape,
)


def settings(shape: AggregatorShape, data: Path) -> models.Settings:
    """The settings, with `data` as the data folder."""
    host, port = shape.listen
    return models.Settings(
        site=models.SiteSettings(**dict(shape.site)),
        listen_host=host,
        listen_port=port,
        data=data,
        fetch=models.FetchSettings(**dict(shape.fetch)),
        poll=models.PollSettings(**dict(shape.poll)),
        publish=models.PublishSettings(**dict(shape.publish)),
        keep=shape.store.keep,
        log_level=shape.log.level,
        log_format=shape.log.format,
    )


def source(shape: SourceShape, typed: object) -> models.Source:
    """The source, its password read from wherever it stands; its address was `typed` so."""
    return models.Source(
        name=shape.name,
        url=shape.url,
        categories=tuple(dict.fromkeys(shape.category)),
        prior=shape.prior,
        rules=tuple(_rule(rule, rule.category) for rule in shape.rules),
        every=shape.every,
        language=shape.language,
        timezone=shape.timezone,
        enabled=shape.enabled,
        headers=shape.headers,
        username=shape.username,
        password=shape.password or shape.password_file,
        full=shape.full,
        excerpt=shape.excerpt,
        formerly=shape.formerly,
        written=str(typed) if typed != shape.url else None,
    )


def category(shape: CategoryShape) -> models.Category:
    """The category with its rules."""
    return models.Category(
        term=shape.term,
        label=shape.label,
        labels=_labels(shape.labels),
        parent=shape.parent,
        threshold=shape.threshold,
        rules=tuple(map(_rule, shape.rules)),
    )


def _labels(shape: LabelsShape) -> dict[str, str]:
    return shape.model_dump(by_alias=True, exclude_none=True)


def _rule(shape: RuleShape, category: str | None = None) -> models.Rule:
    return models.Rule(
        any=tuple(_items(shape.any)),
        all=tuple(_items(shape.all)),
        none=tuple(_items(shape.none)),
        fields=tuple(dict.fromkeys(shape.fields)),
        act=shape.act,
        weight=shape.weight,
        category=category,
    )


def _items(shapes: tuple[str | SoughtShape, ...]) -> Iterator[str | models.Sought]:
    """The items, those that name their fields each for itself."""
    for item in shapes:
        if isinstance(item, str):
            yield item
        else:
            yield from (models.Sought(field, said) for field, words in item for said in words)
