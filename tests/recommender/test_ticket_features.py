import math

from recommender.touchpoints.ticket_features import TICKET_BLOCK
from recommender.touchpoints.tickets import TICKETS
from tests.recommender.rows import features_of, rows_of


def ticket(ticket_id, opened, resolved=None, **others):
    return {"ticket_id": ticket_id, "customer_id": "ann", "opened_at": opened, "resolved_at": resolved} | others


def tickets(*rows):
    return features_of(TICKET_BLOCK, rows_of(TICKETS, *rows)).loc["ann"]


def test_a_ticket_resolved_after_the_cutoff_is_still_open():
    ann = tickets(ticket("t1", 5.0, -1.0, handle_seconds=600.0, severity="High"))
    assert ann["ticket_open_count"] == 1
    assert ann["ticket_open_severe_count"] == 1
    assert ann["ticket_unanswered_count"] == 1
    assert ann["ticket_open_oldest_days"] == 5.0
    assert math.isnan(ann["ticket_handle_mean_seconds"])
    assert math.isnan(ann["ticket_resolution_mean_days"])


def test_a_ticket_reopened_after_its_resolution_is_open_again():
    ann = tickets(ticket("t1", 20.0, 10.0, reopened_at=4.0), ticket("t2", 100.0, 90.0, reopened_at=95.0))
    assert ann["ticket_open_count"] == 1
    assert ann["ticket_reopened_count"] == 2
    assert ann["ticket_resolution_mean_days"] == 10.0


def test_resolution_has_a_mean_and_a_last():
    ann = tickets(
        ticket("t1", 60.0, 50.0, first_replied_at=59.5, handle_seconds=100.0),
        ticket("t2", 40.0, 20.0, first_replied_at=38.5, handle_seconds=300.0),
        ticket("t3", 39.0, 30.0),
    )
    assert ann["ticket_resolution_mean_days"] == (10 + 20 + 9) / 3
    assert ann["ticket_resolution_last_days"] == 20.0
    assert ann["ticket_first_reply_mean_days"] == (0.5 + 1.5) / 2
    assert ann["ticket_handle_mean_seconds"] == 200.0
    assert ann["days_since_last_ticket"] == 39.0


def test_a_topic_that_comes_back_within_30_days_is_a_repeat():
    ann = tickets(
        ticket("t1", 100.0, 99.0, topic="delivery"),
        ticket("t2", 70.0, 69.0, topic="delivery"),
        ticket("t3", 65.0, 64.0, topic="price"),
        ticket("t4", 30.0, 29.0, topic="delivery"),
    )
    assert ann["ticket_repeat_count"] == 1
    assert ann["ticket_90d_count"] == 3
    assert ann["ticket_count"] == 4


def test_solved_at_first_contact_means_one_contact_and_no_reopening():
    ann = tickets(
        ticket("t1", 50.0, 40.0, contact_count=1),
        ticket("t2", 50.0, 40.0, contact_count=3),
        ticket("t3", 50.0, 40.0, contact_count=1, reopened_at=30.0),
        ticket("t4", 50.0, 40.0),
    )
    assert ann["ticket_first_contact_share"] == 1 / 3
