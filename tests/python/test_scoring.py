"""The scoring service through code made from `proto/`."""

import grpc
import pytest
from google.rpc import error_details_pb2
from mainstay.common.v1 import money_pb2
from mainstay.scoring.v1 import (
    account_service_pb2 as accounts,
    account_service_pb2_grpc,
    health_service_pb2 as health,
    health_service_pb2_grpc,
    signal_service_pb2 as signals,
    signal_service_pb2_grpc,
)

from calls import CALL_SECONDS_MAX, EFFECT_SECONDS_MAX, days_ago, detail, reason, refusal, wait_for

ACTIVE_DAYS = 10
USERS = ["ada", "bob", "cyd"]


@pytest.fixture(scope="module")
def account_service(channel):
    return account_service_pb2_grpc.AccountServiceStub(channel)


@pytest.fixture(scope="module")
def signal_service(channel):
    return signal_service_pb2_grpc.SignalServiceStub(channel)


@pytest.fixture(scope="module")
def health_service(channel):
    return health_service_pb2_grpc.HealthServiceStub(channel)


def customer(account_id, display_name):
    return accounts.Account(
        name=f"accounts/{account_id}",
        display_name=display_name,
        segment=accounts.SEGMENT_MID_MARKET,
        arr=money_pb2.Money(currency_code="EUR", minor_units=12_000_00),
        owners=[accounts.Owner(role=accounts.OWNER_ROLE_CSM, email="maria@example.com")],
    )


def upsert(account_service, *given, **options):
    request = accounts.BatchUpsertAccountsRequest(accounts=given, **options)
    return account_service.BatchUpsertAccounts(request, timeout=CALL_SECONDS_MAX)


def login(account_id, user, days, source_id=None):
    return signals.Signal(
        account=f"accounts/{account_id}",
        source="app",
        source_id=source_id or f"{user}-{days}",
        event_time=days_ago(days),
        activity=signals.UserActivity(user_id=user, action="login"),
    )


def batches(account_id):
    """A batch for each of ten days, the oldest first, numbered from 1; none of today, which may end meanwhile."""
    return [
        signals.StreamSignalsRequest(
            sequence=sequence, signals=[login(account_id, user, ACTIVE_DAYS + 1 - sequence) for user in USERS]
        )
        for sequence in range(1, ACTIVE_DAYS + 1)
    ]


def all_signals(signal_service, account_id):
    """All signals of an account, page by page."""
    request = signals.ListSignalsRequest(parent=f"accounts/{account_id}", page_size=7)
    while True:
        page = signal_service.ListSignals(request, timeout=CALL_SECONDS_MAX)
        yield from page.signals
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def test_accounts_are_upserted_and_equal_ones_left_alone(account_service):
    given = [customer("upsert-1", "Zoë & Søn"), customer("upsert-2", "株式会社")]
    first = upsert(account_service, *given)
    assert (first.created_count, first.updated_count, first.unchanged_count) == (2, 0, 0)
    given[1].plan = "business"
    again = upsert(account_service, *given)
    assert (again.created_count, again.updated_count, again.unchanged_count) == (0, 1, 1)
    stored = account_service.GetAccount(accounts.GetAccountRequest(name="accounts/upsert-1"), timeout=CALL_SECONDS_MAX)
    assert stored.display_name == "Zoë & Søn"
    assert stored.arr == given[0].arr
    assert stored.etag


def test_a_request_sent_twice_has_one_effect_and_one_answer(account_service):
    given = customer("twice", "Twice")
    first = upsert(account_service, given, request_id="python-twice")
    assert upsert(account_service, given, request_id="python-twice") == first
    assert first.created_count == 1
    other = accounts.BatchUpsertAccountsRequest(accounts=[customer("other", "Other")], request_id="python-twice")
    error, status = refusal(account_service.BatchUpsertAccounts, other)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason(status) == ("mainstay", "REQUEST_ID_REUSED")


def test_a_stream_is_acknowledged_in_order_and_goes_on_after_a_cut(account_service, signal_service):
    upsert(account_service, customer("stream", "Stream"))
    sent = batches("stream")

    cut = signal_service.StreamSignals(iter(sent), timeout=CALL_SECONDS_MAX)
    acknowledged = [next(cut).sequence, next(cut).sequence]
    cut.cancel()
    assert acknowledged == [1, 2]

    resumed = list(signal_service.StreamSignals(iter(sent[2:]), timeout=CALL_SECONDS_MAX))
    assert [answer.sequence for answer in resumed] == list(range(3, ACTIVE_DAYS + 1))
    for answer in resumed:
        assert answer.recorded_count + answer.duplicate_count == len(USERS)
        assert not answer.errors

    # All of it again changes nothing.
    repeated = list(signal_service.StreamSignals(iter(sent), timeout=CALL_SECONDS_MAX))
    assert [(answer.recorded_count, answer.duplicate_count) for answer in repeated] == [(0, len(USERS))] * ACTIVE_DAYS
    expected = sorted(signal.source_id for batch in sent for signal in batch.signals)
    assert sorted(signal.source_id for signal in all_signals(signal_service, "stream")) == expected


