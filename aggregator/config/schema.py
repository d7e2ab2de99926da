"""The JSON Schema of each file, for editors that validate YAML while it is written."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from aggregator.config.shapes import FILES


class _Generator(GenerateJsonSchema):
    """Writes defaults as they stand in YAML; leaves out None as the absence of a key, and titles made of keys."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner: Any = schema["schema"]
        result = self.generate_inner(inner)
        default = schema.get("default")
        serializer = inner.get("serialization", {})
        if serializer.get("type") == "function-plain":  # a PlainSerializer: the way the value is written
            default = serializer["function"](default)
        if default is not None:
            result["default"] = self.encode_default(default)
        return result

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema (2020-12) of each file by its name without `.yaml`. It accepts every file that `load` accepts."""
    return {
        name: {"$schema": _Generator.schema_dialect, **shape.model_json_schema(schema_generator=_Generator)}
        for name, shape in FILES.items()
    }
