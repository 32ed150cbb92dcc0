"""pynamodb's description of each table, made from the row classes and the schema; all share one connection."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from pynamodb.attributes import UnicodeAttribute
from pynamodb.connection import TableConnection
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import MetaModel, Model

from surefill.adapters.dynamodb.codec import attributes_of
from surefill.adapters.dynamodb.connection import SharedConnection
from surefill.adapters.dynamodb.schema import ROWS, TABLES, IndexSchema
from surefill.domain.rows import Row


class RowModel(Model):
    """Describes one table. Never instantiated: rows are the domain's own dataclasses, not models."""

    shared: ClassVar[SharedConnection]

    @classmethod
    def _get_connection(cls) -> TableConnection:
        """The table over the one shared connection, instead of pynamodb's connection (and client) per model.

        Overrides a private method of pynamodb 6.1: a unit test counts the clients and fails when an upgrade moves it.
        """
        if cls._connection is None:
            table = super()._get_connection()
            cls.shared.add_meta_table(table.get_meta_table())
            table.connection = cls.shared
        if cls._connection is None:
            raise AssertionError(f"{cls.__name__} must keep its connection once it is made, kept none")
        return cls._connection


def tables_of(*, table_prefix: str, connection: SharedConnection) -> Mapping[str, TableConnection]:
    """The tables of a stage by name, each ready to be used over `connection`."""
    return {row.TABLE: _model(row, table_prefix=table_prefix, connection=connection)._get_connection() for row in ROWS}


def _model(row: type[Row], *, table_prefix: str, connection: SharedConnection) -> type[RowModel]:
    schema = TABLES[row.TABLE]
    meta = type("Meta", (), {"table_name": f"{table_prefix}{schema.name}"})
    namespace: dict[str, Any] = {"Meta": meta, "shared": connection, "__module__": __name__, **attributes_of(row)}
    for index in schema.indexes:
        namespace[f"{index.name}_index"] = _index(index)
    return cast("type[RowModel]", MetaModel(f"{row.__name__}Model", (RowModel,), namespace))


def _index(index: IndexSchema) -> GlobalSecondaryIndex[Any]:
    projection = AllProjection() if index.projection == "ALL" else KeysOnlyProjection()
    namespace = {
        "Meta": type("Meta", (), {"index_name": index.name, "projection": projection}),
        index.partition_key: UnicodeAttribute(hash_key=True),
        index.sort_key: UnicodeAttribute(range_key=True),
    }
    made: GlobalSecondaryIndex[Any] = type(f"{index.name}Index", (GlobalSecondaryIndex,), namespace)()
    return made
