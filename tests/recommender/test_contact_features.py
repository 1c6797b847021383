import math

from recommender.touchpoints.contacts import CONTACT_BLOCK, CONTACTS
from tests.recommender.rows import features_of, rows_of


def message(contact_id, sent, opened=None, clicked=None):
    return {
        "contact_id": contact_id,
        "customer_id": "ann",
        "channel": "email",
        "sent_at": sent,
        "opened_at": opened,
        "clicked_at": clicked,
    }


def test_openings_and_clicks_are_shares_of_messages():
    rows = rows_of(
        CONTACTS,
        message("m1", 60.0, 59.0, 58.5),
        message("m2", 40.0, 39.5),
        message("m3", 27.5),
        message("m4", 10.0, -1.0),
    )
    ann = features_of(CONTACT_BLOCK, rows).loc["ann"]
    assert ann["contact_count"] == 4
    assert ann["contact_28d_count"] == 2
    assert ann["contact_unopened_28d_count"] == 2
    assert ann["contact_open_share"] == 2 / 4
    assert ann["contact_click_share"] == 1 / 4
    assert ann["days_since_last_contact"] == 10.0
    assert ann["days_since_last_contact_open"] == 39.5
    assert ann["days_since_last_contact_click"] == 58.5


def test_a_click_shows_that_the_message_was_opened():
    ann = features_of(CONTACT_BLOCK, rows_of(CONTACTS, message("m1", 20.0, None, 5.0))).loc["ann"]
    assert ann["contact_open_share"] == 1
    assert ann["contact_unopened_28d_count"] == 0
    assert ann["days_since_last_contact_open"] == 5.0


def test_who_never_opened_has_no_time_since_the_last_opening():
    ann = features_of(CONTACT_BLOCK, rows_of(CONTACTS, message("m1", 20.0))).loc["ann"]
    assert ann["contact_open_share"] == 0
    assert math.isnan(ann["days_since_last_contact_open"])
