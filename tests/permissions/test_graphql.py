"""Every operation, every kind of caller: who is allowed, and that a refusal changes nothing."""

from __future__ import annotations

import pytest

from accounts.models import ApiAccount, AuditEntry, User
from portal.graphql.reference import operations
from tests.base import Caller, Cast, client_of, snapshot, undone
from tests.operations import DOCUMENTS, run
from tests.permissions.table import Row, account_of, callers_of, read_table
from tests.stage import PASSWORD, VARIABLES, Stage, make_stage

pytestmark = pytest.mark.usefixtures("registers")

TABLE = read_table()


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_an_operation_is_open_to_those_whose_role_allows_it_and_nobody_else(
    cast: Cast, row: Row, subtests: pytest.Subtests
) -> None:
    cast.hanna.set_password(PASSWORD)
    cast.hanna.save(update_fields=["password"])
    stage = make_stage(account_of(row, cast))
    for name, caller in callers_of(row, cast).items():
        with subtests.test(caller=name), undone():
            _assert_answer(caller, row, stage, row.codes[name])


def _assert_answer(caller: Caller, row: Row, stage: Stage, code: int | None) -> None:
    client = client_of(caller)
    before = snapshot()

    answer = run(client, row.operation, **VARIABLES[row.variant](stage))

    changed = snapshot() != before
    if code:
        assert answer.refused(code), (answer.status, answer.body)
        assert not changed
    else:
        assert (answer.status, answer.errors) == (200, [])
        assert changed == DOCUMENTS[row.operation].lstrip().startswith("mutation")
        assert changed == _has_acted(caller)


def _has_acted(caller: Caller) -> bool:
    """Does the audit log hold an act of the caller? The stage was made without any."""
    assert isinstance(caller, User | ApiAccount)
    actor = caller.email if isinstance(caller, User) else f"API account {caller.name}"
    return AuditEntry.objects.filter(actor=actor).exists()


def test_the_table_holds_every_operation_of_both_schemas_in_every_state_of_an_account() -> None:
    served = {operation.name for operation in operations()}
    accounts: dict[str, set[str]] = {}
    for row in TABLE:
        accounts.setdefault(row.operation, set()).add(row.account)

    assert set(accounts) == served == set(DOCUMENTS)
    assert set(VARIABLES) == {row.variant for row in TABLE}
    for operation, states in accounts.items():
        assert states >= {"managed", "own", "deactivated"} or "-" in states, operation