def test_wrong_items_of_a_stream_are_answered_and_the_right_ones_recorded(account_service, signal_service):
    upsert(account_service, customer("mixed", "Mixed"))
    nobody = login("nobody-at-all", "ada", 1)
    late = login("mixed", "ada", -3, source_id="in-three-days")
    batch = signals.StreamSignalsRequest(sequence=7, signals=[login("mixed", "ada", 1), nobody, late])
    (answer,) = signal_service.StreamSignals(iter([batch]), timeout=CALL_SECONDS_MAX)
    assert (answer.sequence, answer.recorded_count) == (7, 1)
    unknown, future = answer.errors
    assert (unknown.index, reason(unknown.status)) == (1, ("scoring.mainstay", "ACCOUNT_NOT_FOUND"))
    assert (future.index, reason(future.status)) == (2, ("mainstay", "INVALID_FIELDS"))
    fields = [violation.field for violation in detail(future.status, error_details_pb2.BadRequest).field_violations]
    assert fields == ["event_time"]


def test_health_follows_the_signals_and_is_explained_exactly(account_service, signal_service, health_service):
    upsert(account_service, customer("scored", "Scored"))
    name = "accounts/scored"
    list(signal_service.StreamSignals(iter(batches("scored")), timeout=CALL_SECONDS_MAX))

    def explanation():
        try:
            explained = health_service.ExplainHealth(
                health.ExplainHealthRequest(account=name), timeout=CALL_SECONDS_MAX
            )
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.NOT_FOUND, error
            return None
        measures = {measure.measure: measure for part in explained.components for measure in part.measures}
        return explained if measures["active_days"].value == ACTIVE_DAYS else None

    watch = health.WatchHealthRequest(from_oldest=True, accounts=[name])
    explained = wait_for(health_service.WatchHealth(watch, timeout=EFFECT_SECONDS_MAX), explanation)

    scored = explained.health
    assert scored.account == name and scored.account_display_name == "Scored"
    assert 0 < scored.score <= 100 and scored.band != health.BAND_UNSPECIFIED
    # Sums of doubles, compared without a tolerance.
    assert sum(part.contribution for part in scored.components) == scored.score
    assert sum(part.contribution for part in explained.components) == scored.score
    for part in explained.components:
        assert sum(measure.contribution for measure in part.measures) == part.contribution
    assert explained.sentences

    # The days before were scored too; what moved the score since one of them adds up to the change.
    earlier_day = days_ago(5).ToDatetime().date().isoformat()
    compared = health_service.ExplainHealth(
        health.ExplainHealthRequest(account=name, day=scored.day, compare_day=earlier_day), timeout=CALL_SECONDS_MAX
    ).comparison
    assert compared.earlier.day == earlier_day
    assert compared.change == scored.score - compared.earlier.score
    assert sum(measure.change for measure in compared.measures) == compared.change

    listed = health_service.ListHealth(
        health.ListHealthRequest(filter=health.HealthFilter(owner_email="maria@example.com")), timeout=CALL_SECONDS_MAX
    )
    assert name in [entry.account for entry in listed.health]


def test_all_wrong_fields_are_named_at_once(account_service):
    wrong = accounts.Account(
        name="accounts/bad id",
        arr=money_pb2.Money(currency_code="euro", minor_units=-1),
        seats=-1,
    )
    error, status = refusal(account_service.BatchUpsertAccounts, accounts.BatchUpsertAccountsRequest(accounts=[wrong]))
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == status.message
    assert reason(status) == ("mainstay", "INVALID_FIELDS")
    violations = detail(status, error_details_pb2.BadRequest).field_violations
    fields = {violation.field for violation in violations}
    assert {"accounts[0].name", "accounts[0].display_name", "accounts[0].seats"} <= fields
    assert any(field.startswith("accounts[0].arr") for field in fields)
    assert all(violation.description for violation in violations)
    assert detail(status, error_details_pb2.RequestInfo).request_id


def test_what_is_not_there_is_said_with_its_name(health_service):
    error, status = refusal(health_service.GetHealth, health.GetHealthRequest(account="accounts/nobody"))
    assert error.code() == grpc.StatusCode.NOT_FOUND
    info = detail(status, error_details_pb2.ErrorInfo)
    assert (info.domain, info.reason) == ("scoring.mainstay", "ACCOUNT_NOT_FOUND")
    assert info.metadata["account"] == "accounts/nobody"
