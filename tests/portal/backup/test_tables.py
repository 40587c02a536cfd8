"""Nothing is forgotten: every table and column is backed up, or left out for a reason."""

from __future__ import annotations

from django.apps import apps

from portal.backup.tables import LEFT_OUT, REFERENCES, TABLES


def test_every_table_is_in_the_backup_or_left_out_for_a_reason() -> None:
    ours = [table.label for table in TABLES]

    assert len(ours) == len(set(ours))
    assert {model._meta.label_lower for model in apps.get_models()} == {*ours, *LEFT_OUT}
    assert not set(ours) & set(LEFT_OUT)


def test_every_column_is_in_the_backup_but_numbers_and_what_is_computed() -> None:
    left_out = {
        f"{table.label}.{field.name}"
        for table in TABLES
        for field in table.model._meta.concrete_fields
        if field.name not in {column.field.name for column in table.columns}
        and field.get_internal_type() not in ("AutoField", "BigAutoField")
    }

    leased = ("lane", "registration", "destinationlane")
    leases = {f"events.{row}.{column}" for row in leased for column in ("claim", "claimed_until")}
    assert left_out == {"pixels.pixel.active", "accounts.apiaccount.last_used_from", *leases}


def test_no_table_of_ours_has_relations_that_rows_do_not_show() -> None:
    assert [table.label for table in TABLES if table.model._meta.many_to_many] == []


def test_a_row_is_known_by_its_key_or_comes_with_another() -> None:
    for table in TABLES:
        assert table.key or table.comes_with, table.label


def test_what_a_row_refers_to_is_restored_before() -> None:
    restored: list[type] = []
    for table in TABLES:
        for column in table.columns:
            if column.is_reference:
                assert column.field.related_model in restored, f"{table.label}.{column.field.name}"
                assert column.field.related_model in REFERENCES
        restored.append(table.model)
